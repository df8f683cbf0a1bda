"""Sources of samples for firmware tests: the same on every machine and in every run."""

import math
from array import array

SAMPLE_HZ = 8000


def peak(dbm0):
    """Peak of a sine of `dbm0`; ITU-T G.711: peak 32767 is +3.17 dBm0."""
    return 22748 * 10 ** (dbm0 / 20)


@micropython.viper
def _fill_noise(samples: ptr16, n: int, rms: int, seed: int):
    state = seed
    for i in range(n):
        total = 0
        for _ in range(4):
            state ^= (state << 13) & 0xFFFFFFFF
            state ^= state >> 17
            state ^= (state << 5) & 0xFFFFFFFF
            total += (state & 0xFFFF) + (state >> 16) - 65535
        # A sum of eight uniform 16-bit numbers: nearly Gaussian, standard deviation 53510.
        x = total * rms // 53510
        if x > 32767:
            x = 32767
        elif x < -32768:
            x = -32768
        samples[i] = x


def noise(n, rms, seed):
    """`n` samples of white Gaussian noise, `rms` an integer; xorshift32 from `seed`, which is not 0."""
    samples = array("h", bytes(2 * n))
    _fill_noise(samples, n, rms, seed)
    return samples


def sine(n, hz, dbm0):
    """`n` samples of a sine."""
    amplitude = peak(dbm0)
    step = 2 * math.pi * hz / SAMPLE_HZ
    return array("h", [max(-32768, min(32767, round(amplitude * math.sin(step * k)))) for k in range(n)])


@micropython.viper
def _add(samples: ptr16, other: ptr16, n: int):
    for i in range(n):
        x = int(samples[i])
        y = int(other[i])
        x += y - ((x & 0x8000) << 1) - ((y & 0x8000) << 1)
        if x > 32767:
            x = 32767
        elif x < -32768:
            x = -32768
        samples[i] = x


def mix(*parts):
    """The sum of signals, clipped to 16 bits, as long as the longest."""
    samples = array("h", bytes(2 * max(len(part) for part in parts)))
    for part in parts:
        _add(samples, part, len(part))
    return samples
