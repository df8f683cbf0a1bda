"""Ring voltage in a recording: what of it a line interface lets through, below the voice band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from host_tools.exchange.levels import RATE_HZ, Samples, dbm0_of_peak

# 47 CFR 68.312: a ringer of type B answers to these.
LOWEST_HZ, HIGHEST_HZ = 15.3, 68.0

_FRAME, _HOP = 1600, 160
_LEAST_DBM0 = -40.0
_LEAST_SHARE = 0.5  # of all power below 300 Hz and of DC's neighbours: hum has harmonics, rumble no tone
_SHORTEST_SAMPLES = 1200  # 3 cycles of 20 Hz
_LONGEST_SAMPLES = 4 * RATE_HZ  # what never pauses is hum
_ONE_CALL_SAMPLES = 7 * RATE_HZ


@dataclass(frozen=True)
class Ring:
    """Ring voltage without a pause.

    Attributes:
        start, end: samples of the recording.
        frequency_hz: None when nobody measured it.
    """

    start: int
    end: int
    frequency_hz: float | None = None

    @property
    def duration_s(self) -> float:
        """How long it lasted."""
        return (self.end - self.start) / RATE_HZ


def rings_in(samples: Samples) -> list[Ring]:
    """The rings that can be heard in a recording, to within 0.1 s."""
    if len(samples) < _FRAME:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    found: list[Ring] = []
    run: list[float] = []
    for place, hz in enumerate(_ringing_hz(frames)):
        if hz is not None:
            run.append(hz)
            continue
        found += _ring(run, place)
        run = []
    # What goes on from the first sample to the last is hum.
    return found + list(_ring(run, len(frames)) if len(run) < len(frames) else [])


def calls(rings: list[Ring]) -> list[list[Ring]]:
    """The rings of each call: between two of one call lie less than 7 s."""
    grouped: list[list[Ring]] = []
    for ring in rings:
        if grouped and ring.start - grouped[-1][-1].end < _ONE_CALL_SAMPLES:
            grouped[-1].append(ring)
        else:
            grouped.append([ring])
    return grouped


def _ringing_hz(frames: Samples) -> Iterator[float | None]:
    """Of each frame of 200 ms the frequency of ring voltage; None where there is none."""
    window = np.hanning(_FRAME)
    bin_hz = RATE_HZ / (4 * _FRAME)
    low, high = round(LOWEST_HZ / bin_hz), round(HIGHEST_HZ / bin_hz)
    for frame in frames:
        spectrum = np.abs(np.fft.rfft((frame - frame.mean()) * window, 4 * _FRAME))
        powers = spectrum[: round(300 / bin_hz)] ** 2
        best = low + int(powers[low : high + 1].argmax())
        around = slice(max(0, best - 8), best + 9)
        level_dbm0 = dbm0_of_peak(4 * float(spectrum[best]) / _FRAME)
        is_ring = level_dbm0 > _LEAST_DBM0 and powers[around].sum() > _LEAST_SHARE * (powers.sum() + 1)
        yield best * bin_hz if is_ring else None


def _ring(run: list[float], behind: int) -> Iterator[Ring]:
    # A frame rings when more than half of it does, or less if it is loud: its middle is where it does.
    start = (behind - len(run)) * _HOP + _FRAME // 2
    end = (behind - 1) * _HOP + _FRAME // 2
    if run and _SHORTEST_SAMPLES <= end - start <= _LONGEST_SAMPLES:
        yield Ring(start, end, round(float(np.median(run)), 1))
