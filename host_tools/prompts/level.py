"""How loud a prompt is, in dBm0."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 8000
RMS_0_DBM0 = 32767 / np.sqrt(2) * 10 ** (-3.17 / 20)
"""RMS of 0 dBm0 in 16-bit samples: a full-scale sine is +3.17 dBm0 (ITU-T G.711)."""

Samples = npt.NDArray[np.float64]

_TIME_CONSTANT_S = 0.03  # P.56, 8.3
_HANGOVER_S = 0.2  # P.56, 8.3
_MARGIN_DB = 15.9  # P.56, 8.3


def level_dbm0(samples: Samples) -> float:
    """The RMS level of samples in 16-bit units; -inf for silence."""
    rms = float(np.sqrt(np.mean(samples**2)))
    return 20 * float(np.log10(rms / RMS_0_DBM0)) if rms > 0 else float("-inf")


def frame_levels_dbm0(samples: Samples, frame_ms: int = 20) -> Samples:
    """The RMS level of each whole frame, half a frame apart; a floor of -120 dBm0 stands for silence."""
    frame = frame_ms * SAMPLE_RATE_HZ // 1000
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame)[:: frame // 2]
    mean_square = np.mean(frames**2, axis=1)
    return np.asarray(10 * np.log10(mean_square / RMS_0_DBM0**2 + 1e-12))


def active_level_dbm0(samples: Samples) -> float:
    """The active speech level of ITU-T P.56, method B: the level while somebody speaks, pauses left out."""
    envelope = _envelope(np.abs(samples))
    energy = float(np.sum(samples**2))
    hangover = int(_HANGOVER_S * SAMPLE_RATE_HZ)
    previous: tuple[float, float] | None = None
    for threshold_dbm0 in np.arange(0.0, -70.0, -0.25):
        above = envelope >= RMS_0_DBM0 * 10 ** (threshold_dbm0 / 20)
        active = _held(above, hangover)
        if not active:
            continue
        active_dbm0 = 10 * float(np.log10(energy / active / RMS_0_DBM0**2))
        margin_db = active_dbm0 - threshold_dbm0
        if margin_db < _MARGIN_DB:
            previous = active_dbm0, margin_db
        elif previous is not None:
            last_dbm0, last_margin_db = previous
            share = (_MARGIN_DB - last_margin_db) / (margin_db - last_margin_db)
            return last_dbm0 + share * (active_dbm0 - last_dbm0)
        # Else the threshold is so high that only a peak at the very end counts, with no time to hang over.
    return level_dbm0(samples)


def _envelope(rectified: Samples) -> Samples:
    """Two first-order low-pass filters in series."""
    decay = float(np.exp(-1 / (_TIME_CONSTANT_S * SAMPLE_RATE_HZ)))
    envelope = np.empty_like(rectified)
    first = second = 0.0
    for place, value in enumerate(rectified):
        first = decay * first + (1 - decay) * value
        second = decay * second + (1 - decay) * first
        envelope[place] = second
    return envelope


def _held(above: npt.NDArray[np.bool_], hangover: int) -> int:
    """How many samples are above the threshold, or were at most `hangover` samples ago."""
    places = np.flatnonzero(above)
    if not len(places):
        return 0
    gaps = np.diff(places, append=len(above))
    return int(np.sum(np.minimum(gaps, hangover)))
