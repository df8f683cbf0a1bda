"""The spectral lines of what sounds from 320 to 660 Hz: where nearly all call-progress tones lie.

The band comes as complex samples, 500 a second (2 ms each, a cell): a frequency f is f modulo 500 there, and 250 to
750 Hz are told apart. A window of up to 128 cells, 256 ms, shows lines that are 15 Hz apart.
"""

from array import array

from micropython import const

from star57.dsp.carrier import SINE

# Where a block is in an ear's words, and its sums in that, as in ear.py.
_BLOCK = const(40)
_SUMS = const(10)
_LONGEST = const(128)
_RING = const(144)
_SHORTEST = const(12)
_MOST_PEAKS = const(5)
# A peak has this part of the highest one's power at least: lines of a tone are within 9 dB.
_LEAST_OF_HIGHEST = const(24)

# Gains of the band, in steps of 16 Hz from 304 Hz on.
_FIRST_GAIN_HZ = const(304)
_GAINS = const(25)

# 1 / gain^2 of the way from 4 kHz on, taps 1 2 1 and the band's filter: Q10, two bytes each. As a literal it stays in
# flash.
_INVERSE_GAINS = (
    b"\x25\x08\x83\x06\x86\x05\xf0\x04\x9b\x04\x76\x04\x73\x04\x89\x04\xb2\x04\xe5\x04\x1c\x05\x4e\x05\x76"
    b"\x05\x8f\x05\x9b\x05\x9c\x05\x9a\x05\x9e\x05\xb2\x05\xe3\x05\x3e\x06\xd8\x06\xcf\x07\x59\x09\xd5\x0b"
)

# The band's filter, in the code of `band`: a low-pass to 230 Hz at 2 kHz, by a Kaiser window of beta 2.5; 8192 is 1. It
# is turned by a quarter a tap, to 500 Hz. Half of its taps, which the other half mirrors: 47, -18, -138, -252, -255,
# -52, 383, 969, 1533, 1879.

# What the low-pass makes of +32768: the taps with an even and those with an odd index, turned, sum up to -77 and 77.
_BIAS = const(77 << 15)

# Words of all that is kept; a word that may be negative is read as in fsk.py. The first 128 are the transform's, in
# between the high ear's.
_HERTZ = const(128)  # of the lines that were found, in tenths, two in a word; 0 behind the last
_WRITE = const(131)
_LAST_REAL = const(132)
_LAST_IMAGINARY = const(133)
_KEPT = const(134)  # cells in the ring
COUNT = const(135)
PART = const(136)
INVERSE_GAIN = const(137)
CELLS = const(138)  # of the window that was looked at
# At 2 kHz, +32768, two in a word: 20 of before, 40 of the block, room for 16 of whoever fills it.
_SAMPLES = const(139)
_CELLS_KEPT = const(177)  # the ring of them, a word each
_WORDS = const(321)


@micropython.viper
def band(a: int, b: int, lines: ptr32, block: ptr32):
    """60 samples at 2 kHz, of which 20 are of the block before, to 10 cells: to the ring, and their energies.

    Then of each half power and autocorrelation over a cell. What `a` and `b` are given is not used: as the first two
    arguments they are registers, of which dtmf.py tells.

    Samples are +32768, which is taken out of the sums again: taps of either part sum up to -77 and 77. Their magnitudes
    sum up to 5461: sums are below 2^28.5, a cell's part is below 21900, an energy over 2^4 below 2^26 and the sum of
    five below 2^28.2.
    """
    write = int(lines[_WRITE])
    a1 = int(lines[_LAST_REAL])
    a1 -= (a1 & 0x20000000) << 3
    b1 = int(lines[_LAST_IMAGINARY])
    b1 -= (b1 & 0x20000000) << 3
    last = (a1 * a1 + b1 * b1) >> 4
    block = ptr32(int(block) + 4 * _BLOCK)
    sums = ptr32(int(block) + 4 * _SUMS)
    ring = ptr16(int(lines) + 4 * _CELLS_KEPT)
    samples = ptr16(int(lines) + 4 * _SAMPLES + 12)
    for _ in range(2):
        power = 0
        real = 0
        imaginary = 0
        for _ in range(5):
            a = 52 * int(samples[3]) + 969 * int(samples[5]) - 1879 * int(samples[7]) + 1533 * int(samples[9])
            a -= 252 * int(samples[1]) + 383 * int(samples[11]) + 255 * int(samples[13])
            a = (a + 138 * int(samples[15]) + _BIAS) >> 13
            b = (
                255 * int(samples[2])
                + 383 * int(samples[4])
                - 1533 * int(samples[6])
                + 1879 * int(samples[8])
            )
            b -= 138 * int(samples[0]) + 969 * int(samples[10]) + 52 * int(samples[12])
            b = (b + 252 * int(samples[14]) - _BIAS) >> 13
            samples = ptr16(int(samples) + 8)
            ring[2 * write] = a
            ring[2 * write + 1] = b
            write += 1
            if write == _RING:
                write = 0
            x = (a * a + b * b) >> 4
            block[0] = x
            block = ptr32(int(block) + 4)
            # Between the two cells that are correlated: what grows or fades away is no other sound.
            power += (x + last) >> 1
            last = x
            real += (a * a1 + b * b1) >> 4
            imaginary += (b * a1 - a * b1) >> 4
            a1 = a
            b1 = b
        sums[0] = power
        sums[1] = real
        sums[2] = imaginary
        sums = ptr32(int(sums) + 12)
    lines[_WRITE] = write
    lines[_LAST_REAL] = a1
    lines[_LAST_IMAGINARY] = b1
    write = int(lines[_KEPT]) + 10
    lines[_KEPT] = write if write < _RING else _RING
    samples = ptr16(int(lines) + 4 * _SAMPLES)
    for _ in range(5):
        samples[0] = samples[40]
        samples[1] = samples[41]
        samples[2] = samples[42]
        samples[3] = samples[43]
        samples = ptr16(int(samples) + 8)


@micropython.viper
def _window(lines: ptr32, first: int, count: int, bits: int, sine: ptr16):
    """`count` cells of the ring from `first` on, scaled, under a Hann window, at bit-reversed places; zeros after them.

    A part is below 2^15: scaled below 2^15, times a window of 2^8 below 2^23, and over 2^9 below 2^14.
    """
    ring = ptr16(int(lines) + 4 * _CELLS_KEPT)
    out = ptr16(int(lines))
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
def _transform(x: int, y: int, values: ptr16, bits: int, sine: ptr16):
    """Fourier transform over its length, in place, of complex numbers at bit-reversed places. `x`, `y`: as in `band`.

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
            early = ptr16(int(values) + 4 * k)
            end = int(values) + 4 * n
            while int(early) < end:
                late = ptr16(int(early) + 4 * half)
                x = int(late[0])
                x -= (x & 0x8000) << 1
                y = int(late[1])
                y -= (y & 0x8000) << 1
                a = (x * c + y * s) >> 8
                b = (y * c - x * s) >> 8
                x = int(early[0])
                x -= (x & 0x8000) << 1
                y = int(early[1])
                y -= (y & 0x8000) << 1
                late[0] = (x - a) >> 1
                late[1] = (y - b) >> 1
                early[0] = (x + a) >> 1
                early[1] = (y + b) >> 1
                early = ptr16(int(early) + 8 * half)
        half <<= 1
        turn >>= 1


@micropython.viper
def _powers(values: ptr16, powers: ptr32, n: int) -> int:
    """Powers in place of the transform; answers the highest.

    The sum of n parts below 2^14.5 under a Hann window, whose mean square is 3/8, over n^2: powers add up to less than
    2^28.
    """
    highest = 0
    for k in range(n):
        x = int(values[2 * k])
        x -= (x & 0x8000) << 1
        y = int(values[2 * k + 1])
        y -= (y & 0x8000) << 1
        x = x * x + y * y
        powers[k] = x
        if x > highest:
            highest = x
    return highest


@micropython.viper
def _logarithm(x: int) -> int:
    """To the base of 2, in Q10, within 0.008; of 0 that of 1."""
    if x < 1:
        x = 1
    octave = 10
    while x >> 11:
        x >>= 1
        octave += 1
    while x >> 10 == 0:
        x <<= 1
        octave -= 1
    x -= 1024
    return (octave << 10) + x + ((x * (1024 - x) >> 10) * 352 >> 10)


@micropython.viper
def _peaks(powers: ptr32, bits: int, least: int, reach: int, gains: ptr8):
    """Finds peaks above `least`: their frequencies, ascending; what lies within `reach` bins of them is theirs.

    Each is the top of a parabola through the logarithms of three powers. Lines add up to less than 2^13.5, so their
    powers to less than 2^19 after a shift by 8.
    """
    hertz = ptr16(int(powers) + 4 * _HERTZ)
    n = 1 << bits
    total = 0
    near = 0
    covered = 0 - 1
    count = 0
    power = 0
    weighed = 0
    for k in range(n):
        x = int(powers[k])
        total += x >> 8
        if x <= least or x < int(powers[(k + 1) & (n - 1)]) or x <= int(powers[(k - 1) & (n - 1)]):
            continue
        if count < _MOST_PEAKS:
            top = int(_logarithm(x))
            before = int(_logarithm(int(powers[(k - 1) & (n - 1)])))
            after = int(_logarithm(int(powers[(k + 1) & (n - 1)])))
            bend = 2 * top - before - after
            if bend < 1:
                bend = 1
            place = (((k << 8) + (((after - before) << 7) // bend)) * 5000) >> (8 + bits)
            if place < 2500:
                place += 5000
            # The upper half of the bins lies below 500 Hz, the lower half above.
            j = count
            while j > 0 and int(hertz[j - 1]) > place:
                hertz[j] = hertz[j - 1]
                j -= 1
            hertz[j] = place
            place -= 10 * _FIRST_GAIN_HZ
            if place < 0:
                place = 0
            elif place >= 160 * (_GAINS - 1):
                place = 160 * (_GAINS - 1) - 1
            j = place // 160
            place -= 160 * j
            j += j
            gain = int(gains[j]) + (int(gains[j + 1]) << 8)
            gain += (int(gains[j + 2]) + (int(gains[j + 3]) << 8) - gain) * place // 160
            power += x >> 8
            weighed += ((x >> 8) * gain) >> 10
        count += 1
        for j in range(k - reach, k + reach + 1):
            if j > covered:
                near += int(powers[j & (n - 1)]) >> 8
                covered = j
    if count > _MOST_PEAKS:
        count = 0
    hertz[count] = 0
    powers[COUNT] = count
    powers[PART] = ((near >> 4) << 12) // ((total >> 4) + 1)
    powers[INVERSE_GAIN] = (weighed << 10) // (power + 1)


def new():
    """All that is kept of the band: its last 288 ms, and what was found in a part of it. To be `reset`."""
    return array("i", bytes(4 * _WORDS))


@micropython.viper
def reset(lines: ptr32):
    """As new."""
    for i in range(_HERTZ, _SAMPLES):
        lines[i] = 0
    samples = ptr16(int(lines) + 4 * _SAMPLES)
    for i in range(60):
        samples[i] = 32768


def forget(lines):
    """Samples were lost: what was kept does not go on."""
    lines[_KEPT] = 0


@micropython.viper
def decihertz(lines: ptr32, k: int) -> int:
    """The k-th frequency that was found, ascending; 0 behind the last of them."""
    hertz = ptr16(int(lines) + 4 * _HERTZ)
    return int(hertz[k])


def find(lines, ago, length):
    """Looks at the last `length` cells (at most 128 of them) before the last `ago`.

    Answers how many lines there are, 0 when what sounds is no few lines. In `lines` is then, beside their frequencies,
    their power over the sum of all (PART, Q12), mean 1 / gain^2 (INVERSE_GAIN, Q10), the length of the window (CELLS).
    """
    length = min(length, _LONGEST, lines[_KEPT] - ago)
    lines[COUNT] = 0
    lines[CELLS] = length
    if length < _SHORTEST:
        return 0
    bits = 5 if length <= 32 else 6 if length <= 64 else 7
    _window(lines, (lines[_WRITE] - ago - length) % _RING, length, bits, SINE)
    _transform(0, 0, lines, bits, SINE)
    least = _powers(lines, lines, 1 << bits) // _LEAST_OF_HIGHEST
    _peaks(lines, bits, least, 2 + (1 << bits) // length, _INVERSE_GAINS)
    return lines[COUNT]
