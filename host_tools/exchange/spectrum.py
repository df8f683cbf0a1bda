"""Frequencies of a wave: filters given by their response, and the power in a band."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from host_tools.exchange.levels import RATE_HZ, Signal, Wave

Frequencies = npt.NDArray[np.float64]
Response = npt.NDArray[np.complex128]

LOW_HZ, HIGH_HZ = 300.0, 3400.0  # the telephone channel, in which SNR counts noise

_FILTER_TAPS = 4096  # 512 ms: far longer than the response of any line
_LARGEST_BLOCK = 1 << 16


def filtered(wave: Signal, response: Callable[[Frequencies], Frequencies | Response]) -> Wave:
    """The wave after a filter; the same length.

    Args:
        wave: 8 kHz.
        response: gain and phase at frequencies from 0 to 4000 Hz; in time it reaches at most 256 ms either way.
    """
    half = _FILTER_TAPS // 2
    impulse = np.fft.irfft(response(np.linspace(0.0, RATE_HZ / 2, half + 1)), _FILTER_TAPS)
    return convolved(wave, np.roll(impulse, half))[half : half + len(wave)]


def convolved(wave: Signal, impulse: npt.NDArray[np.floating]) -> Wave:
    """The whole convolution, len(wave) + len(impulse) - 1 samples, by overlap-add."""
    out = np.zeros(len(wave) + len(impulse) - 1)
    size = _LARGEST_BLOCK
    while size // 2 >= min(len(out), 4 * len(impulse)):
        size //= 2
    step = size - len(impulse) + 1
    spectrum = np.fft.rfft(impulse, size)
    for at in range(0, len(wave), step):
        piece = np.fft.irfft(np.fft.rfft(wave[at : at + step], size) * spectrum, size)
        out[at : at + size] += piece[: len(out) - at]
    return out


def band_power(wave: Signal, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ) -> float:
    """Mean power between two frequencies, in squared sample steps, over all samples; 0 when there are none."""
    if not len(wave):
        return 0.0
    powers = np.abs(np.fft.rfft(wave)) ** 2
    # Every frequency but 0 and the last of an even length stands for its negative too.
    powers[1 : (len(wave) + 1) // 2] *= 2
    frequencies_hz = np.arange(len(powers)) * RATE_HZ / len(wave)
    return float(powers[(frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)].sum()) / len(wave) ** 2
