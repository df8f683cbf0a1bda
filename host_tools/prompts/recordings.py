"""Recordings of a speaker in place of the computer's voice: NAME.wav, of any rate, and whatever libsndfile reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import soundfile
import soxr

from host_tools.prompts.language import Prompt
from host_tools.prompts.level import SAMPLE_RATE_HZ, Samples, active_level_dbm0, frame_levels_dbm0

_SILENT_BELOW_DBM0 = -60.0
_QUIET_BELOW_DBM0 = -40.0  # to raise it by more would raise the room's noise to what is heard
_LOUD_ABOVE_DBM0 = -6.0
_FULL_SCALE = 0.999
_CLIPPED_SAMPLES = 4  # in a row; a peak that only just touches is shorter
_SHORTEST_S = 0.05
_LEAST_CHARACTERS_PER_S = 8.0  # half as fast as the computer's voice
_BREATH_S = 1.0


class Fault(StrEnum):
    """What is wrong with a recording."""

    UNREADABLE = "unreadable"
    SILENT = "silent"
    TOO_QUIET = "too quiet"
    TOO_LOUD = "too loud"
    CLIPPED = "clipped"
    TOO_LONG = "too long"


UNUSABLE = (Fault.UNREADABLE, Fault.SILENT)
"""What leaves nothing to play."""


@dataclass(frozen=True)
class Finding:
    """A fault of a recording, with what was measured."""

    name: str
    fault: Fault
    measured: str


class Recordings:
    """The recordings in a folder, by the names of their prompts."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".wav"}

    @property
    def names(self) -> set[str]:
        """Of which prompts there is a file."""
        return set(self._files)

    def speech(self, prompt: Prompt) -> tuple[Samples | None, list[Finding]]:
        """A prompt's recording at 8 kHz in 16-bit units, or None where nothing can be played; and its faults."""
        path = self._files.get(prompt.name)
        if path is None:
            return None, []
        try:
            channels, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
        except soundfile.LibsndfileError as error:
            return None, [Finding(prompt.name, Fault.UNREADABLE, str(error))]
        mono = channels.mean(axis=1)
        speech = np.asarray(soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ, quality="VHQ")) * 32768
        findings = [
            Finding(prompt.name, fault, measured)
            for fault, measured in _faults(speech, len(prompt.text)) + _clipping(channels)
        ]
        if any(finding.fault in UNUSABLE for finding in findings):
            return None, findings
        return speech, findings


def _faults(speech: Samples, characters: int) -> list[tuple[Fault, str]]:
    if len(speech) < _SHORTEST_S * SAMPLE_RATE_HZ:
        return [(Fault.SILENT, f"{len(speech)} samples")]
    loudest_dbm0 = frame_levels_dbm0(speech).max()
    if loudest_dbm0 < _SILENT_BELOW_DBM0:
        return [(Fault.SILENT, f"{loudest_dbm0:.0f} dBm0")]
    faults = []
    active_dbm0 = active_level_dbm0(speech)
    if active_dbm0 < _QUIET_BELOW_DBM0:
        faults.append((Fault.TOO_QUIET, f"{active_dbm0:.0f} dBm0"))
    if active_dbm0 > _LOUD_ABOVE_DBM0:
        faults.append((Fault.TOO_LOUD, f"{active_dbm0:.0f} dBm0"))
    length_s, longest_s = len(speech) / SAMPLE_RATE_HZ, _BREATH_S + characters / _LEAST_CHARACTERS_PER_S
    if length_s > longest_s:
        faults.append((Fault.TOO_LONG, f"{length_s:.1f} s, more than {longest_s:.1f} s"))
    return faults


def _clipping(channels: Samples) -> list[tuple[Fault, str]]:
    full = np.abs(channels).max(axis=1) >= _FULL_SCALE
    edges = np.flatnonzero(np.diff(full.astype(np.int8), prepend=0, append=0))
    longest = int((edges[1::2] - edges[::2]).max(initial=0))
    return [(Fault.CLIPPED, f"{longest} samples in a row")] if longest >= _CLIPPED_SAMPLES else []
