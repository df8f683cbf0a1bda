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
_NOMINAL_CHARACTER = 200 / 3
_LEAST_AGREEMENT = 0.5  # 1 when all starts lie on one line
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
            if modem is not None and (best is None or modem[0] > best[0]):
                best = modem
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
        """(score, name, shift_hz, space amplitude, samples a bit, exact starts, starts) of the burst taken as this standard's."""
        space = self._decide(self._mark_hz + shift_hz)
        best = None
        nats = _SCALE / min(25.0, 3.33 * self._amplitude**2 / self._noise)
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
        starts = best[2]
        if len(starts) < 4:
            return None
        bit_samples, times = _line(starts, best[1])
        self._tune(shift_hz, bit_samples, space)
        best = None
        for quarter in range(-6, 7):
            score = 0
            for start in times[3:15]:
                score += max(self._compare(start + quarter / 4))
            if best is None or score > best[0]:
                best = (score, quarter / 4)
        times = [start + best[1] for start in times]
        return (best[0], name, shift_hz, space, bit_samples, times, starts)

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

    def _compare(self, start):
        """The likelihoods of the character at `start`, a time in samples."""
        whole = int(start)
        self._recorder.read(self._first + whole, self._samples, 76)
        fsk.shift_right(self._samples, 76, self._shift)
        return self._characters.compare(self._samples, start - whole)

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
        for first in range(min(6, len(characters))):
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
    starts = starts[:40]
    period = _period(starts)
    if period is not None:
        return _fitted(starts, period)
    n = min(len(starts), 24)
    slope, at_zero = _regression([(k, starts[k]) for k in range(1, n)])
    if max(abs(at_zero + slope * k - starts[k]) for k in range(1, n)) > 2.5:
        return bit_samples, [float(start) for start in starts]
    return bit_samples, [at_zero + slope * k for k in range(len(starts))]


def _period(starts):
    """Samples a character when most of them follow at once, by how well the starts agree modulo a period; or None."""
    best = (0.0, 0.0)
    period = _NOMINAL_CHARACTER
    offset = 0
    while abs(offset) < 36:
        agreement = _agreement(starts, period)
        if agreement > best[0]:
            best = (agreement, period)
        if offset == 0 and agreement > 0.55 * len(starts):
            break
        offset = 1 - offset if offset <= 0 else 0 - offset
        period = _NOMINAL_CHARACTER + 0.1 * offset
    return best[1] if best[0] > _LEAST_AGREEMENT * len(starts) else None


def _agreement(starts, period):
    real, imaginary = _direction(starts, period)
    return math.sqrt(real * real + imaginary * imaginary)


def _direction(starts, period):
    real = imaginary = 0.0
    for start in starts:
        angle = 2 * math.pi * start / period
        real += math.cos(angle)
        imaginary += math.sin(angle)
    return real, imaginary


def _fitted(starts, period):
    real, imaginary = _direction(starts, period)
    offset = math.atan2(imaginary, real) / (2 * math.pi) * period
    for tolerance in (3.5, 1.8):
        on_line = []
        for start in starts:
            k = round((start - offset) / period)
            if abs(start - offset - k * period) < tolerance:
                on_line.append((k, start))
        if len(on_line) < 4:
            break
        period, offset = _regression(on_line)
    first = max(0, math.ceil((_BEFORE_END - 240 - offset) / period))
    last = int((starts[-1] - offset) / period + 0.5)
    return period / 10, [offset + period * k for k in range(first, last + 1)]


def _regression(points):
    """Slope and value at 0 of the line through (index, start) points."""
    n = len(points)
    mean_index = sum(k for k, _ in points) / n
    mean_start = sum(start for _, start in points) / n
    spread = sum((k - mean_index) ** 2 for k, _ in points)
    slope = sum((k - mean_index) * (start - mean_start) for k, start in points) / spread
    return slope, mean_start - slope * mean_index
