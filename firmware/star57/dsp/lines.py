"""The spectral lines of what sounds from 320 to 660 Hz: where nearly all call-progress tones lie.

The band comes as complex samples, 500 a second (2 ms each, a cell): a frequency f is f modulo 500 there, and 250 to
750 Hz are told apart. A window of up to 128 cells, 256 ms, shows lines that are 15 Hz apart.
"""

import math
from array import array

from micropython import const

from star57.dsp import level
from star57.dsp.carrier import SINE

_CELL_HZ = const(500)
_LONGEST = const(128)
_RING = const(160)
_MOST_PEAKS = const(5)

# Words of what `_peaks` found: how many, energy in all, energy near peaks; then of each: bin, power before, at, after.
_COUNT = const(0)
_ALL = const(1)
_NEAR = const(2)
_PEAKS = const(3)
_PEAK_WORDS = const(4)

# Gains of the band, in steps of 16 Hz from 304 Hz on.
_FIRST_GAIN_HZ = const(304)
_GAINS = const(25)

# A low-pass to 230 Hz at 2 kHz, by a Kaiser window of beta 2.5; 8192 is 1. It is turned by a quarter a tap, to 500 Hz.
_LOW_PASS = (
    47,
    -18,
    -138,
    -252,
    -255,
    -52,
    383,
    969,
    1533,
    1879,
    1879,
    1533,
    969,
    383,
    -52,
    -255,
    -252,
    -138,
    -18,
    47,
)

# Words of the band's state; a word that may be negative is read as in fsk.py.
_WRITE = const(0)
_LAST_REAL = const(1)
_LAST_IMAGINARY = const(2)
_STATE_WORDS = const(3)


def _gains():
    """1 / gain^2 in Q10 of the way from 4 kHz on: taps 1 2 1 and the band's filter."""
    table = array("h", bytes(2 * _GAINS))
    for i in range(_GAINS):
        hz = _FIRST_GAIN_HZ + 16 * i
        real = imaginary = 0.0
        for k, tap in enumerate(_LOW_PASS):
            w = 2 * math.pi * (hz - 500) / 2000 * k
            real += tap / 8192 * math.cos(w)
            imaginary -= tap / 8192 * math.sin(w)
        halving = (1 + math.cos(2 * math.pi * hz / 4000)) / 2
        table[i] = round(1024 / (real**2 + imaginary**2) / halving**2)
    return table


@micropython.viper
def _band(state: ptr32, samples: ptr16, ring: ptr16, cells: ptr32):
    """60 samples at 2 kHz, of which 20 are of the block before, to 10 cells: to the ring, and their energies.

    Then of each half power and autocorrelation over a cell. Samples are +32768, which the taps' sums, -12 and 12 in
    Q13, take out again. The taps of either part sum to 5526 in magnitude: sums are below 2^28.5, a cell's part is
    below 22200, an energy over 2^4 below 2^26 and the sum of five below 2^28.3.
    """
    write = int(state[_WRITE])
    a1 = int(state[_LAST_REAL])
    a1 -= (a1 & 0x20000000) << 3
    b1 = int(state[_LAST_IMAGINARY])
    b1 -= (b1 & 0x20000000) << 3
    last = (a1 * a1 + b1 * b1) >> 4
    p = 4
    for half in range(2):
        power = 0
        real = 0
        imaginary = 0
        for cell in range(half * 5, half * 5 + 5):
            a = 18 * int(samples[p + 1]) - 252 * int(samples[p + 3]) + 52 * int(samples[p + 5])
            a += 969 * int(samples[p + 7]) - 1879 * int(samples[p + 9]) + 1533 * int(samples[p + 11])
            a += 138 * int(samples[p + 17]) - 383 * int(samples[p + 13]) - 255 * int(samples[p + 15])
            a = (a + 47 * int(samples[p + 19]) + 393216) >> 13
            b = 252 * int(samples[p + 16]) - 47 * int(samples[p]) - 138 * int(samples[p + 2])
            b += 255 * int(samples[p + 4]) + 383 * int(samples[p + 6]) - 1533 * int(samples[p + 8])
            b += 1879 * int(samples[p + 10]) - 969 * int(samples[p + 12]) - 52 * int(samples[p + 14])
            b = (b - 18 * int(samples[p + 18]) - 393216) >> 13
            p += 4
            ring[2 * write] = a
            ring[2 * write + 1] = b
            write += 1
            if write == _RING:
                write = 0
            x = (a * a + b * b) >> 4
            cells[cell] = x
            # Between the two cells that are correlated: what grows or fades away is no other sound.
            power += (x + last) >> 1
            last = x
            real += (a * a1 + b * b1) >> 4
            imaginary += (b * a1 - a * b1) >> 4
            a1 = a
            b1 = b
        x = 10 + 3 * half
        cells[x] = power
        cells[x + 1] = real
        cells[x + 2] = imaginary
    state[_WRITE] = write
    state[_LAST_REAL] = a1
    state[_LAST_IMAGINARY] = b1
    for cell in range(20):
        samples[cell] = samples[cell + 40]


@micropython.viper
def _window(ring: ptr16, first: int, count: int, bits: int, sine: ptr16, out: ptr16):
    """`count` cells of the ring from `first` on, scaled, under a Hann window, at bit-place places; zeros after them.

    A part is below 2^15: scaled below 2^15, times a window of 2^8 below 2^23, and over 2^9 below 2^14.
    """
    largest = 1
    i = 2 * first
    for _ in range(count):
        x = int(ring[i])
        x -= (x & 0x8000) << 1
        largest |= x ^ (x >> 31)
        x = int(ring[i + 1])
        x -= (x & 0x8000) << 1
        largest |= x ^ (x >> 31)
        i += 2
        if i == 2 * _RING:
            i = 0
    up = 0
    while (largest << up) < 16384:
        up += 1
    n = 1 << bits
    place = 0
    i = 2 * first
    for k in range(n):
        a = 0
        b = 0
        if k < count:
            w = int(sine[((((2 * k + 1) << 7) // count) + 64) & 255])
            w -= (w & 0x8000) << 1
            w = (256 - w) >> 1
            a = int(ring[i])
            a -= (a & 0x8000) << 1
            a = ((a << up) * w) >> 9
            b = int(ring[i + 1])
            b -= (b & 0x8000) << 1
            b = ((b << up) * w) >> 9
            i += 2
            if i == 2 * _RING:
                i = 0
        out[2 * place] = a
        out[2 * place + 1] = b
        bit = n >> 1
        while place & bit:
            place ^= bit
            bit >>= 1
        place |= bit


@micropython.viper
def _transform(values: ptr16, bits: int, sine: ptr16):
    """Fourier transform over its length, in place, of complex numbers at bit-place places.

    A magnitude stays below 2^14.5: each step halves the sum of two. A product of parts is below 2^23.
    """
    n = 1 << bits
    half = 1
    turn = 128
    while half < n:
        for k in range(half):
            c = int(sine[(k * turn + 64) & 255])
            c -= (c & 0x8000) << 1
            s = int(sine[(k * turn) & 255])
            s -= (s & 0x8000) << 1
            i = 2 * k
            while i < 2 * n:
                j = i + 2 * half
                x = int(values[j])
                x -= (x & 0x8000) << 1
                y = int(values[j + 1])
                y -= (y & 0x8000) << 1
                a = (x * c + y * s) >> 8
                b = (y * c - x * s) >> 8
                x = int(values[i])
                x -= (x & 0x8000) << 1
                y = int(values[i + 1])
                y -= (y & 0x8000) << 1
                values[j] = (x - a) >> 1
                values[j + 1] = (y - b) >> 1
                values[i] = (x + a) >> 1
                values[i + 1] = (y + b) >> 1
                i += 4 * half
        half <<= 1
        turn >>= 1


@micropython.viper
def _peaks(values: ptr16, powers: ptr32, bits: int, reach: int, found: ptr32):
    """Powers in place of the transform, then the peaks above a 24th of the highest; energies near them and in all.

    Power of n numbers below 2^14.5 under a Hann window, whose mean square is 3/8: the sum over n^2 is below 2^28.
    """
    n = 1 << bits
    highest = 0
    total = 0
    for k in range(n):
        x = int(values[2 * k])
        x -= (x & 0x8000) << 1
        y = int(values[2 * k + 1])
        y -= (y & 0x8000) << 1
        x = x * x + y * y
        powers[k] = x
        total += x
        if x > highest:
            highest = x
    count = 0
    near = 0
    covered = 0 - 1
    least = highest // 24
    for k in range(n):
        x = int(powers[k])
        if x > least:
            before = int(powers[(k - 1) & (n - 1)])
            after = int(powers[(k + 1) & (n - 1)])
            if x > before and x >= after:
                if count < _MOST_PEAKS:
                    at = _PEAKS + _PEAK_WORDS * count
                    found[at] = k
                    found[at + 1] = before
                    found[at + 2] = x
                    found[at + 3] = after
                count += 1
                for j in range(k - reach, k + reach + 1):
                    if j > covered:
                        near += int(powers[j & (n - 1)])
                        covered = j
    found[_COUNT] = count
    found[_ALL] = total
    found[_NEAR] = near


class LowLines:
    """Keeps the band's last 320 ms, and finds the lines of a part of it.

    After `find`: `count` lines (0 when what sounds is no few lines), ascending `decihertz`, their power over the sum
    of all in `part` (Q12), `inverse_gain` (mean 1 / gain^2 of the lines, Q10), and `cells`, the length of the window.
    """

    def __init__(self):
        self._gains = _gains()
        self._state = array("i", bytes(4 * _STATE_WORDS))
        # Samples at 2 kHz, +32768: 20 of before, then those of the block; room for 16 more, of whoever fills it.
        self.samples = array("H", bytes(2 * 76))
        self._ring = array("h", bytes(4 * _RING))
        self._values = array("i", bytes(4 * _LONGEST))
        self._found = array("i", bytes(4 * (_PEAKS + _PEAK_WORDS * _MOST_PEAKS)))
        self.decihertz = array("H", bytes(2 * _MOST_PEAKS))
        self.reset()

    def reset(self):
        """As new, without allocating."""
        for i in range(_STATE_WORDS):
            self._state[i] = 0
        for i in range(60):
            self.samples[i] = 32768
        self._kept = 0
        self.count = 0
        self.part = 0
        self.inverse_gain = 1024
        self.cells = 0

    def forget(self):
        """Samples were lost: what was kept does not go on."""
        self._kept = 0

    def feed(self, cells):
        """Takes the 20 ms of `samples`: 10 energies to `cells`, then of each half power and autocorrelation."""
        _band(self._state, self.samples, self._ring, cells)
        if self._kept < _RING:
            self._kept += 10

    def find(self, ago, length):
        """Looks at the last `length` cells (at most 128 of them) before the last `ago`; answers `count`."""
        length = min(length, _LONGEST, self._kept - ago)
        self.count = 0
        self.cells = length
        if length < 12:
            return 0
        bits = 5 if length <= 32 else 6 if length <= 64 else 7
        first = (self._state[_WRITE] - ago - length) % _RING
        _window(self._ring, first, length, bits, SINE, self._values)
        _transform(self._values, bits, SINE)
        _peaks(self._values, self._values, bits, 2 + (1 << bits) // length, self._found)
        if self._found[_COUNT] <= _MOST_PEAKS:
            self._describe(bits)
        return self.count

    def _describe(self, bits):
        found = self._found
        count = found[_COUNT]
        weighed = power = 0
        for k in range(count):
            at = _PEAKS + _PEAK_WORDS * k
            decihertz = self._decihertz(at, bits)
            # Ascending: the upper half of the bins lies below 500 Hz, the lower half above.
            j = k
            while j and self.decihertz[j - 1] > decihertz:
                self.decihertz[j] = self.decihertz[j - 1]
                j -= 1
            self.decihertz[j] = decihertz
            share = found[at + 2] >> 8
            power += share
            weighed += share * self._inverse_gain(decihertz) >> 10
        self.count = count
        # Lines add up to less than 2^13.5, so their powers to less than 2^19 after the shift.
        self.part = (found[_NEAR] >> 12) * 4096 // max(1, found[_ALL] >> 12)
        self.inverse_gain = (weighed << 10) // max(1, power)

    def _decihertz(self, at, bits):
        """The top of the parabola through the logarithms of three powers."""
        found = self._found
        before = level.hundredths_dbm0(found[at + 1])
        top = level.hundredths_dbm0(found[at + 2])
        after = level.hundredths_dbm0(found[at + 3])
        place = (found[at] << 8) + ((after - before) << 7) // max(1, 2 * top - before - after)
        decihertz = place * (10 * _CELL_HZ) >> (8 + bits)
        return decihertz if decihertz >= 2500 else decihertz + 5000

    def _inverse_gain(self, decihertz):
        gains = self._gains
        step = max(0, min(160 * (_GAINS - 1) - 1, decihertz - 10 * _FIRST_GAIN_HZ))
        k = step // 160
        return gains[k] + (gains[k + 1] - gains[k]) * (step - 160 * k) // 160
