"""An ear of the call-progress receiver: what sounds in a band, cut into runs, and what that is to the rows of a plan.

What a block of 20 ms has of a band: energies of its 10 cells of 2 ms, then, of either half, power and two numbers that
say what sounds: its autocorrelation over one lag, real and imaginary part, or autocorrelations over two lags.

Sound begins when it stays 9 dB above the noise for 24 ms. It ends when it falls 12 dB for some cells; a change of its
autocorrelation, so of its spectrum, ends it too, and begins another.
"""

from array import array

from micropython import const

from star57.dsp import level
from star57.dsp.cadence import SILENT, UNKNOWN, Cadence
from star57.dsp.tone_plans import LINES

_CELLS = const(10)
_CELL_MS = const(2)
# Words of an ear: first its track. A word that may be negative is read as in fsk.py.
_MODE = const(0)
_CELL = const(1)  # of the block, that comes next
_RUN = const(2)  # cells of the run
_UP = const(3)  # cells since what may be a sound began
_BELOW = const(4)  # cells since what may be its end
_PEAK = const(5)
_FLOOR = const(6)  # Q4
_HANG = const(7)  # so many cells 12 dB below its peak end a sound
_LEAST = const(8)  # energy of a cell: what is less is silence
_DROPS = const(9)  # whether a fall of the power ends a sound at once: for a band without modulated tones
_ALARM = const(10)  # cells of a run that are an event
_LASTED = const(11)  # cells of the run that has ended
_HUSHED = const(12)  # energy of the cells since `_BELOW`
_HALVES = const(13)  # of 10 ms in `_LONG`
_LATE = const(14)  # of 10 ms in `_RECENT`
_AT = const(15)
_CHANGING = const(16)  # whether a change was noticed 10 ms ago
_NEAR = const(17)  # three sums of the run's last 40 ms
_LONG = const(20)  # sums of the run before that: three, and the power of all that sounds
_RECENT = const(24)  # the last four times 10 ms, 4 words each
_TRACK_WORDS = const(40)
# Then the block, and where in it the three sums of its halves are.
_BLOCK = const(40)
_SUMS = const(10)
# Then the four sums of a run, and its power in 10 ms, over 2^5.
_TOTALS = const(56)
_POWER = const(60)
# From word 61 on is what only the low ear has, or the high one.

_IDLE = const(0)
_RISING = const(1)
_SOUNDING = const(2)

# What `follow` answers. After the first three a new run goes on, _RUN cells old; the one before it had _LASTED cells.
_NOTHING = const(0)
_SOUND_BEGAN = const(1)
_SOUND_ENDED = const(2)
_SOUND_CHANGED = const(3)
_ALARMED = const(4)

# How a sound changes.
_OTHER = const(1)
_FALLEN = const(2)

# A sound is one when it has lasted for this.
_SURE_CELLS = const(12)
_ALARM_CELLS = const(50)
# And a sound of no tone yet not before this: none is told sooner while it sounds.
_SOONEST_CELLS = const(150)
# A sound that has lasted for this, of a tone that was told, is looked at no more often.
_LONG_CELLS = const(250)
_NEVER = const(1 << 28)
# The sound that a change ends was surely there before this.
_CHANGING_CELLS = const(25)
_SHORTEST_CELLS = const(15)
_LOUDEST_NOISE = const(1 << 20)
# White noise to 4000 Hz over its part in 300 to 3400 Hz (1.11 dB), and over what the first taps leave of it (4.26 dB).
_BAND_HUNDREDTHS = const(-315)
_HIGHEST_SNR_DB = const(25)


@micropython.viper
def _reset(track: ptr32):
    """As new: silence. What the band is like stays."""
    for i in range(_TRACK_WORDS):
        if i < _HANG or i > _DROPS:
            track[i] = 0


@micropython.viper
def _begin_sums(track: ptr32):
    """Of another run."""
    for i in range(_HALVES, _RECENT):
        track[i] = 0


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
    q = int(track[_NEAR])
    c = int(track[_NEAR + 1])
    c -= (c & 0x20000000) << 3
    d = int(track[_NEAR + 2])
    d -= (d & 0x20000000) << 3
    # Recent sums are over 2^2 each 10 ms, those of the run over 2^5. 5 q is below 2^31.
    if int(track[_DROPS]) and q * 5 >> 5 < p // int(track[_HALVES]):
        return _FALLEN
    shift = 0
    if p >> 22:
        shift = 8
    while (p >> shift) > 16383:
        shift += 1
    p >>= shift
    a >>= shift
    b >>= shift
    shift = 0
    if q >> 22:
        shift = 8
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
def _cells_since_change(track: ptr32) -> int:
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
def _remember(track: ptr32, sums: ptr32, at: int, whole: int):
    """Adds the 10 ms of sums[at..] to the last 40 ms of the run, and what is older to the sums of the run."""
    turn = int(track[_AT])
    track[_AT] = (turn + 1) & 3
    place = _RECENT + 4 * turn
    late = int(track[_LATE])
    if late < 4:
        track[_LATE] = late + 1
        for k in range(3):
            y = int(sums[at + k])
            y = (y - ((y & 0x20000000) << 3)) >> 2
            track[place + k] = y
            x = int(track[_NEAR + k])
            track[_NEAR + k] = x - ((x & 0x20000000) << 3) + y
        track[place + 3] = whole >> 2
        return
    halves = int(track[_HALVES])
    if halves < 32:
        track[_HALVES] = halves + 1
    for k in range(4):
        z = int(track[place + k])
        z -= (z & 0x20000000) << 3
        x = int(track[_LONG + k])
        x -= (x & 0x20000000) << 3
        if halves == 32:
            x -= x >> 5
        track[_LONG + k] = x + ((z + 4) >> 3)
        if k < 3:
            y = int(sums[at + k])
            y = (y - ((y & 0x20000000) << 3)) >> 2
            track[place + k] = y
            x = int(track[_NEAR + k])
            track[_NEAR + k] = x - ((x & 0x20000000) << 3) + y - z
    track[place + 3] = whole >> 2


@micropython.viper
def follow(track: ptr32, other: ptr32) -> int:
    """Goes on through the cells of the block, to its end or to the next event; `other` is the other ear's words.

    What is mostly the low ear's is no sound that the high one has to know.

    A cell's energy is below 2^26; the floor is below 2^30 in Q4 and a threshold below 2^29.
    """
    cells = ptr32(int(track) + 4 * _BLOCK)
    mode = int(track[_MODE])
    run = int(track[_RUN])
    below = int(track[_BELOW])
    peak = int(track[_PEAK])
    floor = int(track[_FLOOR])
    hushed = int(track[_HUSHED])
    drops = int(track[_DROPS])
    cell = int(track[_CELL])
    event = _NOTHING
    if mode == _IDLE and cell == 0 and int(track[_ALARM]) > run + _CELLS:
        # Mostly there is silence.
        peak = 0
        hushed = 0
        for cell in range(_CELLS):
            e = int(cells[cell])
            hushed += e
            if e > peak:
                peak = e
        loud = floor >> 1
        if loud < int(track[_LEAST]):
            loud = int(track[_LEAST])
        if peak <= loud:
            track[_RUN] = run + _CELLS
            # As far as in ten steps of a 64th.
            track[_FLOOR] = floor + ((((hushed // _CELLS) << 4) - floor) >> 3)
            return _NOTHING
        cell = 0
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
            if event == _NOTHING and (below < 3 or drops) and (cell == 5 or cell == 10):  # noqa: PLR1714 - viper has no sets
                half = _SUMS
                if cell == 10:
                    half += 3
                change = 0
                newest = int(cells[half])
                whole = int(other[_BLOCK + half])
                if not drops:
                    _remember(track, cells, half, whole)
                    if int(track[_HALVES]) > 2:
                        change = int(_changed(track))
                elif whole << 1 < newest >> 3:
                    _remember(track, cells, half, newest)
                    if int(track[_HALVES]) > 2:
                        change = int(_changed(track))
                if change == _OTHER and int(track[_CHANGING]) == 0:
                    # The next 10 ms will be all of the new sound.
                    track[_CHANGING] = 1
                elif change == _FALLEN or int(track[_CHANGING]):
                    # It may have faded before it ended: how long it has been quiet is known, but in strong noise.
                    if below < 3 or (below < _SURE_CELLS and floor > peak):
                        below = int(_cells_since_change(track))
                    track[_LASTED] = run - below
                    run = below
                    below = 0
                    hushed = 0
                    event = _SOUND_CHANGED
                    newest >>= 2
                    whole = int(track[_LONG]) // int(track[_HALVES])
                    if drops and (newest >> 3) * 5 < whole:
                        # What is left is noise, 15 dB below the sound at the most: the next may be as loud as it was.
                        floor = (newest // 5) << 6
                        if floor > (whole // 5) << 4:
                            floor = (whole // 5) << 4
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
            event = _ALARMED
    track[_MODE] = mode
    track[_RUN] = run
    track[_BELOW] = below
    track[_HUSHED] = hushed
    track[_PEAK] = peak
    track[_FLOOR] = floor
    track[_CELL] = cell if event else 0
    return event


@micropython.viper
def _add_up(track: ptr32, ended: int) -> int:
    """The four sums of the run, scaled so that each is below 2^13; then its power in 10 ms. 0 if there are none.

    Of a run that has ended the last 10 ms are left out, if there are others: the bands did not end at the same time. A
    sum is that of the run's last 320 to 360 ms, over 2^5, of less than 2^28.9 each 10 ms: below 2^29.
    """
    sums = ptr32(int(track) + 4 * _TOTALS)
    late = int(track[_LATE])
    halves = int(track[_HALVES]) + late
    if halves == 0:
        return 0
    without = 0 - 1
    if ended and late > 1:
        without = (int(track[_AT]) - 1) & 3
        halves -= 1
    largest = 1
    for k in range(4):
        total = int(track[_LONG + k])
        total -= (total & 0x20000000) << 3
        for j in range(late):
            if j != without:
                x = int(track[_RECENT + 4 * j + k])
                x -= (x & 0x20000000) << 3
                total += (x + 4) >> 3
        sums[k] = total
        largest |= total ^ (total >> 31)
    track[_POWER] = int(sums[0]) // halves
    shift = 0
    while (largest >> shift) > 8191:
        shift += 1
    for k in range(4):
        total = int(sums[k])
        total -= (total & 0x20000000) << 3
        sums[k] = total >> shift
    return 1


class Ear:
    """Follows what sounds in one band, and what it means to the rows of the plan.

    listener.told(ear) when `cadence` is certain of a tone, listener.over(ear) when the tone is over. Of the sound
    measured last: `level_dbm0`, `snr_db`, and `decihertz(k)`, its frequencies: each ear keeps its own, as a tone may be
    told long after it was measured. `lines` (lines.py) has those of the low ear, and room that both use.
    """

    def __init__(self, listener, rows, lines, words, hang, least, drops):
        self._listener = listener
        self.cadence = Cadence(rows)
        self._wanted = bytes([k for k in range(len(LINES)) if self.cadence.lines >> k & 1])
        self.lines = lines
        self.words = array("i", bytes(4 * words))
        self.words[_HANG] = hang
        self.words[_LEAST] = least
        self.words[_DROPS] = drops

    def reset(self):
        self.cadence.reset()
        _reset(self.words)
        self.level_dbm0 = level.LOWEST_DBM0
        self.snr_db = 0
        self._set_alarm()

    def skip(self, cells):
        """Samples were lost in a run that is thought to have gone on."""
        track = self.words
        track[_RUN] += cells
        track[_LATE] = 0
        track[_AT] = 0
        self._set_alarm()

    def break_off(self):
        """So many samples were lost that nothing is known of what came before."""
        if self.cadence.told >= 0:
            self._listener.over(self)
        self.cadence.break_off()
        _reset(self.words)
        self._set_alarm()

    def noticed(self, event, other):
        """An event in the block that `follow` told, and what follows it; `other` is the other ear's words."""
        while event != _NOTHING:
            if event == _ALARMED:
                self._goes_on()
            else:
                self._has_ended(event)
            self._set_alarm()
            event = follow(self.words, other)

    def _set_alarm(self):
        """The time when a run is looked at though nothing happens; not in the silence after what was no tone."""
        track = self.words
        alarm = _NEVER
        if track[_MODE] == _SOUNDING or self.cadence.waits_in_silence():
            cells = _ALARM_CELLS
            if self.cadence.told >= 0 and track[_RUN] >= _LONG_CELLS and track[_MODE] == _SOUNDING:
                cells = _LONG_CELLS
            alarm = (track[_RUN] // cells + 1) * cells
            if self.cadence.told < 0 and track[_MODE] == _SOUNDING:
                alarm = max(alarm, _SOONEST_CELLS)
        track[_ALARM] = alarm

    def _has_ended(self, event):
        track = self.words
        lasted = track[_LASTED]
        behind = _CELLS - track[_CELL]
        kind = SILENT
        if event == _SOUND_ENDED:
            kind = self._tone(behind + track[_RUN], lasted, 1)
        elif event == _SOUND_CHANGED:
            if track[_MODE] == _SOUNDING and self._is_one_sound(lasted + track[_RUN]):
                track[_RUN] += lasted
                _begin_sums(track)
                return
            # The last 40 ms were not all of it.
            track[_LATE] = 0
            kind = self._tone(behind + _CHANGING_CELLS, lasted + track[_RUN] - _CHANGING_CELLS, 0)
        _begin_sums(track)
        self._ended(kind, lasted)

    def _is_one_sound(self, _cells):
        """Whether sound that has changed, and has lasted for this, is the same sound still."""
        return False

    def _hush_noise(self):
        """Takes steady noise as the silence that it is: a tone has to rise above it."""
        track = self.words
        power = track[_POWER]
        newest = track[_RECENT + 4 * ((track[_AT] - 1) & 3)]
        if self._is_noise() and (track[_MODE] != _SOUNDING or newest >> 3 < 3 * power):
            track[_MODE] = _IDLE
            # From 10 ms over 2^5 to a cell in Q4.
            track[_FLOOR] = (min(power, _LOUDEST_NOISE) << 9) // 5

    def _ended(self, kind, cells):
        cadence = self.cadence
        if cadence.ended(kind, cells * _CELL_MS, self.level_dbm0):
            self._listener.over(self)
            cadence.forget()
        if kind > 0 and cadence.told < 0 and cadence.recognise(UNKNOWN, 0, self):
            self._listener.told(self)

    def _goes_on(self):
        track = self.words
        cadence = self.cadence
        silent = track[_MODE] != _SOUNDING
        # The run has ended before now if what has come since stays so.
        doubtful = track[_BELOW]
        if silent:
            doubtful = track[_UP] if track[_MODE] == _RISING else 0
        cells = track[_RUN] - doubtful
        ms = cells * _CELL_MS
        if cadence.goes_on(silent, ms):
            self._listener.over(self)
            cadence.forget()
        if cadence.told >= 0 or not cadence.wants_to_know(silent, ms):
            return
        ago = _CELLS - track[_CELL] + doubtful
        if not silent and _add_up(track, 0) and self._waits_after_a_look(ago, cells):
            return
        kind = SILENT if silent else self._tone(ago, cells, 0)
        if kind != 0 and cadence.recognise(kind, ms, self):
            self._listener.told(self)

    def _waits_after_a_look(self, _ago, _cells):
        """Whether what has sounded for the last `cells` before the last `ago` is told in the next block only."""
        return False

    def settled_cells(self):
        """For how long it has been sounding, without a sign of its end; 0 if it is not."""
        track = self.words
        return track[_RUN] if track[_MODE] == _SOUNDING and not track[_BELOW] else 0

    def _tone(self, ago, cells, ended):
        """The bits of the wanted lines that have sounded for the last `cells` before the last `ago`."""
        if not _add_up(self.words, ended):
            return 0
        kind = 0
        if cells >= _SHORTEST_CELLS and self._measure(ago + 2, cells - 4):
            for index in self._wanted:
                if self._fits(LINES[index]):
                    kind |= 1 << index
        if kind == 0:
            self._hush_noise()
        return kind

    def _tell_quality(self, to_square, share, to_line):
        """Level and SNR of tones that are `share` / 4096 of what sounds; the rest in hundredths of a decibel.

        to_square: from their power to their mean square on the line; to_line: from the band to the line.
        """
        self.level_dbm0 = (level.hundredths_dbm0(self.words[_POWER]) + to_square + to_line + 50) // 100
        snr = level.hundredths_dbm0(share) - level.hundredths_dbm0(max(1, 4096 - share)) + to_line
        self.snr_db = max(0, min(_HIGHEST_SNR_DB, (snr + _BAND_HUNDREDTHS + 50) // 100))
