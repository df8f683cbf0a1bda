"""When a tone begins and ends in a recording: its receiver tells some time after, and in blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from host_tools.exchange.levels import RATE_HZ, Samples, peak_of

_WINDOW = 80  # 10 ms: DTMF's nearest frequencies are 73 Hz apart
_LONGEST_GAP = 120  # 15 ms: Q.24 has 10 ms bridged
_FRAME, _HOP = 160, 40  # 20 ms, every 5 ms
_FEWEST_FRAMES = 7
_LONGEST_BEAT_FRAMES = 6
_LEAST_SHARE = 0.2  # of the power of a tone that sounds


def tone_extent(
    samples: Samples, frequencies_hz: Sequence[float], first: int, last: int, around: int
) -> tuple[int, int]:
    """Where the tone that a receiver heard in samples[first:last] begins and ends.

    Args:
        samples: the recording, 8 kHz.
        frequencies_hz: what sounds together.
        first, last: as the receiver has them.
        around: how many samples either may be off.

    Returns:
        The first sample and the one behind the last, by half the tone's amplitude; `first` and `last` where the
        recording shows no clear edges within `around` of them.
    """
    offset = max(0, first - around - _WINDOW)
    part = samples[offset : last + around + _WINDOW].astype(np.float64)
    if last - first < _WINDOW or len(part) < 2 * _WINDOW:
        return first, last
    loudness = np.min([_loudness(part, hz) for hz in frequencies_hz], axis=0)
    begun = loudness > np.percentile(loudness[first - offset : last - offset], 75) / 2
    middle = (first + last) // 2 - offset
    begin, end = offset + _edge(begun[:middle][::-1], middle, -1), offset + _edge(begun[middle:], middle, 1)
    is_clear = abs(begin - first) <= around and abs(end - last) <= around
    return (begin, end) if is_clear else (first, last)


def sounds(
    samples: Samples, frequencies_hz: Sequence[float], level_dbm0: float, first: int, last: int
) -> list[tuple[int, int]]:
    """Where in samples[first:last] a tone sounds for 40 ms or more: (begin, end) of each time, within 5 ms.

    Args:
        samples: the recording, 8 kHz.
        frequencies_hz: what sounds together.
        level_dbm0: of all of it.
    """
    part = samples[first:last].astype(np.float64)
    if len(part) < _FRAME:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(part, _FRAME)[::_HOP]
    turns = np.outer(np.arange(_FRAME), np.array(frequencies_hz)) * (-2j * np.pi / RATE_HZ)
    powers = (np.abs(frames @ (np.exp(turns) * np.hanning(_FRAME)[:, np.newaxis] * 4 / _FRAME)) ** 2).sum(
        axis=1
    )
    loud = np.flatnonzero(powers > _LEAST_SHARE * peak_of(level_dbm0) ** 2)
    # Lines that are near each other beat.
    times = np.split(loud, np.flatnonzero(np.diff(loud) > _LONGEST_BEAT_FRAMES) + 1) if len(loud) else []
    return [
        (first + int(time[0]) * _HOP + _FRAME // 2, first + (int(time[-1]) + 1) * _HOP + _FRAME // 2)
        for time in times
        if time[-1] - time[0] >= _FEWEST_FRAMES
    ]


def _loudness(part: npt.NDArray[np.float64], hz: float) -> npt.NDArray[np.float64]:
    turned = part * np.exp(-2j * np.pi * hz / RATE_HZ * np.arange(len(part)))
    return np.abs(np.convolve(turned, np.ones(_WINDOW), mode="same"))


def _edge(begun: npt.NDArray[np.bool_], middle: int, step: int) -> int:
    """The place, going from the middle, behind which the tone stays away for longer than a gap may last."""
    sounding = np.flatnonzero(begun)
    if not len(sounding):
        return middle
    pauses = np.flatnonzero(np.diff(sounding, prepend=-1) > _LONGEST_GAP)
    beyond = int(sounding[pauses[0] - 1]) if len(pauses) and pauses[0] else int(sounding[-1])
    return middle + step * beyond + (1 if step > 0 else -1)
