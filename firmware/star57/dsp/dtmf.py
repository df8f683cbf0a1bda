"""DTMF receiver: ITU-T Q.23 digits to the limits of Q.24 (AT&T column of TELEPHONY 4), in noise and through dial tone.

Samples are taken to 4 kHz, dial tone is notched out, and each 5 ms gives the amplitude and phase of the eight
frequencies. A window of 30 ms shows a digit when the strongest of each group

- keep their amplitude and their phase, each 5 ms to the next, at a frequency within the limits;
- hold most of the energy, and what they leave of it is no stronger at low frequencies than white noise would be. Noise
  as strong as 3 dB below the digit passes that; speech, whose other harmonics are low, does not.

On a Pico, viper keeps the first two arguments of a function in registers, and everything else in memory: they are what
its innermost loop uses most, whatever comes in by them. What may be negative is kept lifted, so that it can be read
without its sign.
"""

import math
from array import array

from micropython import const

from star57.dsp import level
from star57.dsp.tones import DTMF_HIGH_HZ, DTMF_LOW_HZ

_SUB_BLOCK = const(40)  # 5 ms
_HALF = const(20)  # as many at 4 kHz
_WINDOW = const(6)
# A gap of 10 ms spoils 3 sub-blocks at most and is bridged; a pause of 40 ms spoils 6 at least.
_MISSES_TO_END = const(5)
_PAUSE_SAMPLES = const(320)
# Dial tone alone for 20 ms is remembered for half a second: from one digit to the next.
_DIAL_TONE_SHOWS = const(4)
_DIAL_TONE_LASTS = const(100)
_NONE = const(255)

_KEYS = b"123A456B789C*0#D"

# The line: four half-band samples and six samples of before, and as many samples as are heard at a time. Of each pair
# of samples, the half band's output takes the place of an even one, and that of the notches of an odd one.
_HISTORY = const(14)
_ROOM = const(160)

_ZERO = const(8192)  # a quarter of a sample, lifted: 0 to 16383
_HALVED_LIFT = const(10240)
_NOTCHED_LIFT = const(24064)
_FILTER_LIFT = const(65536)
_CORRELATED_LIFT = const(8388608)
_PHASOR_LIFT = const(1048576)
_PAIR_LIFT = const(8192)
_UNSTEADY_LIFT = const(1024)
_DECIBELS_LIFT = const(128)
_ONE = const(1024)  # 1.0 of sines, cosines and leaks, and what they are lifted by

# Zeros at 350 and 440 Hz, Q12: 2 cos a + 2 cos b, and 2 + 4 cos a cos b; and what their sum is lowered by: 554 times
# the lift, but for a half and what the shifts after it round down. Two pairs of poles at 399 Hz and radius 0.81:
# 1 - 2 q z + q z^2, where q is 21/32.
_ZEROS_1 = const(13297)
_ZEROS_2 = const(18956)
_ZEROS_LIFT = const(5668864)
_POLES = const(21)

# Words of the filter.
_BLOCKS = const(0)  # sub-blocks of the line that are filtered,
_WEIGHED = const(1)  # how many of them the window has had,
_HELD = const(2)  # and samples after them
_MEAN = const(3)  # of the line's samples, Q6
_B1 = const(4)
_B2 = const(5)
_Y1 = const(6)
_Y2 = const(7)
# Words of the judgement.
_SLOT = const(8)
_FILLED = const(9)
_DIAL = const(10)
_DIAL_SHOWN = const(11)
_DIAL_ENERGY = const(12)  # of a window, over 2^4
_ACTIVE = const(13)  # key that sounds, or 255
_MISSES = const(14)
_LOST = const(15)
_DURATION = const(16)
_LOW_LEAST = const(17)
_HIGH_LEAST = const(18)
_LOW = const(19)
_HIGH = const(20)
_LOW_ENERGY = const(21)
_HIGH_ENERGY = const(22)
_SHIFT = const(23)
_ALL_ENERGY = const(24)
_LEVEL_DBM0 = const(25)
_TWIST_DB = const(26)
_SNR_DB = const(27)
_MOVED = const(28)  # bit 0: the frequency beside the strongest low one is taken; bit 1: the high one
_SUMS = const(29)  # of the window's powers, a row as below

# Of each frequency, in 16 bits each: 2 cos w, Q11, lifted by 4096; sin w, Q11; the state that the lift of the samples
# leads to; what it makes of the real part, and takes off the imaginary one.
_TONES = const(41)
_TONE_ROW = const(5)

# Of each frequency, in 16 bits each.
_LIMITS = const(61)
_ADVANCE_COS = const(0)  # of the phase in a sub-block, lifted
_ADVANCE_SIN = const(1)
_TAN_LIMIT = const(2)
_GAIN = const(3)
_LOW_SHARE = const(4)
_NOTCHED_GAIN = const(5)
_HALVED_GAIN = const(6)
_LIMITS_ROW = const(7)

# Of each key, in 16 bits each: what the low filter hears of the high tone, in parts of it: complex, lifted. What the
# high one hears of the low is the conjugate.
_LEAKS = const(89)
_LEAKS_ROW = const(2)

# The window's phasors of either tone of a pair; then how unsteady it is, in parts of its power, Q8.
_PAIR = const(105)
_UNSTEADY = const(12)
_PAIR_ROW = const(13)

# Of each sub-block: the powers of the frequencies, |phasor|^2 / 2^8; then energies: of all, and with it the correlation
# of neighbours, over 2^6 of quarter samples; after the half band and after the notches, over 2^4 of eighths.
_POWERS = const(131)
_ALL = const(8)
_CORRELATED = const(9)
_BELOW_2_KHZ = const(10)
_NOTCHED = const(11)
_POWERS_ROW = const(12)
_SLOTS = const(16)

# Of the window's sub-blocks, and of those after it that are heard at a time.
_PHASORS = const(323)
_PHASORS_ROW = const(16)
_WORDS = const(483)

# What `_steady` says of a tone.
_STEADY = const(1)
_BESIDE = const(2)

# Energy of a window at +3.9 dBm0: only clipped tones reach it, and those leave their difference at a low frequency.
_CLIPPED = const(147849216)
# At +1.2 dBm0: louder than any digit over dial tone.
_LOUD = const(80216064)


def _half_band_gain(hz):
    """What the half band does to the amplitude of a frequency below 2 kHz."""
    w = 2 * math.pi * hz / 8000
    return (16 + 18 * math.cos(w) - 2 * math.cos(3 * w)) / 32


def _notch_gain(hz):
    """What the notches do to it."""
    w = 2 * math.pi * hz / 4000
    zeros = 2 * math.cos(2 * w) - 2 * _ZEROS_1 / 4096 * math.cos(w) + _ZEROS_2 / 4096
    real = 1 - _POLES / 32 * (2 * math.cos(w) - math.cos(2 * w))
    imaginary = _POLES / 32 * (2 * math.sin(w) - math.sin(2 * w))
    return zeros / (real**2 + imaginary**2)


@micropython.viper
def _put(words: ptr16, half: int, value: int):
    """Writes half a word."""
    words[half] = value


def _write_tones(words):
    for k, hz in enumerate(DTMF_LOW_HZ + DTMF_HIGH_HZ):
        w = 2 * math.pi * hz / 4000
        row = 2 * _TONES + _TONE_ROW * k
        cosine = round(4096 * math.cos(w))
        sine = round(2048 * math.sin(w))
        steady = round(_NOTCHED_LIFT / (2 - cosine / 2048))
        _put(words, row, 4096 + cosine)
        _put(words, row + 1, sine)
        _put(words, row + 2, steady)
        _put(words, row + 3, steady - (steady * cosine >> 12))
        _put(words, row + 4, steady * sine >> 11)


def _write_limits(words):
    for k, hz in enumerate(DTMF_LOW_HZ + DTMF_HIGH_HZ):
        row = 2 * _LIMITS + _LIMITS_ROW * k
        advance = 2 * math.pi * hz * _SUB_BLOCK / 8000
        # Q.24: 1.5 % + 2 Hz are accepted, 3.5 % are not. More than a quarter of margin lets octaves in.
        limit_hz = 1.25 * (0.015 * hz + 2)
        halved = _half_band_gain(hz)
        gain = halved * _notch_gain(hz)
        _put(words, row + _ADVANCE_COS, _ONE + round(_ONE * math.cos(advance)))
        _put(words, row + _ADVANCE_SIN, _ONE + round(_ONE * math.sin(advance)))
        _put(words, row + _TAN_LIMIT, round(256 * math.tan(2 * math.pi * limit_hz * _SUB_BLOCK / 8000)))
        # From 5 products of neighbours, each (a gain 10 / 2)^2, to 6 sub-blocks of 40 a^2 / 2 / 2^6, a in quarters.
        _put(words, row + _GAIN, round(65536 * 4 * 6 / 5 * _SUB_BLOCK / 128 / (gain * _HALF / 2) ** 2))
        _put(words, row + _LOW_SHARE, round(256 * math.cos(2 * math.pi * hz / 8000)))
        _put(words, row + _NOTCHED_GAIN, round(256 * gain**2 / 2))
        _put(words, row + _HALVED_GAIN, round(256 * halved**2 / 2))


def _write_leaks(words):
    for key in range(16):
        apart = 2 * math.pi * (DTMF_HIGH_HZ[key % 4] - DTMF_LOW_HZ[key // 4]) / 4000
        # Phases count from the last sample.
        real = sum([math.cos(apart * n) for n in range(1 - _HALF, 1)])
        imaginary = sum([math.sin(apart * n) for n in range(1 - _HALF, 1)])
        row = 2 * _LEAKS + _LEAKS_ROW * key
        _put(words, row, _ONE + round(_ONE * real / _HALF))
        _put(words, row + 1, _ONE + round(_ONE * imaginary / _HALF))


@micropython.viper
def _fill(words: ptr32, start: int, count: int, value: int):
    for i in range(start, start + count):
        words[i] = value


@micropython.viper
def _take(samples: ptr16, line: ptr16, words: ptr32, start: int, n: int) -> int:
    """Forgets what is done with; puts samples from `start` on behind those held, as far as there is room.

    Which sample is the next.
    """
    held = int(words[_HELD])
    blocks = int(words[_BLOCKS])
    if blocks > 0:
        words[_BLOCKS] = 0
        to = ptr32(int(line))
        rest = ptr32(int(line) + 2 * _SUB_BLOCK * blocks)
        end = int(rest) + 2 * (_HISTORY + held)
        while int(rest) < end:
            to[0] = rest[0]
            to = ptr32(int(to) + 4)
            rest = ptr32(int(rest) + 4)
        to = ptr32(int(words) + 4 * _PHASORS)
        rest = ptr32(int(to) + 4 * _PHASORS_ROW * blocks)
        left = _WINDOW * _PHASORS_ROW
        while left > 0:
            to[0] = rest[0]
            to[1] = rest[1]
            to[2] = rest[2]
            to[3] = rest[3]
            to = ptr32(int(to) + 16)
            rest = ptr32(int(rest) + 16)
            left -= 4
    room = _ROOM - held
    count = n - start if n - start < room else room
    words[_HELD] = held + count
    samples = ptr16(int(samples) + 2 * start)
    line = ptr16(int(line) + 2 * (_HISTORY + held))
    start += count
    while count >= 8:
        line[0] = (int(samples[0]) ^ 0x8000) >> 2
        line[1] = (int(samples[1]) ^ 0x8000) >> 2
        line[2] = (int(samples[2]) ^ 0x8000) >> 2
        line[3] = (int(samples[3]) ^ 0x8000) >> 2
        line[4] = (int(samples[4]) ^ 0x8000) >> 2
        line[5] = (int(samples[5]) ^ 0x8000) >> 2
        line[6] = (int(samples[6]) ^ 0x8000) >> 2
        line[7] = (int(samples[7]) ^ 0x8000) >> 2
        samples = ptr16(int(samples) + 16)
        line = ptr16(int(line) + 16)
        count -= 8
    while count > 0:
        line[0] = (int(samples[0]) ^ 0x8000) >> 2
        samples = ptr16(int(samples) + 2)
        line = ptr16(int(line) + 2)
        count -= 1
    return start


@micropython.viper
def _condition(x: int, line: ptr16, words: ptr32) -> int:
    """Halves the rate of the whole sub-blocks held, takes DC and dial tone out, sums up energies. How many there are.

    What was the mean before is taken off; a half band of taps -1 0 9 16 9 0 -1; notches. The mean stays within 100 of
    the samples' range, so that they are within 16500 of it. The magnitudes of the impulse responses sum up to 36/64
    after the half band, 4.93 with the zeros, 1.93 with one pair of poles and 1.36 with both: |a| < 9300,
    |zeros| < 82000, |b| < 32000, |y| < 22600. Of what is lifted, sums on the way to the zeros stay within 2^30.

    What is left of the sub-block's own mean, a 10th of the sum of a, comes off its energies: hum is no part of a sound.
    40 squares of it over 2^6 are a 160th of the sum's, which is below 186000.
    """
    held = int(words[_HELD])
    blocks = 0
    mean = int(words[_MEAN]) - _FILTER_LIFT
    b1 = int(words[_B1]) - _FILTER_LIFT
    b2 = int(words[_B2]) - _FILTER_LIFT
    y1 = int(words[_Y1]) - _FILTER_LIFT
    y2 = int(words[_Y2]) - _FILTER_LIFT
    while held >= _SUB_BLOCK:
        held -= _SUB_BLOCK
        blocks += 1
        m = mean >> 6
        before = mean
        rounded = 2 * m + 32
        energy = 0
        correlated = 0
        below = 0
        notched = 0
        left = _HALF
        while left > 0:
            left -= 1
            # The samples at 10 to 12: the middle one of the half band, and its neighbours.
            x = int(line[10])
            x -= m
            square = x * x
            neighbours = x + int(line[12]) - m
            x = int(line[11])
            x -= m
            energy = ((x * x + square) >> 6) + energy
            correlated = ((neighbours * x) >> 6) + correlated
            x = ((((x << 1) + neighbours) << 3) + neighbours - int(line[8]) - int(line[14]) + rounded) >> 6
            line[8] = x + _HALVED_LIFT
            mean = mean + x
            below = ((x * x) >> 4) + below
            x = int(line[2])
            x = (x + int(line[6])) * _ZEROS_1
            x = (int(line[4]) * _ZEROS_2 - x - _ZEROS_LIFT) >> 12
            x = x + int(line[8]) + int(line[0])
            x = ((((b1 << 1) - b2) * _POLES) >> 5) + x
            b2 = b1
            b1 = x
            x = ((((y1 << 1) - y2) * _POLES) >> 5) + x
            y2 = y1
            y1 = x
            notched = ((x * x) >> 4) + notched
            line[9] = x + _NOTCHED_LIFT
            line = ptr16(int(line) + 4)
        row = ptr32(int(words) + 4 * _POWERS + 4 * _POWERS_ROW * ((int(words[_SLOT]) + blocks) & 15))
        x = (mean - before) >> 3
        x = (((x * x) >> 4) * 13) >> 1
        if x > energy:
            x = energy
        energy -= x
        correlated -= x
        row[_ALL] = energy
        row[_CORRELATED] = correlated + energy + _CORRELATED_LIFT
        row[_BELOW_2_KHZ] = below
        row[_NOTCHED] = notched
    words[_HELD] = held
    words[_BLOCKS] = blocks
    words[_WEIGHED] = 0
    words[_MEAN] = mean + _FILTER_LIFT
    words[_B1] = b1 + _FILTER_LIFT
    words[_B2] = b2 + _FILTER_LIFT
    words[_Y1] = y1 + _FILTER_LIFT
    words[_Y2] = y2 + _FILTER_LIFT
    return blocks


@micropython.viper
def _transform(now: int, before: int, line: ptr16, words: ptr32):
    """The phasors of each sub-block, by Goertzel's recursion; phases are those of the last sample.

    A sine of amplitude a has a magnitude of 10 a. From the state that a steady input of the samples' lift leads to, the
    recursion goes on as if there were none. For |y| < 22600 and sin w > 0.54 a state is within 22600 * 24 = 543000 (sum
    of |sin w(k + 1)| / sin w) of the steady one, which is below 23000; times a coefficient below 1.68 * 2^11 that is
    below 2^31.
    """
    blocks = int(words[_BLOCKS])
    early = ptr16(int(line) + 18)
    out = ptr32(int(words) + 4 * (_PHASORS + _WINDOW * _PHASORS_ROW))
    while blocks > 0:
        blocks -= 1
        late = ptr16(int(early) + 64)
        tone = ptr16(int(words) + 4 * _TONES)
        left = 8
        while left > 0:
            left -= 1
            c = int(tone[0]) - 4096
            now = int(tone[2])
            before = now
            before = ((c * now) >> 11) + int(early[0]) - before
            now = ((c * before) >> 11) + int(early[2]) - now
            before = ((c * now) >> 11) + int(early[4]) - before
            now = ((c * before) >> 11) + int(early[6]) - now
            before = ((c * now) >> 11) + int(early[8]) - before
            now = ((c * before) >> 11) + int(early[10]) - now
            before = ((c * now) >> 11) + int(early[12]) - before
            now = ((c * before) >> 11) + int(early[14]) - now
            before = ((c * now) >> 11) + int(early[16]) - before
            now = ((c * before) >> 11) + int(early[18]) - now
            before = ((c * now) >> 11) + int(early[20]) - before
            now = ((c * before) >> 11) + int(early[22]) - now
            before = ((c * now) >> 11) + int(early[24]) - before
            now = ((c * before) >> 11) + int(early[26]) - now
            before = ((c * now) >> 11) + int(early[28]) - before
            now = ((c * before) >> 11) + int(early[30]) - now
            before = ((c * now) >> 11) + int(late[0]) - before
            now = ((c * before) >> 11) + int(late[2]) - now
            before = ((c * now) >> 11) + int(late[4]) - before
            now = ((c * before) >> 11) + int(late[6]) - now
            out[0] = now - ((c * before) >> 12) - int(tone[3]) + _PHASOR_LIFT
            out[1] = ((int(tone[1]) * before) >> 11) - int(tone[4]) + _PHASOR_LIFT
            tone = ptr16(int(tone) + 2 * _TONE_ROW)
            out = ptr32(int(out) + 8)
        early = ptr16(int(early) + 2 * _SUB_BLOCK)


@micropython.viper
def _weigh(p: ptr32, x: int) -> int:
    """Moves the window on by the sub-blocks that were filtered; 1 as soon as it is promising, or the digit over.

    A phasor is below 22600 * 20, its power over 2^8 below 2^30. By Bessel's inequality the powers of a window are below
    20 times its energy. The notches pass at most 1.49 of an amplitude and ring for 10 samples, so that this energy is
    below 130 * (9300 * 1.49)^2, and 20 of it over 2^8 below 2^31. The whole energy is below 240 * 16500^2 / 2^6 < 2^30,
    and the correlation adds as much at most.
    """
    words = p
    weighed = int(words[_WEIGHED])
    blocks = int(words[_BLOCKS])
    slot = int(words[_SLOT])
    low = 0
    high = 4
    while weighed < blocks:
        weighed += 1
        slot = (slot + 1) & 15
        new = ptr32(int(words) + 4 * _POWERS + 4 * _POWERS_ROW * slot)
        old = ptr32(int(words) + 4 * _POWERS + 4 * _POWERS_ROW * ((slot - 6) & 15))
        sums = ptr32(int(words) + 4 * _SUMS)
        p = ptr32(int(words) + 4 * _PHASORS + 4 * _PHASORS_ROW * (5 + weighed))
        of_low = 0
        of_high = 0
        tone = 0
        while tone < 4:
            x = (int(p[0]) - _PHASOR_LIFT) >> 4
            square = x * x
            x = (int(p[1]) - _PHASOR_LIFT) >> 4
            x = x * x + square
            new[0] = x
            x -= int(old[0])
            x += int(sums[0])
            sums[0] = x
            if x > of_low:
                of_low = x
                low = tone
            x = (int(p[8]) - _PHASOR_LIFT) >> 4
            square = x * x
            x = (int(p[9]) - _PHASOR_LIFT) >> 4
            x = x * x + square
            new[4] = x
            x -= int(old[4])
            x += int(sums[4])
            sums[4] = x
            tone += 1
            if x > of_high:
                of_high = x
                high = tone + 3
            p = ptr32(int(p) + 8)
            new = ptr32(int(new) + 4)
            old = ptr32(int(old) + 4)
            sums = ptr32(int(sums) + 4)
        p = ptr32(int(words) + 4 * _SUMS)
        x = int(new[5])
        x -= int(old[5])
        p[_CORRELATED] = int(p[_CORRELATED]) + x
        x = int(new[7])
        x -= int(old[7])
        p[_NOTCHED] = int(p[_NOTCHED]) + x
        below = int(new[6])
        x = below - int(old[6])
        p[_BELOW_2_KHZ] = int(p[_BELOW_2_KHZ]) + x
        energy = int(new[4])
        x = energy - int(old[4])
        p[_ALL] = int(p[_ALL]) + x
        shows = 0
        dial = int(words[_DIAL])
        if below > 100 and int(new[7]) < below >> 4 and below > energy >> 2:
            shows = int(words[_DIAL_SHOWN]) + 1
            if shows >= _DIAL_TONE_SHOWS:
                dial = _DIAL_TONE_LASTS
                words[_DIAL_ENERGY] = int(p[_BELOW_2_KHZ]) >> 4
        elif dial > 0:
            dial -= 1
        words[_DIAL] = dial
        words[_DIAL_SHOWN] = shows
        if int(words[_FILLED]) < _WINDOW:
            words[_FILLED] = int(words[_FILLED]) + 1
        x = int(words[_ACTIVE])
        shown = 0
        if x != _NONE:
            new = ptr32(int(new) - 16)
            if int(new[x >> 2]) < int(words[_LOW_LEAST]) or int(new[(x & 3) + 4]) < int(words[_HIGH_LEAST]):
                words[_MISSES] = int(words[_MISSES]) + 1 + int(words[_LOST]) // _SUB_BLOCK
                if int(words[_MISSES]) >= _MISSES_TO_END:
                    shown = 1
            else:
                x = _SUB_BLOCK * (int(words[_MISSES]) + 1) + int(words[_LOST])
                words[_DURATION] = int(words[_DURATION]) + x
                words[_MISSES] = 0
            words[_LOST] = 0
        elif int(words[_FILLED]) == _WINDOW:
            energy = int(p[_NOTCHED]) if dial > 0 else int(p[_ALL])
            # Of a pair of tones alone the energy is 1.5 to 3 times the powers; at 3 dB SNR half as much again, and 4.4
            # has been seen. Twist is 6 dB at most, or 10 the other way; gains and leaks change it by 2. In no sub-block
            # is a tone below a 26th of the window, see `_steady`, or the stronger one, by what it hears, below a 64th.
            p = ptr32(int(words) + 4 * _POWERS + 4 * _POWERS_ROW * ((slot - 5) & 15))
            oldest = int(p[low])
            x = of_low
            if of_high > x:
                oldest = int(p[high])
                x = of_high
            if (
                of_low > 50
                and of_high > 50
                and (of_low >> 2) + (of_high >> 2) > (energy >> 5) + (energy >> 6)
                and of_low > (of_high >> 3) + (of_high >> 4)
                and of_high > (of_low >> 5) + (of_low >> 6)
                and oldest > x >> 6
            ):
                words[_LOW] = low
                words[_HIGH] = high
                words[_MOVED] = 0
                shown = 1
        if shown > 0:
            words[_WEIGHED] = weighed
            words[_SLOT] = slot
            return 1
    words[_WEIGHED] = weighed
    words[_SLOT] = slot
    return 0


@micropython.viper
def _separate(a: ptr32, b: ptr32):
    """The window's phasors of the chosen pair, each freed from what it hears of the other, scaled to 2047 at most.

    No phasor has more power than its frequency in the window. `a` and `b` are both the words.
    """
    words = a
    low = int(words[_LOW])
    high = int(words[_HIGH])
    sums = ptr32(int(words) + 4 * _SUMS)
    power = int(sums[low]) if int(sums[low]) > int(sums[high]) else int(sums[high])
    shift = 0
    while power > 16000:
        power >>= 2
        shift += 1
    words[_SHIFT] = shift
    leak = ptr16(int(words) + 4 * _LEAKS + 2 * _LEAKS_ROW * (4 * low + high - 4))
    real = int(leak[0]) - _ONE
    imaginary = int(leak[1]) - _ONE
    pair = ptr32(int(words) + 4 * _PAIR)
    a = ptr32(int(words) + 4 * _PHASORS + 4 * _PHASORS_ROW * int(words[_WEIGHED]) + 8 * low)
    b = ptr32(int(a) + 8 * (high - low))
    left = 6
    while left > 0:
        left -= 1
        ax = (int(a[0]) - _PHASOR_LIFT) >> shift
        ay = (int(a[1]) - _PHASOR_LIFT) >> shift
        bx = (int(b[0]) - _PHASOR_LIFT) >> shift
        by = (int(b[1]) - _PHASOR_LIFT) >> shift
        a = ptr32(int(a) + 4 * _PHASORS_ROW)
        b = ptr32(int(b) + 4 * _PHASORS_ROW)
        pair[0] = ax - ((bx * real - by * imaginary) >> 10) + _PAIR_LIFT
        pair[1] = ay - ((bx * imaginary + by * real) >> 10) + _PAIR_LIFT
        pair[_PAIR_ROW] = bx - ((ax * real + ay * imaginary) >> 10) + _PAIR_LIFT
        pair[_PAIR_ROW + 1] = by - ((ay * real - ax * imaginary) >> 10) + _PAIR_LIFT
        pair = ptr32(int(pair) + 8)


@micropython.viper
def _steady(pair: ptr32, x: int) -> int:
    """_STEADY if one tone of the pair is, with its energy in the scaled window's units.

    _BESIDE if it is steady, but at the frequency beside, which is chosen now: the other group's tone may make the
    neighbour seem the stronger one. 0 if it is no tone. `pair` are the words, `x` is 0 for the low group or 1 for the
    high one.

    A phasor is freed from less than 0.36 of another: |z| < 2900 * 1.36, so a product of two is < 2^24 and the sum of
    five < 2^27.
    """
    words = pair
    group = x
    pair = ptr32(int(words) + 4 * _PAIR + 4 * _PAIR_ROW * group)
    x1 = int(pair[0]) - _PAIR_LIFT
    y1 = int(pair[1]) - _PAIR_LIFT
    power = x1 * x1 + y1 * y1
    least = power
    total = power >> 3
    real = 0
    imaginary = 0
    early_real = 0
    early_imaginary = 0
    late_real = 0
    late_imaginary = 0
    left = 5
    while left > 0:
        left -= 1
        x = int(pair[2]) - _PAIR_LIFT
        y = int(pair[3]) - _PAIR_LIFT
        pair = ptr32(int(pair) + 8)
        power = x * x + y * y
        if power < least:
            least = power
        total += power >> 3
        real += x * x1 + y * y1
        imaginary += y * x1 - x * y1
        x1 = x
        y1 = y
        if left == 3:
            early_real = real
            early_imaginary = imaginary
        elif left == 2:
            late_real = 0 - real
            late_imaginary = 0 - imaginary
    late_real += real
    late_imaginary += imaginary
    # The phase that the nominal frequency turns by is taken off; products to 14 bits for it.
    shift = 0
    largest = (real ^ (real >> 31)) | (imaginary ^ (imaginary >> 31))
    largest |= (early_real ^ (early_real >> 31)) | (early_imaginary ^ (early_imaginary >> 31))
    largest |= (late_real ^ (late_real >> 31)) | (late_imaginary ^ (late_imaginary >> 31))
    while largest > 16383:
        largest >>= 1
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
    tone = int(words[_LOW + group])
    limits = ptr16(int(words) + 4 * _LIMITS + 2 * _LIMITS_ROW * tone)
    x1 = real >> shift
    y1 = imaginary >> shift
    c = int(limits[_ADVANCE_COS]) - _ONE
    s = int(limits[_ADVANCE_SIN]) - _ONE
    x = (x1 * c + y1 * s) >> 10
    y = (y1 * c - x1 * s) >> 10
    beside = tone + 1
    if y < 0:
        y = 0 - y
        beside = tone - 1
    if x > 0 and y << 8 <= x * int(limits[_TAN_LIMIT]):
        beside = tone
    nominal = x
    if x < 0:
        x = 0 - x
    # The magnitude: within 12 % by the octagon, within 1 % after a step of Newton's.
    c = x
    s = y
    if y > x:
        c = y
        s = x
    c += ((s * 3) >> 3) + 1
    c = (c + (x * x + y * y) // c) >> 1
    # A sub-block loses sinc^2 of how far the frequency is off: cosines say how far.
    s = c + ((c - nominal) * 43 >> 8)
    x = c << shift
    # The power of a steady tone is that of its neighbours' products; noise adds to it, and so does every other sound.
    noise = total * 5 // 6 - (x >> 3)
    if noise > (x >> 6) + (x >> 7) + (x >> 8) or least < (x >> 5) + (x >> 6):
        return 0
    # The last two phasors are left behind.
    pair[2] = noise // ((x >> 11) + 1) + _UNSTEADY_LIFT
    words[_LOW_ENERGY + group] = ((s << shift) >> 6) * int(limits[_GAIN]) >> 10
    if beside == tone:
        return _STEADY
    moved = int(words[_MOVED])
    if (moved >> group) & 1 or beside < 0 or beside > 7 or beside >> 2 != group:
        return 0
    limits = ptr16(int(words) + 4 * _LIMITS + 2 * _LIMITS_ROW * beside)
    c = int(limits[_ADVANCE_COS]) - _ONE
    s = int(limits[_ADVANCE_SIN]) - _ONE
    x = (x1 * c + y1 * s) >> 10
    y = (y1 * c - x1 * s) >> 10
    # With what was heard of the other tone it may be as far off again as it may be.
    if y < 0:
        y = 0 - y
    if x <= 0 or y << 7 > x * int(limits[_TAN_LIMIT]):
        return 0
    words[_MOVED] = moved | 1 << group
    words[_LOW + group] = beside
    return _BESIDE


@micropython.viper
def _pure(words: ptr32) -> int:
    """1 if the two tones are of one press, and most of the window, and the rest of it no speech.

    Tones are below 2^22, so a product with a share is < 2^30. Energies are shifted only where the tones are known to be
    most of them; unshifted they are below 2^30, see `_weigh`.
    """
    limits = ptr16(int(words) + 4 * _LIMITS + 2 * _LIMITS_ROW * int(words[_LOW]))
    other_limits = ptr16(int(words) + 4 * _LIMITS + 2 * _LIMITS_ROW * int(words[_HIGH]))
    pair = ptr32(int(words) + 4 * _PAIR)
    sums = ptr32(int(words) + 4 * _SUMS)
    shift = 2 * int(words[_SHIFT])
    low = int(words[_LOW_ENERGY])
    high = int(words[_HIGH_ENERGY])
    both = low + high
    # At least -50 dBm0 each; the high group 6 dB above the low one at most, 10 dB below it at most.
    if low <= 475 >> shift or high <= 475 >> shift or high > 4 * low or low > 10 * high:
        return 0
    # A sub-block will be of the digit when each tone has a fifth of its power or more.
    words[_LOW_LEAST] = int(sums[int(words[_LOW])]) >> 5
    words[_HIGH_LEAST] = int(sums[int(words[_HIGH])]) >> 5
    loud = int(sums[_ALL])
    speech = (int(sums[_CORRELATED]) - _WINDOW * _CORRELATED_LIFT - loud) >> shift
    energy = loud >> shift
    words[_ALL_ENERGY] = energy
    unsteady = int(pair[_UNSTEADY]) + int(pair[_PAIR_ROW + _UNSTEADY]) - 2 * _UNSTEADY_LIFT
    if both > (energy >> 1) + (energy >> 4) and unsteady < 64:
        speech -= (low * int(limits[_LOW_SHARE]) + high * int(other_limits[_LOW_SHARE])) >> 8
        allowed = (energy >> 4) + (energy >> 5)
        if both < energy - (energy >> 2) + (energy >> 5):
            # Much is left: noise makes tones unsteady by what there is of it, the harmonics of a voice do not.
            if unsteady > 20:
                allowed = (energy >> 4) + (energy >> 6) + (energy >> 7)
            elif unsteady > 0:
                allowed = (energy >> 4) - (energy >> 6) + ((energy >> 5) * unsteady >> 4)
            else:
                allowed = (energy >> 4) - (energy >> 6)
        if loud > _CLIPPED and unsteady < 20:
            allowed = (energy >> 3) + (energy >> 5)
        if speech < allowed:
            return 1
    if int(words[_DIAL]) > 0 and unsteady < 14 and loud < _LOUD:
        notched = int(sums[_NOTCHED]) >> shift
        tones = (low * int(limits[_NOTCHED_GAIN]) + high * int(other_limits[_NOTCHED_GAIN])) >> 8
        if tones > notched - (notched >> 3):
            words[_ALL_ENERGY] = 2 * notched
            dial = int(sums[_BELOW_2_KHZ]) >> shift
            dial -= (low * int(limits[_HALVED_GAIN]) + high * int(other_limits[_HALVED_GAIN])) >> 8
            before = (int(words[_DIAL_ENERGY]) << 4) >> shift
            if dial > before >> 1 and dial < before << 1:
                return 1
    return 0


@micropython.viper
def _before(words: ptr32, digit: int) -> int:
    """How many sub-blocks before the window are of the digit too: noise may have kept it from acceptance till now."""
    slot = int(words[_SLOT])
    count = 0
    while count < 8:
        row = ptr32(int(words) + 4 * _POWERS + 4 * _POWERS_ROW * ((slot - 6 - count) & 15))
        if int(row[digit >> 2]) < int(words[_LOW_LEAST]):
            break
        if int(row[(digit & 3) + 4]) < int(words[_HIGH_LEAST]):
            break
        count += 1
    return count


@micropython.viper
def _measure(words: ptr32):
    """Level, twist and SNR of the digit in the window, in whole dB, the first two lifted.

    Of each power the octave is counted, and log2(1 + x) taken for x + 0.344 x (1 - x), which is right within 0.03 dB;
    hundredths of dB. Powers are below 2^31, the product below 1024 * 512 * 352 < 2^28.
    """
    low = int(words[_LOW_ENERGY])
    high = int(words[_HIGH_ENERGY])
    of_both = 0
    of_low = 0
    of_high = 0
    of_noise = 0
    left = 4
    while left > 0:
        left -= 1
        power = low + high
        if left == 2:
            power = low
        elif left == 1:
            power = high
        elif left == 0:
            power = int(words[_ALL_ENERGY]) - power
        if power < 1:
            power = 1
        octave = 10
        while power >= 2048:
            power >>= 1
            octave += 1
        while power < 1024:
            power <<= 1
            octave -= 1
        power -= 1024
        power += (((1024 - power) * power) >> 10) * 352 >> 10
        of_noise = 301 * octave + ((301 * power) >> 10)
        if left == 3:
            of_both = of_noise
        elif left == 2:
            of_low = of_noise
        elif left == 1:
            of_high = of_noise
    # 6 sub-blocks of squares of quarter samples, over 2^6: times 64 / 15 a mean square, which is 84.13 dB at 0 dBm0.
    words[_LEVEL_DBM0] = (of_both + 602 * int(words[_SHIFT]) + 630 - 8413 + 50) // 100 + _DECIBELS_LIFT
    words[_TWIST_DB] = (of_high - of_low + 50) // 100 + _DECIBELS_LIFT
    # Noise in 300 to 3400 Hz is 1.11 dB less than in all.
    snr = (of_both - of_noise + 161) // 100
    if snr < 0:
        snr = 0
    elif snr > 20:
        snr = 20
    words[_SNR_DB] = snr


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
        self._line = array("H", bytes(2 * (_HISTORY + _ROOM)))
        self._words = array("i", bytes(4 * _WORDS))
        _write_tones(self._words)
        _write_limits(self._words)
        _write_leaks(self._words)
        self.reset()

    def reset(self):
        """As new."""
        words = self._words
        _fill(words, 0, _TONES, 0)
        _fill(words, _B1, 4, _FILTER_LIFT)
        words[_MEAN] = (_ZERO << 6) + _FILTER_LIFT
        words[_ACTIVE] = _NONE
        for i in range(_HISTORY):
            self._line[i] = _ZERO if i >= 8 else _HALVED_LIFT
        self.level_dbm0 = level.LOWEST_DBM0
        self.twist_db = 0
        self.snr_db = 0
        self._begin_window()

    def _begin_window(self):
        words = self._words
        _fill(words, _SUMS, _POWERS_ROW, 0)
        _fill(words, _POWERS, _POWERS_ROW * _SLOTS, 0)
        words[_HELD] = 0
        words[_FILLED] = 0

    def skip(self, n):
        """`n` samples were lost. A digit goes on if it does so after them, unless they may have held a pause."""
        words = self._words
        if words[_ACTIVE] != _NONE:
            if words[_MISSES]:
                words[_MISSES] += n // _SUB_BLOCK
            else:
                words[_LOST] += n + words[_HELD]
            if words[_LOST] >= _PAUSE_SAMPLES or words[_MISSES] >= _MISSES_TO_END:
                self._end()
        self._begin_window()

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        words = self._words
        start = 0
        while start < n:
            start = _take(samples, self._line, words, start, n)
            if _condition(0, self._line, words):
                _transform(0, 0, self._line, words)
                while _weigh(words, 0):
                    if words[_ACTIVE] == _NONE:
                        self._judge()
                    else:
                        self._end()

    def _judge(self):
        words = self._words
        group = steady = 0
        _separate(words, words)
        while steady < 2:
            found = _steady(words, group)
            if not found:
                return
            if found == _BESIDE:
                steady = 0
                _separate(words, words)
            else:
                steady += 1
                group ^= 1
        if _pure(words):
            self._begin()

    def _begin(self):
        words = self._words
        digit = 4 * words[_LOW] + words[_HIGH] - 4
        words[_ACTIVE] = digit
        words[_MISSES] = 0
        words[_LOST] = 0
        words[_DURATION] = (_WINDOW + _before(words, digit)) * _SUB_BLOCK
        _measure(words)
        self.level_dbm0 = words[_LEVEL_DBM0] - _DECIBELS_LIFT
        self.twist_db = words[_TWIST_DB] - _DECIBELS_LIFT
        self.snr_db = words[_SNR_DB]
        self._sink.digit(_KEYS[digit], self.level_dbm0)

    def _end(self):
        words = self._words
        digit = words[_ACTIVE]
        words[_ACTIVE] = _NONE
        self._sink.digit_end(_KEYS[digit], words[_DURATION])
