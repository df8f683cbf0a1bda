"""Recordings of calls to a line, as several countries' exchanges ring and send, and what a board tells of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from host_tools.exchange import dtmf, tones
from host_tools.exchange.caller_id import ntt
from host_tools.exchange.fsk import BELL_202, NTT, V23, FskStandard, on_hook
from host_tools.exchange.levels import RATE_HZ, Samples, Wave, to_samples
from tests.host.rig.recordings import MESSAGE


class Line:
    """A line that is recorded: what comes on it at which second."""

    def __init__(self, duration_s: float) -> None:
        self._wave: Wave = tones.noise(-60, round(1000 * duration_s), np.random.default_rng(57)).astype(
            np.float64
        )
        self.events: list[dict[str, Any]] = []

    @property
    def samples(self) -> Samples:
        return to_samples(self._wave)

    def add(self, at_s: float, wave: Samples | Wave) -> None:
        """This sounds from then on."""
        first = round(at_s * RATE_HZ)
        self._wave[first : first + len(wave)] += wave[: max(0, len(self._wave) - first)]

    def burst(self, at_s: float, standard: FskStandard = BELL_202, message: bytes = MESSAGE) -> None:
        """Caller ID by FSK."""
        self.add(at_s, on_hook(standard).wave(message))

    def ntt(self, at_s: float) -> None:
        """Caller ID as NTT sends it."""
        self.add(at_s, on_hook(NTT).wave(ntt("5555550123")))

    def digits(self, at_s: float, keys: str) -> None:
        """Caller ID by DTMF."""
        self.add(at_s, np.concatenate([dtmf.digit(key, 70, 70) for key in keys]))

    def alert(self, at_s: float) -> None:
        """A dual tone (DT-AS)."""
        self.add(at_s, tones.burst(tones.CPE_ALERT))

    def ring(self, at_s: float, duration_s: float, hz: float = 20, *, is_heard: bool = False) -> None:
        """Ring voltage, which the ring detector sees; `is_heard`: the audio path too."""
        if is_heard:
            times = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
            self.add(at_s, 8000 * np.sin(2 * np.pi * hz * times))
        self._signal(at_s, duration_s, round(2 * hz * duration_s))

    def reversal(self, at_s: float) -> None:
        """Polarity is reversed."""
        self._signal(at_s, 0.02, 2)

    def _signal(self, at_s: float, duration_s: float, edges: int) -> None:
        event = {
            "event": "ring_signal",
            "edges": edges,
            "lasted_samples": round(duration_s * RATE_HZ),
            "ended_samples_ago": 960,
            "at": round(at_s + duration_s + 0.12, 3),
        }
        self.events.append(event)


def united_states(*, is_heard: bool = False) -> Line:
    """Bell 202 between the first ring and the second."""
    line = Line(13)
    for at_s in (1.0, 7.0):
        line.ring(at_s, 2.0, is_heard=is_heard)
    line.burst(3.6)
    return line


def germany() -> Line:
    """V.23 between the first ring and the second."""
    line = Line(12)
    for at_s in (1.0, 6.0, 11.0):
        line.ring(at_s, 1.0 if at_s < 11 else 0.9, 25)
    line.burst(2.8, V23)
    return line


def great_britain() -> Line:
    """V.23 before the first ring, behind a reversal of polarity and a dual tone."""
    line = Line(12)
    line.reversal(1.0)
    line.alert(1.3)
    line.burst(1.6, V23)
    for at_s in (3.0, 3.6, 6.0, 6.6, 9.0):
        line.ring(at_s, 0.4, 25)
    return line


def japan() -> Line:
    """NTT's frame, behind a reversal, before it rings."""
    line = Line(12)
    line.reversal(1.0)
    line.ntt(3.0)
    for at_s in (6.0, 9.0):
        line.ring(at_s, 1.0, 16)
    return line


def brazil() -> Line:
    """DTMF before the first ring."""
    line = Line(15)
    line.digits(1.0, "A5555550123C")
    for at_s in (4.0, 9.0):
        line.ring(at_s, 1.0, 25)
    return line


def sweden_after_a_short_ring() -> Line:
    """V.23 behind a short ring that only announces it (RP-AS)."""
    line = Line(14)
    line.ring(1.0, 0.25, 25)
    line.burst(1.9, V23)
    for at_s in (4.0, 9.0):
        line.ring(at_s, 1.0, 25)
    return line
