"""The spectrum of a live line: the last 32 ms, and how it fades."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from host_tools.exchange.levels import RATE_HZ, Samples, Wave, dbm0_of_peak

WINDOW_SAMPLES = 256
BIN_HZ = RATE_HZ / WINDOW_SAMPLES
HIGHEST_HZ = RATE_HZ / 2
LOWEST_DBM0, HIGHEST_DBM0 = -90.0, 0.0

MARKS_HZ = (1200, 2200, 440, 350, 620, 2750, 2130, 1300, 480, 3400)
"""What to look for, the most telling first: caller ID (1200 and 2200, 1300 and 2100 Hz), dial tone (350 and 440), busy
(480 and 620), alert tone (2130 and 2750), and the end of the band (3400)."""

_FADES_DB_A_BLOCK = 1.5
_BARS = " ▁▂▃▄▅▆▇█"


class Spectrum:
    """Follows the samples that it is given.

    Attributes:
        levels_dbm0: of 129 bins from 0 to 4000 Hz; a sine has its own level in its bin, and it fades by 75 dB a second.
    """

    def __init__(self) -> None:
        self.levels_dbm0: Wave = np.full(WINDOW_SAMPLES // 2 + 1, LOWEST_DBM0)
        self._last = np.zeros(WINDOW_SAMPLES, np.int16)
        self._window = np.hanning(WINDOW_SAMPLES)
        # The window halves a sine's amplitude, and half of it lies at negative frequencies.
        self._zero_db = dbm0_of_peak(2 / float(self._window.sum()))

    def feed(self, samples: Samples) -> None:
        """These samples came."""
        self._last = np.concatenate([self._last, samples])[-WINDOW_SAMPLES:]
        magnitudes = np.abs(np.fft.rfft(self._last * self._window))
        levels_dbm0 = 20 * np.log10(np.maximum(magnitudes, 1e-3)) + self._zero_db
        self.levels_dbm0 = np.maximum.reduce(
            [levels_dbm0, self.levels_dbm0 - _FADES_DB_A_BLOCK, np.full_like(levels_dbm0, LOWEST_DBM0)]
        )

    def columns(self, width: int) -> list[float]:
        """The loudest of each of `width` columns from 0 to 4000 Hz, in dBm0."""
        edges = np.linspace(0, len(self.levels_dbm0), width + 1)
        return [
            float(self.levels_dbm0[int(low) : max(int(low) + 1, int(np.ceil(high)))].max())
            for low, high in pairwise(edges)
        ]


def bars(levels_dbm0: Sequence[float], height: int) -> list[str]:
    """Levels as bars of text, `height` lines from the top down, in eighths of a character."""
    eighths = [
        round(
            8
            * height
            * (min(HIGHEST_DBM0, max(LOWEST_DBM0, level)) - LOWEST_DBM0)
            / (HIGHEST_DBM0 - LOWEST_DBM0)
        )
        for level in levels_dbm0
    ]
    return [
        "".join(_BARS[min(8, max(0, each - 8 * row))] for each in eighths) for row in reversed(range(height))
    ]


def column_of(hz: float, width: int) -> int:
    """Where a frequency lies."""
    return min(width - 1, round(hz / HIGHEST_HZ * (width - 1)))


def axis(width: int) -> tuple[str, str]:
    """Two lines below the bars: a tick at each mark, and the frequencies of as many as have room, in Hz."""
    ticks, labels = [" "] * width, [" "] * width
    for hz in MARKS_HZ:
        ticks[column_of(hz, width)] = "╵"
        text = str(hz)
        first = min(max(0, column_of(hz, width) - len(text) // 2), max(0, width - len(text)))
        room = labels[max(0, first - 1) : first + len(text) + 1]
        if all(letter == " " for letter in room):
            labels[first : first + len(text)] = text
    return "".join(ticks), "".join(labels)[:width]
