"""Makes a prompt of speech: within the telephone's band, without silence at its ends, at its level."""

from __future__ import annotations

import numpy as np

from host_tools.prompts.level import (
    RMS_0_DBM0,
    SAMPLE_RATE_HZ,
    Samples,
    active_level_dbm0,
    frame_levels_dbm0,
)

ACTIVE_LEVEL_DBM0 = -18.0
LOUDEST_FRAME_DBM0 = -9.0
_LIMIT_DBM0 = -10.0  # of the loudest frame; the codec adds its noise

_BAND_HZ = (300.0, 3400.0)
_FILTER_TAPS = 801  # 20 Hz wide at either edge
_SILENCE_BELOW_LOUDEST_DB = 40.0
_FADE_S = 0.008
_LEVEL_STEPS = 20
_BLOCK_SAMPLES = 505  # what libsndfile puts into a block of IMA ADPCM at 8 kHz; it fills up the last one


def shaped(speech: Samples) -> Samples:
    """A prompt of speech at 8 kHz, in 16-bit units; as long as its file, so that its level is that of its file."""
    prompt = trimmed(band_limited(speech))
    return levelled(np.pad(prompt, (0, -len(prompt) % _BLOCK_SAMPLES)))


def band_limited(samples: Samples) -> Samples:
    """The samples within the telephone band, 300 to 3400 Hz; linear phase."""
    place = np.arange(_FILTER_TAPS) - _FILTER_TAPS // 2
    low, high = (2 * edge_hz / SAMPLE_RATE_HZ for edge_hz in _BAND_HZ)
    taps = (high * np.sinc(high * place) - low * np.sinc(low * place)) * np.blackman(_FILTER_TAPS)
    return np.convolve(samples, taps)


def trimmed(samples: Samples) -> Samples:
    """The samples without the silence at either end, faded in and out so that neither end clicks."""
    levels = frame_levels_dbm0(samples, frame_ms=10)
    heard = np.flatnonzero(levels > levels.max() - _SILENCE_BELOW_LOUDEST_DB)
    hop = SAMPLE_RATE_HZ // 200
    part = samples[heard[0] * hop : (heard[-1] + 2) * hop].copy()
    fade = np.sin(np.linspace(0, np.pi / 2, int(_FADE_S * SAMPLE_RATE_HZ))) ** 2
    part[: len(fade)] *= fade
    part[-len(fade) :] *= fade[::-1]
    return part


def levelled(samples: Samples) -> Samples:
    """The samples at -18 dBm0 active level, with the loudest syllables held below -10 dBm0."""
    for _ in range(_LEVEL_STEPS):
        samples = samples * 10 ** ((ACTIVE_LEVEL_DBM0 - active_level_dbm0(samples)) / 20)
        loudest_dbm0 = frame_levels_dbm0(samples).max()
        if loudest_dbm0 <= _LIMIT_DBM0:
            break
        samples = _limited(samples)
    return samples


def _limited(samples: Samples) -> Samples:
    """Turns down whatever is louder than the limit over 20 ms, with a gain that moves smoothly."""
    window = np.hanning(SAMPLE_RATE_HZ // 50)
    window /= window.sum()
    power = np.convolve(samples**2, window, mode="same")
    limit = (RMS_0_DBM0 * 10 ** (_LIMIT_DBM0 / 20)) ** 2
    gain = np.sqrt(np.minimum(1.0, limit / np.maximum(power, 1.0)))
    before = len(window) // 2
    padded = np.pad(gain, (before, len(window) - 1 - before), mode="edge")
    return samples * np.convolve(padded, window, mode="valid")
