"""Tones of the United States (precise tone plan, GR-506), and what plays them.

Levels are per frequency. Cadences are milliseconds on, off, on, off, ...; an empty cadence is a steady tone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from host_tools.exchange.levels import RATE_HZ, Samples, peak_of, samples_of, to_samples


@dataclass(frozen=True)
class Tone:
    """One row of a tone plan.

    Attributes:
        frequencies_hz: what sounds together.
        level_dbm0: the level of each frequency.
        cadence_ms: on, off, on, off, ... for ever; empty when steady.
    """

    frequencies_hz: tuple[float, ...]
    level_dbm0: float
    cadence_ms: tuple[int, ...] = ()


DIAL = Tone((350, 440), -13)
RINGBACK = Tone((440, 480), -19, (2000, 4000))
BUSY = Tone((480, 620), -24, (500, 500))  # 60 IPM
REORDER = Tone((480, 620), -24, (250, 250))  # 120 IPM
CALL_WAITING = Tone((440,), -13, (300, 9700))  # subscriber alerting signal (SAS)
CPE_ALERT = Tone((2130, 2750), -15, (80, 0))  # CAS; a set must take -14 to -32 dBm per tone, 75 to 85 ms


class Source(Protocol):
    """Anything that sounds."""

    def samples(self, n: int) -> Samples:
        """The next `n` samples."""


class ToneGenerator:
    """Plays a tone, cadence and all; phase continuous over blocks of any length."""

    def __init__(self, tone: Tone) -> None:
        self._steps = 2 * np.pi * np.array(tone.frequencies_hz)[:, np.newaxis] / RATE_HZ
        self._peak = peak_of(tone.level_dbm0)
        self._changes = np.cumsum([samples_of(part) for part in tone.cadence_ms])
        self._position = 0

    def samples(self, n: int) -> Samples:
        """The next `n` samples."""
        positions = np.arange(self._position, self._position + n)
        self._position += n
        wave = self._peak * np.sin(self._steps * positions).sum(axis=0)
        if len(self._changes):
            part = np.searchsorted(self._changes, positions % self._changes[-1], side="right")
            wave[part % 2 == 1] = 0
        return to_samples(wave)


def burst(tone: Tone) -> Samples:
    """The first on-time of a cadenced tone."""
    return ToneGenerator(tone).samples(samples_of(tone.cadence_ms[0]))


class Playback:
    """Plays samples once, silence after them; or again and again."""

    def __init__(self, recording: Samples, repeat: bool = False) -> None:
        self._recording = recording
        self._repeat = repeat
        self._position = 0

    def samples(self, n: int) -> Samples:
        """The next `n` samples."""
        start, self._position = self._position, self._position + n
        if self._repeat:
            return self._recording.take(np.arange(start, self._position), mode="wrap")
        out = np.zeros(n, np.int16)
        part = self._recording[start : self._position]
        out[: len(part)] = part
        return out


def silence() -> Playback:
    """Nothing, for ever."""
    return Playback(np.zeros(0, np.int16))


def noise(level_dbm0: float, duration_ms: float, rng: np.random.Generator) -> Samples:
    """White noise of a level."""
    deviation = peak_of(level_dbm0) / np.sqrt(2)
    return to_samples(rng.normal(0.0, deviation, samples_of(duration_ms)))
