"""A recording of a live line: a WAV without loss, gaps in it as silence, and beside it what happened, and when."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import soundfile

from host_tools.exchange.levels import RATE_HZ
from host_tools.technician.faults import BenchFault
from host_tools.technician.live_line import Gaps, Happened, Heard, Plugged, Sound, Unplugged

_LONGEST_GAP_SAMPLES = 3600 * RATE_HZ


class CannotRecord(BenchFault):
    """The recording cannot be written."""


@dataclass(frozen=True)
class Gap:
    """Where samples are missing, and silence stands for them; in seconds."""

    at_s: float
    duration_s: float


class LineRecording:
    """Writes what a live line carries; a context manager.

    Args:
        path: of the WAV: 8 kHz, 16 bits, one channel.
        clock: seconds, for the time that a board is away.

    Raises:
        CannotRecord: nothing can be written there.

    Attributes:
        events: what happened, each with `at`, in seconds of the recording.
        gaps: where samples are missing.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.events: list[dict[str, Any]] = []
        self.gaps: list[Gap] = []
        self._clock = clock
        self._left_at: float | None = None
        self._numbers = Gaps()
        self._samples = 0
        try:
            # What is said on a household's line is nobody else's to hear.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError as fault:
            raise CannotRecord(f"{path} cannot be written: {fault.strerror}") from fault
        try:
            self._file = soundfile.SoundFile(path, "w", RATE_HZ, 1, "PCM_16", format="WAV")
        except soundfile.LibsndfileError as fault:
            raise CannotRecord(f"{path} cannot be written: {fault.error_string}") from fault

    def __enter__(self) -> LineRecording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def duration_s(self) -> float:
        """So far, gaps included."""
        return self._samples / RATE_HZ

    def take(self, heard: Heard) -> None:
        """Takes what was heard, in its order."""
        if isinstance(heard, Sound):
            self._add(heard)
        elif isinstance(heard, Happened):
            self._note(heard.event)
        elif isinstance(heard, Unplugged):
            self._left_at = self._clock()
        elif isinstance(heard, Plugged):
            self._numbers.begin_anew()

    def close(self) -> None:
        """Ends the WAV, and writes what happened into a file beside it."""
        if not self._file.closed:
            self._file.close()
            told = {"events": self.events, "gaps": [[gap.at_s, gap.duration_s] for gap in self.gaps]}
            beside = os.open(events_path(self.path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(beside, "w") as file:
                file.write(json.dumps(told, indent=1) + "\n")

    def _add(self, sound: Sound) -> None:
        if self._left_at is not None:
            away_s, self._left_at = self._clock() - self._left_at, None
            self._be_silent(round(away_s * RATE_HZ) if self._samples else 0)
        self._be_silent(self._numbers.before(sound))
        self._file.write(sound.samples)
        self._samples += len(sound.samples)

    def _note(self, event: dict[str, Any]) -> None:
        if event["event"] == "lost" and isinstance(event.get("samples"), int):
            self._be_silent(event["samples"])
        self.events.append({**event, "at": round(self.duration_s, 3)})

    def _be_silent(self, samples: int) -> None:
        samples = min(samples, _LONGEST_GAP_SAMPLES)
        if samples > 0:
            self.gaps.append(Gap(round(self.duration_s, 3), round(samples / RATE_HZ, 3)))
            for start in range(0, samples, RATE_HZ):
                self._file.write(np.zeros(min(RATE_HZ, samples - start), np.int16))
            self._samples += samples


def events_path(recording: Path) -> Path:
    """Where it stands what happened during a recording."""
    return recording.with_name(recording.name + ".json")


def events_of(recording: Path) -> list[dict[str, Any]] | None:
    """What happened during a recording, as it was told live; None when nobody noted it."""
    try:
        told = json.loads(events_path(recording).read_text())
    except (OSError, ValueError):
        return None
    events = told.get("events") if isinstance(told, dict) else None
    if not isinstance(events, list):
        return None
    return [event for event in events if isinstance(event, dict) and {"event", "at"} <= event.keys()]
