"""What exchanges of eight countries send (TELEPHONY 6), and what plays it.

Levels are per frequency. Cadences are milliseconds on, off, on, off, ...; an empty cadence is a steady tone. The United
States have the precise tone plan (GR-506). Where a country has no figure for a level, a pair of frequencies has that
plan's, and one alone 3 dB more.
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
        falls_db: how much weaker every second on-time is.
    """

    frequencies_hz: tuple[float, ...]
    level_dbm0: float
    cadence_ms: tuple[int, ...] = ()
    falls_db: float = 0


@dataclass(frozen=True)
class TonePlan:
    """What an exchange of one country sends to its subscriber."""

    dial: Tone
    ringback: Tone
    busy: Tone
    reorder: Tone
    call_waiting: Tone


DIAL = Tone((350, 440), -13)
RINGBACK = Tone((440, 480), -19, (2000, 4000))
BUSY = Tone((480, 620), -24, (500, 500))  # 60 IPM
REORDER = Tone((480, 620), -24, (250, 250))  # 120 IPM
CALL_WAITING = Tone((440,), -13, (300, 9700))  # subscriber alerting signal (SAS)

_UNITED_STATES = TonePlan(DIAL, RINGBACK, BUSY, REORDER, CALL_WAITING)

PLANS = {
    "US": _UNITED_STATES,
    "CA": _UNITED_STATES,
    "GB": TonePlan(  # BT, SIN 350; a switch has 350 Hz at -22 and 440 Hz at -18 dBm
        dial=Tone((350, 440), -20),
        ringback=Tone((400, 450), -19, (400, 200, 400, 2000)),
        busy=Tone((400,), -21, (375, 375)),
        reorder=Tone((400,), -21, (400, 350, 225, 525)),
        call_waiting=Tone((400,), -21, (100, 4000)),
    ),
    "DE": TonePlan(  # -16 dBm: Mediatrix
        dial=Tone((425,), -16),
        ringback=Tone((425,), -16, (1000, 4000)),
        busy=Tone((425,), -16, (480, 480)),
        reorder=Tone((425,), -16, (240, 240)),
        call_waiting=Tone((425,), -16, (200, 200, 200, 5000)),
    ),
    "JP": TonePlan(  # 400 Hz, in ringback and call waiting by 16 Hz: its sidebands
        dial=Tone((400,), -10),
        ringback=Tone((384, 416), -19, (1000, 2000)),
        busy=Tone((400,), -21, (500, 500)),
        reorder=Tone((400,), -21, (500, 500)),
        call_waiting=Tone((384, 416), -19, (500, 8000)),
    ),
    "AU": TonePlan(  # AS/CA S002: a terminal recognises -9 to -24 dBm
        dial=Tone((413, 438), -13),
        ringback=Tone((400, 450), -19, (400, 200, 400, 2000)),
        busy=Tone((425,), -13, (375, 375)),
        reorder=Tone((425,), -13, (375, 375), falls_db=10),
        call_waiting=Tone((425,), -13, (200, 200, 200, 4400)),
    ),
    "IN": TonePlan(  # 400 Hz by 25 Hz: its sidebands
        dial=Tone((375, 425), -13),
        ringback=Tone((375, 425), -19, (400, 200, 400, 2000)),
        busy=Tone((400,), -21, (750, 750)),
        reorder=Tone((400,), -21, (250, 250)),
        call_waiting=Tone((400,), -21, (200, 100, 200, 7500)),
    ),
    "BR": TonePlan(
        dial=Tone((425,), -10),
        ringback=Tone((425,), -16, (1000, 4000)),
        busy=Tone((425,), -21, (250, 250)),
        reorder=Tone((425,), -21, (250, 250, 750, 250)),
        call_waiting=Tone((425,), -21, (50, 1000)),
    ),
    "FR": TonePlan(
        dial=Tone((440,), -10),
        ringback=Tone((440,), -16, (1500, 3500)),
        busy=Tone((440,), -21, (500, 500)),
        reorder=Tone((440,), -21, (250, 250)),
        call_waiting=Tone((440,), -21, (300, 10000)),
    ),
}
"""The tones of each country, by its letters (ISO 3166-1)."""

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
        self._fall = 10 ** (-tone.falls_db / 20)
        self._position = 0

    def samples(self, n: int) -> Samples:
        """The next `n` samples."""
        positions = np.arange(self._position, self._position + n)
        self._position += n
        wave = self._peak * np.sin(self._steps * positions).sum(axis=0)
        if len(self._changes):
            cycle, place = np.divmod(positions, self._changes[-1])
            part = np.searchsorted(self._changes, place, side="right")
            wave[part % 2 == 1] = 0
            wave[(cycle * len(self._changes) + part) % 4 == 2] *= self._fall
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
