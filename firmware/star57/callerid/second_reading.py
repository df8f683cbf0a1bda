"""A burst read a second time, from the samples that were kept: slower than the first reading, and some 6 dB better.

Mark before the data gives frequency, amplitude and noise. The characters are found as one even sequence, each is
compared with all 256 values at once, and what they say together must fit the grammar of a message and its checksum.
"""

import math
from array import array

from micropython import const

from star57.callerid import repair
from star57.dsp import carrier, fsk
from star57.dsp.characters import ALTERNATIVES, CharacterReader
from star57.dsp.slicing import BurstSlicer
from star57.dsp.start_stop import CharacterClock

_SAMPLE_HZ = const(8000)
_PEAK_0_DBM0 = const(22748)  # ITU-T G.711: a sine of peak 32767 is +3.17 dBm0
_FEWEST_SAMPLES = const(1000)
_MARK_SAMPLES = const(280)  # 42 of the 55 bits of mark that are the fewest (SIN 227)
_BEFORE_END = const(390)
_EARLIEST_START = const(330)  # of a character, some 5 ms before mark is known to have ended
_EARLY_CHARACTERS = const(3)  # that may come before that one: noise may have delayed the end of mark
_MOST_CHARACTERS = const(100)  # as many as are kept
_MIDDLE_HZ = const(1250)  # between the mark of Bell 202 and that of V.23
_FURTHEST_HZ = const(300)
_LEAST_PURITY = 0.5  # share of the power that mark must have
_MOST_SNR = 20.0  # of mark over the whole band, as a ratio: what noise is not, distortion is
_NOISE_SHARE_DB = 0.8  # of white noise behind the high-pass, what lies in 300 to 3400 Hz before it
_NOISE_DENSITY = 1.12  # behind the high-pass, at the tones over that of the whole band
_MODEMS = (("bell_202", 1000), ("v23", 800))  # by their shift in Hz
_STRONG_SPACE = 0.7
_SURE_OF_MODEM = 1.02  # the wrong shift hears a space 4 % weaker
_WHOLE_SHARE = 1.12  # of a whole bit over what is heard of its kind, edges included
_MEASURED_SAMPLES = const(1000)  # some fifteen characters
_WINDOW_SAMPLES = const(2816)  # of decisions, at a time: mark and 36 characters
_IDLE_BEFORE = const(42)  # samples before a character that tell whether the line idled
_FEWEST_TOGETHER = const(4)
_COMPARED_FROM = const(1)
_COMPARED_TO = const(9)
_FITTED = const(7)
_FEW_FITTED = const(4)
# Where bits may change: anywhere, or at whole samples. At 1200 baud the latter start characters at whole thirds of a
# sample on average, and noise leaves it open at which: the nearest, or the next.
_ANYWHERE = const(-9)
_EDGES = (_ANYWHERE, 0, -1, 1)
_EDGES_SNR_DB = 2.0  # below, noise would choose
# How well the latter fits over the former, where either is clear.
_CLEARLY_NOT = 0.985
_CLEARLY_WHOLE = 1.02
_DOUBT_NATS = 3.0  # that the wrong of the two may lend a message
_DOUBT_SNR_DB = 5.0  # from which on the other way is tried, too: below it the doubt is the noise's
_ANCHOR = const(12)  # the character by which that is told
_MOST_OFF_THIRDS = 0.3  # 1200 baud within 0.15 %, which noise of 5 dB may make of it
_FIRST_CHARACTERS = const(14)  # enough to tell how long the message may be
_CHARACTERS_A_STEP = const(4)
_LONGEST_CHARACTER = const(76)
_UNKNOWN = {"standard": None, "level_dbm0": None, "snr_db": None, "baud": None, "twist_db": None}


class SecondReader:
    """Reads bursts out of a BurstRecorder.

    quality, of the last burst, None for what could not be measured: `standard`, "bell_202" or "v23"; `level_dbm0` and
    `snr_db` (300 to 3400 Hz) of mark; `baud`; `twist_db`, mark over space.
    is_whole: whether more samples would tell nothing new: no mark came before it, or its end has been seen
    """

    def __init__(self, recorder):
        self._recorder = recorder
        self._slicer = BurstSlicer(recorder)
        self._clock = CharacterClock()
        self._decisions = memoryview(bytearray(_WINDOW_SAMPLES))
        self._follows = bytearray(_MOST_CHARACTERS)
        self._samples = array("h", bytes(2 * _LONGEST_CHARACTER))
        # The decisions are not needed any more when the characters are known.
        read = _MOST_CHARACTERS * ALTERNATIVES
        self._values = self._decisions[:read]
        self._costs = self._decisions[read : 2 * read]
        self._characters = CharacterReader(self._decisions[2 * read : 2 * read + 512])
        self.forget()

    def forget(self):
        """Forgets what was measured of the last burst."""
        self.quality = _UNKNOWN
        self.is_whole = False

    def steps(self, mark_ended):
        """Reads the message that follows the mark that ended there, in steps between which the line can be heard.

        Yields None until it yields the repair.Reading, if there is one. Where it is in doubt how the sender's bits
        change, a second one may follow: of the other way. Allocates.

        What is read is held in the recorder, until somebody releases it. Reading.ended counts as `heard` counts.
        """
        self._first = max(0, mark_ended - _BEFORE_END)
        self._count = self._recorder.kept_to - self._first
        self._recorder.hold(self._first)
        self.quality = dict(_UNKNOWN)
        self.is_whole = self._count < _FEWEST_SAMPLES or not self._measure_mark()
        if self.is_whole:
            return
        self._judge_mark()
        yield None
        modems = self._likely_modems()
        yield None
        self._modem = modems[0]
        for _ in self._find_characters():
            yield None
        if not self._starts:
            return
        for _ in self._choose_modem(modems):
            yield None
        for _ in self._choose_edges():
            yield None
        self._judge_modem()
        for reading in self._message():
            yield reading
        if self._doubt is not None and self.quality["snr_db"] >= _DOUBT_SNR_DB:
            noise, self._modem.whole_samples, self._starts = self._doubt
            self._tune(self._modem, noise)
            for reading in self._message():
                yield reading

    def _measure_mark(self):
        samples = array("h", bytes(2 * _MARK_SAMPLES))
        self._recorder.read(self._first, samples, _MARK_SAMPLES)
        mark = carrier.measure(samples, _MARK_SAMPLES, _MIDDLE_HZ)
        if mark is None or abs(mark.hz - _MIDDLE_HZ) > _FURTHEST_HZ:
            return False
        if mark.tone_power < _LEAST_PURITY * (mark.tone_power + mark.noise_power):
            return False
        self._mark = mark
        # Half the amplitude times the samples, over 4.
        self._whole_mark = mark.amplitude * _SAMPLE_HZ / 1200 / 8
        return True

    def _likely_modems(self):
        """The _Modems whose space is heard best: one, or two if they cannot be told apart yet."""
        bit_samples = _SAMPLE_HZ / 1200
        self._mark_taps = fsk.taps(self._mark.hz, bit_samples)
        count = min(_MEASURED_SAMPLES, self._count - _BEFORE_END)
        modems = []
        for name, shift_hz in _MODEMS:
            space_taps = fsk.taps(self._mark.hz + shift_hz, bit_samples)
            heard = self._slicer.space_magnitude(
                self._first + _BEFORE_END, count, self._mark_taps, space_taps, self._whole_mark
            )
            modems.append(_Modem(name, shift_hz, space_taps, heard))
        if modems[1].heard > modems[0].heard:
            modems.reverse()
        # A strong mark is heard in a weak space, the more the nearer that is.
        is_strong = modems[0].heard > _STRONG_SPACE * self._whole_mark
        if is_strong and modems[0].heard > _SURE_OF_MODEM * modems[1].heard:
            modems.pop()
        for modem in modems:
            share = modem.heard * _WHOLE_SHARE / self._whole_mark
            modem.space_amplitude = self._mark.amplitude * max(0.2, min(5.0, share))
        return modems

    def _find_characters(self):
        """Steps that leave when characters start in `_starts`, in samples, and which of them do in `_follows`."""
        clock = self._clock
        self._starts = ()
        self._slice(0)
        yield None
        is_found = False
        for is_found in clock.find(self._decisions, self._filled, _EARLIEST_START):  # noqa: B007 - the last one counts
            yield None
        if not is_found:
            return
        for k in range(_MOST_CHARACTERS):
            self._follows[k] = 0
        early = min(_EARLY_CHARACTERS, int((clock.start - 2) / clock.period))
        deviations = []
        at = clock.start
        base = 0
        k = 0
        while early + k < _MOST_CHARACTERS:
            if at - base + _FEWEST_TOGETHER * clock.period + 2 > self._filled:
                base = max(0, int(at) - _IDLE_BEFORE)
                self._slice(base)
                yield None
            found = clock.offset(self._decisions, at - base, self._filled)
            if found is None:
                break
            moved, together = found
            at += moved
            present = self._note_follows(at - base, together, early + k)
            if present * 2 < together or (deviations and together < _FEWEST_TOGETHER):
                self.is_whole = together >= _FEWEST_TOGETHER
                break
            deviations.append((k + (together - 1) / 2, at - clock.start - k * clock.period))
            k += together
            at += together * clock.period
        start, period = _regression(deviations, clock.start, clock.period)
        if clock.is_unspaced:
            clock.bit_samples = period / 10
        whole = early + 1 + int((self._count - _LONGEST_CHARACTER - start) / period)
        count = min(_MOST_CHARACTERS, whole)
        self._starts = array("f", [start + (k - early) * period for k in range(count)])

    def _note_follows(self, at, together, number):
        """Of so many characters from `at` on, how many are there."""
        present = 0
        for k in range(number, min(_MOST_CHARACTERS, number + together)):
            if self._clock.has_edge(self._decisions, at):
                self._follows[k] = 1
                present += 1
            at += self._clock.period
        return present

    def _slice(self, base):
        """Decisions from `base` on, as many as there is room for, or samples."""
        modem = self._modem
        self._filled = max(0, min(_WINDOW_SAMPLES, self._count - base))
        self._slicer.slice(
            self._first + base,
            self._filled,
            self._mark_taps,
            modem.space_taps,
            self._whole_mark,
            self._whole_mark * modem.space_amplitude / self._mark.amplitude,
            self._decisions,
        )

    def _choose_modem(self, modems):
        """Steps that tell the modem whose characters fit better, and its twist as it is in the data."""
        most = None
        for modem in modems:
            self._measure_space(modem)
            fit = self._fit(modem, _FEW_FITTED)[0] if len(modems) > 1 else 0
            if most is None or fit > most:
                self._modem, most = modem, fit
            yield None

    def _choose_edges(self):
        """Steps that tell how the sender's bits change, and the noise as it is in the data; tunes to them."""
        modem = self._modem
        fitted = []
        measured = self._starts
        tried = _EDGES if self.quality["snr_db"] >= _EDGES_SNR_DB else _EDGES[:1]
        for edges in tried:
            starts = measured if edges == _ANYWHERE else _at_thirds(measured, edges)
            if starts:
                self._starts = starts
                modem.whole_samples = edges != _ANYWHERE
                fit, noise = self._fit(modem, _FITTED)
                fitted.append((fit, noise, modem.whole_samples, starts))
                yield None
        anywhere = fitted[0]
        whole = max(fitted[1:] or [(0,)], key=_fit_of)
        best, other = (anywhere, whole) if anywhere[0] >= whole[0] else (whole, anywhere)
        is_doubtful = _CLEARLY_NOT * anywhere[0] < whole[0] < _CLEARLY_WHOLE * anywhere[0]
        self._doubt = other[1:] if is_doubtful else None
        _, noise, modem.whole_samples, self._starts = best
        self._tune(modem, noise)

    def _measure_space(self, modem):
        self._tune(modem, self._mark.noise_power)
        twist = self._characters.twist(self._character, self._starts[_COMPARED_FROM:_COMPARED_TO])
        if twist is not None:
            modem.space_amplitude = self._mark.amplitude * max(0.2, min(5.0, twist))

    def _fit(self, modem, characters):
        """(how well so many characters fit, comparable between modems; the noise that they leave)."""
        self._tune(modem, self._mark.noise_power)
        total = 0
        residue = 0
        samples = 0
        for start in self._starts[_COMPARED_FROM : _COMPARED_FROM + characters]:
            fit, energy, count = self._characters.fit(*self._character(start))
            total += fit << self._shift
            residue += energy
            samples += count
        mark_residue = self._mark.noise_power * _MARK_SAMPLES
        unit = 1 << (2 * self._shift)
        return total, (mark_residue + max(0, residue) * unit) / (_MARK_SAMPLES + samples)

    def _tune(self, modem, noise):
        mark = self._mark
        strongest = max(mark.amplitude, modem.space_amplitude)
        self._shift = 0
        while strongest / (1 << self._shift) > 256:
            self._shift += 1
        unit = 1 << self._shift
        noise = max(noise, mark.tone_power / _MOST_SNR) * _NOISE_DENSITY
        self._characters.tune(
            mark.hz,
            mark.hz + modem.shift_hz,
            self._clock.bit_samples,
            mark.amplitude / unit,
            modem.space_amplitude / unit,
            noise / unit / unit,
            modem.whole_samples,
        )

    def _character(self, start):
        """The samples of the character at `start`, and where in them it starts."""
        whole = max(0, int(start))
        self._recorder.read(self._first + whole, self._samples, _LONGEST_CHARACTER)
        fsk.shift_right(self._samples, _LONGEST_CHARACTER, self._shift)
        return self._samples, max(0.0, start - whole)

    def _message(self):
        wanted = min(_FIRST_CHARACTERS, len(self._starts))
        count = 0
        while count < wanted:
            samples, offset = self._character(self._starts[count])
            self._characters.alternatives(samples, offset, self._values, self._costs, count * ALTERNATIVES)
            count += 1
            if count == _FIRST_CHARACTERS:
                wanted = repair.characters_wanted(self._values, self._costs, len(self._starts))
            if count % _CHARACTERS_A_STEP == 0:
                yield None
        yield None
        reading = repair.read_ntt(self._values, self._costs, count)
        if reading is not None:
            yield self._ended(reading)
            return
        for reading in repair.steps(self._values, self._costs, count, self._follows):
            yield None if reading is None else self._ended(reading)

    def _ended(self, reading):
        last = min(len(self._starts), reading.first + len(reading.data)) - 1
        if self._doubt is not None:
            reading.margin_nats -= _DOUBT_NATS
        reading.ended = self._first + int(self._starts[last]) + _LONGEST_CHARACTER
        return reading

    def _judge_mark(self):
        mark = self._mark
        noise = max(mark.noise_power, mark.tone_power / 10000)
        level_dbm0 = 2 * _decibels(mark.amplitude / fsk.gain(mark.hz) / _PEAK_0_DBM0)
        self.quality["level_dbm0"] = round(level_dbm0, 1)
        self.quality["snr_db"] = round(_decibels(mark.tone_power / noise) + _NOISE_SHARE_DB, 1)

    def _judge_modem(self):
        mark = self._mark
        modem = self._modem
        ratio = (
            mark.amplitude / fsk.gain(mark.hz) * fsk.gain(mark.hz + modem.shift_hz) / modem.space_amplitude
        )
        self.quality["standard"] = modem.name
        self.quality["baud"] = round(_SAMPLE_HZ / self._clock.bit_samples, 1)
        self.quality["twist_db"] = round(2 * _decibels(ratio), 1)


def _decibels(power_ratio):
    # 10 / ln 10: an image for two firmware slots has no log10 (boards/rp2040, docs/slots.md).
    return 4.3429448 * math.log(power_ratio)


class _Modem:
    """One row of _MODEMS, and what was measured of it."""

    def __init__(self, name, shift_hz, space_taps, heard):
        self.name = name
        self.shift_hz = shift_hz
        self.space_taps = space_taps
        self.heard = heard  # magnitude of space
        self.space_amplitude = 0.0
        self.whole_samples = False


def _fit_of(fitted):
    return fitted[0]


def _at_thirds(starts, later):
    """The starts moved to thirds of a sample, the nearest or so many later; none if they do not follow at thirds."""
    anchor = min(_ANCHOR, len(starts) - 1)
    thirds = 3 * (starts[anchor] - starts[0]) / anchor if anchor else 0
    if abs(thirds - round(thirds)) > _MOST_OFF_THIRDS:
        return ()
    thirds = round(thirds)
    first = round(3 * starts[anchor]) + later - anchor * thirds
    return array("f", [(first + k * thirds) / 3 for k in range(len(starts))])


def _regression(deviations, start, period):
    """Start and period, set right by how far characters were off: a list of (number of the character, samples)."""
    n = len(deviations)
    if n == 0:
        return start, period
    mean_number = sum([number for number, _ in deviations]) / n
    mean_off = sum([off for _, off in deviations]) / n
    spread = sum([(number - mean_number) ** 2 for number, _ in deviations])
    slope = 0.0
    if spread:
        slope = sum([(number - mean_number) * off for number, off in deviations]) / spread
    return start + mean_off - slope * mean_number, period + slope
