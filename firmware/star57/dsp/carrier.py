"""A steady tone measured in kept samples: its frequency, its amplitude, and the noise beside it."""

import math
from array import array

from micropython import const

from star57.dsp import goertzel

_SAMPLE_HZ = const(8000)
_TURN = const(1 << 16)

# An array, though a literal would lie in flash: what is read by half-words has to lie at an even address.
SINE = array("h", [round(256 * math.sin(2 * math.pi * k / 256)) for k in range(256)])

# Blocks of samples, and how many of them apart the phase is compared: each step is finer, and sees less far.
_COARSE_TO_FINE = ((8, 1), (16, 4), (24, 6))


@micropython.viper
def _correlate(samples: ptr16, block: int, blocks: int, step: int, sine: ptr16, sums: ptr32):
    """Correlation of each block with a tone of `step`, its phase 0 at sample 0: sums[2 k] cosine, sums[2 k + 1] sine.

    |x| <= 2047 and |sine| <= 256: a block of 280 samples sums to less than 2^27.2.
    """
    phase = 0
    k = 0
    while k < blocks:
        a = 0
        b = 0
        end = int(samples) + (block << 1)
        while int(samples) < end:
            x = int(samples[0])
            x -= (x & 0x8000) << 1
            place = phase >> 8
            y = int(sine[(place + 64) & 255])
            y -= (y & 0x8000) << 1
            a += x * y
            y = int(sine[place & 255])
            y -= (y & 0x8000) << 1
            b -= x * y
            phase += step
            samples = ptr16(int(samples) + 2)
        sums[2 * k] = a
        sums[2 * k + 1] = b
        k += 1


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
    real, imaginary = _sums(samples, count, 1, hz)
    amplitude = 2 * math.sqrt(float(real) * real + float(imaginary) * imaginary) / count / 256
    return Carrier(hz, amplitude * (1 << shift), power * (1 << (2 * shift)))


def _sums(samples, block, blocks, hz):
    """Correlations of the blocks with that tone, real and imaginary in turn."""
    sums = array("i", bytes(8 * blocks))
    _correlate(samples, block, blocks, round(_TURN * hz / _SAMPLE_HZ), SINE, sums)
    return sums


def _offset_hz(samples, count, hz, block, lag):
    """How far the tone lies above `hz`, from the phase that it gains in `lag` blocks."""
    blocks = count // block
    sums = _sums(samples, block, blocks, hz)
    real = imaginary = 0.0
    for k in range(0, 2 * (blocks - lag), 2):
        # As floats, for the products have more bits than a small integer.
        a = float(sums[k])
        b = float(sums[k + 1])
        c = sums[k + 2 * lag]
        d = sums[k + 2 * lag + 1]
        real += a * c + b * d
        imaginary += a * d - b * c
    return math.atan2(imaginary, real) * _SAMPLE_HZ / (2 * math.pi * lag * block)
