"""Why a burst said nothing: what a technician is told, and the figures of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from host_tools.exchange import tones
from host_tools.exchange.caller_id import framed, ntt
from host_tools.exchange.fsk import BELL_202, NTT, V23, Burst, on_hook
from host_tools.exchange.impairments import Clipping, Line, Noise
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
