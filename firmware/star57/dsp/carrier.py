"""A steady tone measured in kept samples: its frequency, its amplitude, and the noise beside it."""

import math
from array import array

from micropython import const

from star57.dsp import goertzel

_SAMPLE_HZ = const(8000)
_TURN = const(1 << 16)

# 256 sin(2 pi k / 256), k from 0 to 255, in 16 bits, the low byte first. As a literal it lies in flash: an array would
# take 0.5 KB of RAM.
SINE = (
    b"\x00\x00\x06\x00\x0d\x00\x13\x00\x19\x00\x1f\x00\x26\x00\x2c\x00"
    b"\x32\x00\x38\x00\x3e\x00\x44\x00\x4a\x00\x50\x00\x56\x00\x5c\x00"
    b"\x62\x00\x68\x00\x6d\x00\x73\x00\x79\x00\x7e\x00\x84\x00\x89\x00"
    b"\x8e\x00\x93\x00\x98\x00\x9d\x00\xa2\x00\xa7\x00\xac\x00\xb1\x00"
    b"\xb5\x00\xb9\x00\xbe\x00\xc2\x00\xc6\x00\xca\x00\xce\x00\xd1\x00"
    b"\xd5\x00\xd8\x00\xdc\x00\xdf\x00\xe2\x00\xe5\x00\xe7\x00\xea\x00"
    b"\xed\x00\xef\x00\xf1\x00\xf3\x00\xf5\x00\xf7\x00\xf8\x00\xfa\x00"
    b"\xfb\x00\xfc\x00\xfd\x00\xfe\x00\xff\x00\xff\x00\x00\x01\x00\x01"
    b"\x00\x01\x00\x01\x00\x01\xff\x00\xff\x00\xfe\x00\xfd\x00\xfc\x00"
    b"\xfb\x00\xfa\x00\xf8\x00\xf7\x00\xf5\x00\xf3\x00\xf1\x00\xef\x00"
    b"\xed\x00\xea\x00\xe7\x00\xe5\x00\xe2\x00\xdf\x00\xdc\x00\xd8\x00"
    b"\xd5\x00\xd1\x00\xce\x00\xca\x00\xc6\x00\xc2\x00\xbe\x00\xb9\x00"
    b"\xb5\x00\xb1\x00\xac\x00\xa7\x00\xa2\x00\x9d\x00\x98\x00\x93\x00"
    b"\x8e\x00\x89\x00\x84\x00\x7e\x00\x79\x00\x73\x00\x6d\x00\x68\x00"
    b"\x62\x00\x5c\x00\x56\x00\x50\x00\x4a\x00\x44\x00\x3e\x00\x38\x00"
    b"\x32\x00\x2c\x00\x26\x00\x1f\x00\x19\x00\x13\x00\x0d\x00\x06\x00"
    b"\x00\x00\xfa\xff\xf3\xff\xed\xff\xe7\xff\xe1\xff\xda\xff\xd4\xff"
    b"\xce\xff\xc8\xff\xc2\xff\xbc\xff\xb6\xff\xb0\xff\xaa\xff\xa4\xff"
    b"\x9e\xff\x98\xff\x93\xff\x8d\xff\x87\xff\x82\xff\x7c\xff\x77\xff"
    b"\x72\xff\x6d\xff\x68\xff\x63\xff\x5e\xff\x59\xff\x54\xff\x4f\xff"
    b"\x4b\xff\x47\xff\x42\xff\x3e\xff\x3a\xff\x36\xff\x32\xff\x2f\xff"
    b"\x2b\xff\x28\xff\x24\xff\x21\xff\x1e\xff\x1b\xff\x19\xff\x16\xff"
    b"\x13\xff\x11\xff\x0f\xff\x0d\xff\x0b\xff\x09\xff\x08\xff\x06\xff"
    b"\x05\xff\x04\xff\x03\xff\x02\xff\x01\xff\x01\xff\x00\xff\x00\xff"
    b"\x00\xff\x00\xff\x00\xff\x01\xff\x01\xff\x02\xff\x03\xff\x04\xff"
    b"\x05\xff\x06\xff\x08\xff\x09\xff\x0b\xff\x0d\xff\x0f\xff\x11\xff"
    b"\x13\xff\x16\xff\x19\xff\x1b\xff\x1e\xff\x21\xff\x24\xff\x28\xff"
    b"\x2b\xff\x2f\xff\x32\xff\x36\xff\x3a\xff\x3e\xff\x42\xff\x47\xff"
    b"\x4b\xff\x4f\xff\x54\xff\x59\xff\x5e\xff\x63\xff\x68\xff\x6d\xff"
    b"\x72\xff\x77\xff\x7c\xff\x82\xff\x87\xff\x8d\xff\x93\xff\x98\xff"
    b"\x9e\xff\xa4\xff\xaa\xff\xb0\xff\xb6\xff\xbc\xff\xc2\xff\xc8\xff"
    b"\xce\xff\xd4\xff\xda\xff\xe1\xff\xe7\xff\xed\xff\xf3\xff\xfa\xff"
)

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
