"""A steady tone measured in kept samples: its frequency, its amplitude, and the noise beside it."""

import math
from array import array

from micropython import const

from star57.dsp import goertzel

SINE = array("h", [round(256 * math.sin(2 * math.pi * k / 256)) for k in range(256)])

_SAMPLE_HZ = const(8000)
_TURN = const(1 << 16)

# Blocks of samples, and how many of them apart the phase is compared: each step is finer, and sees less far.
_COARSE_TO_FINE = ((8, 1), (16, 4), (24, 6))


@micropython.viper
def _correlate(samples: ptr16, first: int, end: int, step: int, sine: ptr16, sums: ptr32):
    """Adds the correlation with a tone of `step`, its phase 0 at sample 0, to sums[0] (cosine) and sums[1] (sine).

    |x| <= 2047 and |sine| <= 256: a block of 256 samples sums to less than 2^27.
    """
    a = 0
    b = 0
    phase = first * step
    for i in range(first, end):
        x = int(samples[i])
        x -= (x & 0x8000) << 1
        place = phase >> 8
        y = int(sine[(place + 64) & 255])
        y -= (y & 0x8000) << 1
        a += x * y
        y = int(sine[place & 255])
        y -= (y & 0x8000) << 1
        b -= x * y
        phase += step
    sums[0] = a
    sums[1] = b


@micropython.viper
def energy(samples: ptr16, first: int, count: int) -> int:
    """Sum of squares; |x| <= 2047: 280 of them stay below 2^30.2."""
    total = 0
    for i in range(first, first + count):
        x = int(samples[i])
        x -= (x & 0x8000) << 1
        total += x * x
    return total


class Carrier:
    """What was measured: `hz`; `amplitude`; `tone_power` and `noise_power`, in squares of samples."""

    def __init__(self, hz, amplitude, power):
        self.hz = hz
        self.amplitude = amplitude
        self.tone_power = amplitude * amplitude / 2
        self.noise_power = max(0.0, power - self.tone_power)


def measure(samples, count, near_hz):
    """The Carrier in the first `count` (280 at most) of `samples`, an array("h"), within 450 Hz of `near_hz`; or None.

    Scales the samples to 1023 at most. Allocates.
    """
    shift = goertzel.scale(samples, count)
    power = energy(samples, 0, count) / count
    if power == 0:
        return None
    hz = near_hz
    for block, lag in _COARSE_TO_FINE:
        hz += _offset_hz(samples, count, hz, block, lag)
    real, imaginary = _sums(samples, 0, count, hz)
    amplitude = 2 * math.sqrt(real * real + imaginary * imaginary) / count / 256
    return Carrier(hz, amplitude * (1 << shift), power * (1 << (2 * shift)))


def _sums(samples, first, end, hz):
    sums = array("i", (0, 0))
    real = imaginary = 0.0
    step = round(_TURN * hz / _SAMPLE_HZ)
    for start in range(first, end, 256):
        _correlate(samples, start, min(end, start + 256), step, SINE, sums)
        real += sums[0]
        imaginary += sums[1]
    return real, imaginary


def _offset_hz(samples, count, hz, block, lag):
    """How far the tone lies above `hz`, from the phase that it gains in `lag` blocks."""
    sums = [_sums(samples, start, start + block, hz) for start in range(0, count - block + 1, block)]
    real = imaginary = 0.0
    for k in range(len(sums) - lag):
        a, b = sums[k]
        c, d = sums[k + lag]
        real += a * c + b * d
        imaginary += a * d - b * c
    return math.atan2(imaginary, real) * _SAMPLE_HZ / (2 * math.pi * lag * block)
