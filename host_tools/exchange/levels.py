"""Levels on the line: dBm0 and samples, by ITU-T G.711's load point."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
"""8 kHz signed 16-bit samples, one dimension."""

Wave = npt.NDArray[np.float64]
"""A signal at 8 kHz in steps of one sample, neither rounded nor clipped, one dimension."""

Signal = Samples | Wave

RATE_HZ = 8000
FULL_SCALE = 32767
FULL_SCALE_DBM0 = 3.17  # ITU-T G.711: a mu-law sine that just fills the range


def samples_of(duration_ms: float) -> int:
    """The number of samples in `duration_ms`, to the nearest."""
    return round(duration_ms * RATE_HZ / 1000)


def peak_of(level_dbm0: float) -> float:
    """The peak of a sine of `level_dbm0`: 22748 for 0 dBm0, 32767 for +3.17 dBm0."""
    return FULL_SCALE * 10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 20)


def dbm0_of_peak(peak: float) -> float:
    """The level of a sine of `peak`; minus infinity for 0."""
    return 20 * math.log10(peak / FULL_SCALE) + FULL_SCALE_DBM0 if peak > 0 else -math.inf


def dbm0_of(samples: Signal) -> float:
    """The level of `samples`, by their power; minus infinity when they are silent or none."""
    return dbm0_of_peak(math.sqrt(2 * mean_power_of(to_wave(samples))))


def mean_power_of(wave: Wave) -> float:
    """The mean power of a wave in squared sample steps; 0 when there are no samples."""
    # Not a dot product: BLAS shares it out among threads that wait for one another on a busy machine.
    return float(np.mean(np.square(wave))) if len(wave) else 0.0


def power_of(level_dbm0: float) -> float:
    """The power, in squared sample steps, of what has this level: half the square of its sine's peak."""
    return peak_of(level_dbm0) ** 2 / 2


def to_wave(signal: Signal) -> Wave:
    """The same signal in floating point; a wave is not copied."""
    return np.asarray(signal, np.float64)


def to_samples(wave: npt.NDArray[np.floating]) -> Samples:
    """Rounds a wave, in units of one sample step, to samples; what is too loud is clipped."""
    samples: Samples = np.clip(np.rint(wave), -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)
    return samples


def mixed(first: Samples, second: Samples) -> Samples:
    """The sum of two signals of one length, clipped."""
    total: Samples = np.clip(first.astype(np.int32) + second, -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)
    return total


def fitted(samples: Samples, n: int) -> Samples:
    """The first `n` samples, with silence after them where there are fewer."""
    if len(samples) == n:
        return samples
    out = np.zeros(n, np.int16)
    out[: len(samples)] = samples[:n]
    return out
