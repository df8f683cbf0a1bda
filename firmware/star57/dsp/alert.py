"""Alert tones of call waiting: CAS (DT-AS), 2130 + 2750 Hz, for the terminal, and SAS, 440 Hz, for the household.

Both are heard while a household talks (TELEPHONY 3). 16 taps take 2000 to 3000 Hz to 2 kHz, where the two tones lie at
130 and 750 Hz and nothing that matters folds onto them; each 8 ms gives their amplitude and phase. Whenever both have
kept a frequency for the last 64 ms, and something has begun and ended, the burst that they may be is measured:

- how much each departs from a steady tone. The voice that goes on meanwhile may spoil one of them badly, but hardly
  ever both; a voice alone, whose harmonics glide and swell, departs in both;
- that nothing was there before it and nothing after it, and how long it was, to within a millisecond in silence;
- that the frequency between the two is free: a voice at 305 Hz has its 7th and 9th harmonic there, and its 8th.
"""

import math
from array import array

from micropython import const

from star57.dsp import level

# Rows of limits: frequencies within so many permille; each tone taken from so many dBm0 on, refused at so many; the
# louder one by so many dB at most; taken when from so many ms to so many long, refused when so many or shorter; 1 if
# while somebody talks, 0 if in 20 dB of SNR. All from TELEPHONY 3; where a standard refuses nothing, what another does.
TELCORDIA = (5, -32, -45, 6, 75, 85, 70, 1)  # SR-TSV-002476, off-hook; 70 ms by SIN 227
ETSI = (5, -33, -45, 6, 75, 85, 70, 1)  # ETS 300 778-2, off-hook: -35 dBV; -45 dBm by SR-TSV-002476
BT = (6, -38, -44, 7, 80, 85, 70, 1)  # SIN 227, off-hook: -40 and -46 dBV
BT_ON_HOOK = (11, -38, -44, 7, 88, 110, 20, 0)  # SIN 227 and 242; ETSI's 100 +-10 ms before ringing
OFF_HOOK = (6, -38, -44, 7, 75, 85, 70, 1)  # the widest of each of those off-hook

# A receiver takes what any of its rows takes.
ANY = (OFF_HOOK, BT_ON_HOOK)

# SAS, about 300 ms of 440 Hz (TELEPHONY 3), sent at -13 dBm0. It is for ears, and no standard limits its receiver: 1 %,
# and from 50 ms less to 50 ms more.
SUBSCRIBER = (10, -36, -44, 0, 250, 350, 200, 1)

_LOW_HZ = const(2130)
_HIGH_HZ = const(2750)
_SUBSCRIBER_HZ = const(440)

# At 2 kHz a block is 16 samples, 64 of the line's, and 2130 Hz is 130 Hz, 2750 is 750, 2440 is 440. Of each
# 2 cos w and sin w there, Q11; of each tone cosine and sine, Q14, of what its phase grows by in a block.
_BLOCK = const(16)
_BLOCK_SAMPLES = const(64)
_LOW_COEFFICIENT = const(3759)
_LOW_SINE = const(813)
_HIGH_COEFFICIENT = const(-2896)
_HIGH_SINE = const(1448)
_440_COEFFICIENT = const(768)
_440_SINE = const(2012)
_LOW_ADVANCE = (15869, 4075)
_HIGH_ADVANCE = (16384, 0)
_SUBSCRIBER_ADVANCE = (-16255, -2053)

_MOST_GROUPS = const(40)  # 20 ms at once
_LINE = const(56)  # of either half of `line`: what is left of one call's blocks, and the groups of the next
_PENDING = const(112)  # behind them in `line`: less than a group, until there is more

# Where each frequency's phasors lie in the ring, real and imaginary: of the last 32 blocks, of SAS of the last 64.
_LOW = const(0)
_HIGH = const(64)
_BETWEEN = const(128)
_SUBSCRIBER = const(192)
_RING = const(320)
_SLOTS = const(64)

# Words of the state; a word that may be negative is read as in fsk.py.
_HISTORY = const(0)  # 12 samples, each +32768
_MEAN = const(12)
_PLACE = const(13)
_START = const(14)
_SLOT = const(15)
_NEW = const(16)  # blocks of the last analysis
_WHOLE = const(17)  # blocks since samples were lost
_PROMISE = const(18)  # of each new block, what may have ended a few blocks before it
_TRACKS = const(22)  # of low, high and SAS three each: the sums of neighbours' products and of powers
_FITS = const(31)  # two
_FIRST = const(47)  # block of the burst
_LAST = const(48)
_BEFORE = const(49)  # power before and after it, and what its edges hold of it
_PARTLY = const(51)
_ALERT_BURST = const(52)
_SUBSCRIBER_BURST = const(61)
_WORDS = const(70)

# Words of a fit: what departs from the tone in parts of it, Q12; its power; the cosine of what its phase grows by in a
# block more than it should, Q14; by how many bits phasors were scaled down, and 8 more; the step; the sum in step. The
# phasor of each block is apart from these, at last turned so that the tone's is 256.
_DEPARTURE = const(0)
_POWER = const(1)
_OFF_COSINE = const(2)
_SCALED = const(3)
_STEP = const(4)
_SUM = const(6)
_FIT_WORDS = const(8)
# No row takes more than 1.1 % of 2750 Hz, a tenth of it, and 4 Hz: 1.88 in a block.
_LEAST_OFF_COSINE = const(-5000)
_HIGH_FIT = const(39)

# Words of a burst that seems to have ended, held until the next block shows whether it is a better one. Levels and
# score in hundredths of dBm0 and decibels, duration in samples; `told` is the block in which one was told of.
_HELD = const(0)
_TOLD = const(1)
_SCORE = const(2)
_DURATION = const(3)
_LOW_LEVEL = const(4)
_HIGH_LEVEL = const(5)
_SNR = const(6)
_LOW_COSINE = const(7)
_HIGH_COSINE = const(8)

# What a row of limits comes to, in samples, hundredths of decibels and cosines as `_project` tells them.
_SHORTEST = const(0)
_LONGEST = const(1)
_MARGIN = const(2)
_LOWEST = const(3)
_TWIST = const(4)
_WORST_SCORE = const(5)
_LEAST_LOW_COSINE = const(6)
_LEAST_HIGH_COSINE = const(7)
_ROW = const(8)

# A 32nd of a phasor's power: at -42 dBm0 a phasor is 45, and this 64.
_LEAST = const(62)

# A burst is fitted over 2 to the power of its halvings + 1 blocks, no more than the shortest one fills wherever it
# begins. Before these come as many as the longest one fills and two of silence, and after them some.
_ALERT_HALVINGS = const(2)
_ALERT_FITTED = const(8)
_ALERT_BEFORE = const(8)
_ALERT_AFTER = const(2)
_ALERT_BLOCKS = const(18)
_ALERT_WORDS = const(36)
_SUBSCRIBER_HALVINGS = const(3)
_SUBSCRIBER_FITTED = const(16)
_SUBSCRIBER_BEFORE = const(31)
_SUBSCRIBER_AFTER = const(5)
_SUBSCRIBER_BLOCKS = const(52)
_FIT = const(104)

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

# 4096 and 256 as `level` tells powers.
_ONE_LEVEL = const(-4794)
_Q8_LEVEL = const(-5998)
# What is in step is worth its distance from one half; so much lost, and the edge has been passed.
_ALERT_GIVEN_UP = const(256)
_SUBSCRIBER_GIVEN_UP = const(700)
# Parts below which less is no better: -15 dB of a departure, -13 dB of what is around a burst.
_LEAST_DEPARTURE = const(123)
_LEAST_AROUND = const(13)
# Hundredths of decibels, of which the better tone's departure counts four times. A voice alone stays above the first;
# a burst in silence below the second.
_HIGHEST_SCORE = const(-4000)
# At the least around a burst is worth -26 dB.
_WORTH_MEASURING = const(-1400)
_HIGHEST_SUBSCRIBER_SCORE = const(-2500)
_QUIET_SCORE = const(-7000)
_CLEAN_SCORE = const(-9500)
_CLEAR_SCORE = const(-7000)
_NOISY_MARGIN = const(46)
_TWIST_MARGIN = const(450)
# A phasor is a quarter of the peak: eight times its power is the mean square.
_PHASOR_GAIN = const(903)
_NOISE_BANDS = const(1394)


@micropython.viper
def _forget(state: ptr32, ring: ptr16):
    for i in range(_WORDS):
        state[i] = 0
    for i in range(12):
        state[_HISTORY + i] = 0x8000
    state[_MEAN] = 0x20000 << 3
    for i in range(_RING):
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
def _transform(state: ptr32, line: ptr16, ring: ptr16) -> int:
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
        at = (slot & 31) << 1
        to = at + _HIGH
        c = int(_LOW_COEFFICIENT)
        d = int(_HIGH_COEFFICIENT)
        c_sine = int(_LOW_SINE)
        d_sine = int(_HIGH_SINE)
        for k in range(2):
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
            ring[at + 1] = (s2 * c_sine) >> 13
            ring[to] = (t1 - ((t2 * d) >> 12)) >> 2
            ring[to + 1] = (t2 * d_sine) >> 13
            at += _BETWEEN
            to = _SUBSCRIBER + ((slot & 63) << 1)
            c = int(_440_COEFFICIENT)
            d = int(_440_COEFFICIENT)
            c_sine = int(_440_SINE)
            d_sine = int(_440_SINE)
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
            at = _HIGH * k
            mask = 31
            fitted = _ALERT_FITTED
            j = slot - _ALERT_AFTER
            if k == 2:
                at = _SUBSCRIBER
                mask = 63
                fitted = _SUBSCRIBER_FITTED
                j = slot - _SUBSCRIBER_AFTER
            track = _TRACKS + 3 * k
            real = int(state[track])
            real -= (real & 0x20000000) << 3
            imaginary = int(state[track + 1])
            imaginary -= (imaginary & 0x20000000) << 3
            power = int(state[track + 2])
            i = ((j & mask) << 1) + at
            x = int(ring[i])
            x -= (x & 0x8000) << 1
            y = int(ring[i + 1])
            y -= (y & 0x8000) << 1
            i = (((j - 1) & mask) << 1) + at
            px = int(ring[i])
            px -= (px & 0x8000) << 1
            py = int(ring[i + 1])
            py -= (py & 0x8000) << 1
            power += (x * x + y * y) >> 5
            real += (x * px + y * py) >> 5
            imaginary += (y * px - x * py) >> 5
            j -= fitted
            i = (((j + 1) & mask) << 1) + at
            x = int(ring[i])
            x -= (x & 0x8000) << 1
            y = int(ring[i + 1])
            y -= (y & 0x8000) << 1
            i = ((j & mask) << 1) + at
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
                # By what departs from it the better one is to be worth measuring.
                if real > power >> 1:
                    steady += 9
                elif real > power >> 4:
                    steady += 4
            elif real > power >> 2:
                i = ((slot & mask) << 1) + at
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
def _outline(state: ptr32, ring: ptr16) -> int:
    """Keeps the marks of those new blocks before which something has begun and ended; 0 if there are none.

    A tone that goes on, or that comes and goes as FSK does, need not be fitted. What was before the longest burst and
    what is now are to be less than half of what is between; of a CAS in one tone at least, for the voice may spoil the
    other. The shortest SAS, twice as long as what is fitted of it, is to be steady all along and of 440 Hz.

    A 128th of a power is below 2^22.6, a sum of four below 2^24.6, times 32 below 2^29.6; a sum of 31 below 2^27.6.
    """
    found = 0
    new = int(state[_NEW])
    for block in range(new):
        promise = int(state[_PROMISE + block])
        slot = int(state[_SLOT]) - new + 1 + block
        kept = 0
        for k in range(3):
            bit = _ALERT
            at = _HIGH * k
            mask = 31
            blocks = _ALERT_BLOCKS
            fitted = _ALERT_FITTED
            behind = _ALERT_AFTER
            latest = 1
            if k == 2:
                bit = _SUBSCRIBER_ALERT
                at = _SUBSCRIBER
                mask = 63
                blocks = _SUBSCRIBER_BLOCKS
                fitted = _SUBSCRIBER_FITTED
                behind = _SUBSCRIBER_AFTER
                latest = 4
            if promise & bit == 0:
                continue
            before = 0
            earlier = 0
            during = 0
            after = 0
            real = 0
            imaginary = 0
            px = 0
            py = 0
            for age in range(blocks):
                i = at + (((slot - age) & mask) << 1)
                x = int(ring[i])
                x -= (x & 0x8000) << 1
                y = int(ring[i + 1])
                y -= (y & 0x8000) << 1
                power = (x * x + y * y) >> 7
                if age < latest:
                    after += power
                elif age >= blocks - 2:
                    before += power
                elif age >= behind and age < behind + fitted + fitted - 1:
                    if age < behind + fitted:
                        during += power
                    else:
                        earlier += power
                    if k == 2:
                        real += (x * px + y * py) >> 7
                        imaginary += (x * py - y * px) >> 7
                px = x
                py = y
            if before * fitted < during and 2 * after * fitted < during * latest:
                # Less a 128th and an eighth: beside what a SAS's phase grows by in a block, _SUBSCRIBER_ADVANCE.
                real = (real >> 7) - real - (imaginary >> 3)
                if k < 2 or (2 * earlier > during and 2 * real > during + earlier):
                    kept |= bit
        state[_PROMISE + block] = kept
        found |= kept
    return found


@micropython.viper
def _gather(state: ptr32, ring: ptr16, newest: int, at: int, blocks: int, fit: ptr16, tone: int):
    """Copies one frequency's phasors of the `blocks` up to `newest`, scaled: the largest part is 1024 to 2047."""
    mask = 63 if at == _SUBSCRIBER else 31
    largest = 0
    for j in range(newest - blocks + 1, newest + 1):
        i = ((j & mask) << 1) + at
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
    state[_FITS + _FIT_WORDS * tone + _SCALED] = 8 + down - up
    k = _ALERT_WORDS * tone
    for j in range(newest - blocks + 1, newest + 1):
        i = ((j & mask) << 1) + at
        x = int(ring[i])
        x -= (x & 0x8000) << 1
        y = int(ring[i + 1])
        y -= (y & 0x8000) << 1
        fit[k] = (x << up) >> down
        fit[k + 1] = (y << up) >> down
        k += 2


@micropython.viper
def _find_step(state: ptr32, fit: ptr16, tone: int, first: int, halvings: int) -> int:
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
    start = _ALERT_WORDS * tone + 2 * first
    for k in range(start, start + 4 * half, 2):
        x = int(fit[k])
        x -= (x & 0x8000) << 1
        y = int(fit[k + 1])
        y -= (y & 0x8000) << 1
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
                k = start + 2 * j
                x = int(fit[k])
                x -= (x & 0x8000) << 1
                y = int(fit[k + 1])
                y -= (y & 0x8000) << 1
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
    k = _FITS + _FIT_WORDS * tone + _STEP
    state[k] = (ex * wx - ey * wy) >> 14
    state[k + 1] = (ex * wy + ey * wx) >> 14
    return 1


@micropython.viper
def _project(state: ptr32, fit: ptr16, tone: int, first: int, halvings: int, cosine: int, sine: int) -> int:
    """Sums the fitted blocks from `first` on in step, and tells what departs from that; 0 if it is weak or far off.

    `cosine` and `sine` are of what the tone's phase should grow by in a block. An eighth of the sum in step is below
    2^12.6, its square below 2^25.2.
    """
    head = _FITS + _FIT_WORDS * tone
    ex = int(state[head + _STEP])
    ex -= (ex & 0x20000000) << 3
    ey = int(state[head + _STEP + 1])
    ey -= (ey & 0x20000000) << 3
    real = 0
    imaginary = 0
    power = 0
    wx = 16384
    wy = 0
    start = _ALERT_WORDS * tone + 2 * first
    for k in range(start, start + (4 << halvings), 2):
        x = int(fit[k])
        x -= (x & 0x8000) << 1
        y = int(fit[k + 1])
        y -= (y & 0x8000) << 1
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
    state[head + _SUM] = real
    state[head + _SUM + 1] = imaginary
    # All the fitted blocks' power is 64 squares over how many there are.
    x = square << (5 - halvings)
    y = power - x
    if y < 0:
        y = 0
    state[head + _DEPARTURE] = y // (x >> 12) if x > 4095 else y
    x = 2 * (int(state[head + _SCALED]) - 8) + 4 - 2 * halvings
    state[head + _POWER] = square << x if x > 0 else square >> (0 - x)
    x = (ex * cosine + ey * sine) >> 14
    state[head + _OFF_COSINE] = x
    return 1 if x > _LEAST_OFF_COSINE else 0


@micropython.viper
def _turn(state: ptr32, fit: ptr16, tone: int, first: int, halvings: int, blocks: int):
    """Puts each of the `blocks` beside the tone that was fitted to those from `first` on.

    A block's part in step of the sum is below 2^25. What is 16 times the tone or more is told as that: 4095.
    """
    head = _FITS + _FIT_WORDS * tone
    ex = int(state[head + _STEP])
    ex -= (ex & 0x20000000) << 3
    ey = int(state[head + _STEP + 1])
    ey -= (ey & 0x20000000) << 3
    real = int(state[head + _SUM])
    real -= (real & 0x20000000) << 3
    imaginary = int(state[head + _SUM + 1])
    imaginary -= (imaginary & 0x20000000) << 3
    # Backwards first, to where the phase was at the first of all.
    wx = 16384
    wy = 0
    for _ in range(first):
        x = (wx * ex + wy * ey) >> 14
        wy = (wy * ex - wx * ey) >> 14
        wx = x
    square = (real * real + imaginary * imaginary) >> (halvings + 6)
    start = _ALERT_WORDS * tone
    for k in range(start, start + 2 * blocks, 2):
        x = int(fit[k])
        x -= (x & 0x8000) << 1
        y = int(fit[k + 1])
        y -= (y & 0x8000) << 1
        px = (x * wx + y * wy) >> 14
        py = (y * wx - x * wy) >> 14
        x = (px * real + py * imaginary) // square
        y = (py * real - px * imaginary) // square
        if x > 4095:
            x = 4095
        elif x < -4095:
            x = -4095
        if y > 4095:
            y = 4095
        elif y < -4095:
            y = -4095
        fit[k] = x
        fit[k + 1] = y
        x = (wx * ex - wy * ey) >> 14
        wy = (wx * ey + wy * ex) >> 14
        wx = x


@micropython.viper
def _find_edges(state: ptr32, fit: ptr16, one: int, other: int, middle: int, blocks: int, given_up: int):
    """Finds the burst's first and last block: on the way from its middle, where most that is in step lies behind.

    In step is what the two turned fits, whose first words are `one` and `other`, have of the tone together, Q8.
    """
    for way in range(2):
        beyond = blocks if way else -1
        block = middle
        edge = middle
        gained = 0
        most = 0
        while block != beyond and gained > most - given_up:
            x = int(fit[one + 2 * block])
            x -= (x & 0x8000) << 1
            y = int(fit[other + 2 * block])
            y -= (y & 0x8000) << 1
            x = (x + y) >> 1
            if x > 256:
                x = 256
            elif x < 0:
                x = 0
            gained += x - 128
            if gained > most:
                most = gained
                edge = block
            block += 2 * way - 1
        state[_FIRST + way] = edge


@micropython.viper
def _measure(state: ptr32, fit: ptr16, one: int, other: int, blocks: int):
    """Tells the power two blocks before and two after the burst, Q8, and what is in step in the two at either edge.

    A part is below 2^12: four squares below 2^26.
    """
    first = int(state[_FIRST])
    last = int(state[_LAST])
    partly = 0
    for way in range(2):
        edge = last + 1 if way else first
        for block in range(edge - 1, edge + 1):
            x = int(fit[one + 2 * block])
            x -= (x & 0x8000) << 1
            y = int(fit[other + 2 * block])
            y -= (y & 0x8000) << 1
            partly += (x + y) >> 1
        block = first - 2
        if way:
            block = last + 2 if last + 2 < blocks else blocks - 1
        total = 0
        for i in range(2):
            x = int(fit[one + 2 * block + i])
            x -= (x & 0x8000) << 1
            y = int(fit[other + 2 * block + i])
            y -= (y & 0x8000) << 1
            total += x * x + y * y
        state[_BEFORE + way] = total >> 9
    state[_PARTLY] = partly


@micropython.viper
def _departure(fit: ptr16, first: int, last: int) -> int:
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
    for k in range(2 * first, 2 * last + 2, 2):
        x = int(fit[k])
        x -= (x & 0x8000) << 1
        x -= 256
        y = int(fit[k + 1])
        y -= (y & 0x8000) << 1
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
    for k in range(2 * first, 2 * last + 2, 2):
        x = int(fit[k])
        x -= (x & 0x8000) << 1
        x -= 256
        y = int(fit[k + 1])
        y -= (y & 0x8000) << 1
        if x * x + y * y < total << 2:
            silent += 1
    return total if silent > 1 else _TWO_TONES


@micropython.viper
def _mean_power(ring: ptr16, last: int, at: int, n: int) -> int:
    """Of the `n` <= 8 blocks up to `last`: a power is below 2^29.6, an eighth of it is summed."""
    total = 0
    for j in range(last - n + 1, last + 1):
        i = ((j & 31) << 1) + at
        x = int(ring[i])
        x -= (x & 0x8000) << 1
        y = int(ring[i + 1])
        y -= (y & 0x8000) << 1
        total += (x * x + y * y) >> 3
    return total // n << 3


def _thresholds(rows):
    """What the rows of limits come to: _ROW words each, those of SAS last."""
    words = []
    for row in rows:
        permille, lowest_dbm0, refused_dbm0, twist_db, shortest_ms, longest_ms, refused_ms, speech = row
        low_hz, high_hz = (_SUBSCRIBER_HZ, _SUBSCRIBER_HZ) if row is rows[-1] else (_LOW_HZ, _HIGH_HZ)
        # Five eighths of what lies between what is taken and what is refused, but no more than a noisy one may need.
        margin = min(5 * (shortest_ms - refused_ms), _NOISY_MARGIN)
        # Nearer to what is refused: a tone that is off by 1.1 % is told up to 4 dB weaker.
        lowest = 25 * (lowest_dbm0 + 3 * refused_dbm0)
        words += [8 * shortest_ms, 8 * longest_ms, margin, lowest]
        words += [100 * twist_db + _TWIST_MARGIN, 0 if speech else _QUIET_SCORE]
        words += [_off_cosine(low_hz, permille), _off_cosine(high_hz, permille)]
    return array("h", words)


def _off_cosine(hz, tolerance_permille):
    """Of what the phase grows by in a block when a tone is off by the tolerance, a tenth of it, and 4 Hz. Q14."""
    off_hz = 1.1 * hz * tolerance_permille / 1000 + 4
    return round(16384 * math.cos(2 * math.pi * off_hz * _BLOCK_SAMPLES / 8000))


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
        self._limits = _thresholds(tuple(limits) + (subscriber,))
        self._state = array("i", bytes(4 * _WORDS))
        self._line = array("h", bytes(2 * _PENDING + 8))
        self._ring = array("h", bytes(2 * _RING))
        self._fit = array("h", bytes(2 * _FIT))
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
        self._state[_ALERT_BURST + _TOLD] = self._state[_SUBSCRIBER_BURST + _TOLD] = -_SLOTS
        self._waiting = 0

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        start = 0
        while self._waiting and start < n:
            self._line[_PENDING + self._waiting] = samples[start]
            start += 1
            self._waiting = (self._waiting + 1) & 3
            if not self._waiting:
                self._hear(self._line, _PENDING, 1)
        while n - start >= 4:
            groups = (n - start) >> 2
            if groups > _MOST_GROUPS:
                groups = _MOST_GROUPS
            self._hear(samples, start, groups)
            start += groups << 2
        while start < n:
            self._line[_PENDING + self._waiting] = samples[start]
            start += 1
            self._waiting += 1

    def _hear(self, samples, start, groups):
        state = self._state
        state[_START] = start
        _decimate(state, samples, self._line, groups)
        if not _transform(state, self._line, self._ring):
            return
        promised = _watch(state, self._ring) and _outline(state, self._ring)
        if promised or state[_ALERT_BURST + _HELD] or state[_SUBSCRIBER_BURST + _HELD]:
            self._follow()

    def _follow(self):
        """Judges new blocks that may lie a few behind a burst, and those after it while a better one is looked for."""
        state = self._state
        slot = state[_SLOT]
        first = slot - state[_NEW] + 1
        for newest in range(first, slot + 1):
            promise = state[_PROMISE + newest - first]
            whole = state[_WHOLE] - slot + newest
            if promise & _ALERT or state[_ALERT_BURST + _HELD]:
                self._follow_alert(newest, whole)
            if promise & _SUBSCRIBER_ALERT or state[_SUBSCRIBER_BURST + _HELD]:
                self._follow_subscriber_alert(newest, whole)

    def _follow_alert(self, newest, whole):
        state = self._state
        if newest - state[_ALERT_BURST + _TOLD] <= _ALERT_QUIET:
            return
        held = state[_ALERT_BURST + _HELD]
        shown = self._judge_alert(newest, whole)
        if held and shown != _ENDED:
            state[_ALERT_BURST + _HELD] = 0
            if shown != _SOUNDS:
                self._end_alert(newest)

    def _end_alert(self, newest):
        state = self._state
        # What is clearly a burst, but none that a row takes, is not to be taken for another one.
        if state[_ALERT_BURST + _SCORE] < _CLEAR_SCORE:
            state[_ALERT_BURST + _TOLD] = newest
        for row in range(0, len(self._limits) - _ROW, _ROW):
            if self._takes(row, _ALERT_BURST):
                state[_ALERT_BURST + _TOLD] = newest
                self._tell_quality(_ALERT_BURST)
                self._sink.alert(state[_ALERT_BURST + _DURATION])
                return

    def _judge_alert(self, newest, whole):
        """Whether a CAS ends two blocks before `newest`; if so, and if no better one is held, holds it."""
        state = self._state
        fit = self._fit
        if not (
            self._fit_tone(newest, _LOW, 0, _LOW_ADVANCE) and self._fit_tone(newest, _HIGH, 1, _HIGH_ADVANCE)
        ):
            return _NONE
        better = state[_FITS + _DEPARTURE]
        worse = state[_HIGH_FIT + _DEPARTURE]
        one = 0
        other = _ALERT_WORDS
        if better > worse:
            better, worse = worse, better
            one = _ALERT_WORDS
            other = 0
        score = 4 * level.hundredths_dbm0(better + _LEAST_DEPARTURE) - 5 * _ONE_LEVEL
        score += level.hundredths_dbm0(worse + _LEAST_DEPARTURE)
        if score > _WORTH_MEASURING:
            return _NONE
        between = _mean_power(self._ring, newest - _ALERT_AFTER, _BETWEEN, _ALERT_FITTED)
        if between >> 2 > state[_FITS + _POWER] + state[_HIGH_FIT + _POWER]:
            return _NONE
        if 3 * better + 2 * _LEAST_DEPARTURE <= worse:
            other = one
        for tone in range(2):
            if one == tone * _ALERT_WORDS or other == tone * _ALERT_WORDS:
                _turn(state, fit, tone, _ALERT_BEFORE, _ALERT_HALVINGS, _ALERT_BLOCKS)
        middle = _ALERT_BEFORE + (1 << _ALERT_HALVINGS)
        _find_edges(state, fit, one, other, middle, _ALERT_BLOCKS, _ALERT_GIVEN_UP)
        shown = self._shown(_ALERT_BLOCKS, whole)
        if shown != _ENDED:
            return shown
        _measure(state, fit, one, other, _ALERT_BLOCKS)
        score += self._around()
        if score > (state[_ALERT_BURST + _SCORE] if state[_ALERT_BURST + _HELD] else _HIGHEST_SCORE):
            return _NONE
        self._hold(_ALERT_BURST, score, _FITS, _HIGH_FIT)
        return _ENDED

    def _fit_tone(self, newest, at, tone, advance):
        """Fits one of a CAS's tones; false if nothing is steady."""
        state = self._state
        fit = self._fit
        _gather(state, self._ring, newest, at, _ALERT_BLOCKS, fit, tone)
        return _find_step(state, fit, tone, _ALERT_BEFORE, _ALERT_HALVINGS) and _project(
            state, fit, tone, _ALERT_BEFORE, _ALERT_HALVINGS, advance[0], advance[1]
        )

    def _follow_subscriber_alert(self, newest, whole):
        """The same of a SAS, five blocks behind."""
        state = self._state
        if newest - state[_SUBSCRIBER_BURST + _TOLD] <= _SUBSCRIBER_QUIET:
            return
        held = state[_SUBSCRIBER_BURST + _HELD]
        shown = self._judge_subscriber_alert(newest, whole)
        if held and shown != _ENDED:
            state[_SUBSCRIBER_BURST + _HELD] = 0
            if shown != _SOUNDS and self._takes(len(self._limits) - _ROW, _SUBSCRIBER_BURST):
                state[_SUBSCRIBER_BURST + _TOLD] = newest
                self._tell_quality(_SUBSCRIBER_BURST)
                self._sink.subscriber_alert(state[_SUBSCRIBER_BURST + _DURATION])

    def _judge_subscriber_alert(self, newest, whole):
        state = self._state
        fit = self._fit
        cosine, sine = _SUBSCRIBER_ADVANCE
        _gather(state, self._ring, newest, _SUBSCRIBER, _SUBSCRIBER_BLOCKS, fit, 0)
        if not (
            _find_step(state, fit, 0, _SUBSCRIBER_BEFORE, _SUBSCRIBER_HALVINGS)
            and _project(state, fit, 0, _SUBSCRIBER_BEFORE, _SUBSCRIBER_HALVINGS, cosine, sine)
        ):
            return _NONE
        _turn(state, fit, 0, _SUBSCRIBER_BEFORE, _SUBSCRIBER_HALVINGS, _SUBSCRIBER_BLOCKS)
        middle = _SUBSCRIBER_BEFORE + (1 << _SUBSCRIBER_HALVINGS)
        _find_edges(state, fit, 0, 0, middle, _SUBSCRIBER_BLOCKS, _SUBSCRIBER_GIVEN_UP)
        shown = self._shown(_SUBSCRIBER_BLOCKS, whole)
        if shown != _ENDED:
            return shown
        # A SAS is two to three times as long as what was fitted.
        departure = _departure(fit, state[_FIRST] + 1, state[_LAST] - 1)
        state[_FITS + _DEPARTURE] = departure
        if departure == _TWO_TONES:
            # It takes with it what is held: the same two tones, a block before.
            state[_SUBSCRIBER_BURST + _TOLD] = newest
            return _SOUNDS
        _measure(state, fit, 0, 0, _SUBSCRIBER_BLOCKS)
        score = 5 * (level.hundredths_dbm0(departure + _LEAST_DEPARTURE) - _ONE_LEVEL) + self._around()
        burst = _SUBSCRIBER_BURST
        if score > (state[burst + _SCORE] if state[burst + _HELD] else _HIGHEST_SUBSCRIBER_SCORE):
            return _NONE
        self._hold(burst, score, _FITS, _FITS)
        return _ENDED

    def _shown(self, blocks, whole):
        """Whether a burst has ended of which everything was heard."""
        first = self._state[_FIRST]
        last = self._state[_LAST]
        if last == blocks - 1:
            return _SOUNDS
        if first < 2 or last - first < 4 or blocks + 2 - first > whole:
            return _NONE
        return _ENDED

    def _around(self):
        """How silent it is before and after the burst, in hundredths of a decibel."""
        before = level.hundredths_dbm0(self._state[_BEFORE] + _LEAST_AROUND)
        return before + level.hundredths_dbm0(self._state[_BEFORE + 1] + _LEAST_AROUND) - 2 * _Q8_LEVEL

    def _hold(self, burst, score, low, high):
        state = self._state
        low_power = state[low + _POWER]
        high_power = state[high + _POWER]
        state[burst + _HELD] = 1
        state[burst + _SCORE] = score
        # Whole blocks, and those at either edge by how much of them is in step.
        whole = (state[_LAST] - state[_FIRST] - 1) * _BLOCK_SAMPLES
        state[burst + _DURATION] = whole + (state[_PARTLY] * _BLOCK_SAMPLES >> 8)
        state[burst + _LOW_LEVEL] = level.hundredths_dbm0(low_power) + _PHASOR_GAIN
        state[burst + _HIGH_LEVEL] = level.hundredths_dbm0(high_power) + _PHASOR_GAIN
        state[burst + _LOW_COSINE] = state[low + _OFF_COSINE]
        state[burst + _HIGH_COSINE] = state[high + _OFF_COSINE]
        noise = (low_power >> 12) * state[low + _DEPARTURE] + (high_power >> 12) * state[high + _DEPARTURE]
        snr = level.hundredths_dbm0(low_power + high_power) - level.hundredths_dbm0(max(1, noise))
        state[burst + _SNR] = snr

    def _takes(self, row, burst):
        """Whether a row of limits takes the burst that is held."""
        limits = self._limits
        state = self._state
        score = state[burst + _SCORE]
        low = state[burst + _LOW_LEVEL]
        high = state[burst + _HIGH_LEVEL]
        margin = limits[row + _MARGIN] if score < _CLEAN_SCORE else _NOISY_MARGIN
        longer = state[burst + _DURATION] + margin
        return (
            score <= limits[row + _WORST_SCORE]
            and limits[row + _SHORTEST] <= longer <= limits[row + _LONGEST] + 2 * margin
            and min(low, high) >= limits[row + _LOWEST]
            and abs(low - high) <= limits[row + _TWIST]
            and state[burst + _LOW_COSINE] >= limits[row + _LEAST_LOW_COSINE]
            and state[burst + _HIGH_COSINE] >= limits[row + _LEAST_HIGH_COSINE]
        )

    def _tell_quality(self, burst):
        low = self._state[burst + _LOW_LEVEL]
        high = self._state[burst + _HIGH_LEVEL]
        self.level_dbm0 = (min(low, high) + 50) // 100
        self.twist_db = (low - high + 50) // 100
        # Noise of 125 Hz departs from each tone; 3100 Hz hold 25 times as much.
        self.snr_db = max(0, min(30, (self._state[burst + _SNR] - _NOISE_BANDS + 50) // 100))
