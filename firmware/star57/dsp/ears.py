"""The two ears of the call-progress receiver: what sounds in their bands, and what it is to the rows of a plan."""

import math
from array import array

from micropython import const

from star57.dsp import goertzel, level, runs
from star57.dsp.cadence import SILENT, UNKNOWN, Cadence
from star57.dsp.lines import LowLines
from star57.dsp.tone_plans import HOWLER_LINES, LINES

_HALF_SAMPLES = const(80)
_ALARM_CELLS = const(50)
_NEVER = const(1 << 28)
# The sound that a change ends was surely there before this.
_CHANGING_CELLS = const(25)
_SHORTEST_CELLS = const(15)

# AM at 16 Hz falls below a quarter of its amplitude for 19 ms; the shortest pause of a tone is 40 ms, less 10 %.
_LOW_HANG = const(12)
# Tones of a SIT are up to 30 ms apart.
_HIGH_HANG = const(25)
# -52 dBm0.
_LOW_LEAST = const(12)
_HIGH_LEAST = const(96)
_LOUDEST_NOISE = const(1 << 20)

# Of all that sounds this is in the lines, in parts of 4096, and of what sounds in the low band: noise takes the rest.
_PURE = const(2950)
_FEW_LINES = const(3280)
# Frequencies are a little off in noise.
_OFF_DECIHERTZ = const(20)
# Lines that are no further apart may be those of one that is modulated; then they are so far apart, but for this.
_MODULATED_DECIHERTZ = const(600)
_MODULATION_OFF_DECIHERTZ = const(80)
# Lines nearer than this, in Hz times cells, are one: main lobes of the window meet.
_RESOLUTION = const(1250)

# From the power of 10 ms over 2^5 to the mean square of samples at 8 kHz.
_LOW_HUNDREDTHS = const(2913)
_HIGH_HUNDREDTHS = const(1955)
# Less of a howler is below 2 kHz.
_HOWLER_HUNDREDTHS = const(2585)
# White noise to 4000 Hz over its part in 300 to 3400 Hz (1.11 dB), and over what the first taps leave of it (4.26 dB).
_BAND_HUNDREDTHS = const(-315)
_HIGHEST_SNR_DB = const(25)

# The high ear's frequencies; cosines between them are nearly straight.
_TABLE_STEP_HZ = const(32)
_TABLE_HZ = range(800, 1985, 32)
# Autocorrelation of white noise over one and two samples, of the taps 1 2 1 and the high-pass: in parts of 1024.
_NOISE_ONE = const(97)
_NOISE_TWO = const(-78)

# A howler is looked for after so many beeps of its cadence, and in a beep after 30 ms of it.
_HOWLER_BIT = const(1 << 29)
_BEEPS_BEFORE_HOWLER = const(2)
_SHORTEST_BEEP_CELLS = const(35)
_LONGEST_BEEP_CELLS = const(68)
_SETTLED_CELLS = const(15)


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

    listener.told(ear) when `cadence` is certain of a tone, listener.over(ear) when the tone is over. Of the sound
    measured last: `level_dbm0`, `snr_db`, `count` frequencies in `decihertz`.
    """

    def __init__(self, listener, rows, hang, least, drops):
        self._listener = listener
        self.cadence = Cadence(rows)
        self._wanted = tuple([k for k in range(len(LINES)) if self.cadence.lines >> k & 1])
        self.block = runs.new_block()
        self.track = runs.new_track()
        self.track[runs.HANG] = hang
        self.track[runs.LEAST] = least
        self.track[runs.DROPS] = drops
        self._sums = runs.new_sums()

    def reset(self):
        self.cadence.reset()
        runs.reset(self.track)
        self.level_dbm0 = level.LOWEST_DBM0
        self.snr_db = 0
        self._set_alarm()

    def skip(self, cells):
        """Samples were lost in a run that is thought to have gone on."""
        track = self.track
        track[runs.RUN] += cells
        track[runs.LATE] = 0
        track[runs.AT] = 0
        self._set_alarm()

    def break_off(self):
        """So many samples were lost that nothing is known of what came before."""
        if self.cadence.told >= 0:
            self._listener.over(self)
        self.cadence.break_off()
        runs.reset(self.track)
        self._set_alarm()

    def noticed(self, event, whole):
        """An event in the block, and those that follow it; `whole` is the block of all that sounds."""
        while event != runs.NOTHING:
            if event == runs.ALARMED:
                self._goes_on()
            else:
                self._has_ended(event)
            self._set_alarm()
            event = runs.follow(self.track, self.block, whole)

    def _set_alarm(self):
        """The time when a run is looked at though nothing happens; not in the silence after what was no tone."""
        track = self.track
        alarm = _NEVER
        if track[runs.MODE] == runs.SOUNDING or self.cadence.waits_in_silence():
            alarm = (track[runs.RUN] // _ALARM_CELLS + 1) * _ALARM_CELLS
        track[runs.ALARM] = alarm

    def _has_ended(self, event):
        track = self.track
        lasted = track[runs.LASTED]
        behind = runs.CELLS - track[runs.CELL]
        if event == runs.SOUND_BEGAN:
            kind = SILENT
        elif event == runs.SOUND_ENDED:
            kind = self._tone(behind + track[runs.RUN], lasted)
        else:
            # The last 40 ms were not all of it.
            track[runs.LATE] = 0
            kind = self._tone(behind + _CHANGING_CELLS, lasted + track[runs.RUN] - _CHANGING_CELLS)
        if kind == 0:
            self._hush_noise()
        runs.begin_sums(track)
        self._ended(kind, lasted)

    def _hush_noise(self):
        """Takes steady noise as the silence that it is: a tone has to rise above it."""
        track = self.track
        power = self._sums[runs.POWER]
        newest = track[runs.RECENT + 4 * ((track[runs.AT] - 1) & 3)]
        if self._is_noise() and (track[runs.MODE] != runs.SOUNDING or newest >> 3 < 3 * power):
            track[runs.MODE] = runs.IDLE
            # From 10 ms over 2^5 to a cell in Q4.
            track[runs.FLOOR] = (min(power, _LOUDEST_NOISE) << 9) // 5

    def _ended(self, kind, cells):
        cadence = self.cadence
        if cadence.ended(kind, cells * runs.CELL_MS, self.level_dbm0):
            self._listener.over(self)
            cadence.forget()
        if kind > 0 and cadence.told < 0 and cadence.recognise(UNKNOWN, 0, self):
            self._listener.told(self)

    def _goes_on(self):
        track = self.track
        cadence = self.cadence
        silent = track[runs.MODE] != runs.SOUNDING
        # The run has ended before now if what has come since stays so.
        doubtful = track[runs.BELOW]
        if silent:
            doubtful = track[runs.UP] if track[runs.MODE] == runs.RISING else 0
        cells = track[runs.RUN] - doubtful
        ms = cells * runs.CELL_MS
        if cadence.goes_on(silent, ms):
            self._listener.over(self)
            cadence.forget()
        if cadence.told >= 0 or not cadence.wants_to_know(silent, ms):
            return
        kind = SILENT
        if not silent:
            kind = self._tone(runs.CELLS - track[runs.CELL] + doubtful, cells)
            if kind == 0:
                self._hush_noise()
        if kind != 0 and cadence.recognise(kind, ms, self):
            self._listener.told(self)

    def _tone(self, ago, cells):
        """The bits of the wanted lines that have sounded for the last `cells` before the last `ago`."""
        if not runs.add_up(self.track, self._sums) or cells < _SHORTEST_CELLS:
            return 0
        if not self._measure(ago + 2, cells - 4):
            return 0
        kind = 0
        for index in self._wanted:
            if self._fits(LINES[index]):
                kind |= 1 << index
        return kind

    def _tell_quality(self, to_square, share, to_line):
        """Level and SNR of tones that are `share` / 4096 of what sounds; the rest in hundredths of a decibel.

        to_square: from their power to their mean square on the line; to_line: from the band to the line.
        """
        self.level_dbm0 = (level.hundredths_dbm0(self._sums[runs.POWER]) + to_square + to_line + 50) // 100
        snr = level.hundredths_dbm0(share) - level.hundredths_dbm0(max(1, 4096 - share)) + to_line
        self.snr_db = max(0, min(_HIGHEST_SNR_DB, (snr + _BAND_HUNDREDTHS + 50) // 100))


class LowEar(_Ear):
    """Hears lines from 320 to 660 Hz."""

    def __init__(self, listener, rows):
        super().__init__(listener, rows, _LOW_HANG, _LOW_LEAST, 0)
        self.lines = LowLines()
        self.decihertz = self.lines.decihertz
        self.reset()

    def reset(self):
        super().reset()
        self.lines.reset()

    def skip(self, cells):
        super().skip(cells)
        self.lines.forget()

    def break_off(self):
        super().break_off()
        self.lines.forget()

    @property
    def count(self):
        return self.lines.count

    def _is_noise(self):
        """Whether most of what sounds lies elsewhere: of a tone alone an eighth is here."""
        return 20 * self._sums[0] < self._sums[3]

    def _measure(self, ago, cells):
        share = (self._sums[0] << 15) // max(1, self._sums[3])
        if share < _PURE // 2:
            return 0
        lines = self.lines
        if not lines.find(ago, cells) or lines.part < _FEW_LINES:
            return 0
        share = min((share * lines.inverse_gain >> 10) * lines.part >> 12, 4096)
        if share < _PURE:
            return 0
        gain = level.hundredths_dbm0(lines.inverse_gain) - level.hundredths_dbm0(1024)
        self._tell_quality(_LOW_HUNDREDTHS + gain, share, 0)
        return lines.count

    def _fits(self, wanted):
        count = self.lines.count
        last = len(wanted) - 1
        if count > last or (count < last and last == 1):
            return False
        if count == last and count > 1:
            # What modulates a tone is known better than the tone.
            apart = 10 * (wanted[last] - wanted[1])
            off = abs(self.decihertz[count - 1] - self.decihertz[0] - apart)
            if apart <= _MODULATED_DECIHERTZ and off > _MODULATION_OFF_DECIHERTZ:
                return False
        return self._fit_all(wanted, count, last)

    def _fit_all(self, wanted, count, last):
        nearest = _RESOLUTION // self.lines.cells
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
        """How far from these lines what was heard last is, at the worst."""
        wanted = LINES[index]
        count = len(wanted) - 1
        off = 0
        if count == self.count:
            for k in range(count):
                off = max(off, abs(self.decihertz[k] - 10 * wanted[k + 1]) * 100 // wanted[k + 1])
        return off


class HighEar(_Ear):
    """Hears single tones from 850 to 1900 Hz; and, where its beeps let it be expected, a howler.

    While `expects_howler` it wants every 10 ms of samples in `samples`.
    """

    def __init__(self, listener, rows):
        super().__init__(listener, rows, _HIGH_HANG, _HIGH_LEAST, 1)
        self.decihertz = array("H", bytes(2 * 4))
        self._cosines = array("h", [round(4096 * math.cos(2 * math.pi * hz / 4000)) for hz in _TABLE_HZ])
        self._howler_wanted = self.cadence.lines & _HOWLER_BIT != 0
        self._howler = goertzel.coefficients(LINES[HOWLER_LINES][1:])
        self._powers = array("i", bytes(4 * 5))
        self.samples = array("h", bytes(2 * _HALF_SAMPLES))
        self.reset()

    def reset(self):
        super().reset()
        self.count = 0
        self._beeps = 0
        self._howls = 0
        self.expects_howler = False

    def look_for_howler(self):
        """Sets `_howls` to the share, in parts of 4096, of the last 10 ms that is a howler's four lines."""
        track = self.track
        if track[runs.MODE] != runs.SOUNDING or track[runs.RUN] < _SETTLED_CELLS or track[runs.BELOW]:
            return
        powers = self._powers
        goertzel.scale(self.samples, _HALF_SAMPLES)
        energy = goertzel.energy(self.samples, _HALF_SAMPLES)
        powers[0] = 4
        goertzel.powers(self.samples, _HALF_SAMPLES, self._howler, powers)
        near = 0
        for k in range(1, 5):
            # Of a pure tone the power is energy * 40 / 2^10.
            if powers[k] * 25 < energy >> 5:
                return
            near += powers[k] * 25
        share = (near >> 10) * 4096 // ((energy >> 10) + 1)
        if share >= _PURE:
            self._howls = min(share, 4096)

    def _ended(self, kind, cells):
        if not _SHORTEST_BEEP_CELLS <= cells <= _LONGEST_BEEP_CELLS:
            self._beeps = 0
        elif kind != SILENT and self._howler_wanted:
            self._beeps += 1
        self.expects_howler = self._beeps >= _BEEPS_BEFORE_HOWLER
        super()._ended(kind, cells)

    def _tone(self, ago, cells):
        if not self._howls:
            return super()._tone(ago, cells)
        share = self._howls
        self._howls = 0
        if not runs.add_up(self.track, self._sums):
            return 0
        self.count = 4
        for k in range(4):
            self.decihertz[k] = 10 * LINES[HOWLER_LINES][k + 1]
        self._tell_quality(_HOWLER_HUNDREDTHS, share, 0)
        return _HOWLER_BIT

    def _is_noise(self):
        """Whether samples are hardly like those one and two before them."""
        sums = self._sums
        return 2 * (abs(sums[1]) + abs(sums[2])) < sums[0]

    def _measure(self, _ago, _cells):
        """One tone in noise, by Pisarenko's method: autocorrelations over 1 and 2 samples have little of noise."""
        power = self._sums[0]
        noise = 0
        for _ in range(3):
            one = self._sums[1] - (noise * _NOISE_ONE >> 10)
            two = self._sums[2] - (noise * _NOISE_TWO >> 10)
            root = _root(two * two + 8 * one * one)
            if root == two:
                return 0
            cosine = (one << 13) // (root - two)
            # The tone's part of the power, from the correlation that is the larger.
            part, of_power = one, cosine
            if -2048 < cosine < 2048:
                part, of_power = two, (cosine * cosine >> 11) - 4096
            tone = (part << 12) // of_power
            if tone <= 0:
                return 0
            noise = max(0, power - tone)
        share = min(tone * 4096 // max(1, power), 4096)
        if share < _PURE or not self._look_up(cosine):
            return 0
        # What the taps 1 2 1 take: 1 / gain^2 in Q8, from the cosine of half the angle.
        tap = (4096 + _root((4096 + cosine) << 11)) >> 3
        gain = level.hundredths_dbm0((1 << 28) // (tap * tap)) - level.hundredths_dbm0(256)
        self._tell_quality(_HIGH_HUNDREDTHS, share, gain)
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
        return True

    def _fits(self, wanted):
        if len(wanted) != 2:
            return False
        return abs(self.decihertz[0] - 10 * wanted[1]) <= wanted[0] * wanted[1] // 100 + _OFF_DECIHERTZ

    def off_permille(self, index):
        """How far from the line what was heard last is."""
        return abs(self.decihertz[0] - 10 * LINES[index][1]) * 100 // LINES[index][1]
