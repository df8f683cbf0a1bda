"""Call-progress receiver: dial tone, ringback, busy and their kin, told apart by frequency and cadence.

Samples are halved in rate twice. Two ears follow what sounds, in cells of 2 ms: a low one for 320 to 660 Hz, which
finds the lines (lines.py), and a high one for the single tones from 850 to 1900 Hz. A run of sound ends when it falls
12 dB for some cells, or when its autocorrelation, so its spectrum, has become another. The runs go to a Cadence each
(cadence.py), which knows the rows of the plan.
"""

import math
from array import array

from micropython import const

from star57.dsp import goertzel, level
from star57.dsp.cadence import SILENT, UNKNOWN, Cadence
from star57.dsp.lines import LowLines
from star57.dsp.tone_plans import COUNTRY, HOWLER_LINES, LINES, OFF, PLANS, SECTIONS, TONE

_BLOCK = const(80)  # 20 ms at 4 kHz
_HALF = const(40)
_SAMPLES_PER_MS = const(8)
_CELLS = const(10)
_CELL_MS = const(2)
_CELL_SAMPLES = const(16)
_LONGEST_SKIP_SAMPLES = const(800)
# Below the low ear's lines the high ear hears nothing of its own.
_HIGH_FROM_HZ = const(850)

# Words of the filter; a word that may be negative is read as in fsk.py.
_MEAN = const(0)  # Q8
_EVEN_1 = const(1)
_EVEN_2 = const(2)
_EVEN_3 = const(3)
_ODD_1 = const(4)
_START = const(5)
_PLACE = const(6)
_FILTER_WORDS = const(7)
# Words of the high ear's filter.
_BEFORE_1 = const(0)
_BEFORE_2 = const(1)
_BEFORE_WORDS = const(2)

# Words of what a block gives either ear: energies of its cells, then of each half power and two autocorrelations.
_SUMS = const(10)
_BLOCK_WORDS = const(16)

# Words of an ear's track.
_MODE = const(0)
_CELL = const(1)  # of the block, that comes next
_RUN = const(2)  # cells of the run
_UP = const(3)  # cells since what may be a sound began
_BELOW = const(4)  # cells since what may be its end
_PEAK = const(5)
_FLOOR = const(6)  # Q4
_HANG = const(7)
_LEAST = const(8)
_DROPS = const(9)  # whether a fall of the power ends a sound at once
_ALARM = const(10)
_LASTED = const(11)
_HUSHED = const(12)  # energy of the cells since `_BELOW`
_HALVES = const(13)  # of 10 ms in `_LONG`
_LATE = const(14)  # of 10 ms in `_RECENT`
_AT = const(15)
_CHANGING = const(16)  # whether a change was noticed 10 ms ago
_LONG = const(17)  # sums of the run but for its last 40 ms: power, two autocorrelations, power of all that sounds
_RECENT = const(21)  # the last four times 10 ms, 4 words each
_TRACK_WORDS = const(37)
# Behind the four sums of a run: its power in 10 ms, over 2^5.
_POWER = const(4)

_IDLE = const(0)
_RISING = const(1)
_SOUNDING = const(2)

# Events of an ear.
_NOTHING = const(0)
_SOUND_BEGAN = const(1)
_SOUND_ENDED = const(2)
_SOUND_CHANGED = const(3)
_STILL = const(4)

# How a sound changes.
_OTHER = const(1)
_FALLEN = const(2)

_ALARM_CELLS = const(50)
# A sound is one when it has lasted for this.
_SURE_CELLS = const(12)
# The sound that a change ends was surely there before this.
_CHANGING_CELLS = const(25)
# AM at 16 Hz falls below a quarter of its amplitude for 21 ms; the shortest pause of a tone is 40 ms, less 10 %.
_LOW_HANG = const(12)
# Tones of a SIT are up to 30 ms apart.
_HIGH_HANG = const(25)
# -52 dBm0.
_LOUDEST_NOISE = const(1 << 20)
_LOW_LEAST = const(12)
_HIGH_LEAST = const(24)

_SHORTEST_CELLS = const(15)
# Of all that sounds this is in the lines, in parts of 256 and of 1000: noise 15 dB below a tone takes 4 %.
_PURE = const(184)
_PURE_PERMILLE = const(800)
# Frequencies are a little off in noise, and more so in a short window.
_OFF_DECIHERTZ = const(20)
# Lines that are no further apart may be those of one that is modulated; then they are so far apart, but for this.
_MODULATED_DECIHERTZ = const(600)
_MODULATION_OFF_DECIHERTZ = const(80)
# Lines nearer than this, in Hz times cells, are one: main lobes of the window meet.
_RESOLUTION = const(1250)
# From the power of 10 ms to the mean square of samples at 8 kHz, with what the high-pass takes.
_LOW_HUNDREDTHS = const(2962)
_HIGH_HUNDREDTHS = const(2644)
# White noise up to 4000 Hz is so much above its part in 300 to 3400 Hz.
_BAND_HUNDREDTHS = const(111)
_HIGHEST_SNR_DB = const(30)

# The high ear's frequencies; cosines between them are nearly straight.
_TABLE_STEP_HZ = const(32)
_TABLE_HZ = range(800, 1985, 32)

# A howler is looked for after so many beeps of its cadence, and in a beep after 20 ms of it.
_HOWLER_BIT = const(1 << 29)
_BEEPS_BEFORE_HOWLER = const(2)
_SHORTEST_BEEP_CELLS = const(35)
_LONGEST_BEEP_CELLS = const(68)
_SETTLED_CELLS = const(15)


@micropython.viper
def _condition(state: ptr32, samples: ptr16, block: ptr16, pairs: int) -> int:
    """Halves the rate of `pairs` pairs of samples, without DC; answers their energy over 2^8.

    A high-pass at 80 Hz; a half band of taps -1 0 9 16 9 0 -1. With the input halved |x| <= 32768: two squares, each
    over 2, are at most 2^30, and 40 pairs give less than 2^28.4.
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
    start = int(state[_START])
    place = int(state[_PLACE])
    energy = 0
    for _ in range(pairs):
        odd = int(samples[start])
        odd -= (odd & 0x8000) << 1
        mean += ((odd << 8) - mean) >> 4
        odd = (odd - (mean >> 8)) >> 1
        last = int(samples[start + 1])
        last -= (last & 0x8000) << 1
        mean += ((last << 8) - mean) >> 4
        last = (last - (mean >> 8)) >> 1
        energy += (((odd * odd) >> 1) + ((last * last) >> 1)) >> 7
        start += 2
        x = ((o1 << 4) + 9 * (e2 + e1) - e3 - last) >> 5
        e3 = e2
        e2 = e1
        e1 = last
        o1 = odd
        if x > 32000:
            x = 32000
        elif x < -32000:
            x = -32000
        block[place] = x
        place += 1
    state[_MEAN] = mean
    state[_EVEN_1] = e1
    state[_EVEN_2] = e2
    state[_EVEN_3] = e3
    state[_ODD_1] = o1
    state[_PLACE] = place
    return energy


@micropython.viper
def _high(state: ptr32, block: ptr16, cells: ptr32):
    """Energies of 10 cells of the band below 2 kHz; of each half its autocorrelation over 0, 1 and 2 samples at 4 kHz.

    |x| <= 8000: 8 squares are below 2^29, five times that over 2^3 below 2^28.4.
    """
    x1 = int(state[_BEFORE_1])
    x1 -= (x1 & 0x20000000) << 3
    x2 = int(state[_BEFORE_2])
    x2 -= (x2 & 0x20000000) << 3
    i = 0
    for half in range(2):
        power = 0
        first = 0
        second = 0
        for cell in range(half * 5, half * 5 + 5):
            p = 0
            q = 0
            r = 0
            end = i + 8
            while i < end:
                x = int(block[i])
                x -= (x & 0x8000) << 1
                x >>= 2
                p += x * x
                q += x * x1
                r += x * x2
                x2 = x1
                x1 = x
                i += 1
            cells[cell] = p >> 3
            power += p >> 3
            first += q >> 3
            second += r >> 3
        place = _SUMS + 3 * half
        cells[place] = power
        cells[place + 1] = first
        cells[place + 2] = second
    state[_BEFORE_1] = x1
    state[_BEFORE_2] = x2


@micropython.viper
def _changed(track: ptr32) -> int:
    """_OTHER if the autocorrelations of the last 40 ms, over their power, are not those of the run before.

    _FALLEN if the power fell by 7 dB: what is left is noise, if the ear hears no modulated sound (`_DROPS`).
    """
    p = int(track[_LONG])
    a = int(track[_LONG + 1])
    a -= (a & 0x20000000) << 3
    b = int(track[_LONG + 2])
    b -= (b & 0x20000000) << 3
    q = 0
    c = 0
    d = 0
    for k in range(4):
        at = _RECENT + 4 * k
        q += int(track[at])
        x = int(track[at + 1])
        c += x - ((x & 0x20000000) << 3)
        x = int(track[at + 2])
        d += x - ((x & 0x20000000) << 3)
    # Recent sums are over 2^2 each 10 ms, those of the run over 2^5.
    if int(track[_DROPS]) and q * 5 >> 5 < p // int(track[_HALVES]):
        return _FALLEN
    shift = 0
    while (p >> shift) > 16383:
        shift += 1
    p >>= shift
    a >>= shift
    b >>= shift
    shift = 0
    while (q >> shift) > 16383:
        shift += 1
    q >>= shift
    c >>= shift
    d >>= shift
    # No correlation is above its power: products are below 2^28, their differences below 2^29.
    x = a * q - c * p
    if x < 0:
        x = 0 - x
    d = b * q - d * p
    if d < 0:
        d = 0 - d
    x += d
    d = p * q
    if int(track[_HALVES]) < 8:
        # Of a short time noise makes more.
        d += d
    return _OTHER if x > (d >> 3) + (d >> 5) else 0


@micropython.viper
def _changed_cells(track: ptr32) -> int:
    """How many cells ago the change was: each of the last four times 10 ms is a mixture of the run and the newest.

    By how much their power is that of either, if these differ by 5 dB; or else by their autocorrelations over their
    power, in Q12: these differ by 2^13 at most; halved, products are below 2^24.
    """
    old = (int(track[_LONG]) // int(track[_HALVES])) << 3
    new = int(track[_RECENT + 4 * ((int(track[_AT]) - 1) & 3)])
    cells = 0
    if new > 3 * old or old > 3 * new:
        x = (new - old) // 5
        if x == 0:
            x = 1
        for k in range(4):
            part = (int(track[_RECENT + 4 * k]) - old) // x
            if part > 5:
                part = 5
            if part > 0:
                cells += part
        return cells
    p = int(track[_LONG])
    a = int(track[_LONG + 1])
    a -= (a & 0x20000000) << 3
    b = int(track[_LONG + 2])
    b -= (b & 0x20000000) << 3
    shift = 0
    while (p >> shift) > 16383:
        shift += 1
    p = (p >> shift) + 1
    a = ((a >> shift) << 12) // p
    b = ((b >> shift) << 12) // p
    c = 0
    d = 0
    square = 1
    for k in range(4):
        at = _RECENT + 4 * ((int(track[_AT]) - 1 - k) & 3)
        p = int(track[at])
        x = int(track[at + 1])
        x -= (x & 0x20000000) << 3
        y = int(track[at + 2])
        y -= (y & 0x20000000) << 3
        shift = 0
        while (p >> shift) > 16383:
            shift += 1
        p = (p >> shift) + 1
        x = (((x >> shift) << 12) // p - a) >> 1
        y = (((y >> shift) << 12) // p - b) >> 1
        if k == 0:
            c = x
            d = y
            square = c * c + d * d + 1
        part = (((x * c + y * d) >> 4) * 5) // ((square >> 4) + 1)
        if part > 5:
            part = 5
        if part > 0:
            cells += part
    return cells


@micropython.viper
def _remember(track: ptr32, cells: ptr32, half: int, all_power: int):
    """Adds 10 ms to the last 40 ms of the run, and what thereby is older to the sums of the run."""
    at = int(track[_AT])
    place = _RECENT + 4 * at
    late = int(track[_LATE])
    if late == 4:
        halves = int(track[_HALVES])
        for k in range(4):
            x = int(track[_LONG + k])
            x -= (x & 0x20000000) << 3
            if halves == 32:
                x -= x >> 5
            y = int(track[place + k])
            y -= (y & 0x20000000) << 3
            track[_LONG + k] = x + ((y + 4) >> 3)
        if halves < 32:
            track[_HALVES] = halves + 1
    else:
        track[_LATE] = late + 1
    for k in range(3):
        x = int(cells[_SUMS + 3 * half + k])
        x -= (x & 0x20000000) << 3
        track[place + k] = x >> 2
    track[place + 3] = all_power >> 2
    track[_AT] = (at + 1) & 3


@micropython.viper
def _follow(track: ptr32, cells: ptr32, all_power: ptr32) -> int:
    """Goes on through the cells of the block, to its end or to the next event.

    A cell's energy is below 2^26; the floor is below 2^30 in Q4 and a threshold below 2^29.
    """
    mode = int(track[_MODE])
    run = int(track[_RUN])
    below = int(track[_BELOW])
    peak = int(track[_PEAK])
    floor = int(track[_FLOOR])
    hushed = int(track[_HUSHED])
    drops = int(track[_DROPS])
    cell = int(track[_CELL])
    event = _NOTHING
    while cell < _CELLS and event == _NOTHING:
        e = int(cells[cell])
        cell += 1
        run += 1
        if mode == _SOUNDING:
            peak -= peak >> 7
            if e > peak:
                peak = e
            quiet = floor >> 2
            if quiet < peak >> 4:
                quiet = peak >> 4
            elif quiet > peak >> 2:
                quiet = peak >> 2
            if e < quiet:
                hushed += e
                below += 1
                if below >= int(track[_HANG]):
                    # What is left is noise: the next sound has to rise above it.
                    floor = (hushed // below) << 4
                    track[_LASTED] = run - below
                    run = below
                    mode = _IDLE
                    event = _SOUND_ENDED
            else:
                below = 0
                hushed = 0
            if event == _NOTHING and (below < 3 or drops) and cell % 5 == 0:
                half = 0 if cell == 5 else 1
                _remember(track, cells, half, int(all_power[half]))
                change = 0
                if int(track[_HALVES]) > 2:
                    change = int(_changed(track))
                if change == _OTHER and int(track[_CHANGING]) == 0:
                    # The next 10 ms will be all of the new sound.
                    track[_CHANGING] = 1
                elif change == _FALLEN or int(track[_CHANGING]):
                    below = int(_changed_cells(track))
                    track[_LASTED] = run - below
                    run = below
                    below = 0
                    hushed = 0
                    event = _SOUND_CHANGED
                    newest = int(track[_RECENT + 4 * ((int(track[_AT]) - 1) & 3)])
                    if drops and (newest >> 3) * 5 < int(track[_LONG]) // int(track[_HALVES]):
                        floor = (newest // 5) << 6
                        mode = _IDLE
        else:
            loud = floor >> 1
            if loud < int(track[_LEAST]):
                loud = int(track[_LEAST])
            if mode == _IDLE:
                floor += ((e << 4) - floor) >> 6
                if e > loud:
                    mode = _RISING
                    track[_UP] = 0
                    below = 0
                    peak = e
            if mode == _RISING:
                up = int(track[_UP]) + 1
                track[_UP] = up
                if e > peak:
                    peak = e
                if e > loud:
                    below = 0
                else:
                    below += 1
                    if below > 4:
                        mode = _IDLE
                if mode == _RISING and up >= _SURE_CELLS:
                    track[_LASTED] = run - up
                    run = up
                    below = 0
                    hushed = 0
                    mode = _SOUNDING
                    event = _SOUND_BEGAN
        if event == _NOTHING and run == int(track[_ALARM]):
            event = _STILL
    track[_MODE] = mode
    track[_RUN] = run
    track[_BELOW] = below
    track[_HUSHED] = hushed
    track[_PEAK] = peak
    track[_FLOOR] = floor
    track[_CELL] = cell
    return event


@micropython.viper
def _add_up(track: ptr32, sums: ptr32) -> int:
    """The four sums of the run, scaled so that each is below 2^13; then its power in 10 ms. 0 if there are none.

    A sum is that of the run's last 320 to 360 ms, over 2^5, of less than 2^28.4 each 10 ms: below 2^28.6.
    """
    late = int(track[_LATE])
    halves = int(track[_HALVES]) + late
    if halves == 0:
        return 0
    largest = 1
    for k in range(4):
        total = int(track[_LONG + k])
        total -= (total & 0x20000000) << 3
        for j in range(late):
            x = int(track[_RECENT + 4 * j + k])
            x -= (x & 0x20000000) << 3
            total += (x + 4) >> 3
        sums[k] = total
        largest |= total ^ (total >> 31)
    sums[_POWER] = int(sums[0]) // halves
    shift = 0
    while (largest >> shift) > 8191:
        shift += 1
    for k in range(4):
        total = int(sums[k])
        total -= (total & 0x20000000) << 3
        sums[k] = total >> shift
    return 1


@micropython.viper
def _copy(samples: ptr16, start: int, out: ptr16, at: int, count: int):
    for i in range(count):
        out[at + i] = samples[start + i]


def _is_high(row):
    """Whether the high ear hears the tones of a row."""
    for lines, _ in row[SECTIONS]:
        if lines != OFF:
            return LINES[lines][1] >= _HIGH_FROM_HZ
    return False


def _half_band_gain(hz):
    w = 2 * math.pi * hz / 8000
    return (16 + 18 * math.cos(w) - 2 * math.cos(3 * w)) / 32


def _root(x):
    """The integer square root of a number below 2^30."""
    if x <= 0:
        return 0
    root = 1
    while root * root < x:
        root <<= 1
    for _ in range(4):
        root = (root + x // root) >> 1
    return root


class _Ear:
    """Follows what sounds in one band, and what it means to the rows of the plan.

    Of the sound measured last: `level_dbm0`, `snr_db`, `count` frequencies in `decihertz`.
    """

    def __init__(self, receiver, rows, hang, least, drops):
        self._receiver = receiver
        self.cadence = Cadence(rows)
        self._wanted = tuple([k for k in range(len(LINES)) if self.cadence.lines >> k & 1])
        self._hang = hang
        self._least = least
        self._drops = drops
        self._cells = array("i", bytes(4 * _BLOCK_WORDS))
        self._track = array("i", bytes(4 * _TRACK_WORDS))
        self._sums = array("i", bytes(4 * 5))
        self.level_dbm0 = level.LOWEST_DBM0
        self.snr_db = 0

    def reset(self):
        self.cadence.reset()
        for i in range(_TRACK_WORDS):
            self._track[i] = 0
        self._track[_HANG] = self._hang
        self._track[_LEAST] = self._least
        self._track[_DROPS] = self._drops
        self._track[_ALARM] = _ALARM_CELLS

    def skip(self, cells):
        """Samples were lost in a run that is thought to have gone on."""
        track = self._track
        track[_RUN] += cells
        track[_LATE] = 0
        track[_AT] = 0
        self._next_alarm()

    def break_off(self):
        """So many samples were lost that nothing is known of what came before."""
        if self.cadence.told >= 0:
            self._receiver.over(self)
        self.cadence.break_off()
        for i in range(_ALARM, _TRACK_WORDS):
            self._track[i] = 0
        self._track[_MODE] = _IDLE
        self._track[_RUN] = 0
        self._next_alarm()

    def follow(self, powers):
        """Goes through the block whose cells are known, and through what that tells."""
        track = self._track
        track[_CELL] = 0
        event = _follow(track, self._cells, powers)
        while event != _NOTHING:
            self._noticed(event)
            self._next_alarm()
            event = _follow(track, self._cells, powers)

    def _next_alarm(self):
        self._track[_ALARM] = (self._track[_RUN] // _ALARM_CELLS + 1) * _ALARM_CELLS

    def _noticed(self, event):
        track = self._track
        lasted = track[_LASTED]
        behind = _CELLS - track[_CELL]
        if event == _STILL:
            self._goes_on(behind)
            return
        if event == _SOUND_BEGAN:
            kind = SILENT
        elif event == _SOUND_ENDED:
            kind = self._tone(behind + track[_RUN], lasted)
        else:
            # The last 40 ms were not all of it.
            track[_LATE] = 0
            kind = self._tone(behind + _CHANGING_CELLS, lasted + track[_RUN] - _CHANGING_CELLS)
        if kind == 0:
            self._hush_noise()
        for i in range(_HALVES, _RECENT):
            track[i] = 0
        self._ended(kind, lasted)

    def _hush_noise(self):
        """Takes steady noise as the silence that it is: a tone has to rise above it."""
        track = self._track
        power = self._sums[_POWER]
        newest = track[_RECENT + 4 * ((track[_AT] - 1) & 3)]
        if self._is_noise() and (track[_MODE] != _SOUNDING or newest >> 3 < 3 * power):
            track[_MODE] = _IDLE
            # From 10 ms over 2^5 to a cell in Q4.
            track[_FLOOR] = (min(power, _LOUDEST_NOISE) << 9) // 5

    def _ended(self, kind, cells):
        cadence = self.cadence
        if cadence.ended(kind, cells * _CELL_MS, self.level_dbm0):
            self._receiver.over(self)
            cadence.forget()
        if cadence.told < 0 and kind > 0 and cadence.recognise(UNKNOWN, 0, self):
            self._receiver.told(self)

    def _goes_on(self, behind):
        track = self._track
        cadence = self.cadence
        silent = track[_MODE] != _SOUNDING
        # The run has ended before now if what has come since stays so.
        doubtful = track[_BELOW] if not silent else track[_UP] if track[_MODE] == _RISING else 0
        ms = (track[_RUN] - doubtful) * _CELL_MS
        if cadence.goes_on(silent, ms):
            self._receiver.over(self)
            cadence.forget()
        if cadence.told >= 0 or not cadence.wants_to_know(silent, ms):
            return
        kind = SILENT
        if not silent:
            kind = self._tone(behind + doubtful, ms // _CELL_MS)
            if kind == 0:
                self._hush_noise()
        if kind != 0 and cadence.recognise(kind, ms, self):
            self._receiver.told(self)

    def _tone(self, ago, cells):
        """The bits of the wanted lines that have sounded for the last `cells` before the last `ago`."""
        if not _add_up(self._track, self._sums) or cells < _SHORTEST_CELLS:
            return 0
        if not self._measure(ago + 2, cells - 4):
            return 0
        kind = 0
        for index in self._wanted:
            if self._fits(LINES[index]):
                kind |= 1 << index
        return kind

    def _tell_quality(self, gain_hundredths, share):
        """Level and SNR of tones that are `share` / 256 of all that sounds."""
        self.level_dbm0 = (level.hundredths_dbm0(self._sums[_POWER]) + gain_hundredths + 50) // 100
        snr = level.hundredths_dbm0(share) - level.hundredths_dbm0(max(1, 256 - share)) + _BAND_HUNDREDTHS
        self.snr_db = max(0, min(_HIGHEST_SNR_DB, (snr + 50) // 100))


class _LowEar(_Ear):
    """Hears lines from 320 to 660 Hz."""

    def __init__(self, receiver, rows):
        super().__init__(receiver, rows, _LOW_HANG, _LOW_LEAST, 0)
        self._lines = LowLines()
        self.decihertz = self._lines.decihertz
        self.reset()

    def reset(self):
        super().reset()
        self._lines.reset()

    def skip(self, cells):
        super().skip(cells)
        self._lines.forget()

    def break_off(self):
        super().break_off()
        self._lines.forget()

    @property
    def count(self):
        return self._lines.count

    def hear(self, block, powers):
        self._lines.feed(block, self._cells)
        self.follow(powers)

    def _is_noise(self):
        """Whether most of what sounds lies elsewhere."""
        return 5 * self._sums[0] < self._sums[3]

    def _measure(self, ago, cells):
        # Of a tone in all that sounds: half of its power times the gain squared.
        share = (self._sums[0] << 9) // max(1, self._sums[3])
        if share < _PURE // 2:
            return 0
        lines = self._lines
        if not lines.find(ago, cells) or lines.permille < _PURE_PERMILLE:
            return 0
        share = (share * lines.inverse_gain >> 8) * lines.permille // 1000
        if share < _PURE:
            return 0
        gain = level.hundredths_dbm0(lines.inverse_gain) - level.hundredths_dbm0(256)
        self._tell_quality(_LOW_HUNDREDTHS + gain, share)
        return lines.count

    def _fits(self, wanted):
        lines = self._lines
        nearest = _RESOLUTION // lines.cells
        count = lines.count
        last = len(wanted) - 1
        if count == last and count > 1:
            # What modulates a tone is known better than the tone.
            apart = 10 * (wanted[last] - wanted[1])
            off = abs(self.decihertz[count - 1] - self.decihertz[0] - apart)
            if apart <= _MODULATED_DECIHERTZ and off > _MODULATION_OFF_DECIHERTZ:
                return False
        k = 0
        i = 1
        while i <= last:
            hz = wanted[i]
            allowed = wanted[0] * hz // 100 + _OFF_DECIHERTZ
            if i < last and wanted[i + 1] - hz < nearest:
                # Of two lines that one window cannot part well one may be seen, anywhere between them.
                apart = wanted[i + 1] - hz
                allowed += 2 * apart
                if count - k <= last - i:
                    hz += apart >> 1
                    allowed += 3 * apart
                    i += 1
            if k == count or abs(self.decihertz[k] - 10 * hz) > allowed:
                return False
            k += 1
            i += 1
        return k == count

    def off_permille(self, index):
        wanted = LINES[index]
        count = len(wanted) - 1
        off = 0
        if count == self.count:
            for k in range(count):
                off = max(off, abs(self.decihertz[k] - 10 * wanted[k + 1]) * 100 // wanted[k + 1])
        return off


class _HighEar(_Ear):
    """Hears single tones from 850 to 1900 Hz; and, where its beeps let it be expected, a howler."""

    def __init__(self, receiver, rows):
        super().__init__(receiver, rows, _HIGH_HANG, _HIGH_LEAST, 1)
        self.decihertz = array("H", bytes(2 * 4))
        self._before = array("i", bytes(4 * _BEFORE_WORDS))
        self._cosines = array("h", [round(4096 * math.cos(2 * math.pi * hz / 4000)) for hz in _TABLE_HZ])
        self._inverse_gains = array("h", [round(256 / _half_band_gain(hz) ** 2) for hz in _TABLE_HZ])
        self._howler_wanted = self.cadence.lines & _HOWLER_BIT != 0
        self._howler = goertzel.coefficients(LINES[HOWLER_LINES][1:])
        self._samples = array("h", bytes(2 * _BLOCK))
        self._powers = array("i", bytes(4 * 5))
        self.reset()

    def reset(self):
        super().reset()
        for i in range(_BEFORE_WORDS):
            self._before[i] = 0
        self.count = 0
        self._beeps = 0
        self._howls = 0

    @property
    def expects_howler(self):
        """Whether it wants every 10 ms of samples by `keep`."""
        return self._beeps >= _BEEPS_BEFORE_HOWLER

    def keep(self, samples, start, at, count):
        """`count` samples from `start` on; they are those from `at` on of 10 ms."""
        _copy(samples, start, self._samples, at, count)

    def hear(self, block, powers):
        _high(self._before, block, self._cells)
        self.follow(powers)
        track = self._track
        if (
            self._beeps >= _BEEPS_BEFORE_HOWLER
            and track[_MODE] == _SOUNDING
            and track[_RUN] > _SETTLED_CELLS
            and not track[_BELOW]
        ):
            self._look_for_howler()

    def _look_for_howler(self):
        """Sets `_howls` to the share, in parts of 256, of the last 10 ms that is a howler's four lines."""
        powers = self._powers
        goertzel.scale(self._samples, _BLOCK)
        energy = goertzel.energy(self._samples, _BLOCK)
        powers[0] = 4
        goertzel.powers(self._samples, _BLOCK, self._howler, powers)
        near = 0
        for k in range(1, 5):
            # Of a pure tone the power is energy * 40 / 2^10.
            if powers[k] * 25 < energy >> 5:
                return
            near += powers[k] * 25
        share = (near >> 8) * 256 // ((energy >> 8) + 1)
        if share >= _PURE:
            self._howls = min(share, 256)

    def _ended(self, kind, cells):
        if _SHORTEST_BEEP_CELLS <= cells <= _LONGEST_BEEP_CELLS:
            if self._howler_wanted and kind != SILENT:
                self._beeps += 1
        else:
            self._beeps = 0
        super()._ended(kind, cells)

    def _tone(self, ago, cells):
        if not self._howls:
            return super()._tone(ago, cells)
        share = self._howls
        self._howls = 0
        if not _add_up(self._track, self._sums):
            return 0
        self.count = 4
        for k in range(4):
            self.decihertz[k] = 10 * LINES[HOWLER_LINES][k + 1]
        # Most of a howler lies above this ear's band.
        above = level.hundredths_dbm0(self._sums[3]) - level.hundredths_dbm0(self._sums[0])
        self._tell_quality(_HIGH_HUNDREDTHS + above, share)
        return _HOWLER_BIT

    def _is_noise(self):
        """Whether samples are hardly like those one and two before them."""
        return 2 * (abs(self._sums[1]) + abs(self._sums[2])) < self._sums[0]

    def _measure(self, _ago, _cells):
        """One tone in white noise, of which autocorrelations at 1 and 2 samples are free (Pisarenko)."""
        power, first, second, whole, _ = self._sums
        share = (power << 8) // max(1, whole)
        if share < _PURE // 4:
            return 0
        root = _root(second * second + 8 * first * first)
        if root == second:
            return 0
        cosine = (first << 13) // (root - second)
        # The tone's part of the power, from the correlation that is the larger.
        of_tone = (cosine * cosine >> 11) - 4096 if -2048 < cosine < 2048 else cosine
        tone = ((first if of_tone == cosine else second) << 12) // of_tone
        if tone * 1000 < power * _PURE_PERMILLE or not self._look_up(cosine):
            return 0
        share = ((share * self._inverse_gain >> 8) * min(tone, power)) // max(1, power)
        if share < _PURE:
            return 0
        gain = level.hundredths_dbm0(self._inverse_gain) - level.hundredths_dbm0(256)
        self._tell_quality(_HIGH_HUNDREDTHS + gain, share)
        return 1

    def _look_up(self, cosine):
        """Finds the frequency of a cosine, Q12 at 4 kHz; answers whether it is in the band."""
        cosines = self._cosines
        if not cosines[len(cosines) - 1] < cosine <= cosines[0]:
            return False
        k = 0
        while cosine <= cosines[k + 1]:
            k += 1
        step = (cosines[k] - cosine) * 10 * _TABLE_STEP_HZ // (cosines[k] - cosines[k + 1])
        self.decihertz[0] = 10 * _TABLE_HZ[k] + step
        self.count = 1
        gains = self._inverse_gains
        self._inverse_gain = gains[k] + (gains[k + 1] - gains[k]) * step // (10 * _TABLE_STEP_HZ)
        return True

    def _fits(self, wanted):
        if len(wanted) != 2:
            return False
        return abs(self.decihertz[0] - 10 * wanted[1]) <= wanted[0] * wanted[1] // 100 + _OFF_DECIHERTZ

    def off_permille(self, index):
        return abs(self.decihertz[0] - 10 * LINES[index][1]) * 100 // LINES[index][1]


class ProgressReceiver:
    """Hears the call-progress tones of a plan.

    sink.call_progress(index)                        when a tone is certain; index of TONE_NAMES. Once a tone, not once
                                                     a cycle of it
    sink.call_progress_end(index, duration_samples)  when it is over: from its start to the end of its last sound,
                                                     within 20 ms

    plan: rows of tone_plans.py: of one country (`PLANS["US"]`), of several (`plan("DE", "FR")`), of all (`plan()`).
    Dial tone is told after 0.5 s, or when no tone of its country of the same frequencies could have lasted so long;
    busy and reorder in their third sound; ringback in the silence after its first; SIT when its third tone ends.

    In both calls these are those of the tone: `level_dbm0`, of all its lines together; `snr_db` (0 to 30, noise in 300
    to 3400 Hz, white noise taken for granted); `frequencies`, in Hz as measured; `on_ms` and `off_ms`, of the last
    sound and silence (0: it has not ended); `countries`, whose rows fit. Frequencies and countries are made when they
    are asked for, which allocates.
    """

    def __init__(self, sink, plan=PLANS["US"]):
        self._sink = sink
        self._state = array("i", bytes(4 * _FILTER_WORDS))
        self._block = array("h", bytes(2 * _BLOCK))
        self._pending = array("h", bytes(4))
        self._powers = array("i", bytes(4 * 2))
        self._low = _LowEar(self, tuple([row for row in plan if not _is_high(row)]))
        self._high = _HighEar(self, tuple([row for row in plan if _is_high(row)]))
        self._decihertz = array("H", bytes(2 * 5))
        self.reset()

    def reset(self):
        """As new."""
        self._low.reset()
        self._high.reset()
        for i in range(_FILTER_WORDS):
            self._state[i] = 0
        self._powers[0] = self._powers[1] = 0
        self._odd = False
        self._lost = 0
        self._ear = self._low
        self._count = 0
        self.level_dbm0 = level.LOWEST_DBM0
        self.snr_db = 0
        self.on_ms = 0
        self.off_ms = 0

    @property
    def frequencies(self):
        """What sounded, in Hz, ascending."""
        return tuple([(self._decihertz[k] + 5) // 10 for k in range(self._count)])

    @property
    def countries(self):
        """The countries whose rows fit, in the order of the plan."""
        names = []
        cadence = self._ear.cadence
        for i, row in enumerate(cadence.rows):
            if (
                cadence.fits[i]
                and row[TONE] == cadence.rows[cadence.told][TONE]
                and row[COUNTRY] not in names
            ):
                names.append(row[COUNTRY])
        return tuple(names)

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        start = 0
        if self._odd and n:
            self._odd = False
            self._pending[1] = samples[0]
            self._hear(self._pending, 0, 1)
            start = 1
        while n - start >= 2:
            pairs = min((n - start) >> 1, _HALF - self._state[_PLACE] % _HALF)
            self._hear(samples, start, pairs)
            start += 2 * pairs
        if start < n:
            self._pending[0] = samples[start]
            self._odd = True

    def skip(self, n):
        """`n` samples were lost. What sounds is taken to go on, unless they are more than 100 ms."""
        self._lost += n + 2 * self._state[_PLACE]
        self._odd = False
        self._state[_PLACE] = 0
        self._powers[0] = self._powers[1] = 0
        if n > _LONGEST_SKIP_SAMPLES:
            self._low.break_off()
            self._high.break_off()
            self._lost = 0
        else:
            cells = self._lost // _CELL_SAMPLES
            self._lost -= cells * _CELL_SAMPLES
            self._low.skip(cells)
            self._high.skip(cells)

    def _hear(self, samples, start, pairs):
        state = self._state
        place = state[_PLACE]
        half = place // _HALF
        if self._high.expects_howler:
            self._high.keep(samples, start, 2 * (place - half * _HALF), 2 * pairs)
        state[_START] = start
        self._powers[half] += _condition(state, samples, self._block, pairs)
        if state[_PLACE] == _BLOCK:
            state[_PLACE] = 0
            self._low.hear(self._block, self._powers)
            self._high.hear(self._block, self._powers)
            self._powers[0] = self._powers[1] = 0

    # What the ears tell

    def told(self, ear):
        """An ear is certain of a tone."""
        self._ear = ear
        self.level_dbm0 = ear.level_dbm0
        self.snr_db = ear.snr_db
        self._count = ear.count
        for k in range(ear.count):
            self._decihertz[k] = ear.decihertz[k]
        self._tell_times(ear.cadence)
        self._sink.call_progress(ear.cadence.rows[ear.cadence.told][TONE])

    def over(self, ear):
        """The tone that an ear was certain of is over."""
        self._ear = ear
        cadence = ear.cadence
        self._tell_times(cadence)
        self._sink.call_progress_end(
            cadence.rows[cadence.told][TONE], (cadence.ended_ms - cadence.began_ms) * _SAMPLES_PER_MS
        )

    def _tell_times(self, cadence):
        self.on_ms = cadence.last_ms(False)
        self.off_ms = cadence.last_ms(True)
