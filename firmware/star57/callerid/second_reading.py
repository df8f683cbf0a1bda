"""A burst read a second time, from the samples that were kept: slower than the first reading, and some 6 dB better.

Mark before the data gives frequency, amplitude and noise. The characters are found as one sequence, each is compared
with all 256 values at once, and what they say together must fit the grammar of a message and its checksum.
"""

import math
from array import array

from micropython import const

from star57.callerid import repair
from star57.dsp import fsk
from star57.dsp.characters import CharacterReader
from star57.dsp.start_stop import CharacterFinder

_SAMPLE_HZ = const(8000)
_MOST_SAMPLES = const(6400)
_MARK_SAMPLES = const(280)  # 42 of the 55 bits of mark that are the fewest (SIN 227)
_BEFORE_END = const(420)
_CHUNK = const(80)
_MOST_CHARACTERS = const(100)
_ALTERNATIVES = const(10)
_SCALE = const(100)  # of a decision: a whole bit without noise
_MIDDLE_HZ = const(1250)  # between the mark of Bell 202 and that of V.23
_LEAST_PURITY = 0.25  # share of the power that mark must have
_MOST_SNR = 20.0  # of mark over the whole band, as a ratio: what noise is not, distortion is
_CHARACTER_COST_NATS = 5.5  # a character's 256 values are equally likely before it is heard: ln 256
_IDLE_COST_NATS = 4.0
_FIRST_STARTS = const(6)
_COMPARED_FROM = const(4)
_ALIGNED_TOGETHER = const(8)
_MORE_CHARACTERS = const(
    12
)  # that may follow the last of those on the line: framing is lost for good in some names
_EARLY = const(300)  # samples that the first character may start before mark is known to have ended
_MOST_MISSING = const(4)  # characters that noise may hide in a row
_BAUDS = (1200, 1182, 1218, 1164, 1236, 1152, 1254)


class SecondReading:
    """What was read: `data`, `margin` in nats over the next best, `repaired`, and the modem it fits.

    standard: "bell_202" or "v23"; level_dbm0; snr_db over the whole band; baud; twist_db: mark over space
    """


class SecondReader:
    """Reads bursts out of a BurstRecorder."""

    def __init__(self, recorder):
        self._recorder = recorder
        self._finder = CharacterFinder(_MOST_SAMPLES)
        self._characters = CharacterReader()
        self._decisions = bytearray(_MOST_SAMPLES)
        self._samples = array("h", bytes(2 * 96))
        self._passed = array("H", bytes(2 * (_CHUNK + 6)))
        self._mark = array("H", bytes(2 * _CHUNK))
        self._space = array("H", bytes(2 * _CHUNK))

    def read(self, mark_ended):
        """The SecondReading of the message that follows the mark that ended there, or None. Allocates."""
        self._first = max(self._recorder.oldest, mark_ended - _BEFORE_END)
        self._count = min(_MOST_SAMPLES, self._recorder.heard - self._first)
        if self._count < 1000 or not self._measure_mark():
            return None
        best = None
        for name, shift_hz in (("bell_202", 1000), ("v23", 800)):
            modem = self._modem(name, shift_hz)
            best = _better(best, modem)
        if best is None:
            return None
        return self._message(best)

    def _measure_mark(self):
        """Frequency, amplitude and noise of the mark."""
        n = _MARK_SAMPLES
        samples = array("h", bytes(2 * n))
        self._recorder.read(self._first, samples, n)
        power = sum(x * x for x in samples) / n
        if power == 0:
            return False
        hz = _MIDDLE_HZ
        for lag, block in ((1, 8), (4, 16), (6, 24)):
            hz += _phase_slope(samples, n, hz, block, lag)
        real, imaginary = _correlation(samples, 0, n, hz)
        self._amplitude = 2 * math.sqrt(real * real + imaginary * imaginary) / n
        tone = self._amplitude**2 / 2
        if tone < _LEAST_PURITY * power or not 950 < hz < 1550:
            return False
        self._mark_hz = hz
        self._noise = max(power - tone, tone / _MOST_SNR)
        self._snr_db = 10 * math.log10(tone / max(power - tone, tone / 10000))
        self._shift = 0
        while self._amplitude / (1 << self._shift) > 256:
            self._shift += 1
        return True

    def _modem(self, name, shift_hz):
        """The _Modem that explains the burst best, of those with this shift; or None."""
        space = self._decide(self._mark_hz + shift_hz)
        nats = _SCALE / min(25.0, 3.33 * self._amplitude**2 / self._noise)
        nominal = best = None
        for baud in _BAUDS:
            score = self._finder.find(
                self._decisions,
                self._count,
                _SAMPLE_HZ / baud,
                round(_CHARACTER_COST_NATS * nats),
                round(_IDLE_COST_NATS * nats),
            )
            if best is None or score > best[0]:
                best = (score, _SAMPLE_HZ / baud, self._finder.starts(self._count)[: _MOST_CHARACTERS + 4])
            if nominal is None:
                nominal = best
        return _better(
            self._timed(name, shift_hz, space, nominal),
            None if best is nominal else self._timed(name, shift_hz, space, best),
        )

    def _timed(self, name, shift_hz, space, found):
        _, bit_samples, starts = found
        if len(starts) < 4:
            return None
        bit_samples, times = _line(starts, bit_samples)
        self._tune(shift_hz, bit_samples, space)
        times = self._aligned(times)
        score = 0
        for start in times[_COMPARED_FROM : _COMPARED_FROM + 12]:
            score += max(self._compare(start))
        return (score, name, shift_hz, space, bit_samples, times, starts)

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

    def _tune(self, shift_hz, bit_samples, space):
        unit = 1 << self._shift
        self._characters.tune(
            self._mark_hz, self._mark_hz + shift_hz, bit_samples, self._amplitude / unit, space / unit
        )

    def _decide(self, space_hz):
        """Fills the decisions; answers the amplitude of space."""
        bit_samples = _SAMPLE_HZ / 1200
        taps = (fsk.taps(self._mark_hz, bit_samples), fsk.taps(space_hz, bit_samples))
        whole_mark = self._amplitude * bit_samples / 8
        whole_space = whole_mark
        for _ in range(2):
            whole_space = self._decide_with(taps, whole_mark, whole_space)
        return whole_space * 8 / bit_samples

    def _decide_with(self, taps, whole_mark, whole_space):
        samples = self._samples
        scale = _SCALE * 2 / (whole_mark * whole_mark + whole_space * whole_space)
        mark_weight = round(65536 * scale * whole_mark)
        space_weight = round(65536 * scale * whole_space)
        total = 0
        leading = 0
        half = round((mark_weight * whole_mark - space_weight * whole_space) / 2)
        for start in range(0, self._count, _CHUNK):
            count = min(_CHUNK, self._count - start)
            self._recorder.read(self._first + start - 3, samples, count + 6)
            fsk.lift(samples, self._passed, count + 6)
            fsk.correlate(self._passed, taps[0], self._mark, count)
            fsk.correlate(self._passed, taps[1], self._space, count)
            for i in range(count):
                m = self._mark[i]
                s = self._space[i]
                if s > m and start > _BEFORE_END:
                    total += s
                    leading += 1
                d = 128 + ((mark_weight * m - space_weight * s - half) >> 16)
                self._decisions[start + i] = max(0, min(255, d))
        found = total / leading * 1.08 if leading > 20 else whole_space
        return max(whole_mark / 4, min(whole_mark * 4, found))

    def _strength(self, start):
        return self._characters.strength(self._samples, self._read_character(start))

    def _compare(self, start):
        """The likelihoods of the character at `start`, a time in samples."""
        return self._characters.compare(self._samples, self._read_character(start))

    def _read_character(self, start):
        """Reads the samples of the character at `start`; answers where in them it starts."""
        whole = int(start)
        self._recorder.read(self._first + whole, self._samples, 76)
        fsk.shift_right(self._samples, 76, self._shift)
        return start - whole

    def _message(self, modem):
        _, name, shift_hz, space, bit_samples, times, starts = modem
        self._tune(shift_hz, bit_samples, space)
        unit = 1 << self._shift
        nats = self._characters.strongest * 4 / (self._noise / unit / unit)
        characters = []
        for start in times[:_MOST_CHARACTERS]:
            if start + 72 > self._count:
                break
            characters.append(_alternatives(self._compare(start), nats))
        follows = [_has_near(starts, time) for time in times[: len(characters)]]
        best = None
        for first in range(min(2 * _FIRST_STARTS, len(characters) - 6)):
            reading = repair.read(characters[first:], follows[first:])
            if reading is not None and (best is None or reading.cost < best.cost):
                best = reading
        if best is None:
            return None
        best.standard = name
        best.snr_db = self._snr_db
        best.baud = _SAMPLE_HZ / bit_samples
        best.twist_db = 20 * math.log10(self._amplitude / space)
        best.level_dbm0 = 20 * math.log10(self._amplitude / 22748)
        best.characters = characters
        best.mark_hz = self._mark_hz
        return best


def _better(one, other):
    if one is None or other is None:
        return one or other
    return one if one[0] >= other[0] else other


def _alternatives(likelihood, nats):
    """The likeliest values as (cost in nats, value)."""
    order = sorted(range(256), key=lambda value: -likelihood[value])[:_ALTERNATIVES]
    most = likelihood[order[0]]
    return [((most - likelihood[value]) * nats, value) for value in order]


def _has_near(starts, time):
    return any(abs(start - time) < 3 for start in starts)


def _correlation(samples, start, n, hz):
    step = 2 * math.pi * hz / _SAMPLE_HZ
    real = imaginary = 0.0
    for i in range(start, start + n):
        real += samples[i] * math.cos(step * i)
        imaginary -= samples[i] * math.sin(step * i)
    return real, imaginary


def _phase_slope(samples, n, hz, block, lag):
    """How far the tone lies above `hz`, from the phase that it gains in `lag` blocks of `block` samples."""
    sums = [_correlation(samples, start, block, hz) for start in range(0, n - block + 1, block)]
    real = imaginary = 0.0
    for k in range(len(sums) - lag):
        a, b = sums[k]
        c, d = sums[k + lag]
        real += a * c + b * d
        imaginary += a * d - b * c
    return math.atan2(imaginary, real) * _SAMPLE_HZ / (2 * math.pi * lag * block)


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
    slope, at_zero = _regression(best)
    on_line = [point for point in best if abs(point[1] - at_zero - slope * point[0]) < 1.8]
    if len(on_line) >= 4:
        slope, at_zero = _regression(on_line)
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
    points = [(0, starts[first])]
    at_zero = float(starts[first])
    slope = period
    for start in starts[first + 1 :]:
        k = round((start - at_zero) / slope)
        last = points[-1][0]
        if k > last + _MOST_MISSING:
            break
        tolerance = 3.5 if len(points) < 6 else 2.5
        if k > last and abs(start - at_zero - k * slope) < tolerance:
            points.append((k, start))
            if len(points) > 3:
                slope, at_zero = _regression(points)
    return points


def _regression(points):
    """Slope and value at 0 of the line through (index, start) points."""
    n = len(points)
    mean_index = sum(k for k, _ in points) / n
    mean_start = sum(start for _, start in points) / n
    spread = sum((k - mean_index) ** 2 for k, _ in points)
    slope = sum((k - mean_index) * (start - mean_start) for k, start in points) / spread
    return slope, mean_start - slope * mean_index
