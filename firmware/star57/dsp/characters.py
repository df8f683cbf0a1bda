"""FSK characters read from kept samples: where each starts, and how likely each of its 256 values is.

A caller-ID character is a start bit (space), eight data bits, the lowest first, and a stop bit (mark). Its carrier runs
on without a break, so that one phase holds for all ten bits: each of the 256 waveforms is compared with the whole
character, whatever that phase is. This needs some 4 dB less than deciding one bit at a time.
"""

import math
from array import array

from micropython import const

_SAMPLE_HZ = const(8000)
_BITS = const(10)
_LONGEST_CHARACTER = const(72)  # 10 bits at 1140 baud, 70.2 samples, and one for the fraction
_SINE = array("h", [round(256 * math.sin(2 * math.pi * k / 256)) for k in range(256)])
_TURN = const(1 << 16)

# The words that the loops work with.
_START = const(0)  # sample that the character starts at, Q8
_BIT_SAMPLES = const(1)  # Q8
_MARK_STEP = const(2)  # phase a sample, 2^16 a turn
_SPACE_EXCESS = const(3)  # space less mark, phase a sample
_EXCESS_PER_BIT = const(4)  # likewise, phase a bit
_MARK_WEIGHT = const(5)  # amplitudes, 256 for the stronger of the two
_SPACE_WEIGHT = const(6)
_SPACE_ENERGY = const(7)  # what a space bit's template has more than a mark bit's, in units of the result
_WORDS = const(8)


@micropython.viper
def _correlate(state: ptr32, samples: ptr16, sine: ptr16, sums: ptr32):
    """Correlation of each bit with either tone: sums[4 k] mark cosine, sine, [4 k + 2] space cosine, sine.

    |x| <= 2047 and |sine| <= 256: 8 samples of a bit sum to less than 2^22.
    """
    for k in range(40):
        sums[k] = 0
    start = int(state[_START])
    width = int(state[_BIT_SAMPLES])
    step = int(state[_MARK_STEP])
    excess_step = int(state[_SPACE_EXCESS])
    excess_per_bit = int(state[_EXCESS_PER_BIT])
    i = (start + 255) >> 8
    position = (i << 8) - start
    phase = (position * step) >> 8
    excess = (position * excess_step) >> 8
    end = width
    k = 0
    while k < 10:
        a = 0
        b = 0
        c = 0
        d = 0
        while position < end:
            x = int(samples[i])
            x -= (x & 0x8000) << 1
            place = phase >> 8
            y = int(sine[(place + 64) & 255])
            y -= (y & 0x8000) << 1
            a += x * y
            y = int(sine[place & 255])
            y -= (y & 0x8000) << 1
            b += x * y
            place = (phase + excess) >> 8
            y = int(sine[(place + 64) & 255])
            y -= (y & 0x8000) << 1
            c += x * y
            y = int(sine[place & 255])
            y -= (y & 0x8000) << 1
            d += x * y
            phase += step
            excess += excess_step
            position += 256
            i += 1
        excess -= excess_per_bit
        sums[4 * k] = a >> 6
        sums[4 * k + 1] = b >> 6
        sums[4 * k + 2] = c >> 6
        sums[4 * k + 3] = d >> 6
        end += width
        k += 1


@micropython.viper
def _likelihoods(state: ptr32, sums: ptr32, sine: ptr16, real: ptr32, imaginary: ptr32, result: ptr16):
    """Magnitude of the sum of ten bits under each value, the carrier's phase having gained what its spaces give it.

    A bit's correlation is below 2^16 and the ten together below 2^19.4; magnitudes are shifted by 4, to below 2^16.
    Values grow from the lowest bit: the first 2^k of them differ in the bits that were seen.
    """
    per_bit = int(state[_EXCESS_PER_BIT])
    for v in range(256):
        imaginary[v] = 0
        real[v] = 0
    a = int(sums[2])
    a -= (a & 0x20000000) << 3
    b = int(sums[3])
    b -= (b & 0x20000000) << 3
    weight = int(state[_SPACE_WEIGHT])
    real[0] = (a * weight) >> 8
    imaginary[0] = (b * weight) >> 8
    count = 1
    k = 1
    while k < 10:
        v = 0
        while v < count:
            spaces = 1
            bit = 1
            while bit < k:
                spaces += 1 - ((v >> (bit - 1)) & 1)
                bit += 1
            place = ((spaces * per_bit) >> 8) & 255
            s = int(sine[place])
            s -= (s & 0x8000) << 1
            c = int(sine[(place + 64) & 255])
            c -= (c & 0x8000) << 1
            p = int(real[v])
            p -= (p & 0x20000000) << 3
            q = int(imaginary[v])
            q -= (q & 0x20000000) << 3
            # The template gains the angle of its spaces: the correlation is turned by it.
            weight = int(state[_MARK_WEIGHT])
            a = int(sums[4 * k])
            a -= (a & 0x20000000) << 3
            b = int(sums[4 * k + 1])
            b -= (b & 0x20000000) << 3
            a = (a * weight) >> 8
            b = (b * weight) >> 8
            if k < 9:
                real[v + count] = p + ((a * c - b * s) >> 8)
                imaginary[v + count] = q + ((a * s + b * c) >> 8)
                weight = int(state[_SPACE_WEIGHT])
                a = int(sums[4 * k + 2])
                a -= (a & 0x20000000) << 3
                b = int(sums[4 * k + 3])
                b -= (b & 0x20000000) << 3
                a = (a * weight) >> 8
                b = (b * weight) >> 8
            real[v] = p + ((a * c - b * s) >> 8)
            imaginary[v] = q + ((a * s + b * c) >> 8)
            v += 1
        if k < 9:
            count += count
        k += 1
    energy = int(state[_SPACE_ENERGY])
    energy -= (energy & 0x20000000) << 3
    for v in range(256):
        p = int(real[v])
        p -= (p & 0x20000000) << 3
        q = int(imaginary[v])
        q -= (q & 0x20000000) << 3
        if p < 0:
            p = 0 - p
        if q < 0:
            q = 0 - q
        if p < q:
            a = p
            p = q
            q = a
        # sqrt(p*p + q*q) within 1 %: p + q*q/2p (1 - (q/2p)^2) by its first terms, q/p in Q8
        a = (q << 8) // (p + 1)
        p += (q * ((a >> 1) - ((a * a * a) >> 19))) >> 8
        bit = 0
        spaces = 0
        while bit < 8:
            spaces += 1 - ((v >> bit) & 1)
            bit += 1
        p = (p >> 4) - spaces * energy
        result[v] = p if p > 0 else 0


@micropython.viper
def _strength(sums: ptr32) -> int:
    """Sum over the bits of the stronger tone's magnitude, within 12 %: at most ten times 2^17."""
    total = 0
    for k in range(10):
        best = 0
        for tone in range(2):
            p = int(sums[4 * k + 2 * tone])
            p -= (p & 0x20000000) << 3
            q = int(sums[4 * k + 2 * tone + 1])
            q -= (q & 0x20000000) << 3
            if p < 0:
                p = 0 - p
            if q < 0:
                q = 0 - q
            magnitude = p + (q >> 1) if p > q else q + (p >> 1)
            if magnitude > best:
                best = magnitude
        total += best
    return total


class CharacterReader:
    """Compares whole characters with all 256 values.

    samples: an array("h") of at most +-2047 in which mark has an amplitude of about 256 or less.
    """

    def __init__(self):
        self._state = array("i", bytes(4 * _WORDS))
        self._sums = array("i", bytes(4 * 4 * _BITS))
        self._real = array("i", bytes(4 * 256))
        self._imaginary = array("i", bytes(4 * 256))
        self.likelihood = array("H", bytes(2 * 256))

    def tune(self, mark_hz, space_hz, bit_samples, mark_amplitude, space_amplitude):
        """Sets what the modem sends: frequencies, samples a bit, and the amplitude of either tone."""
        state = self._state
        state[_BIT_SAMPLES] = round(256 * bit_samples)
        state[_MARK_STEP] = round(_TURN * mark_hz / _SAMPLE_HZ)
        state[_SPACE_EXCESS] = round(_TURN * (space_hz - mark_hz) / _SAMPLE_HZ)
        state[_EXCESS_PER_BIT] = round(_TURN * (space_hz - mark_hz) * bit_samples / _SAMPLE_HZ)
        strongest = max(mark_amplitude, space_amplitude)
        state[_MARK_WEIGHT] = round(256 * mark_amplitude / strongest)
        state[_SPACE_WEIGHT] = round(256 * space_amplitude / strongest)
        # Half the energy of each template, in the units of `likelihood`: sums are shifted by 6 and 4, of a sine of 256.
        self.strongest = strongest
        state[_SPACE_ENERGY] = round(
            (space_amplitude**2 - mark_amplitude**2) * bit_samples / 4 / strongest * 256 / 1024
        )

    def compare(self, samples, start):
        """Fills `likelihood` for the character that starts `start` samples (a float) into `samples`."""
        self._state[_START] = round(256 * start)
        _correlate(self._state, samples, _SINE, self._sums)
        _likelihoods(self._state, self._sums, _SINE, self._real, self._imaginary, self.likelihood)
        return self.likelihood

    def strength(self, samples, start):
        """How much of the two tones is in the ten bits, each alone: the most where the bits are in their places."""
        self._state[_START] = round(256 * start)
        _correlate(self._state, samples, _SINE, self._sums)
        return _strength(self._sums)
