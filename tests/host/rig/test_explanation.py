"""Why a burst said nothing: what a technician is told, and the figures of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from host_tools.exchange import tones
from host_tools.exchange.caller_id import framed, ntt
from host_tools.exchange.fsk import BELL_202, NTT, V23, Burst, on_hook
from host_tools.exchange.impairments import Clipping, ClockOffset, DcOffset, Gain, Hum, Line, Noise, Tone
from host_tools.exchange.levels import Samples, to_samples
from host_tools.rig import explanation
from host_tools.rig.events import Event, decode
from tests.host.rig.recordings import MESSAGE, Tape, speech


def explained(samples: Samples) -> Event:
    (failed,) = decode(samples).failures
    return explanation.of_failure(samples, failed)


def sent(message: bytes, burst: Burst | None = None, line: Line | None = None) -> Samples:
    wave = np.concatenate([np.zeros(2000), (burst or on_hook(BELL_202)).wave(message), np.zeros(8000)])
    return (line or Line()).samples(wave, np.random.default_rng(57))


def spoilt(*indices: int) -> bytes:
    message = bytearray(MESSAGE)
    for index in indices:
        message[index] ^= 4
    return bytes(message)


def test_a_wrong_checksum_on_a_clean_line() -> None:
    event = explained(sent(spoilt(20)))
    why = event["why"]
    assert event["reason"] == "checksum_wrong"
    assert (event["data"], event["bytes_received"], event["bytes_announced"]) == (spoilt(20).hex(), 35, 35)
    assert set(event["weakest_byte"]) == {"index", "value"}
    assert event["weakest_byte"]["value"] == spoilt(20)[event["weakest_byte"]["index"]]
    assert abs(event["mark_hz"] - 1200) < 2
    assert abs(event["space_hz"] - 2200) < 15
    assert abs(event["message_at"] - (2000 + 480 * 20 / 3) / 8000) < 0.002
    for words in (
        "A carrier of -13.5 dBm0 lasted for 70",
        "ms, with a channel seizure.",
        "Bell 202: 1200 and 2200 Hz",
        "1200 baud",
        "A message began (80h, MDMF call set-up), of 35 bytes; 35 came, each with its stop bit.",
        "The sum of its bytes is 04h and not 00h; checksum byte 95h.",
        f"The least certain is byte {event['weakest_byte']['index']}, counted from 0",
        "The signal is clean, so that the sender's own bytes may be wrong.",
    ):
        assert words in why


def test_parameters_that_do_not_fit() -> None:
    body = MESSAGE[2:-1]
    message = bytearray(framed(0x80, body[:11] + bytes([200]) + body[12:]))
    message[-1] ^= 1
    assert "Its parameters stop making sense at byte 12." in explained(sent(bytes(message)))["why"]


def test_a_message_that_is_whole_but_no_message() -> None:
    event = explained(sent(framed(0x80, b"\x01\x09123")))
    assert event["reason"] == "parameter cut short"
    assert "Its checksum holds, but it makes no sense: parameter cut short." in event["why"]


def test_a_cut_recording() -> None:
    samples = sent(MESSAGE)[: 2000 + 4400]
    event = explained(samples)
    assert event["reason"] == "truncated"
    assert event["bytes_announced"] == 35
    assert 10 < event["bytes_received"] < 20
    assert "Likely cause: the recording ends within it." in event["why"]


def test_no_message_behind_the_mark() -> None:
    event = explained(sent(b"UUUUUUUUUUUU"))
    assert (event["reason"], event["data"], event["weakest_byte"]) == ("no_message", "", None)
    assert "Behind the mark no message began" in event["why"]


def test_ntt() -> None:
    frame = bytearray(ntt("5555550123"))
    frame[12] ^= 3
    event = explained(sent(bytes(frame), on_hook(NTT)))
    assert event["bytes_announced"] in (None, len(frame))
    assert "NTT frame" in event["why"] or "no message began" in event["why"]


@pytest.mark.parametrize(
    ("message", "burst", "line", "cause"),
    [
        (spoilt(10, 20, 30), on_hook(V23), Line(Noise(5)), "the noise is too strong"),
        (
            spoilt(20),
            replace(on_hook(BELL_202), twist_db=12),
            Line(),
            "one tone is more than 10 dB below the other",
        ),
        (
            spoilt(20),
            replace(on_hook(BELL_202), twist_db=-12),
            Line(),
            "one tone is more than 10 dB below the other",
        ),
        (
            spoilt(20),
            replace(on_hook(BELL_202), baud_percent=-6.5),
            Line(),
            "the sender's baud is too far off",
        ),
        (spoilt(20), replace(on_hook(V23), shift_hz=-240), Line(), "its tones are more than 200 Hz off"),
        (spoilt(20), on_hook(BELL_202), Line(Clipping(12)), "the recording is clipped"),
    ],
)
def test_likely_causes(message: bytes, burst: Burst, line: Line, cause: str) -> None:
    assert cause in explained(sent(message, burst, line))["why"]


def test_lost_samples_are_no_figure() -> None:
    first = 2000 + 480 * 20 // 3 + 400
    samples = sent(MESSAGE)
    event = explained(np.concatenate([samples[:first], samples[first + 60 :]]))
    assert "Likely cause" not in event["why"]


def ring(duration_s: float, hz: float = 20) -> Samples:
    return to_samples(20_000 * np.sin(2 * np.pi * hz / 8000 * np.arange(round(8000 * duration_s))))


def cut(samples: Samples) -> Samples:
    return np.where(np.arange(len(samples)) < 6400, samples, 0).astype(np.int16)


def with_zeros(samples: Samples) -> Samples:
    return np.where((np.arange(len(samples)) // 60) == 92, 0, samples).astype(np.int16)


SINGLE_FAULTS: dict[str, Callable[[], Samples]] = {
    "sender": lambda: sent(spoilt(20)),
    "clipped": lambda: sent(spoilt(20), line=Line(Clipping(12))),
    "hum": lambda: sent(spoilt(20), line=Line(Hum(50, -8, ((3, -20), (5, -20))))),
    "dc": lambda: sent(spoilt(20), line=Line(DcOffset(6000))),
    "tone": lambda: sent(spoilt(20), line=Line(Tone(440, -20))),
    "noise": lambda: sent(spoilt(20), line=Line(Noise(5))),
    "twist": lambda: sent(spoilt(20), replace(on_hook(BELL_202), twist_db=12)),
    "wrong_rate": lambda: sent(spoilt(20), line=Line(ClockOffset(30_000))),
    "baud": lambda: sent(spoilt(20), replace(on_hook(BELL_202), baud_percent=-6.5)),
    "tones_off": lambda: sent(spoilt(20), replace(on_hook(V23), shift_hz=-240)),
    "no_seizure": lambda: sent(spoilt(20), replace(on_hook(BELL_202), seizure_bits=0)),
    "carrier_dropped": lambda: cut(sent(MESSAGE)),
    "cut_by_ring": lambda: np.concatenate([sent(MESSAGE)[:6400], ring(2), np.zeros(8000, np.int16)]),
    "recording_ends": lambda: sent(MESSAGE)[:6400],
    "samples_missing": lambda: with_zeros(sent(MESSAGE)),
}


@pytest.mark.parametrize("name", SINGLE_FAULTS)
def test_a_single_fault_is_the_first_reason(name: str) -> None:
    event = explained(SINGLE_FAULTS[name]())
    first = event["reasons"][0]
    assert first["name"] == name
    assert first["text"].lower() in event["why"].lower()
    assert first["remedy"].endswith(".")
    assert first["figures"]


SINGLE_ABSENCES: dict[str, tuple[Callable[[], Samples], Event]] = {
    "too_weak": (lambda: sent(MESSAGE, line=Line(Gain(-40))), {"least_dbm0": -48.0}),
    "short_mark": (lambda: sent(MESSAGE, replace(on_hook(V23), mark_bits=6)), {"needed_bits": 55}),
    "no_service": (
        lambda: np.concatenate([np.zeros(4000, np.int16), ring(2), np.zeros(32_000, np.int16), ring(2, 25)]),
        {"rings": 2, "frequency_hz": 20.0},
    ),
    "silent": (lambda: np.zeros(8000, np.int16), {}),
    "quiet": (lambda: tones.noise(-70, 2000, np.random.default_rng(57)), {}),
    "no_carrier": (speech, {}),
}


@pytest.mark.parametrize("name", SINGLE_ABSENCES)
def test_why_there_is_no_burst(name: str) -> None:
    make, figures = SINGLE_ABSENCES[name]
    event = explanation.of_absence(make())
    assert event["reasons"][0]["name"] == name
    assert figures.items() <= event["reasons"][0]["figures"].items()
    assert event["reasons"][0]["text"].lower() in event["why"].lower()


def test_digits_instead_of_a_burst() -> None:
    tape = Tape()
    tape.digits("*5555550123#")
    event = explanation.of_absence(tape.samples, decode(tape.samples).events)
    assert event["reasons"][0]["figures"] == {"digits": 12, "standard": "dtmf_star_to_hash"}
    assert "--standard dtmf_star_to_hash" in event["reasons"][0]["remedy"]


def test_tones_instead_of_a_burst() -> None:
    tape = Tape()
    tape.tone(tones.DIAL, 3000)
    tape.pause(1000)
    event = explanation.of_absence(tape.samples, decode(tape.samples).events)
    assert event["reasons"][0]["figures"] == {"tones": ["dial"]}


def test_a_doubtful_character_is_named_and_the_bit_that_would_mend_it() -> None:
    samples = sent(spoilt(20)).astype(np.float64)
    # The bit that is wrong, faded: the recording says neither.
    at = 2000 + (480 + 10 * 20 + 3) * 8000 / 1200
    fading = np.ones(len(samples))
    fading[round(at) - 1 : round(at + 8000 / 1200) + 1] = 0.02
    event = explained(to_samples(samples * fading))
    assert event["doubtful_bytes"][0]["index"] == 20
    assert f"With {MESSAGE[20]:02X}h ({chr(MESSAGE[20])}) as byte 20 the checksum would hold." in event["why"]


def test_nothing_at_all() -> None:
    event = explanation.of_absence(np.zeros(8000, np.int16))
    assert (event["event"], event["at"], event["duration_ms"]) == ("no_caller_id", 0.0, 1000)
    assert (event["level_dbm0"], event["noise_dbm0"], event["tones_hz"]) == (None, None, [])
    assert "The recording is silent: every sample is 0." in event["why"]


def test_a_tone_and_its_level() -> None:
    tape = Tape()
    tape.tone(tones.DIAL, 2000)
    event = explanation.of_absence(tape.samples)
    assert [round(hz) for hz in event["tones_hz"]] == [350, 440]
    assert abs(event["level_dbm0"] - tones.DIAL.level_dbm0 - 3) < 1.5
    assert "is mostly 350 + 440 Hz" in event["why"]
    assert "Nothing near 1200 or 1300 Hz lasted for 40 ms" in event["why"]


def test_speech_noise_and_something_like_mark() -> None:
    event = explanation.of_absence(speech())
    assert event["tones_hz"] == []
    assert "no tone, but speech or noise" in event["why"]
    noise = explanation.of_absence(tones.noise(-30, 2000, np.random.default_rng(57)))
    assert abs(noise["level_dbm0"] + 30) < 1
    assert abs(noise["noise_dbm0"] + 30) < 1
    mark = explanation.of_absence(tones.ToneGenerator(tones.Tone((1300,), -20)).samples(4000))
    assert "Once something near 1200 or 1300 Hz lasted" in mark["why"]


def test_the_shortest_recording() -> None:
    assert explanation.of_absence(to_samples(np.full(80, 1000.0)))["duration_ms"] == 10
