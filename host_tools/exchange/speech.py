"""Speech by its level: ITU-T P.56, method B."""

from __future__ import annotations

import math

import numpy as np

from host_tools.exchange.levels import RATE_HZ, Signal, Wave, dbm0_of_peak, mean_power_of, samples_of, to_wave
from host_tools.exchange.spectrum import convolved

SMOOTHING_MS = 30.0  # P.56 clause 8.1: the time constant of each of two smoothings in a row
HANGOVER_MS = 200.0  # P.56 clause 8.1: a gap shorter than this is not a pause
MARGIN_DB = 15.9  # P.56 clause 8.1: of the active level over the threshold that finds it
_THRESHOLDS = 2.0 ** np.arange(15)  # P.56 clause 8.1: powers of two below full scale, of the envelope


def active_level_dbm0(speech: Signal) -> float:
    """The level of speech while there is some, in dBm0: pauses do not count; minus infinity in silence.

    The envelope is compared with thresholds 6 dB apart; each gives a share of the time that is active, and so a level
    over that time. The threshold that lies 15.9 dB below its own level is the one that parts speech from pause.
    """
    wave = to_wave(speech)
    energy = mean_power_of(wave) * len(wave)
    counts = _active_samples(wave)
    heard = counts > 0
    if not energy or not heard.any():
        return -math.inf
    levels_dbm0 = np.array([_level(energy / count) for count in counts[heard]])
    thresholds_dbm0 = np.array([_level(threshold**2) for threshold in _THRESHOLDS[heard]])
    over_db = levels_dbm0 - thresholds_dbm0
    below = int(np.argmax(over_db <= MARGIN_DB))
    if below == 0:
        return float(levels_dbm0[0 if over_db[0] <= MARGIN_DB else -1])
    share = (over_db[below - 1] - MARGIN_DB) / (over_db[below - 1] - over_db[below])
    return float(levels_dbm0[below - 1] + share * (levels_dbm0[below] - levels_dbm0[below - 1]))


def _level(power: float) -> float:
    return dbm0_of_peak(math.sqrt(2 * power))


def _active_samples(wave: Wave) -> Wave:
    """For each threshold, how many samples have reached it within the hangover before them."""
    if not len(wave):
        return np.zeros(len(_THRESHOLDS))
    held = _envelope(wave)
    reach, hangover = 1, samples_of(HANGOVER_MS) + 1
    while reach < hangover:
        step = min(reach, hangover - reach)
        held[step:] = np.maximum(held[step:], held[:-step])
        reach += step
    return np.array([np.count_nonzero(held >= threshold) for threshold in _THRESHOLDS], np.float64)


def _envelope(wave: Wave) -> Wave:
    """The magnitude, smoothed twice exponentially."""
    kept = math.exp(-1000 / (RATE_HZ * SMOOTHING_MS))
    later = np.arange(samples_of(25 * SMOOTHING_MS))
    return convolved(np.abs(wave), (1 - kept) ** 2 * (later + 1) * kept**later)[: len(wave)]
