"""A burst read a second time, from the samples that were kept: slower than the first reading, and some 6 dB better.

Mark before the data gives frequency, amplitude and noise. The characters are found as one sequence, each is compared
with all 256 values at once, and what they say together must fit the grammar of a message and its checksum.
"""

import math
from array import array

from micropython import const

from star57.callerid import repair
from star57.dsp import carrier, fsk
from star57.dsp.characters import ALTERNATIVES, CharacterReader
from star57.dsp.slicing import WHOLE_BIT, BurstSlicer
from star57.dsp.start_stop import CharacterFinder

_SAMPLE_HZ = const(8000)
_PEAK_0_DBM0 = const(22748)  # ITU-T G.711: a sine of peak 32767 is +3.17 dBm0
_MOST_SAMPLES = const(5200)
_FEWEST_SAMPLES = const(1000)
_MARK_SAMPLES = const(280)  # 42 of the 55 bits of mark that are the fewest (SIN 227)
_BEFORE_END = const(420)
_MOST_CHARACTERS = const(72)
_MIDDLE_HZ = const(1250)  # between the mark of Bell 202 and that of V.23
_FURTHEST_HZ = const(300)
_LEAST_PURITY = 0.25  # share of the power that mark must have
_MOST_SNR = 20.0  # of mark over the whole band, as a ratio: what noise is not, distortion is
_NOISE_SHARE_DB = 1.1  # of white noise, what lies in 300 to 3400 Hz
_MODEMS = (("bell_202", 1000), ("v23", 800))  # by their shift in Hz
_STRONG_SPACE = 0.7
_SURE_OF_MODEM = 1.02  # the wrong shift hears a space 4 % weaker
_WHOLE_SHARE = 1.12  # of a whole bit over what is heard of its kind, edges included
_MOST_MEASURED = const(4096)
_CHARACTER_COST_NATS = 5.5  # a character's 256 values are equally likely before it is heard: ln 256
_IDLE_COST_NATS = 4.0
_OTHER_BAUDS = (1182, 1218, 1164, 1236, 1152, 1254)
_BAUD_SAMPLES = const(1800)  # the first dozen characters, by which a baud is chosen
_FIRST_STARTS = const(12)
_COMPARED_FROM = const(4)
_COMPARED_TO = const(16)
_ALIGNED_TOGETHER = const(8)
_MORE_CHARACTERS = const(
    12
)  # that may follow the last of those on the line: framing is lost for good in some names
_EARLY = const(300)  # samples that the first character may start before mark is known to have ended
_MOST_MISSING = const(4)  # characters that noise may hide in a row
_LONGEST_CHARACTER = const(76)
_UNKNOWN = {"standard": None, "level_dbm0": None, "snr_db": None, "baud": None, "twist_db": None}


class SecondReader:
    """Reads bursts out of a BurstRecorder.

    quality, of the last burst, None for what could not be measured: `standard`, "bell_202" or "v23"; `level_dbm0` and
    `snr_db` (300 to 3400 Hz) of mark; `baud`; `twist_db`, mark over space.
    """

    def __init__(self, recorder):
        self.quality = dict(_UNKNOWN)
        self._recorder = recorder
        self._slicer = BurstSlicer(recorder)
        self._finder = CharacterFinder()
        self._characters = CharacterReader()
        self._decisions = memoryview(bytearray(_MOST_SAMPLES))
        self._samples = array("h", bytes(2 * _LONGEST_CHARACTER))
        self._values = bytearray(_MOST_CHARACTERS * ALTERNATIVES)
        self._costs = array("H", bytes(2 * _MOST_CHARACTERS * ALTERNATIVES))

    def read(self, mark_ended):
        """The repair.Reading of the message that follows the mark that ended there, or None. Allocates."""
        for reading in self.steps(mark_ended):
            if reading is not None:
                return reading
        return None

    def steps(self, mark_ended):
        """As `read`, in steps between which the line can be heard: yields None until it yields the Reading, if any."""
        self._first = max(self._recorder.oldest, mark_ended - _BEFORE_END)
        self._count = min(_MOST_SAMPLES, self._recorder.heard - self._first)
        self.quality = dict(_UNKNOWN)
        if self._count < _FEWEST_SAMPLES or not self._measure_mark():
            return
        self._judge_mark()
        yield None
        best = None
        for modem in self._likely_modems():
            for _ in self._find(modem):
                yield None
            if modem.timing is not None and (best is None or modem.timing.score > best.timing.score):
                best = modem
        if best is None:
            return
        self._judge_modem(best)
        yield None
        for reading in self._message(best):
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
        self._whole_mark = (
            mark.amplitude * _SAMPLE_HZ / 1200 / 8
        )  # half the amplitude times the samples, over 4
        self._noise = max(mark.noise_power, mark.tone_power / _MOST_SNR)
        return True

    def _likely_modems(self):
        """The _Modems whose space is heard best: one, or two if they cannot be told apart yet."""
        bit_samples = _SAMPLE_HZ / 1200
        mark_taps = fsk.taps(self._mark.hz, bit_samples)
        count = min(_MOST_MEASURED, self._count - _BEFORE_END)
        modems = []
        for name, shift_hz in _MODEMS:
            space_taps = fsk.taps(self._mark.hz + shift_hz, bit_samples)
            heard = self._slicer.space_magnitude(
                self._first + _BEFORE_END, count, mark_taps, space_taps, self._whole_mark
            )
            modems.append(_Modem(name, shift_hz, mark_taps, space_taps, heard))
        modems.sort(key=lambda modem: -modem.heard)
        # A strong mark is heard in a weak space, the more the nearer that is.
        is_strong = modems[0].heard > _STRONG_SPACE * self._whole_mark
        if is_strong and modems[0].heard > _SURE_OF_MODEM * modems[1].heard:
            modems.pop()
        return modems

    def _find(self, modem):
        """Finds the modem's timing, if it has one, in steps."""
        whole_mark = self._whole_mark
        whole_space = max(whole_mark / 5, min(whole_mark * 5, modem.heard * _WHOLE_SHARE))
        modem.space_amplitude = self._mark.amplitude * whole_space / whole_mark
        a_nat = WHOLE_BIT / min(25.0, 3.33 * self._mark.amplitude**2 / self._noise)
        costs = (round(_CHARACTER_COST_NATS * a_nat), round(_IDLE_COST_NATS * a_nat))
        bauds = [1200]
        for baud in bauds:
            self._slice(modem, whole_space)
            yield None
            if baud == 1200:
                other = self._baud(costs)
                if other != baud:
                    bauds.append(other)
                yield None
            starts = self._finder.starts(self._decisions, self._count, _SAMPLE_HZ / baud, costs[0], costs[1])
            yield None
            timing = self._timing(modem, starts[: _MOST_CHARACTERS + 4], _SAMPLE_HZ / baud)
            if timing is not None and (modem.timing is None or timing.score > modem.timing.score):
                modem.timing = timing

    def _slice(self, modem, whole_space):
        self._slicer.slice(
            self._first,
            self._count,
            modem.mark_taps,
            modem.space_taps,
            self._whole_mark,
            whole_space,
            self._decisions,
        )

    def _baud(self, costs):
        """That at which the first characters explain most; a neighbour of the true one may explain as much."""
        count = min(self._count, _BEFORE_END + _BAUD_SAMPLES)
        best = 1200
        most = self._finder.score(self._decisions, count, _SAMPLE_HZ / best, costs[0], costs[1])
        for baud in _OTHER_BAUDS:
            score = self._finder.score(self._decisions, count, _SAMPLE_HZ / baud, costs[0], costs[1])
            if score > most:
                most = score
                best = baud
        return best

    def _timing(self, modem, starts, bit_samples):
        if len(starts) < 4:
            return None
        timing = _Timing()
        timing.bit_samples, times = _line(starts, bit_samples)
        self._tune(modem, timing.bit_samples)
        timing.times = self._aligned(times)
        timing.follows = [_has_near(starts, time) for time in timing.times]
        timing.score = 0
        compared = timing.times[_COMPARED_FROM:_COMPARED_TO]
        twist = self._characters.twist(self._character, compared)
        if twist is not None:
            modem.space_amplitude = self._mark.amplitude * max(0.2, min(5.0, twist))
            self._tune(modem, timing.bit_samples)
        timing.space_amplitude = modem.space_amplitude
        for start in compared:
            likelihood = self._characters.compare(*self._character(start))
            timing.score += likelihood << self._shift
        return timing

    def _aligned(self, times):
        """The starts, moved along a line to where the bits are strongest."""
        moves = []
        first_strength = 0
        for first in range(_COMPARED_FROM, len(times) - 5, _ALIGNED_TOGETHER):
            together = times[first : first + _ALIGNED_TOGETHER]
            strengths = [
                sum([self._strength(start + move / 4) for start in together]) for move in range(-6, 7)
            ]
            strongest = max(strengths)
            if strongest * 3 < first_strength * 2:
                break
            if first == _COMPARED_FROM:
                first_strength = strongest
            moves.append((first, _peak(strengths) / 4 - 1.5))
        if not moves:
            return times
        if len(moves) == 1:
            return [start + moves[0][1] for start in times]
        slope, at_zero = _regression(moves)
        return [times[k] + at_zero + slope * (k + 0.5 - _ALIGNED_TOGETHER / 2) for k in range(len(times))]

    def _tune(self, modem, bit_samples):
        mark = self._mark
        strongest = max(mark.amplitude, modem.space_amplitude)
        self._shift = 0
        while strongest / (1 << self._shift) > 256:
            self._shift += 1
        unit = 1 << self._shift
        self._characters.tune(
            mark.hz,
            mark.hz + modem.shift_hz,
            bit_samples,
            mark.amplitude / unit,
            modem.space_amplitude / unit,
            self._noise / unit / unit,
        )

    def _strength(self, start):
        return self._characters.strength(*self._character(start))

    def _character(self, start):
        """The samples of the character at `start`, and where in them it starts."""
        whole = int(start)
        self._recorder.read(self._first + whole, self._samples, _LONGEST_CHARACTER)
        fsk.shift_right(self._samples, _LONGEST_CHARACTER, self._shift)
        return self._samples, start - whole

    def _message(self, modem):
        timing = modem.timing
        modem.space_amplitude = timing.space_amplitude
        self._tune(modem, timing.bit_samples)
        count = 0
        for start in timing.times[:_MOST_CHARACTERS]:
            if start + _LONGEST_CHARACTER > self._count:
                break
            samples, offset = self._character(start)
            self._characters.alternatives(samples, offset, self._values, self._costs, count * ALTERNATIVES)
            count += 1
            if count & 7 == 0:
                yield None
        reading = repair.read(self._values, self._costs, count, timing.follows)
        if reading is not None:
            yield reading

    def _judge_mark(self):
        mark = self._mark
        noise = max(mark.noise_power, mark.tone_power / 10000)
        level_dbm0 = 20 * math.log10(mark.amplitude / fsk.gain(mark.hz) / _PEAK_0_DBM0)
        self.quality["level_dbm0"] = round(level_dbm0, 1)
        self.quality["snr_db"] = round(10 * math.log10(mark.tone_power / noise) + _NOISE_SHARE_DB, 1)

    def _judge_modem(self, modem):
        mark = self._mark
        ratio = (
            mark.amplitude / fsk.gain(mark.hz) * fsk.gain(mark.hz + modem.shift_hz) / modem.space_amplitude
        )
        self.quality["standard"] = modem.name
        self.quality["baud"] = round(_SAMPLE_HZ / modem.timing.bit_samples, 1)
        self.quality["twist_db"] = round(20 * math.log10(ratio), 1)


class _Modem:
    def __init__(self, name, shift_hz, mark_taps, space_taps, heard):
        self.name = name
        self.shift_hz = shift_hz
        self.mark_taps = mark_taps
        self.space_taps = space_taps
        self.heard = heard  # magnitude of space
        self.timing = None


class _Timing:
    """When characters start, `times`; where one was found, `follows`; `bit_samples`; and how well they fit, `score`."""


def _has_near(starts, time):
    return any(abs(start - time) < 3 for start in starts)


class _Line:
    """The line through (index, start) points, kept as their sums."""

    def __init__(self, points=()):
        self.points = []
        self._n = 0
        self._indices = self._starts = self._squares = self._products = 0
        for index, start in points:
            self.add(index, start)

    def add(self, index, start):
        self.points.append((index, start))
        self._n += 1
        self._indices += index
        self._starts += start
        self._squares += index * index
        self._products += index * start

    def fit(self):
        """Slope, and value at 0."""
        spread = self._n * self._squares - self._indices * self._indices
        slope = (self._n * self._products - self._indices * self._starts) / spread
        return slope, (self._starts - slope * self._indices) / self._n


def _line(starts, bit_samples):
    """Samples a bit and exact starts: those of characters that follow each other evenly lie on a line."""
    best = []
    for period in (_usual_distance(starts), 10 * bit_samples):
        first = 0
        while first + len(best) < len(starts):
            points = _even_points(starts, first, period)
            if len(points) > len(best):
                best = points
            first += 1
    if len(best) < 6 or len(best) * 3 < 2 * best[-1][0]:
        return bit_samples, [float(start) for start in starts]
    slope, at_zero = _Line(best).fit()
    on_line = [point for point in best if abs(point[1] - at_zero - slope * point[0]) < 1.8]
    if len(on_line) >= 4:
        slope, at_zero = _Line(on_line).fit()
    if abs(slope - 10 * bit_samples) < 0.06 * slope:
        bit_samples = slope / 10
    first = -int((at_zero - _BEFORE_END + _EARLY) / slope)
    return bit_samples, [at_zero + slope * k for k in range(first, best[-1][0] + _MORE_CHARACTERS)]


def _peak(strengths):
    """Where between its neighbours the greatest value lies, by a parabola."""
    best = strengths.index(max(strengths))
    if not 0 < best < len(strengths) - 1:
        return best
    before, at, after = strengths[best - 1 : best + 2]
    return best + 0.5 * (before - after) / (before - 2 * at + after) if before + after < 2 * at else best


def _usual_distance(starts):
    """The median distance of two neighbours among the first of `starts`."""
    distances = sorted([starts[k + 1] - starts[k] for k in range(min(24, len(starts) - 1))])
    return distances[len(distances) // 2]


def _even_points(starts, first, period):
    """(index, start) of those characters from the `first` on that lie `period` apart, the period being followed."""
    line = _Line()
    line.add(0, starts[first])
    slope, at_zero = period, float(starts[first])
    last = 0
    for start in starts[first + 1 :]:
        k = round((start - at_zero) / slope)
        if k > last + _MOST_MISSING:
            break
        tolerance = 3.5 if len(line.points) < 6 else 2.5
        if k > last and abs(start - at_zero - k * slope) < tolerance:
            line.add(k, start)
            last = k
            if len(line.points) > 3:
                slope, at_zero = line.fit()
    return line.points


def _regression(points):
    return _Line(points).fit()
