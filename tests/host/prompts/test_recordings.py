from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from host_tools.prompts.language import Prompt
from host_tools.prompts.level import SAMPLE_RATE_HZ, active_level_dbm0, frame_levels_dbm0
from host_tools.prompts.recordings import Fault, Recordings
from host_tools.prompts.shaping import ACTIVE_LEVEL_DBM0, LOUDEST_FRAME_DBM0, shaped
from host_tools.prompts.texts import LANGUAGES

TRACED = Prompt("traced", "The last call was traced.", LANGUAGES["en-US"])


def _tone(seconds: float, peak: float, rate_hz: int = 8000) -> np.ndarray:
    """Syllables of a tone, three a second, as speech comes and goes."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    return np.asarray(peak * np.sin(2 * np.pi * 1000 * time_s) * (0.55 + 0.45 * np.cos(6 * np.pi * time_s)))


def _faults(folder: Path) -> list[Fault]:
    _, findings = Recordings(folder).speech(TRACED)
    return [finding.fault for finding in findings]


@pytest.mark.parametrize(
    ("rate_hz", "subtype", "channels"),
    [
        (8000, "PCM_16", 1),
        (11025, "ULAW", 1),
        (44100, "PCM_24", 2),
        (48000, "FLOAT", 1),
        (96000, "PCM_16", 2),
    ],
)
def test_any_rate_and_format(tmp_path: Path, rate_hz: int, subtype: str, channels: int) -> None:
    tone = np.repeat(_tone(2, 0.1, rate_hz)[:, None], channels, axis=1)
    soundfile.write(tmp_path / "traced.wav", tone, rate_hz, subtype=subtype)
    speech, findings = Recordings(tmp_path).speech(TRACED)
    assert findings == []
    assert speech is not None
    assert len(speech) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=2)
    prompt = shaped(speech)
    assert active_level_dbm0(prompt) == pytest.approx(ACTIVE_LEVEL_DBM0, abs=0.5)
    assert frame_levels_dbm0(prompt).max() < LOUDEST_FRAME_DBM0


@pytest.mark.parametrize(
    ("seconds", "peak", "fault"),
    [
        (2.0, 0.1, None),
        (2.0, 0.004, Fault.TOO_QUIET),
        (2.0, 0.95, Fault.TOO_LOUD),
        (6.0, 0.1, Fault.TOO_LONG),
        (2.0, 0.0, Fault.SILENT),
        (0.01, 0.1, Fault.SILENT),
    ],
)
def test_what_is_wrong_with_a_recording(
    tmp_path: Path, seconds: float, peak: float, fault: Fault | None
) -> None:
    soundfile.write(tmp_path / "traced.wav", _tone(seconds, peak), 8000)
    assert _faults(tmp_path) == ([] if fault is None else [fault])


def test_a_clipped_recording(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "traced.wav", np.clip(_tone(2, 1.5, 44100), -1, 1), 44100)
    assert Fault.CLIPPED in _faults(tmp_path)


@pytest.mark.parametrize("peak", [0.0, 0.1])
def test_what_is_silent_cannot_be_used_and_what_is_not_can(tmp_path: Path, peak: float) -> None:
    soundfile.write(tmp_path / "traced.wav", _tone(2, peak), 8000)
    speech, _ = Recordings(tmp_path).speech(TRACED)
    assert (speech is None) == (peak == 0)


def test_what_is_no_recording_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "traced.wav").write_bytes(b"not audio")
    speech, (finding,) = Recordings(tmp_path).speech(TRACED)
    assert speech is None
    assert (finding.name, finding.fault) == ("traced", Fault.UNREADABLE)


def test_an_empty_recording_is_silent(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "traced.wav", np.empty(0), 8000)
    assert _faults(tmp_path) == [Fault.SILENT]
