"""DTMF receiver: ITU-T Q.23 digits to the limits of Q.24 (AT&T column of TELEPHONY 4), in noise and through dial tone.

Samples are taken to 4 kHz, dial tone is notched out, and each 5 ms gives the amplitude and phase of the eight
frequencies. A window of 30 ms shows a digit when the strongest of each group

- keep their amplitude and their phase, each 5 ms to the next, at a frequency within the limits;
- hold most of the energy, and what they leave of it is no stronger at low frequencies than white noise would be. Noise
  as strong as 3 dB below the digit passes that; speech, whose other harmonics are low, does not.
"""

import math
from array import array

from micropython import const

from star57.dsp import goertzel, level
from star57.dsp.tones import DTMF_HIGH_HZ, DTMF_KEYS, DTMF_LOW_HZ

_SUB_BLOCK = const(40)  # 5 ms
_HALF = const(20)  # as many at 4 kHz
_WINDOW = const(6)
_SLOTS = const(16)
# A gap of 10 ms spoils 3 sub-blocks at most and is bridged; a pause of 40 ms spoils 6 at least.
_MISSES_TO_END = const(5)
_PAUSE_SAMPLES = const(320)
# Dial tone alone for 20 ms is remembered for half a second: from one digit to the next.
_DIAL_TONE_SHOWS = const(4)
_DIAL_TONE_LASTS = const(100)
_NONE = const(-1)

_KEYS = bytes(ord(key) for key in DTMF_KEYS)
_FREQUENCIES_HZ = DTMF_LOW_HZ + DTMF_HIGH_HZ

# Words of the filter; a word that may be negative is read as in fsk.py.
_MEAN = const(0)  # Q8
_EVEN_1 = const(1)
_EVEN_2 = const(2)
_EVEN_3 = const(3)
_ODD_1 = const(4)
_A1 = const(5)
_A2 = const(6)
_B1 = const(7)
_B2 = const(8)
_Y1 = const(9)
_Y2 = const(10)
_LAST = const(11)
# Energies of the sub-block, each divided by 2^6: of all, of the differences, after the half band, after the notches.
_ENERGY = const(12)
_ROUGH = const(13)
_BELOW_2_KHZ = const(14)
_NOTCHED = const(15)
_START = const(16)
_PLACE = const(17)
# Words of the judgement.
_SLOT = const(18)
_FILLED = const(19)
_DIAL = const(20)
_DIAL_SHOWN = const(21)
_ACTIVE = const(22)  # key that sounds, or 255
_LOW_LEAST = const(23)
_HIGH_LEAST = const(24)
_LOW = const(25)
_HIGH = const(26)
_LOW_ENERGY = const(27)
_HIGH_ENERGY = const(28)
_SHIFT = const(29)
_ALL_ENERGY = const(30)
_DIAL_ENERGY = const(31)  # of a window, over 2^10
_SUMS = const(32)  # 8 powers of the window, then the 4 energies
_WORDS = const(44)

# The row of a frequency in the table of limits.
_ADVANCE_COS = const(0)
_ADVANCE_SIN = const(1)
_TAN_LIMIT = const(2)
_GAIN = const(3)
_LOW_SHARE = const(4)
_NOTCHED_GAIN = const(5)
_HALVED_GAIN = const(6)
_ROW = const(7)

_NOTCHES = ((13969, 11315, 5375), (12628, 10229, 5375))

# The phasors of the window's pair are 12 words each; then how unsteady each is, in parts of its power, Q8.
_UNSTEADY = const(24)
_PAIR_WORDS = const(37)
_BELOW = const(-1)
_ABOVE = const(-2)

# Energy of a window at +3.9 dBm0: only clipped tones reach it, and those leave their difference at a low frequency.
_CLIPPED = const(590000000)
# At +1.2 dBm0: louder than any digit over dial tone.
_LOUD = const(320000000)

# What `_slide` says of a sub-block.
_IDLE = const(0)
_PROMISING = const(1)
_HIT = const(2)
_MISS = const(3)


def _half_band_gain(hz):
    """What the half band does to the amplitude of a frequency below 2 kHz."""
    w = 2 * math.pi * hz / 8000
    return (16 + 18 * math.cos(w) - 2 * math.cos(3 * w)) / 32


def _notch_gain(hz):
    """What the notches do to it."""
    w = 2 * math.pi * hz / 4000
    gain = 1
    for zero, near, far in _NOTCHES:
        real = 1 - near / 8192 * math.cos(w) + far / 8192 * math.cos(2 * w)
        imaginary = near / 8192 * math.sin(w) - far / 8192 * math.sin(2 * w)
        gain *= abs(2 * math.cos(w) - zero / 8192) / math.sqrt(real**2 + imaginary**2)
    return gain


def _limits():
    """A row for each frequency."""
    table = array("i", bytes(4 * _ROW * 8))
    for k, hz in enumerate(_FREQUENCIES_HZ):
        advance = 2 * math.pi * hz * _SUB_BLOCK / 8000
        # Q.24: 1.5 % + 2 Hz are accepted, 3.5 % are not. More than a quarter of margin lets octaves in.
        limit_hz = 1.25 * (0.015 * hz + 2)
        halved = _half_band_gain(hz)
        gain = halved * _notch_gain(hz)
        row = _ROW * k
        table[row + _ADVANCE_COS] = round(1024 * math.cos(advance))
        table[row + _ADVANCE_SIN] = round(1024 * math.sin(advance))
        table[row + _TAN_LIMIT] = round(256 * math.tan(2 * math.pi * limit_hz * _SUB_BLOCK / 8000))
        # From 5 products of neighbours, each (a gain 10)^2, to 6 sub-blocks of 40 a^2 / 2 / 2^6.
        table[row + _GAIN] = round(65536 * 6 / 5 * _SUB_BLOCK / 128 / (gain * _HALF / 2) ** 2)
        table[row + _LOW_SHARE] = round(256 * (1 - 2 * math.sin(math.pi * hz / 8000) ** 2))
        table[row + _NOTCHED_GAIN] = round(256 * gain**2 / 2)
        table[row + _HALVED_GAIN] = round(256 * halved**2 / 2)
    return table


def _leaks():
    """Of each pair, what the low filter hears of the high tone, in parts of it, and the reverse: complex, Q10."""
    table = array("i", bytes(4 * 4 * 16))
    for key in range(16):
        pair = (DTMF_LOW_HZ[key // 4], DTMF_HIGH_HZ[key % 4])
        for side in range(2):
            apart = 2 * math.pi * (pair[1 - side] - pair[side]) / 4000
            real = imaginary = 0
            for n in range(_HALF):
                # Phases count from the last sample.
                real += math.cos(apart * (n - _HALF + 1))
                imaginary += math.sin(apart * (n - _HALF + 1))
            table[4 * key + 2 * side] = round(1024 * real / _HALF)
            table[4 * key + 2 * side + 1] = round(1024 * imaginary / _HALF)
    return table


@micropython.viper
def _condition(state: ptr32, samples: ptr16, block: ptr16, pairs: int):
    """Halves the rate of `pairs` pairs of samples, takes DC and dial tone out, and sums up energies.

    A high-pass at 40 Hz; a half band of taps -1 0 9 16 9 0 -1; notches at 350 and 440 Hz with poles at radius 0.81.
    The magnitudes of the impulse responses sum up to 1.94 after the high-pass, 2.01 after the half band, 2.35 times
    that after the first notch and 2.90 after both: with the input halved |x| < 31800, |a| < 32900, |b| < 77400,
    |y| < 95500, and the largest product, 12628 * 77400, is below 2^30. An energy grows by less than 2^24 a sample.
    """
    mean = int(state[_MEAN])
    mean -= (mean & 0x20000000) << 3
    e1 = int(state[_EVEN_1])
    e1 -= (e1 & 0x20000000) << 3
    e2 = int(state[_EVEN_2])
    e2 -= (e2 & 0x20000000) << 3
    e3 = int(state[_EVEN_3])
    e3 -= (e3 & 0x20000000) << 3
    o1 = int(state[_ODD_1])
    o1 -= (o1 & 0x20000000) << 3
    a1 = int(state[_A1])
    a1 -= (a1 & 0x20000000) << 3
    a2 = int(state[_A2])
    a2 -= (a2 & 0x20000000) << 3
    b1 = int(state[_B1])
    b1 -= (b1 & 0x20000000) << 3
    b2 = int(state[_B2])
    b2 -= (b2 & 0x20000000) << 3
    y1 = int(state[_Y1])
    y1 -= (y1 & 0x20000000) << 3
    y2 = int(state[_Y2])
    y2 -= (y2 & 0x20000000) << 3
    last = int(state[_LAST])
    last -= (last & 0x20000000) << 3
    energy = int(state[_ENERGY])
    rough = int(state[_ROUGH])
    below = int(state[_BELOW_2_KHZ])
    notched = int(state[_NOTCHED])
    start = int(state[_START])
    place = int(state[_PLACE])
    for _ in range(pairs):
        odd = int(samples[start])
        odd -= (odd & 0x8000) << 1
        mean += ((odd << 8) - mean) >> 5
        odd = (odd - (mean >> 8)) >> 1
        energy += (odd * odd) >> 6
        d = (odd - last) >> 1
        rough += (d * d) >> 6
        last = int(samples[start + 1])
        last -= (last & 0x8000) << 1
        mean += ((last << 8) - mean) >> 5
        last = (last - (mean >> 8)) >> 1
        energy += (last * last) >> 6
        d = (last - odd) >> 1
        rough += (d * d) >> 6
        start += 2
        a0 = ((o1 << 4) + 9 * (e2 + e1) - e3 - last) >> 5
        e3 = e2
        e2 = e1
        e1 = last
        o1 = odd
        below += (a0 * a0) >> 6
        b0 = a0 - ((13969 * a1) >> 13) + a2 + ((11315 * b1) >> 13) - ((5375 * b2) >> 13)
        y0 = b0 - ((12628 * b1) >> 13) + b2 + ((10229 * y1) >> 13) - ((5375 * y2) >> 13)
        a2 = a1
        a1 = a0
        b2 = b1
        b1 = b0
        y2 = y1
        y1 = y0
        if y0 > 24000:
            y0 = 24000
        elif y0 < -24000:
            y0 = -24000
        notched += (y0 * y0) >> 6
        block[place] = y0
        place += 1
    state[_MEAN] = mean
    state[_EVEN_1] = e1
    state[_EVEN_2] = e2
    state[_EVEN_3] = e3
    state[_ODD_1] = o1
    state[_A1] = a1
    state[_A2] = a2
    state[_B1] = b1
    state[_B2] = b2
    state[_Y1] = y1
    state[_Y2] = y2
    state[_LAST] = last
    state[_ENERGY] = energy
    state[_ROUGH] = rough
    state[_BELOW_2_KHZ] = below
    state[_NOTCHED] = notched
    state[_PLACE] = place


@micropython.viper
def _slide(state: ptr32, phasors: ptr32, powers: ptr32) -> int:
    """Moves the window on by the sub-block in the current slot; says what it shows.

    A phasor is below 24000 * 20; its power over 2^10 below 2^28, the window's below 2^31. The high-pass adds no energy:
    that of a window is below 2^22 * 240 and what the mean remembers, < 2^30.
    """
    slot = int(state[_SLOT])
    new = slot * 12
    old = ((slot - 6) & 15) * 12
    at = slot * 16
    for k in range(8):
        x = int(phasors[at])
        x -= (x & 0x20000000) << 3
        y = int(phasors[at + 1])
        y -= (y & 0x20000000) << 3
        at += 2
        x >>= 5
        y >>= 5
        x = x * x + y * y
        powers[new + k] = x
        state[_SUMS + k] = int(state[_SUMS + k]) + x - int(powers[old + k])
    for k in range(4):
        x = int(state[_ENERGY + k])
        state[_ENERGY + k] = 0
        powers[new + 8 + k] = x
        state[_SUMS + 8 + k] = int(state[_SUMS + 8 + k]) + x - int(powers[old + 8 + k])
    below = int(powers[new + 10])
    shown = int(state[_DIAL_SHOWN])
    if below > 400 and int(powers[new + 11]) < below >> 4 and below > int(powers[new + 8]) >> 2:
        shown += 1
        if shown >= _DIAL_TONE_SHOWS:
            state[_DIAL] = _DIAL_TONE_LASTS
            state[_DIAL_ENERGY] = int(state[_SUMS + 10]) >> 4
    else:
        shown = 0
        if int(state[_DIAL]) > 0:
            state[_DIAL] = int(state[_DIAL]) - 1
    state[_DIAL_SHOWN] = shown
    active = int(state[_ACTIVE])
    if active != 255:
        if int(powers[new + (active >> 2)]) < int(state[_LOW_LEAST]):
            return _MISS
        if int(powers[new + 4 + (active & 3)]) < int(state[_HIGH_LEAST]):
            return _MISS
        return _HIT
    if int(state[_FILLED]) < _WINDOW:
        state[_FILLED] = int(state[_FILLED]) + 1
        if int(state[_FILLED]) < _WINDOW:
            return _IDLE
    low = 0
    high = 4
    for k in range(1, 4):
        if int(state[_SUMS + k]) > int(state[_SUMS + low]):
            low = k
        if int(state[_SUMS + 4 + k]) > int(state[_SUMS + high]):
            high = 4 + k
    state[_LOW] = low
    state[_HIGH] = high
    both = (int(state[_SUMS + low]) >> 2) + (int(state[_SUMS + high]) >> 2)
    # Of a pair of tones alone the energy is 1.8 to 3 times the powers; at 3 dB SNR half as much again.
    energy = int(state[_SUMS + 11]) if int(state[_DIAL]) > 0 else int(state[_SUMS + 8])
    if both > 100 and both > energy >> 5:
        return _PROMISING
    return _IDLE


@micropython.viper
def _separate(state: ptr32, phasors: ptr32, leaks: ptr32, pair: ptr32):
    """The window's phasors of the chosen pair, scaled to 4095 at most, each freed from what it hears of the other."""
    low = int(state[_LOW])
    high = int(state[_HIGH])
    first = int(state[_SLOT]) - 5
    largest = 0
    for i in range(6):
        at = ((first + i) & 15) * 16
        for k in range(2):
            j = at + 2 * low + k
            x = int(phasors[j])
            x -= (x & 0x20000000) << 3
            if x < 0:
                x = 0 - x
            largest |= x
            j = at + 2 * high + k
            x = int(phasors[j])
            x -= (x & 0x20000000) << 3
            if x < 0:
                x = 0 - x
            largest |= x
    shift = 0
    while (largest >> shift) > 4095:
        shift += 1
    state[_SHIFT] = shift
    key = 4 * (4 * low + high - 4)
    lr = int(leaks[key])
    lr -= (lr & 0x20000000) << 3
    li = int(leaks[key + 1])
    li -= (li & 0x20000000) << 3
    hr = int(leaks[key + 2])
    hr -= (hr & 0x20000000) << 3
    hi = int(leaks[key + 3])
    hi -= (hi & 0x20000000) << 3
    for i in range(6):
        at = ((first + i) & 15) * 16
        j = at + 2 * low
        ax = int(phasors[j])
        ax -= (ax & 0x20000000) << 3
        ay = int(phasors[j + 1])
        ay -= (ay & 0x20000000) << 3
        j = at + 2 * high
        bx = int(phasors[j])
        bx -= (bx & 0x20000000) << 3
        by = int(phasors[j + 1])
        by -= (by & 0x20000000) << 3
        ax >>= shift
        ay >>= shift
        bx >>= shift
        by >>= shift
        pair[2 * i] = ax - ((bx * lr - by * li) >> 10)
        pair[2 * i + 1] = ay - ((bx * li + by * lr) >> 10)
        pair[12 + 2 * i] = bx - ((ax * hr - ay * hi) >> 10)
        pair[12 + 2 * i + 1] = by - ((ax * hi + ay * hr) >> 10)


@micropython.viper
def _steady(pair: ptr32, at: int, limits: ptr32, row: int) -> int:
    """Energy of one tone of the window, in the scaled window's units; 0 unless it is steady.

    _BELOW or _ABOVE, which are negative, if it is steady but its frequency beyond the limits.

    A phasor is freed from less than 0.36 of another: |z| < 5800 * 1.36, so a product of two is < 2^26 and the sum of
    five < 2^29.
    """
    x1 = int(pair[at])
    x1 -= (x1 & 0x20000000) << 3
    y1 = int(pair[at + 1])
    y1 -= (y1 & 0x20000000) << 3
    power = x1 * x1 + y1 * y1
    least = power
    total = power >> 3
    real = 0
    imaginary = 0
    early_real = 0
    early_imaginary = 0
    late_real = 0
    late_imaginary = 0
    for i in range(1, 6):
        x = int(pair[at + 2 * i])
        x -= (x & 0x20000000) << 3
        y = int(pair[at + 2 * i + 1])
        y -= (y & 0x20000000) << 3
        power = x * x + y * y
        if power < least:
            least = power
        total += power >> 3
        real += x * x1 + y * y1
        imaginary += y * x1 - x * y1
        x1 = x
        y1 = y
        if i == 2:
            early_real = real
            early_imaginary = imaginary
        elif i == 3:
            late_real = 0 - real
            late_imaginary = 0 - imaginary
    late_real += real
    late_imaginary += imaginary
    # The phase that the nominal frequency turns by is taken off; products to 14 bits for it.
    shift = 0
    largest = (real ^ (real >> 31)) | (imaginary ^ (imaginary >> 31))
    largest |= (early_real ^ (early_real >> 31)) | (early_imaginary ^ (early_imaginary >> 31))
    largest |= (late_real ^ (late_real >> 31)) | (late_imaginary ^ (late_imaginary >> 31))
    while (largest >> shift) > 16383:
        shift += 1
    # A voice glides: the first 15 ms and the last may be 18 Hz apart (tangent 5/8 of the phase gained in 5 ms).
    late_real >>= shift
    late_imaginary >>= shift
    early_real >>= shift
    early_imaginary >>= shift
    x = early_real * late_real + early_imaginary * late_imaginary
    y = early_real * late_imaginary - early_imaginary * late_real
    if y < 0:
        y = 0 - y
    if x <= 0 or y > (x >> 1) + (x >> 3):
        return 0
    x1 = real >> shift
    y1 = imaginary >> shift
    c = int(limits[row + _ADVANCE_COS])
    c -= (c & 0x20000000) << 3
    s = int(limits[row + _ADVANCE_SIN])
    s -= (s & 0x20000000) << 3
    x = (x1 * c + y1 * s) >> 10
    y = (y1 * c - x1 * s) >> 10
    off = _BELOW
    if y < 0:
        y = 0 - y
    else:
        off = _ABOVE
    if x > 0 and y << 8 <= x * int(limits[row + _TAN_LIMIT]):
        off = 0
    nominal = x
    if x < 0:
        x = 0 - x
    # The magnitude: within 12 % by the octagon, within 1 % after a step of Newton's.
    c = x
    s = y
    if y > x:
        c = y
        s = x
    c += (s * 3) >> 3
    if c == 0:
        return 0
    c = (c + (x * x + y * y) // c) >> 1
    # A sub-block loses sinc^2 of how far the frequency is off: cosines say how far.
    s = c + ((c - nominal) * 43 >> 8)
    x = c << shift
    # The power of a steady tone is that of its neighbours' products; noise adds to it, and so does every other sound.
    noise = total * 5 // 6 - (x >> 3)
    if noise > (x >> 6) + (x >> 7) + (x >> 8):
        return 0
    pair[_UNSTEADY + at] = noise // ((x >> 11) + 1)
    if least < (x >> 5) + (x >> 6):
        return 0
    if off != 0:
        return off
    return ((s << shift) >> 6) * int(limits[row + _GAIN]) >> 10


@micropython.viper
def _pure(state: ptr32, pair: ptr32, limits: ptr32, low_row: int, high_row: int) -> int:
    """1 if the two tones are most of the window, and the rest of it no speech.

    Tones are below 2^22, so a product with a share is < 2^30. Energies are shifted only where the tones are known to be
    most of them; unshifted they are below 2^30, see `_slide`.
    """
    shift = 2 * int(state[_SHIFT])
    low = int(state[_LOW_ENERGY])
    high = int(state[_HIGH_ENERGY])
    low_share = int(limits[low_row + _LOW_SHARE])
    low_share -= (low_share & 0x20000000) << 3
    high_share = int(limits[high_row + _LOW_SHARE])
    high_share -= (high_share & 0x20000000) << 3
    # A sub-block will be of the digit when each tone has a fifth of its power or more.
    state[_LOW_LEAST] = int(state[_SUMS + int(state[_LOW])]) >> 5
    state[_HIGH_LEAST] = int(state[_SUMS + int(state[_HIGH])]) >> 5
    energy = int(state[_SUMS + 8]) >> shift
    rough = int(state[_SUMS + 9]) >> shift
    state[_ALL_ENERGY] = energy
    unsteady = int(pair[_UNSTEADY])
    unsteady -= (unsteady & 0x20000000) << 3
    other = int(pair[_UNSTEADY + 12])
    other -= (other & 0x20000000) << 3
    unsteady += other
    if low + high > (energy >> 1) + (energy >> 4) and unsteady < 64:
        speech = energy - 2 * rough - ((low * low_share + high * high_share) >> 8)
        allowed = (energy >> 4) + (energy >> 5)
        if low + high < energy - (energy >> 2) + (energy >> 5):
            # Much is left: noise makes tones unsteady by what there is of it, the harmonics of a voice do not.
            if unsteady > 20:
                allowed = (energy >> 4) + (energy >> 6) + (energy >> 7)
            elif unsteady > 0:
                allowed = (energy >> 4) - (energy >> 6) + ((energy >> 5) * unsteady >> 4)
            else:
                allowed = (energy >> 4) - (energy >> 6)
        if int(state[_SUMS + 8]) > _CLIPPED and unsteady < 20:
            allowed = (energy >> 3) + (energy >> 5)
        if speech < allowed:
            return 1
    if int(state[_DIAL]) > 0 and unsteady < 14 and int(state[_SUMS + 8]) < _LOUD:
        notched = int(state[_SUMS + 11]) >> shift
        tones = (
            low * int(limits[low_row + _NOTCHED_GAIN]) + high * int(limits[high_row + _NOTCHED_GAIN])
        ) >> 8
        if tones > notched - (notched >> 3):
            state[_ALL_ENERGY] = 2 * notched
            dial = int(state[_SUMS + 10]) >> shift
            dial -= (
                low * int(limits[low_row + _HALVED_GAIN]) + high * int(limits[high_row + _HALVED_GAIN])
            ) >> 8
            before = (int(state[_DIAL_ENERGY]) << 4) >> shift
            if dial > before >> 1 and dial < before << 1:
                return 1
    return 0


@micropython.viper
def _before(state: ptr32, powers: ptr32, digit: int) -> int:
    """How many sub-blocks before the window are of the digit too: noise may have kept it from acceptance till now."""
    slot = int(state[_SLOT])
    count = 0
    while count < 8:
        at = ((slot - 6 - count) & 15) * 12
        if int(powers[at + (digit >> 2)]) < int(state[_LOW_LEAST]):
            return count
        if int(powers[at + 4 + (digit & 3)]) < int(state[_HIGH_LEAST]):
            return count
        count += 1
    return count


class DtmfReceiver:
    """Hears DTMF digits, through noise, dial tone, DC and clipping, and not in speech.

    sink.digit(code, level_dbm0)            when a digit is accepted, 30 to 40 ms after its start; code is ord() of its
                                            key; the level is that of its two tones together, within 1 dB
    sink.digit_end(code, duration_samples)  25 ms after it is over; duration within 5 ms

    Q.24: 40 ms are accepted and 23 ms are not, a gap of 10 ms is bridged and 40 ms part two digits; the high group may
    be 4 dB above the low one, or 8 dB below it (each taken with 2 dB of margin); down to -45 dBm0 for each tone.

    In both calls the receiver's `level_dbm0`, `twist_db` (high group over low) and `snr_db` (0 to 20, noise in 300 to
    3400 Hz, white noise taken for granted) are those of the digit.
    """

    def __init__(self, sink):
        self._sink = sink
        self._coefficients = goertzel.phasor_coefficients(_FREQUENCIES_HZ, 4000)
        self._limits = _limits()
        self._leaks = _leaks()
        self._block = array("h", bytes(2 * _HALF))
        self._pending = array("h", bytes(4))
        self._state = array("i", bytes(4 * _WORDS))
        self._phasors = array("i", bytes(4 * 16 * _SLOTS))
        self._powers = array("i", bytes(4 * 12 * _SLOTS))
        self._pair = array("i", bytes(4 * _PAIR_WORDS))
        self.reset()

    def reset(self):
        """As new."""
        for i in range(_WORDS):
            self._state[i] = 0
        self._odd = False
        self._digit = _NONE
        self._misses = 0
        self._lost = 0
        self._duration = 0
        self.level_dbm0 = level.LOWEST_DBM0
        self.twist_db = 0
        self.snr_db = 0
        self._begin_window()

    def _begin_window(self):
        for i in range(12 * _SLOTS):
            self._powers[i] = 0
        for i in range(12):
            self._state[_SUMS + i] = 0
        for i in range(_ENERGY, _NOTCHED + 1):
            self._state[i] = 0
        self._state[_PLACE] = 0
        self._state[_FILLED] = 0
        self._state[_ACTIVE] = 255 if self._digit == _NONE else self._digit

    def skip(self, n):
        """`n` samples were lost. A digit goes on if it does so after them, unless they may have held a pause."""
        if self._digit != _NONE:
            if self._misses:
                self._misses += n // _SUB_BLOCK
            else:
                self._lost += n + 2 * self._state[_PLACE]
            if self._lost >= _PAUSE_SAMPLES or self._misses >= _MISSES_TO_END:
                self._end()
        self._odd = False
        self._begin_window()

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        start = 0
        if self._odd and n:
            self._odd = False
            self._pending[1] = samples[0]
            self._hear(self._pending, 0, 1)
            start = 1
        while n - start >= 2:
            pairs = min((n - start) >> 1, _HALF - self._state[_PLACE])
            self._hear(samples, start, pairs)
            start += 2 * pairs
        if start < n:
            self._pending[0] = samples[start]
            self._odd = True

    def _hear(self, samples, start, pairs):
        state = self._state
        state[_START] = start
        _condition(state, samples, self._block, pairs)
        if state[_PLACE] == _HALF:
            state[_PLACE] = 0
            slot = (state[_SLOT] + 1) & (_SLOTS - 1)
            state[_SLOT] = slot
            goertzel.phasors(self._block, _HALF, self._coefficients, 8, self._phasors, slot * 16)
            self._follow(_slide(state, self._phasors, self._powers))

    def _follow(self, shown):
        if shown == _PROMISING:
            self._judge()
        elif shown == _HIT:
            self._duration += (self._misses + 1) * _SUB_BLOCK + self._lost
            self._misses = 0
            self._lost = 0
        elif shown == _MISS:
            self._misses += 1 + self._lost // _SUB_BLOCK
            self._lost = 0
            if self._misses >= _MISSES_TO_END:
                self._end()

    def _judge(self):
        state = self._state
        _separate(state, self._phasors, self._leaks, self._pair)
        low = self._tone(_LOW, 0, 0, 3)
        if low <= 0:
            return
        shift = state[_SHIFT]
        high = self._tone(_HIGH, 12, 4, 7)
        if state[_SHIFT] != shift:
            low = _steady(self._pair, 0, self._limits, _ROW * state[_LOW])
        # At least -50 dBm0 each; the high group 6 dB above the low one at most, 10 dB below it at most.
        least = 1900 >> (2 * state[_SHIFT])
        if low <= least or high <= least or high > 4 * low or low > 10 * high:
            return
        state[_LOW_ENERGY] = low
        state[_HIGH_ENERGY] = high
        if _pure(state, self._pair, self._limits, _ROW * state[_LOW], _ROW * state[_HIGH]):
            self._begin(low, high)

    def _tone(self, which, at, first, last):
        """Energy of the window's tone of one group: of the strongest frequency, or of the one beside it.

        The other group's tone may make the neighbour seem the stronger one; then the frequency says so.
        """
        state = self._state
        energy = _steady(self._pair, at, self._limits, _ROW * state[which])
        if energy >= 0:
            return energy
        beside = state[which] + (1 if energy == _ABOVE else -1)
        if not first <= beside <= last:
            return 0
        state[which] = beside
        _separate(state, self._phasors, self._leaks, self._pair)
        return _steady(self._pair, at, self._limits, _ROW * beside)

    def _begin(self, low, high):
        state = self._state
        digit = 4 * state[_LOW] + state[_HIGH] - 4
        self._digit = digit
        self._misses = 0
        self._lost = 0
        state[_ACTIVE] = digit
        self._duration = (_WINDOW + _before(state, self._powers, digit)) * _SUB_BLOCK
        self._tell_quality(low, high)
        self._sink.digit(_KEYS[digit], self.level_dbm0)

    def _tell_quality(self, low, high):
        state = self._state
        # 6 sub-blocks of squares, halved samples, over 2^6.
        whole = level.hundredths_dbm0((low + high) * 16 // 15) + 602 * state[_SHIFT]
        self.level_dbm0 = (whole + 50) // 100
        self.twist_db = (level.hundredths_dbm0(high) - level.hundredths_dbm0(low) + 50) // 100
        noise = max(1, state[_ALL_ENERGY] - low - high)
        snr = level.hundredths_dbm0(low + high) - level.hundredths_dbm0(noise) + 111
        self.snr_db = max(0, min(20, (snr + 50) // 100))

    def _end(self):
        digit = self._digit
        self._digit = _NONE
        self._state[_ACTIVE] = 255
        self._sink.digit_end(_KEYS[digit], self._duration)
