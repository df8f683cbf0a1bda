"""Alert tones of call waiting: CAS (DT-AS), 2130 + 2750 Hz, for the terminal, and SAS, 440 Hz, for the household.

Both are heard while a household talks (TELEPHONY 3). 16 taps take 2000 to 3000 Hz to 2 kHz, where the two tones lie at
130 and 750 Hz and nothing that matters folds onto them; each 8 ms gives their amplitude and phase. Whenever both have
kept a frequency for the last 64 ms, the burst that they may be is measured:

- how much each departs from a steady tone. The voice that goes on meanwhile may spoil one of them badly, but hardly
  ever both; a voice alone, whose harmonics glide and swell, departs in both;
- that nothing was there before it and nothing after it, and how long it was, to within a millisecond in silence;
- that the frequency between the two is free: a voice at 305 Hz has its 7th and 9th harmonic there, and its 8th.
"""

import math
from array import array
from collections import namedtuple

from micropython import const

from star57.dsp import level

# Frequencies within `tolerance_permille`; each tone taken from `lowest_dbm0` on, refused at `refused_dbm0`; the louder
# one by `twist_db` at most; taken when `shortest_ms` to `longest_ms` long, refused when `refused_ms` or shorter;
# `speech`: while somebody talks, or else in 20 dB of SNR.
AlertLimits = namedtuple(
    "AlertLimits",
    (
        "tolerance_permille",
        "lowest_dbm0",
        "refused_dbm0",
        "twist_db",
        "shortest_ms",
        "longest_ms",
        "refused_ms",
        "speech",
    ),
)

# All from TELEPHONY 3; where a standard refuses nothing, what another one does.
TELCORDIA = AlertLimits(5, -32, -45, 6, 75, 85, 70, True)  # SR-TSV-002476, off-hook; 70 ms by SIN 227
ETSI = AlertLimits(
    5, -33, -45, 6, 75, 85, 70, True
)  # ETS 300 778-2, off-hook: -35 dBV; -45 dBm by SR-TSV-002476
BT = AlertLimits(6, -38, -44, 7, 80, 85, 70, True)  # SIN 227, off-hook: -40 and -46 dBV
BT_ON_HOOK = AlertLimits(
    11, -38, -44, 7, 88, 110, 20, False
)  # SIN 227 and 242; ETSI's 100 +-10 ms before ringing
OFF_HOOK = AlertLimits(6, -38, -44, 7, 75, 85, 70, True)  # the widest of each of those off-hook

# A receiver takes what any of its rows takes.
ANY = (OFF_HOOK, BT_ON_HOOK)

# SAS, about 300 ms of 440 Hz (TELEPHONY 3), sent at -13 dBm0. It is for ears, and no standard limits its receiver: 1 %,
# and from 50 ms less to 50 ms more.
SUBSCRIBER = AlertLimits(10, -36, -44, 0, 250, 350, 200, True)

_LOW_HZ = const(2130)
_HIGH_HZ = const(2750)
_BETWEEN_HZ = const(2440)
_SUBSCRIBER_HZ = const(440)

# At 2 kHz a block is 16 samples, 64 of the line's, and 2130 Hz is 130 Hz, 2750 is 750, 2440 is 440.
_BLOCK = const(16)
_BLOCK_SAMPLES = const(64)
_LINE = const(80)  # of either half of `line`: what is left of one call's blocks, and 256 samples of the next
_MOST_GROUPS = const(64)
_SLOTS = const(64)
_SLOT_WORDS = const(8)  # the phasors of the four frequencies, real and imaginary
_LOW = const(0)
_HIGH = const(2)
_BETWEEN = const(4)
_SUBSCRIBER = const(6)

# Words of the state; a word that may be negative is read as in fsk.py.
_HISTORY = const(0)  # 12 samples, each +32768
_MEAN = const(12)
_PLACE = const(13)
_START = const(14)
_SLOT = const(15)
_NEW = const(16)  # blocks of the last analysis
_WHOLE = const(17)  # blocks since samples were lost
_PROMISE = const(18)  # of each new block, what may have ended a few blocks before it
_TRACKS = const(28)  # of low, high and SAS three each: the sums of neighbours' products and of powers
_WORDS = const(37)

# A tone's row of the table of frequencies.
_ROW = const(
    4
)  # 2 cos w and sin w at 2 kHz, Q11; cosine and sine, Q14, of what its phase grows by in a block

# A 32nd of a phasor's power: at -42 dBm0 it is 45.
_LEAST = const(62)

# A burst is fitted over 2 to the power of its halvings + 1 blocks, no more than the shortest one fills wherever it
# begins. Before these come as many as the longest one fills and two of silence, and after them some.
_ALERT_HALVINGS = const(2)
_ALERT_FITTED = const(8)
_ALERT_BEFORE = const(8)
_ALERT_AFTER = const(2)
_ALERT_BLOCKS = const(18)
_SUBSCRIBER_HALVINGS = const(3)
_SUBSCRIBER_FITTED = const(16)
_SUBSCRIBER_BEFORE = const(31)
_SUBSCRIBER_AFTER = const(5)
_SUBSCRIBER_BLOCKS = const(52)

# Words of a fit: what departs from the tone in parts of it, Q12; its power; the cosine of what its phase grows by in a
# block more than it should, Q14; by how many bits phasors were scaled down, and 8 more; the step; then the phasor of
# each block, at last turned so that the tone's is 256.
_DEPARTURE = const(0)
_POWER = const(1)
_OFF_COSINE = const(2)
_SCALED = const(3)
_STEP = const(4)
_BLOCKS = const(6)

# What may have ended, and what a block shows.
_ALERT = const(1)
_SUBSCRIBER_ALERT = const(2)
_NONE = const(0)
_SOUNDS = const(1)
_ENDED = const(2)
# For so many blocks after one was told of, what seems to end is the same one.
_ALERT_QUIET = const(8)
_SUBSCRIBER_QUIET = const(24)
_TWO_TONES = const(0x8000)

_ONE = const(4096)
_Q8 = const(256)
_HALF = const(128)
# What is in step is worth its distance from one half; so much lost, and the edge has been passed.
_ALERT_GIVEN_UP = const(256)
_SUBSCRIBER_GIVEN_UP = const(700)
# Parts below which less is no better: -15 dB of a departure, -13 dB of what is around a burst.
_LEAST_DEPARTURE = const(123)
_LEAST_AROUND = const(13)
# Hundredths of decibels, of which the better tone's departure counts four times. A voice alone stays above the first;
# a burst in silence below the second.
_HIGHEST_SCORE = const(-4800)
# At the least around a burst is worth -26 dB.
_WORTH_MEASURING = const(-2200)
_HIGHEST_SUBSCRIBER_SCORE = const(-2500)
_QUIET_SCORE = const(-7000)
_CLEAN_SCORE = const(-9500)
_CLEAR_SCORE = const(-7000)
_NOISY_MARGIN = const(46)
_TWIST_MARGIN = const(250)
# A phasor is a quarter of the peak: eight times its power is the mean square.
_PHASOR_GAIN = const(903)
_NOISE_BANDS = const(1394)


def _tones(frequencies_hz):
    """A row for each frequency, given as it is at 2 kHz."""
    table = array("i", bytes(4 * _ROW * len(frequencies_hz)))
    for k, (folded_hz, hz) in enumerate(frequencies_hz):
        w = 2 * math.pi * folded_hz / 2000
        advance = 2 * math.pi * hz * _BLOCK_SAMPLES / 8000
        row = _ROW * k
        table[row] = round(4096 * math.cos(w))
        table[row + 1] = round(2048 * math.sin(w))
        table[row + 2] = round(16384 * math.cos(advance))
        table[row + 3] = round(16384 * math.sin(advance))
    return table


@micropython.viper
def _forget(state: ptr32, ring: ptr16):
    for i in range(_WORDS):
        state[i] = 0
    for i in range(12):
        state[_HISTORY + i] = 0x8000
    state[_MEAN] = 0x20000 << 3
    for i in range(_SLOT_WORDS * _SLOTS):
        ring[i] = 0


@micropython.viper
def _decimate(state: ptr32, samples: ptr16, line: ptr16, groups: int):
    """Takes `groups` of four samples to 2 kHz: what is around 2440 Hz, and what is below 1 kHz.

    Of 2130 and 2750 Hz the first is an eighth, of 2440 Hz 4.9 dB more; 130, 750, 1250 and 3250 to 3870 Hz, which would
    fold onto these, are 11 to 49 dB less, 1870 Hz 13 dB. The second is an eighth of the mean, less its own mean over
    16 ms. Samples are lifted by 32768 to have no sign; the taps' sum is 0, and their magnitudes' is 2408, so that no
    sum exceeds 1204 * 65535 < 2^27, and no result 9632.
    """
    a0 = int(state[_HISTORY])
    a1 = int(state[_HISTORY + 1])
    a2 = int(state[_HISTORY + 2])
    a3 = int(state[_HISTORY + 3])
    a4 = int(state[_HISTORY + 4])
    a5 = int(state[_HISTORY + 5])
    a6 = int(state[_HISTORY + 6])
    a7 = int(state[_HISTORY + 7])
    a8 = int(state[_HISTORY + 8])
    a9 = int(state[_HISTORY + 9])
    a10 = int(state[_HISTORY + 10])
    a11 = int(state[_HISTORY + 11])
    mean = int(state[_MEAN])
    place = int(state[_PLACE])
    start = int(state[_START])
    for _ in range(groups):
        b0 = int(samples[start]) ^ 0x8000
        b1 = int(samples[start + 1]) ^ 0x8000
        b2 = int(samples[start + 2]) ^ 0x8000
        b3 = int(samples[start + 3]) ^ 0x8000
        start += 4
        y = 163 * (a7 + a8) - 279 * (a6 + a9) + 43 * (a5 + a10) + 199 * (a4 + a11)
        line[place] = (y - 113 * (a3 + b0) - 146 * (a2 + b1) + 197 * (a1 + b2) - ((a0 + b3) << 6)) >> 13
        a0 = a4
        a1 = a5
        a2 = a6
        a3 = a7
        a4 = a8
        a5 = a9
        a6 = a10
        a7 = a11
        a8 = b0
        a9 = b1
        a10 = b2
        a11 = b3
        b0 = (b0 + b1 + b2 + b3) << 3
        mean += (b0 - mean) >> 5
        line[place + _LINE] = (b0 - mean) >> 8
        place += 1
    state[_HISTORY] = a0
    state[_HISTORY + 1] = a1
    state[_HISTORY + 2] = a2
    state[_HISTORY + 3] = a3
    state[_HISTORY + 4] = a4
    state[_HISTORY + 5] = a5
    state[_HISTORY + 6] = a6
    state[_HISTORY + 7] = a7
    state[_HISTORY + 8] = a8
    state[_HISTORY + 9] = a9
    state[_HISTORY + 10] = a10
    state[_HISTORY + 11] = a11
    state[_MEAN] = mean
    state[_PLACE] = place
    state[_START] = start


@micropython.viper
def _transform(state: ptr32, line: ptr16, tones: ptr32, ring: ptr16) -> int:
    """Takes the whole blocks of `line` into the ring, and answers how many there were.

    Goertzel's recursion: for |y| <= 9632 a state is below 9632 * 25.3 = 243600, times a coefficient of 1.84 * 2^11
    below 2^30. By the taps' and the frequencies' magnitudes together a phasor is below 84400; a quarter of it is kept,
    2^14.4.
    """
    new = 0
    place = int(state[_PLACE])
    slot = int(state[_SLOT])
    first = 0
    while first + _BLOCK <= place:
        slot += 1
        at = (slot & 63) << 3
        for k in range(2):
            c = int(tones[8 * k])
            c -= (c & 0x20000000) << 3
            d = int(tones[8 * k + 4])
            d -= (d & 0x20000000) << 3
            s1 = 0
            s2 = 0
            t1 = 0
            t2 = 0
            other = _LINE * k
            for i in range(first, first + _BLOCK):
                x = int(line[i])
                x -= (x & 0x8000) << 1
                y = x + ((s1 * c) >> 11) - s2
                s2 = s1
                s1 = y
                if k:
                    x = int(line[i + other])
                    x -= (x & 0x8000) << 1
                y = x + ((t1 * d) >> 11) - t2
                t2 = t1
                t1 = y
            ring[at] = (s1 - ((s2 * c) >> 12)) >> 2
            ring[at + 1] = (s2 * int(tones[8 * k + 1])) >> 13
            ring[at + 2] = (t1 - ((t2 * d) >> 12)) >> 2
            ring[at + 3] = (t2 * int(tones[8 * k + 5])) >> 13
            at += 4
        first += _BLOCK
        new += 1
    state[_SLOT] = slot
    state[_NEW] = new
    whole = int(state[_WHOLE]) + new
    state[_WHOLE] = whole if whole < _SLOTS else _SLOTS
    for i in range(place - first):
        line[i] = line[first + i]
        line[_LINE + i] = line[_LINE + first + i]
    state[_PLACE] = place - first
    return new


@micropython.viper
def _watch(state: ptr32, ring: ptr16) -> int:
    """Follows how steady each tone is; marks the new blocks that may lie a few behind a burst; 0 if there are none.

    Of the blocks that would be fitted the powers and the products of neighbours are summed: one enters, one leaves. A
    32nd of a power is below 2^24.6, and of 16 together below 2^28.6.
    """
    found = 0
    new = int(state[_NEW])
    newest = int(state[_SLOT])
    for block in range(new):
        slot = newest - new + 1 + block
        steady = 0
        for k in range(3):
            at = 2 * k
            fitted = _ALERT_FITTED
            j = slot - _ALERT_AFTER
            if k == 2:
                at = _SUBSCRIBER
                fitted = _SUBSCRIBER_FITTED
                j = slot - _SUBSCRIBER_AFTER
            track = _TRACKS + 3 * k
            real = int(state[track])
            real -= (real & 0x20000000) << 3
            imaginary = int(state[track + 1])
            imaginary -= (imaginary & 0x20000000) << 3
            power = int(state[track + 2])
            i = ((j & 63) << 3) + at
            x = int(ring[i])
            x -= (x & 0x8000) << 1
            y = int(ring[i + 1])
            y -= (y & 0x8000) << 1
            i = (((j - 1) & 63) << 3) + at
            px = int(ring[i])
            px -= (px & 0x8000) << 1
            py = int(ring[i + 1])
            py -= (py & 0x8000) << 1
            power += (x * x + y * y) >> 5
            real += (x * px + y * py) >> 5
            imaginary += (y * px - x * py) >> 5
            j -= fitted
            i = (((j + 1) & 63) << 3) + at
            x = int(ring[i])
            x -= (x & 0x8000) << 1
            y = int(ring[i + 1])
            y -= (y & 0x8000) << 1
            i = ((j & 63) << 3) + at
            px = int(ring[i])
            px -= (px & 0x8000) << 1
            py = int(ring[i + 1])
            py -= (py & 0x8000) << 1
            power -= (px * px + py * py) >> 5
            real -= (x * px + y * py) >> 5
            imaginary -= (y * px - x * py) >> 5
            state[track] = real
            state[track + 1] = imaginary
            state[track + 2] = power
            if power < _LEAST * fitted:
                continue
            # The product's magnitude, within 12 %.
            if real < 0:
                real = 0 - real
            if imaginary < 0:
                imaginary = 0 - imaginary
            if real < imaginary:
                x = real
                real = imaginary
                imaginary = x
            real += (imaginary * 3) >> 3
            if k < 2:
                if real > power >> 2:
                    steady += 9
                elif real > power >> 4:
                    steady += 4
            elif real > power >> 2:
                i = ((slot & 63) << 3) + at
                x = int(ring[i])
                x -= (x & 0x8000) << 1
                y = int(ring[i + 1])
                y -= (y & 0x8000) << 1
                if x * x + y * y < power + (power >> 1):
                    steady += 64
        promise = 0
        if steady & 63 > 12:
            promise = _ALERT
        if steady > 63:
            promise |= _SUBSCRIBER_ALERT
        state[_PROMISE + block] = promise
        found |= promise
    return found


@micropython.viper
def _gather(ring: ptr16, newest: int, at: int, blocks: int, fit: ptr32):
    """Copies one frequency's phasors of the `blocks` up to `newest`, scaled: the largest part is 1024 to 2047."""
    largest = 0
    for j in range(newest - blocks + 1, newest + 1):
        i = ((j & 63) << 3) + at
        x = int(ring[i])
        x -= (x & 0x8000) << 1
        largest |= x ^ (x >> 31)
        x = int(ring[i + 1])
        x -= (x & 0x8000) << 1
        largest |= x ^ (x >> 31)
    up = 0
    down = 0
    while largest < 1024 and up < 8:
        largest <<= 1
        up += 1
    while (largest >> down) > 2047:
        down += 1
    fit[_SCALED] = 8 + down - up
    k = _BLOCKS
    for j in range(newest - blocks + 1, newest + 1):
        i = ((j & 63) << 3) + at
        x = int(ring[i])
        x -= (x & 0x8000) << 1
        y = int(ring[i + 1])
        y -= (y & 0x8000) << 1
        fit[k] = (x << up) >> down
        fit[k + 1] = (y << up) >> down
        k += 2


@micropython.viper
def _find_step(fit: ptr32, first: int, halvings: int) -> int:
    """Finds by how much a tone's phase grows in a block, as a unit vector in Q14; 0 if nothing is steady.

    By the products of neighbours at first; then by what is still missing from one half of the blocks to the other,
    whose angle is halved as often as it takes. 16 blocks are fitted at most: a power is below 2^23, a sum of products
    below 2^27, a sum in step below 2^15.6. A unit vector's length is found within 12 %, then by two steps of Newton's.
    """
    half = 1 << halvings
    real = 0
    imaginary = 0
    px = 0
    py = 0
    for k in range(_BLOCKS + 2 * first, _BLOCKS + 2 * first + 4 * half, 2):
        x = int(fit[k])
        x -= (x & 0x20000000) << 3
        y = int(fit[k + 1])
        y -= (y & 0x20000000) << 3
        real += x * px + y * py
        imaginary += y * px - x * py
        px = x
        py = y
    wx = 16384
    wy = 0
    ex = 0
    ey = 0
    for turn in range(2 + halvings):
        if turn == 1:
            ex = wx
            ey = wy
            wx = 16384
            wy = 0
            px = 0
            py = 0
            real = 0
            imaginary = 0
            for j in range(2 * half):
                if j == half:
                    px = real
                    py = imaginary
                    real = 0
                    imaginary = 0
                k = _BLOCKS + 2 * (first + j)
                x = int(fit[k])
                x -= (x & 0x20000000) << 3
                y = int(fit[k + 1])
                y -= (y & 0x20000000) << 3
                real += (x * wx + y * wy) >> 14
                imaginary += (y * wx - x * wy) >> 14
                x = (wx * ex - wy * ey) >> 14
                wy = (wx * ey + wy * ex) >> 14
                wx = x
            real >>= 4
            imaginary >>= 4
            px >>= 4
            py >>= 4
            x = real * px + imaginary * py
            imaginary = imaginary * px - real * py
            real = x
        elif turn > 1:
            real = wx + 16384
            imaginary = wy
        x = (real ^ (real >> 31)) | (imaginary ^ (imaginary >> 31))
        k = 0
        while (x >> k) > 32767:
            k += 1
        real >>= k
        imaginary >>= k
        x = real ^ (real >> 31)
        y = imaginary ^ (imaginary >> 31)
        if x < y:
            k = x
            x = y
            y = k
        x += (y * 3) >> 3
        if x < 8:
            return 0
        y = real * real + imaginary * imaginary
        x = (x + y // x) >> 1
        x = (x + y // x) >> 1
        wx = (real << 14) // x
        wy = (imaginary << 14) // x
    fit[_STEP] = (ex * wx - ey * wy) >> 14
    fit[_STEP + 1] = (ex * wy + ey * wx) >> 14
    return 1


@micropython.viper
def _project(fit: ptr32, first: int, halvings: int, blocks: int, tones: ptr32, at: int) -> int:
    """Puts each of the `blocks` beside the tone that was fitted to those from `first` on; 0 if that is too weak.

    An eighth of the sum in step is below 2^12.6, its square below 2^25.2; a block's part in step of it below 2^25.
    """
    ex = int(fit[_STEP])
    ex -= (ex & 0x20000000) << 3
    ey = int(fit[_STEP + 1])
    ey -= (ey & 0x20000000) << 3
    real = 0
    imaginary = 0
    power = 0
    wx = 16384
    wy = 0
    for k in range(_BLOCKS + 2 * first, _BLOCKS + 2 * first + (4 << halvings), 2):
        x = int(fit[k])
        x -= (x & 0x20000000) << 3
        y = int(fit[k + 1])
        y -= (y & 0x20000000) << 3
        power += x * x + y * y
        real += (x * wx + y * wy) >> 14
        imaginary += (y * wx - x * wy) >> 14
        x = (wx * ex - wy * ey) >> 14
        wy = (wx * ey + wy * ex) >> 14
        wx = x
    real >>= 3
    imaginary >>= 3
    square = real * real + imaginary * imaginary
    if square < 4096:
        return 0
    # All the fitted blocks' power is 64 squares over how many there are.
    x = square << (5 - halvings)
    y = power - x
    if y < 0:
        y = 0
    fit[_DEPARTURE] = y // (x >> 12) if x > 4095 else y
    x = 2 * (int(fit[_SCALED]) - 8) + 4 - 2 * halvings
    fit[_POWER] = square << x if x > 0 else square >> (0 - x)
    x = int(tones[2 * at + 2])
    x -= (x & 0x20000000) << 3
    y = int(tones[2 * at + 3])
    y -= (y & 0x20000000) << 3
    fit[_OFF_COSINE] = (ex * x + ey * y) >> 14
    # Backwards first, to where the phase was at the first of all.
    wx = 16384
    wy = 0
    for _ in range(first):
        x = (wx * ex + wy * ey) >> 14
        wy = (wy * ex - wx * ey) >> 14
        wx = x
    square >>= halvings + 6
    for k in range(_BLOCKS, _BLOCKS + 2 * blocks, 2):
        x = int(fit[k])
        x -= (x & 0x20000000) << 3
        y = int(fit[k + 1])
        y -= (y & 0x20000000) << 3
        px = (x * wx + y * wy) >> 14
        py = (y * wx - x * wy) >> 14
        fit[k] = (px * real + py * imaginary) // square
        fit[k + 1] = (py * real - px * imaginary) // square
        x = (wx * ex - wy * ey) >> 14
        wy = (wx * ey + wy * ex) >> 14
        wx = x
    return 1


@micropython.viper
def _departure(fit: ptr32, first: int, last: int) -> int:
    """What departs from the tone in the blocks from `first` to `last`, in parts of it, Q12.

    Where it is much, hardly ever less, and one block's foretells the next one's, it is another tone: _TWO_TONES. Of a
    block at most 512 * (1 + i) counts, so that sums of 47 stay below 2^29.
    """
    total = 0
    real = 0
    imaginary = 0
    power = 0
    px = 0
    py = 0
    for k in range(_BLOCKS + 2 * first, _BLOCKS + 2 * last + 2, 2):
        x = int(fit[k])
        x -= (x & 0x20000000) << 3
        x -= 256
        y = int(fit[k + 1])
        y -= (y & 0x20000000) << 3
        if x > 512:
            x = 512
        elif x < -512:
            x = -512
        if y > 512:
            y = 512
        elif y < -512:
            y = -512
        total += (x * x + y * y) >> 4
        real += x * px + y * py
        imaginary += y * px - x * py
        power += px * px + py * py
        px = x
        py = y
    total //= last + 1 - first
    if real < 0:
        real = 0 - real
    if imaginary < 0:
        imaginary = 0 - imaginary
    if real < imaginary:
        x = real
        real = imaginary
        imaginary = x
    real += (imaginary * 3) >> 3
    if total < 160 or real < power - (power >> 2):
        return total
    silent = 0
    for k in range(_BLOCKS + 2 * first, _BLOCKS + 2 * last + 2, 2):
        x = int(fit[k])
        x -= (x & 0x20000000) << 3
        x -= 256
        y = int(fit[k + 1])
        y -= (y & 0x20000000) << 3
        if x * x + y * y < total << 2:
            silent += 1
    return total if silent > 1 else _TWO_TONES


@micropython.viper
def _mean_power(ring: ptr16, last: int, at: int, n: int) -> int:
    """Of the `n` <= 8 blocks up to `last`: a power is below 2^29.6, an eighth of it is summed."""
    total = 0
    for j in range(last - n + 1, last + 1):
        i = ((j & 63) << 3) + at
        x = int(ring[i])
        x -= (x & 0x8000) << 1
        y = int(ring[i + 1])
        y -= (y & 0x8000) << 1
        total += (x * x + y * y) >> 3
    return total // n << 3


class _Thresholds:
    """What a row of limits comes to, in samples, hundredths of decibels and cosines as `_project` tells them."""

    def __init__(self, row, low_hz, high_hz):
        self.shortest = 8 * row.shortest_ms
        self.longest = 8 * row.longest_ms
        # Half of what lies between what is taken and what is refused, but no more than a noisy one may need.
        self.margin = min(4 * (row.shortest_ms - row.refused_ms), _NOISY_MARGIN)
        self.lowest = 50 * (row.lowest_dbm0 + row.refused_dbm0)
        self.twist = 100 * row.twist_db + _TWIST_MARGIN
        self.score = 0 if row.speech else _QUIET_SCORE
        self.low_cosine = _off_cosine(low_hz, row.tolerance_permille)
        self.high_cosine = _off_cosine(high_hz, row.tolerance_permille)

    def take(self, burst):
        margin = self.margin if burst.score < _CLEAN_SCORE else _NOISY_MARGIN
        return (
            burst.score <= self.score
            and self.shortest - margin <= burst.duration <= self.longest + margin
            and min(burst.low_level, burst.high_level) >= self.lowest
            and abs(burst.low_level - burst.high_level) <= self.twist
            and burst.low_cosine >= self.low_cosine
            and burst.high_cosine >= self.high_cosine
        )


def _off_cosine(hz, tolerance_permille):
    """Of what the phase grows by in a block when a tone is off by the tolerance, a tenth of it, and 4 Hz. Q14."""
    off_hz = 1.1 * hz * tolerance_permille / 1000 + 4
    return round(16384 * math.cos(2 * math.pi * off_hz * _BLOCK_SAMPLES / 8000))


def _decibels(part, one, least):
    """`part` of `one`, in hundredths of a decibel; `least` is added, below which parts differ no more."""
    return level.hundredths_dbm0(part + least) - level.hundredths_dbm0(one)


def _in_step(fits, block):
    k = _BLOCKS + 2 * block
    return (fits[0][k] + fits[1][k]) >> 1


def _power(fits, block):
    k = _BLOCKS + 2 * block
    return (fits[0][k] ** 2 + fits[0][k + 1] ** 2 + fits[1][k] ** 2 + fits[1][k + 1] ** 2) >> 9


def _edge(fits, block, beyond, step, given_up):
    """The last block of the burst on the way from `block` to `beyond`: where most that is in step lies on this side."""
    edge = block
    gained = 0
    most = 0
    while block != beyond and gained > most - given_up:
        gained += max(0, min(_Q8, _in_step(fits, block))) - _HALF
        if gained > most:
            most = gained
            edge = block
        block += step
    return edge


class _Burst:
    """A burst that seems to have ended, held until the next block shows whether it is a better one.

    Levels and score in hundredths of dBm0 and decibels, duration in samples.
    """

    def __init__(self):
        self.forget()

    def forget(self):
        self.held = False
        self.told = -_SLOTS
        self.score = self.duration = self.low_level = self.high_level = self.snr = 0
        self.low_cosine = self.high_cosine = 0

    def hold(self, score, duration, low, high):
        self.held = True
        self.score = score
        self.duration = duration
        self.low_level = level.hundredths_dbm0(low[_POWER]) + _PHASOR_GAIN
        self.high_level = level.hundredths_dbm0(high[_POWER]) + _PHASOR_GAIN
        self.low_cosine = low[_OFF_COSINE]
        self.high_cosine = high[_OFF_COSINE]
        noise = (low[_POWER] >> 12) * low[_DEPARTURE] + (high[_POWER] >> 12) * high[_DEPARTURE]
        self.snr = level.hundredths_dbm0(low[_POWER] + high[_POWER]) - level.hundredths_dbm0(max(1, noise))


class AlertReceiver:
    """Hears alert tones in a conversation, and on a line at rest.

    sink.alert(duration_samples)               16 to 32 ms after the end of a CAS (DT-AS) that a row of `limits` takes
    sink.subscriber_alert(duration_samples)    40 to 60 ms after the end of a SAS

    In both calls the receiver's `level_dbm0` is that of the tone, of a CAS the weaker one's; `twist_db` that of 2130
    over 2750 Hz (0 of a SAS); `snr_db` (0 to 30) that of the burst over noise in 300 to 3400 Hz, which is taken to be
    as strong everywhere as it is beside the tones.
    """

    def __init__(self, sink, limits=ANY, subscriber=SUBSCRIBER):
        self._sink = sink
        self._limits = tuple([_Thresholds(row, _LOW_HZ, _HIGH_HZ) for row in limits])
        self._subscriber_limits = _Thresholds(subscriber, _SUBSCRIBER_HZ, _SUBSCRIBER_HZ)
        self._tones = _tones(((130, _LOW_HZ), (750, _HIGH_HZ), (440, _BETWEEN_HZ), (440, _SUBSCRIBER_HZ)))
        self._state = array("i", bytes(4 * _WORDS))
        self._line = array("h", bytes(4 * _LINE))
        self._pending = array("h", bytes(8))
        self._ring = array("h", bytes(2 * _SLOT_WORDS * _SLOTS))
        self._low_fit = array("i", bytes(4 * (_BLOCKS + 2 * _SUBSCRIBER_BLOCKS)))
        self._high_fit = array("i", bytes(4 * (_BLOCKS + 2 * _ALERT_BLOCKS)))
        self._alert = _Burst()
        self._subscriber_alert = _Burst()
        self._fits = [self._low_fit, self._high_fit]
        self._first = self._last = 0
        self.reset()

    def reset(self):
        """As new: silence has been heard."""
        self.skip(0)
        self._state[_WHOLE] = _SLOTS
        self.level_dbm0 = level.LOWEST_DBM0
        self.twist_db = 0
        self.snr_db = 0

    def skip(self, _n):
        """Samples were lost: a burst that sounded then, or that begins before its silence was heard, is none."""
        _forget(self._state, self._ring)
        self._alert.forget()
        self._subscriber_alert.forget()
        self._waiting = 0

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        start = 0
        while self._waiting and start < n:
            self._pending[self._waiting] = samples[start]
            start += 1
            self._waiting = (self._waiting + 1) & 3
            if not self._waiting:
                self._hear(self._pending, 0, 1)
        while n - start >= 4:
            groups = min((n - start) >> 2, _MOST_GROUPS)
            self._hear(samples, start, groups)
            start += groups << 2
        while start < n:
            self._pending[self._waiting] = samples[start]
            start += 1
            self._waiting += 1

    def _hear(self, samples, start, groups):
        state = self._state
        state[_START] = start
        _decimate(state, samples, self._line, groups)
        if not _transform(state, self._line, self._tones, self._ring):
            return
        if _watch(state, self._ring) or self._alert.held or self._subscriber_alert.held:
            slot = state[_SLOT]
            first = slot - state[_NEW] + 1
            for newest in range(first, slot + 1):
                promise = state[_PROMISE + newest - first]
                whole = state[_WHOLE] - slot + newest
                self._follow_alert(newest, whole, promise & _ALERT)
                self._follow_subscriber_alert(newest, whole, promise & _SUBSCRIBER_ALERT)

    def _follow_alert(self, newest, whole, promising):
        """Judges a block that may be two behind a CAS, and those after it for as long as the burst is a better one."""
        burst = self._alert
        if not (promising or burst.held) or newest - burst.told <= _ALERT_QUIET:
            return
        held = burst.held
        shown = self._judge_alert(newest, whole)
        if held and shown != _ENDED:
            burst.held = False
            if shown != _SOUNDS:
                self._end_alert(newest)

    def _end_alert(self, newest):
        burst = self._alert
        # What is clearly a burst, but none that a row takes, is not to be taken for another one.
        if burst.score < _CLEAR_SCORE:
            burst.told = newest
        for row in self._limits:
            if row.take(burst):
                burst.told = newest
                self._tell_quality(burst)
                self._sink.alert(burst.duration)
                return

    def _judge_alert(self, newest, whole):
        """Whether a CAS ends two blocks before `newest`; if so, and if no better one is held, holds it."""
        low = self._low_fit
        high = self._high_fit
        if not (
            self._fit(low, newest, _LOW, _ALERT_BEFORE, _ALERT_HALVINGS, _ALERT_BLOCKS)
            and self._fit(high, newest, _HIGH, _ALERT_BEFORE, _ALERT_HALVINGS, _ALERT_BLOCKS)
        ):
            return _NONE
        better = low
        worse = high
        if low[_DEPARTURE] > high[_DEPARTURE]:
            better = high
            worse = low
        score = 4 * _decibels(better[_DEPARTURE], _ONE, _LEAST_DEPARTURE)
        score += _decibels(worse[_DEPARTURE], _ONE, _LEAST_DEPARTURE)
        between = _mean_power(self._ring, newest - _ALERT_AFTER, _BETWEEN, 1 << _ALERT_HALVINGS + 1)
        if score > _WORTH_MEASURING or between >> 1 > low[_POWER] + high[_POWER]:
            return _NONE
        fits = self._fits
        fits[0] = better
        fits[1] = worse if 3 * better[_DEPARTURE] + 2 * _LEAST_DEPARTURE > worse[_DEPARTURE] else better
        middle = _ALERT_BEFORE + (1 << _ALERT_HALVINGS)
        shown = self._find_edges(middle, _ALERT_BLOCKS, _ALERT_GIVEN_UP, whole)
        if shown != _ENDED:
            return shown
        score += self._around(_ALERT_BLOCKS)
        if score > (self._alert.score if self._alert.held else _HIGHEST_SCORE):
            return _NONE
        self._alert.hold(score, self._duration(), low, high)
        return _ENDED

    def _follow_subscriber_alert(self, newest, whole, promising):
        """The same of a SAS, five blocks behind."""
        burst = self._subscriber_alert
        if not (promising or burst.held) or newest - burst.told <= _SUBSCRIBER_QUIET:
            return
        held = burst.held
        shown = self._judge_subscriber_alert(newest, whole)
        if held and shown != _ENDED:
            burst.held = False
            if shown != _SOUNDS and self._subscriber_limits.take(burst):
                burst.told = newest
                self._tell_quality(burst)
                self._sink.subscriber_alert(burst.duration)

    def _judge_subscriber_alert(self, newest, whole):
        fit = self._low_fit
        burst = self._subscriber_alert
        if not self._fit(
            fit, newest, _SUBSCRIBER, _SUBSCRIBER_BEFORE, _SUBSCRIBER_HALVINGS, _SUBSCRIBER_BLOCKS
        ):
            return _NONE
        middle = _SUBSCRIBER_BEFORE + (1 << _SUBSCRIBER_HALVINGS)
        self._fits[0] = self._fits[1] = fit
        shown = self._find_edges(middle, _SUBSCRIBER_BLOCKS, _SUBSCRIBER_GIVEN_UP, whole)
        if shown != _ENDED:
            return shown
        # A SAS is two to three times as long as what was fitted.
        fit[_DEPARTURE] = _departure(fit, self._first + 1, self._last - 1)
        if fit[_DEPARTURE] == _TWO_TONES:
            burst.told = newest
            return _NONE
        score = 5 * _decibels(fit[_DEPARTURE], _ONE, _LEAST_DEPARTURE) + self._around(_SUBSCRIBER_BLOCKS)
        if score > (burst.score if burst.held else _HIGHEST_SUBSCRIBER_SCORE):
            return _NONE
        burst.hold(score, self._duration(), fit, fit)
        return _ENDED

    def _fit(self, fit, newest, at, first, halvings, blocks):
        """Fits a tone to blocks from `first` on, of the `blocks` up to `newest`; false if nothing in them is steady."""
        _gather(self._ring, newest, at, blocks, fit)
        return _find_step(fit, first, halvings) and _project(fit, first, halvings, blocks, self._tones, at)

    def _find_edges(self, middle, blocks, given_up, whole):
        """Finds the first and the last block of a burst that has ended, and of which everything was heard."""
        self._first = _edge(self._fits, middle, -1, -1, given_up)
        self._last = _edge(self._fits, middle, blocks, 1, given_up)
        if self._last == blocks - 1:
            return _SOUNDS
        if self._first < 2 or self._last - self._first < 4 or blocks + 2 - self._first > whole:
            return _NONE
        return _ENDED

    def _around(self, blocks):
        """How silent it is before and after the burst, in hundredths of a decibel."""
        before = _decibels(_power(self._fits, self._first - 2), _Q8, _LEAST_AROUND)
        after = _decibels(_power(self._fits, min(self._last + 2, blocks - 1)), _Q8, _LEAST_AROUND)
        return before + after

    def _duration(self):
        """In samples: whole blocks, and those at either edge by how much of them is in step."""
        fits = self._fits
        partly = _in_step(fits, self._first - 1) + _in_step(fits, self._first)
        partly += _in_step(fits, self._last) + _in_step(fits, self._last + 1)
        return (self._last - self._first - 1) * _BLOCK_SAMPLES + partly * _BLOCK_SAMPLES // _Q8

    def _tell_quality(self, burst):
        self.level_dbm0 = (min(burst.low_level, burst.high_level) + 50) // 100
        self.twist_db = (burst.low_level - burst.high_level + 50) // 100
        # Noise of 125 Hz departs from each tone; 3100 Hz hold 25 times as much.
        self.snr_db = max(0, min(30, (burst.snr - _NOISE_BANDS + 50) // 100))
