"""A recording of a live line: without loss, and gaps as silence of the right length, told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from host_tools.technician.live_line import Happened, Plugged, Said, Sound, Unplugged
from host_tools.technician.recording import Gap, LineRecording, events_of, events_path

RAMP = np.arange(1, 1601, dtype=np.int16)


def sound(number: int) -> Sound:
    return Sound(number, RAMP[number % 10 * 160 :][:160])


def samples_of(path: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 8000
    return samples  # type: ignore[no-any-return]


def test_it_is_lossless(tmp_path: Path) -> None:
    path = tmp_path / "line.wav"
    with LineRecording(path) as recording:
        for number in range(10):
            recording.take(sound(number))
        assert recording.duration_s == 0.2
    assert (samples_of(path) == RAMP).all()
    assert recording.gaps == []


def test_it_is_nobody_elses_to_hear(tmp_path: Path) -> None:
    path = tmp_path / "line.wav"
    with LineRecording(path) as recording:
        recording.take(Happened({"event": "ring_started"}))
    assert [file.stat().st_mode & 0o777 for file in (path, events_path(path))] == [0o600, 0o600]


def test_blocks_that_did_not_come_are_silence(tmp_path: Path) -> None:
    path = tmp_path / "line.wav"
    with LineRecording(path) as recording:
        for number in (0, 1, 4, 5):
            recording.take(sound(number))
    samples = samples_of(path)
    assert (samples[:320] == RAMP[:320]).all()
    assert (samples[320:640] == 0).all()
    assert (samples[640:] == RAMP[640:960]).all()
    assert recording.gaps == [Gap(0.04, 0.04)]


def test_samples_that_the_board_lost_are_silence_too(tmp_path: Path) -> None:
    path = tmp_path / "line.wav"
    with LineRecording(path) as recording:
        recording.take(sound(0))
        recording.take(Happened({"event": "lost", "samples": 24}))
        recording.take(sound(1))
    samples = samples_of(path)
    assert len(samples) == 344
    assert (samples[160:184] == 0).all()
    assert recording.gaps == [Gap(0.02, 0.003)]


def test_while_a_board_is_away_the_recording_is_silent_for_as_long(tmp_path: Path) -> None:
    path = tmp_path / "line.wav"
    now_s = [100.0]
    with LineRecording(path, clock=lambda: now_s[0]) as recording:
        recording.take(sound(0))
        recording.take(Unplugged("unplugged"))
        now_s[0] += 2.5
        recording.take(Plugged("a port"))
        recording.take(sound(700))
    assert len(samples_of(path)) == 320 + 20_000
    assert recording.gaps == [Gap(0.02, 2.5)]


def test_what_happened_stands_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "line.wav"
    with LineRecording(path) as recording:
        recording.take(sound(0))
        recording.take(Happened({"event": "ring_started"}))
        recording.take(Said("of no matter"))
        recording.take(sound(1))
    assert events_of(path) == [{"event": "ring_started", "at": 0.02}]


def test_no_word_of_what_happened(tmp_path: Path) -> None:
    path = tmp_path / "line.wav"
    assert events_of(path) is None
    for text in ("", "[]", '{"events": 7}', "{"):
        events_path(path).write_text(text)
        assert events_of(path) is None
    events_path(path).write_text('{"events": [7, {"event": "digit"}, {"event": "digit", "at": 1}]}')
    assert events_of(path) == [{"event": "digit", "at": 1}]
