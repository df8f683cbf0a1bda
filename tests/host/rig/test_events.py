"""What was on the line: every kind of event, its fields, when it began, and nothing that was not there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from host_tools.exchange import tones
from host_tools.exchange.caller_id import (
    DTMF_SCHEMES,
    CallerId,
    dtmf_digits,
    framed,
    mdmf,
    mdmf_message_waiting,
    ntt,
    parameter,
    sdmf,
    sdmf_message_waiting,
)
from host_tools.exchange.fsk import BELL_202, BT, NTT, V23, FskStandard, on_hook
from host_tools.exchange.impairments import Hum, Line, Noise
from host_tools.exchange.levels import Samples, to_samples
from host_tools.rig.events import Event, decode
from tests.host.rig.recordings import CALLER, MESSAGE, NUMBER, Tape, everything, speech

WITHIN_S = 0.012
QUALITY = {"level_dbm0", "snr_db", "baud", "twist_db", "framing_errors", "repaired"}
OF_CALLER = {
    *("event", "number", "name", "reason", "date_time", "standard", "quality", "at", "duration_ms"),
    *("kind", "message_type", "name_reason", "call_waiting", "forwarded_from", "unknown"),
}
FIELDS = {
    "caller_id": OF_CALLER,
    "message_waiting": OF_CALLER | {"message_waiting", "visual_indicator"},
    "caller_id_failed": {"event", "reason", "standard", "quality", "at", "duration_ms"},
    "dtmf": {"event", "digit", "at", "duration_ms", "level_dbm0", "twist_db", "snr_db"},
    "alert_tone": {"event", "tone", "at", "duration_ms", "level_dbm0", "twist_db", "snr_db"},
    "call_progress": {
        *("event", "tone", "countries", "frequencies_hz", "on_ms", "off_ms"),
        *("at", "duration_ms", "level_dbm0", "snr_db"),
    },
}


def heard(samples: Samples, standard: str = "auto", country: str | None = None) -> list[Event]:
    return decode(samples, standard, country).events


def kinds(events: list[Event]) -> list[str]:
    return [event["event"] for event in events]


def callers(events: list[Event]) -> list[Event]:
    return [event for event in events if event["event"] == "caller_id"]


@pytest.fixture(scope="module")
def all_events() -> list[Event]:
    return heard(everything()[0])


def test_everything_is_told_once_and_in_order(all_events: list[Event]) -> None:
    told = everything()[1]
    assert kinds(all_events) == [kind for kind, _ in told]
    for event, (kind, at) in zip(all_events, told, strict=True):
        assert abs(event["at"] - at) < WITHIN_S, kind
    assert [event["at"] for event in all_events] == sorted(event["at"] for event in all_events)


def test_every_field_is_there(all_events: list[Event]) -> None:
    assert set(kinds(all_events)) == set(FIELDS)
    for event in all_events:
        assert set(event) == FIELDS[event["event"]]
        if "quality" in event:
            assert set(event["quality"]) == QUALITY
        assert json.loads(json.dumps(event)) == event


def test_what_they_say(all_events: list[Event]) -> None:
    first, second = callers(all_events)
    for event in (first, second):
        assert (event["number"], event["name"], event["date_time"]) == (NUMBER, CALLER.name, CALLER.date_time)
        assert (event["reason"], event["standard"], event["kind"]) == (None, "bell_202", "mdmf")
        assert abs(event["quality"]["level_dbm0"] + 13.5) < 0.5
        assert abs(event["quality"]["baud"] - 1200) < 3
        assert event["quality"]["framing_errors"] == 0
        assert event["quality"]["repaired"] is False
    assert (first["call_waiting"], second["call_waiting"]) == (False, True)
    by_kind = {event["event"]: event for event in all_events}
    assert by_kind["message_waiting"]["message_waiting"] is True
    assert by_kind["caller_id_failed"]["reason"] == "checksum_wrong"
    assert by_kind["caller_id_failed"]["standard"] == "bell_202"
    assert "".join(event["digit"] for event in all_events if event["event"] == "dtmf") == "*57D"
    assert all(
        abs(event["duration_ms"] - 80) <= 5 for event in all_events if event.get("digit") in set("*57")
    )
    assert (by_kind["alert_tone"]["tone"], by_kind["alert_tone"]["duration_ms"]) == (
        "cas",
        pytest.approx(80, abs=5),
    )
    dial, busy = [event for event in all_events if event["event"] == "call_progress"]
    assert (dial["tone"], busy["tone"]) == ("dial", "busy")
    assert busy["countries"] == ["US"]
    assert (busy["on_ms"], busy["off_ms"]) == (pytest.approx(500, abs=20), pytest.approx(500, abs=20))
    assert busy["duration_ms"] == pytest.approx(4500, abs=40)


@pytest.mark.parametrize(
    ("standard", "named"), [(BELL_202, "bell_202"), (V23, "v23"), (BT, "v23"), (NTT, "ntt")]
)
def test_each_standard_is_told_apart(standard: FskStandard, named: str) -> None:
    tape = Tape()
    message = ntt(NUMBER) if standard is NTT else MESSAGE
    began = tape.burst(message, standard=standard)
    tape.pause()
    (event,) = heard(tape.samples)
    assert (event["number"], event["standard"]) == (NUMBER, named)
    assert abs(event["at"] - began) < WITHIN_S


def test_a_burst_that_repeats_is_told_each_time() -> None:
    tape = Tape()
    began = []
    for pause_ms in (100, 250, 2000):
        began.append(tape.burst(standard=BT))
        tape.pause(pause_ms)
    events = heard(tape.samples)
    assert kinds(events) == ["caller_id"] * 3
    assert all(abs(event["at"] - at) < WITHIN_S for event, at in zip(events, began, strict=True))


def test_two_messages_in_one_burst() -> None:
    tape = Tape()
    began = tape.burst(MESSAGE, sdmf_message_waiting(waiting=True))
    tape.pause(1000)
    first, second = heard(tape.samples)
    assert (first["event"], second["event"]) == ("caller_id", "message_waiting")
    assert abs(first["at"] - began) < WITHIN_S
    second_bit = 480 + 10 * len(MESSAGE) + 80
    assert abs(second["at"] - began - second_bit / 1200) < WITHIN_S


def test_a_bad_message_behind_a_good_one_is_told_too() -> None:
    wrong = bytearray(mdmf(replace(CALLER, number="5555550199")))
    wrong[16] ^= 1
    tape = Tape()
    began = tape.burst(MESSAGE, bytes(wrong))
    tape.pause(1500)
    good, bad = heard(tape.samples)
    assert (good["event"], bad["event"], bad["reason"]) == ("caller_id", "caller_id_failed", "checksum_wrong")
    assert abs(bad["at"] - began - (480 + 10 * len(MESSAGE) + 80) / 1200) < WITHIN_S


def test_kinds_of_messages() -> None:
    tape = Tape()
    for message in (
        sdmf(CallerId(reason="P", date_time="12011730")),
        mdmf(CallerId(reason="O", name_reason="P", date_time="12011730")),
        mdmf_message_waiting(False, number_of_messages=0),
        framed(0x86, parameter(0x20, b"1.20")),
        mdmf(CallerId(NUMBER, "J\xf6RG \xa3\xff", others=((0x0B, b"\xff"), (0x99, b"?")))),
    ):
        tape.burst(message, standard=V23)
        tape.pause()
    private, unavailable, waiting, charge, accented = heard(tape.samples)
    assert (private["number"], private["reason"], private["kind"]) == (None, "P", "sdmf")
    assert (unavailable["reason"], unavailable["name_reason"]) == ("O", "P")
    assert (waiting["event"], waiting["message_waiting"], waiting["number_of_messages"]) == (
        "message_waiting",
        False,
        0,
    )
    assert (charge["event"], charge["charge"]) == ("other_message", "1.20")
    assert (accented["event"], accented["name"], accented["unknown"]) == (
        "caller_id",
        "J\xf6RG \xa3\xff",
        [[0x99, "3f"]],
    )


@pytest.mark.parametrize("scheme", DTMF_SCHEMES)
def test_callers_by_dtmf(scheme: str) -> None:
    tape = Tape()
    tape.digits("5")
    tape.pause(4000)
    began = tape.digits(dtmf_digits(scheme, NUMBER), 70, 70)
    tape.pause(4000)
    events = heard(tape.samples, f"dtmf_{scheme}")
    (caller,) = callers(events)
    assert (caller["number"], caller["standard"]) == (NUMBER, f"dtmf_{scheme}")
    assert abs(caller["at"] - began[0]) < WITHIN_S
    assert abs(caller["at"] + caller["duration_ms"] / 1000 - began[-1] - 0.07) < WITHIN_S
    assert set(caller) == OF_CALLER | {"schemes"}
    assert caller["quality"]["level_dbm0"] == pytest.approx(-6, abs=1.5)
    assert len(events) == 2 + len(began)


def test_parts_of_a_caller_by_dtmf() -> None:
    tape = Tape()
    tape.digits("D")
    tape.pause(200)
    began = tape.digits(dtmf_digits("a_to_c", NUMBER, forwarded_from="5550199"), 50, 50)
    tape.pause(1500)
    restricted = tape.digits(dtmf_digits("a_to_hash", reason="P"), 50, 50)
    forwarded, private = callers(heard(tape.samples))
    assert (forwarded["number"], forwarded["forwarded_from"]) == (NUMBER, "5550199")
    assert (private["number"], private["reason"]) == (None, "P")
    assert abs(forwarded["at"] - began[0]) < WITHIN_S
    assert abs(private["at"] - restricted[0]) < WITHIN_S


def of_all_standards() -> Samples:
    tape = Tape()
    tape.burst()
    tape.pause()
    tape.burst(standard=V23)
    tape.pause()
    tape.burst(ntt(NUMBER), standard=NTT)
    tape.pause()
    tape.digits(dtmf_digits("a_to_c", NUMBER))
    tape.pause(1500)
    tape.digits(dtmf_digits("d_to_c", NUMBER))
    tape.pause(1000)
    tape.tone(tones.DIAL, 1500)
    return tape.samples


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("auto", {"bell_202": 1, "v23": 1, "ntt": 1, "dtmf_a_to_c": 1, "dtmf_d_to_c": 1}),
        ("bell_202", {"bell_202": 1}),
        ("v23", {"v23": 1}),
        ("bt", {"bt": 1}),
        ("ntt", {"ntt": 1}),
        ("dtmf", {"dtmf_a_to_c": 1, "dtmf_d_to_c": 1}),
        ("dtmf_d_to_c", {"dtmf_d_to_c": 1}),
    ],
)
def test_only_the_standard_that_is_asked_for(asked: str, told: dict[str, int]) -> None:
    events = heard(of_all_standards(), asked)
    standards = [event["standard"] for event in callers(events)]
    assert {name: standards.count(name) for name in standards} == told
    digits = 0 if asked in ("bell_202", "v23", "bt", "ntt") else 2 * len(NUMBER) + 4
    assert kinds(events).count("dtmf") == digits
    assert kinds(events).count("call_progress") == (asked == "auto")


def test_tones_of_one_country() -> None:
    tape = Tape()
    tape.tone(tones.BUSY, 4500)
    tape.pause(2000)
    assert [event["tone"] for event in heard(tape.samples, country="US")] == ["busy"]
    assert heard(tape.samples, country="GB") == []


@pytest.mark.parametrize(
    ("tone", "duration_ms", "named"),
    [
        (tones.Tone((384, 416), -16, (1000, 2000)), 7000, "ringback"),  # Japan: 400 Hz, AM 16 Hz
        (tones.Tone((413, 438), -16), 2000, "dial"),  # Australia: its lines beat at 25 Hz
        (tones.Tone((440, 480), -19, (2000, 4000)), 14_000, "ringback"),
    ],
)
def test_tones_whose_lines_beat(tone: tones.Tone, duration_ms: int, named: str) -> None:
    tape = Tape()
    began = tape.tone(tone, duration_ms)
    tape.pause(1000)
    (event,) = heard(tape.samples)
    assert event["tone"] == named
    assert abs(event["at"] - began) < 0.03
    assert event["duration_ms"] == pytest.approx(duration_ms, abs=40)


@pytest.mark.parametrize("gap_samples", [0, 160])
@pytest.mark.parametrize("talking", [False, True])
def test_call_waiting_by_its_tones(gap_samples: int, talking: bool) -> None:
    tape = Tape()
    began = [
        tape.add(tones.burst(tones.CALL_WAITING)),
        tape.add(np.concatenate([np.zeros(gap_samples), tones.burst(tones.CPE_ALERT)])) + gap_samples / 8000,
    ]
    talked = len(tape.samples)
    tape.pause(50)
    began += [*tape.digits("D", 60, 70), tape.waiting_burst(standard=V23)]
    tape.pause(500)
    wave = tape.samples.astype(np.float64)
    if talking:
        wave[:talked] += 0.2 * speech()[20_000 : 20_000 + talked]
    events = heard(to_samples(wave))
    assert kinds(events) == ["call_progress", "alert_tone", "dtmf", "caller_id"]
    for event, at in zip(events, began, strict=True):
        assert abs(event["at"] - at) < WITHIN_S, event["event"]
    assert events[0]["tone"] == "call_waiting"
    assert set(events[0]) == FIELDS["call_progress"]
    assert events[3]["call_waiting"] is True


@pytest.mark.parametrize("standard", [BELL_202, V23, NTT], ids=lambda standard: standard.name)
@pytest.mark.parametrize("level_dbm0", [0.0, -10.0, -40.0])
def test_fsk_is_nothing_but_callers(standard: FskStandard, level_dbm0: float) -> None:
    rng = np.random.default_rng(57)
    parts: list[Any] = [np.zeros(2000)]
    for count in range(6):
        number = f"555555{rng.integers(100, 200):04d}"
        message = (
            ntt(number) if standard is NTT else mdmf(CallerId(number, "N" * count, date_time="12011730"))
        )
        parts += [replace(on_hook(standard), level_dbm0=level_dbm0).wave(message), np.zeros(3000)]
    assert kinds(heard(to_samples(np.concatenate(parts)))) == ["caller_id"] * 6


def test_speech_is_nothing() -> None:
    for gain in (1, 4):
        assert heard(to_samples(speech().astype(np.float64) * gain)) == []


def test_noise_and_silence_are_nothing() -> None:
    assert heard(np.zeros(16_000, np.int16)) == []
    assert heard(tones.noise(-10, 5000, np.random.default_rng(57))) == []


@pytest.mark.parametrize("kept", [0.47, 0.65, 0.8])
def test_a_recording_that_ends_within_a_burst(kept: float) -> None:
    tape = Tape()
    began = tape.burst()
    samples = tape.samples
    first = round(began * 8000)
    (event,) = heard(samples[: first + round(kept * (len(samples) - first))])
    assert (event["event"], event["standard"]) == ("caller_id_failed", None if kept < 0.5 else "bell_202")
    assert event["reason"] == ("no_message" if kept < 0.5 else "truncated")
    assert abs(event["at"] - began) < WITHIN_S


def test_bursts_that_noise_takes_are_told_as_failed() -> None:
    tape = Tape()
    for _ in range(8):
        tape.burst(standard=V23)
        tape.pause()
    samples = Line(Noise(-1), Hum(50, -20)).samples(tape.samples, np.random.default_rng(57))
    events = heard(samples)
    assert set(kinds(events)) <= {"caller_id", "caller_id_failed"}
    failed = [event for event in events if event["event"] == "caller_id_failed"]
    assert len(failed) >= 4
    assert all(abs(event["quality"]["snr_db"] + 1) < 4 for event in failed)


def test_digits_in_noise_keep_their_times() -> None:
    tape = Tape()
    began = tape.digits("1590#", 60, 60)
    samples = Line(Noise(8)).samples(tape.samples, np.random.default_rng(57))
    events = heard(samples)
    assert "".join(event["digit"] for event in events) == "1590#"
    assert all(abs(event["at"] - at) < WITHIN_S for event, at in zip(events, began, strict=True))
    assert all(abs(event["duration_ms"] - 60) <= 12 for event in events)
