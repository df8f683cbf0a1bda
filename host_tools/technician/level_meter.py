"""A level meter: the level of each block, and a peak that is held for a while."""

from __future__ import annotations

import math

from host_tools.exchange.levels import RATE_HZ, Samples, dbm0_of

LOWEST_DBM0, HIGHEST_DBM0 = -70.0, 3.17

_HELD_S = 2.0
_FALLS_DB_A_S = 12.0


class LevelMeter:
    """Follows the samples that it is given, on their own time.

    Attributes:
        level_dbm0: of the last samples; LOWEST_DBM0 at the least.
        peak_dbm0: the loudest of the last two seconds; it falls slowly behind them.
    """

    def __init__(self) -> None:
        self.level_dbm0 = LOWEST_DBM0
        self.peak_dbm0 = LOWEST_DBM0
        self._held_s = 0.0

    def feed(self, samples: Samples) -> None:
        """These samples came."""
        level_dbm0 = dbm0_of(samples)
        self.level_dbm0 = max(LOWEST_DBM0, level_dbm0 if math.isfinite(level_dbm0) else LOWEST_DBM0)
        passed_s = len(samples) / RATE_HZ
        self._held_s += passed_s
        if self.level_dbm0 >= self.peak_dbm0:
            self.peak_dbm0, self._held_s = self.level_dbm0, 0.0
        elif self._held_s > _HELD_S:
            self.peak_dbm0 = max(self.level_dbm0, self.peak_dbm0 - _FALLS_DB_A_S * passed_s)


def share_of(level_dbm0: float) -> float:
    """Where on the meter a level lies: 0 to 1."""
    return min(1.0, max(0.0, (level_dbm0 - LOWEST_DBM0) / (HIGHEST_DBM0 - LOWEST_DBM0)))


def bar(level_dbm0: float, peak_dbm0: float, width: int) -> str:
    """The meter as text: filled to the level, in eighths of a character, and a line where the peak is."""
    eighths = round(share_of(level_dbm0) * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width)[:width]
    peak = min(width - 1, round(share_of(peak_dbm0) * (width - 1)))
    return drawn if peak < full else drawn[:peak] + "│" + drawn[peak + 1 :]
