"""Call-progress receiver: dial tone, ringback, busy and their kin, told apart by frequency and cadence.

Samples are halved in rate twice. Two ears (ear.py) follow what sounds: low_ear.py from 320 to 660 Hz, by its lines
(lines.py), and high_ear.py the single tones from 850 to 1900 Hz. Each cuts it into runs, and gives them to a Cadence
(cadence.py), which knows the rows of the plan (tone_plans.py).
"""

from array import array

from micropython import const

from star57.dsp import level
from star57.dsp.ear import follow
from star57.dsp.high_ear import EXPECTS_HOWLER, HighEar
from star57.dsp.lines import band, new
from star57.dsp.low_ear import LowEar
from star57.dsp.tone_plans import COUNTRY, LINES, OFF, PLANS, SECTIONS, TONE

_SAMPLES_PER_MS = const(8)
_CELLS = const(10)  # in a block of 20 ms
_CELL_SAMPLES = const(16)
_HALF_SAMPLES = const(80)
_MOST_LINES = const(5)
_LONGEST_SKIP_SAMPLES = const(800)
# Below this lie the lines of the low ear.
_HIGH_FROM_HZ = const(850)

# Words of the front end, in the high ear's; a word that may be negative is read as in fsk.py.
_FRONT = const(65)
_MEAN = const(0)  # of sums of taps of samples +32768, times 32
_LAST = const(1)  # sample, +32768
_ONE_BEFORE = const(2)  # of the samples at 4 kHz
_TWO_BEFORE = const(3)
_CELL = const(4)  # of the block, that comes next
_WAITING = const(5)  # samples of that cell that have come
# Then samples that were lost, less than a cell; and where the high ear's next sample is kept.
_LOST = const(71)
_KEPT = const(72)
# Where a block is in an ear's words, and its sums in that, as in ear.py; where the samples at 2 kHz are in those of
# lines.py, in these those of the block, and samples that wait for their cell to be whole.
_BLOCK = const(40)
_SUMS = const(10)
_SAMPLES = const(139)
_LOW = const(20)
_WAIT = const(60)


@micropython.viper
def _take(words: ptr32, samples: ptr16, at: int, n: int, lines: ptr32) -> int:
    """Takes samples from `at` on, to the end of the block or of the `n`; answers where it stopped.

    Cells are taken whole: what is less waits behind the samples at 2 kHz.
    """
    state = ptr32(int(words) + 4 * _FRONT)
    block = ptr32(int(words) + 4 * _BLOCK)
    low = ptr16(int(lines) + 4 * _SAMPLES)
    cell = int(state[_CELL])
    waiting = int(state[_WAITING])
    if waiting == 0 and n - at >= 16:
        whole = (n - at) >> 4
        if whole > _CELLS - cell:
            whole = _CELLS - cell
        _cells(0, 0, int(samples) + 2 * at, low, state, block, whole)
        return at + 16 * whole
    while at < n and waiting < 16:
        low[_WAIT + waiting] = samples[at]
        at += 1
        waiting += 1
    if waiting == 16:
        waiting = 0
        _cells(0, 0, int(low) + 2 * _WAIT, low, state, block, 1)
    state[_WAITING] = waiting
    return at


@micropython.viper
def _cells(x: int, y: int, samples: ptr16, low: ptr16, state: ptr32, block: ptr32, count: int):
    """Takes `count` whole cells. `x`, `y`: as `a`, `b` in `band`.

    To 4 kHz by taps 1 2 1, without DC by a high-pass at 20 Hz, for the high ear; to 2 kHz by the same taps, for the low
    one. Gives the energies of the cells at 4 kHz, and of each half the autocorrelation over 0, 1 and 2 samples.

    Samples are taken +32768, and their mean takes that out again. A step from one extreme to the other is 2^18, less
    than 2^14 over 2^4, and falls by a 16th in each pair of sums: the squares of the 8 of a cell are below 2^30.8, and
    those of a half, over 2^3, below 2^29. `low` is within 32512.
    """
    mean = int(state[_MEAN])
    last = int(state[_LAST])
    y = int(state[_ONE_BEFORE])
    y -= (y & 0x20000000) << 3
    y2 = int(state[_TWO_BEFORE])
    y2 -= (y2 & 0x20000000) << 3
    cell = int(state[_CELL])
    low = ptr16(int(low) + 2 * _LOW + 8 * cell)
    while count > 0:
        count -= 1
        power = 0
        one = 0
        two = 0
        for _ in range(4):
            m = mean >> 5
            y1 = int(samples[1]) ^ 0x8000
            x = last + ((int(samples[0]) ^ 0x8000) << 1) + y1 - m
            last = int(samples[3]) ^ 0x8000
            m = y1 + ((int(samples[2]) ^ 0x8000) << 1) + last - m
            y1 = y
            y = m
            mean += x + y
            x >>= 4
            y >>= 4
            low[0] = ((y1 + x + x + y) >> 1) + 32768
            power += x * x + y * y
            one += x * (y1 + y)
            two += x * y2 + y * y1
            y2 = x
            low = ptr16(int(low) + 2)
            samples = ptr16(int(samples) + 8)
        power >>= 3
        block[cell] = power
        sums = ptr32(int(block) + 4 * _SUMS)
        if cell >= 5:
            sums = ptr32(int(block) + 4 * _SUMS + 12)
        if cell == 0 or cell == 5:  # noqa: PLR1714 - viper has no sets
            sums[0] = 0
            sums[1] = 0
            sums[2] = 0
        sums[0] = int(sums[0]) + power
        x = int(sums[1])
        sums[1] = x - ((x & 0x20000000) << 3) + (one >> 3)
        x = int(sums[2])
        sums[2] = x - ((x & 0x20000000) << 3) + (two >> 3)
        cell += 1
    state[_MEAN] = mean
    state[_LAST] = last
    state[_ONE_BEFORE] = y
    state[_TWO_BEFORE] = y2
    state[_CELL] = cell


@micropython.viper
def _keep(samples: ptr16, start: int, end: int, kept: ptr16, words: ptr32):
    """Puts samples into a ring of 10 ms."""
    at = int(words[_KEPT])
    for i in range(start, end):
        kept[at] = samples[i]
        at += 1
        if at == _HALF_SAMPLES:
            at = 0
    words[_KEPT] = at


def _is_high(row):
    """Whether the high ear hears the tones of a row."""
    for index, _ in row[SECTIONS]:
        if index != OFF:
            return LINES[index][1] >= _HIGH_FROM_HZ
    return False


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
        kept = new()
        self._low = LowEar(self, tuple([row for row in plan if not _is_high(row)]), kept)
        self._high = HighEar(self, tuple([row for row in plan if _is_high(row)]), kept)
        # What every block needs, in one place: on the way to a name the core takes more time than over a sample.
        self._parts = (kept, self._low.words, self._high.words)
        self._decihertz = array("H", bytes(2 * _MOST_LINES))
        self._fits = bytearray(len(plan))
        self.reset()

    def reset(self):
        """As new."""
        self._low.reset()
        self._high.reset()
        words = self._high.words
        for i in range(_FRONT, _KEPT + 1):
            words[i] = 0
        words[_FRONT + _MEAN] = 32 * 4 * 32768
        words[_FRONT + _LAST] = 32768
        self._ear = self._low
        self._tone = 0
        for i in range(len(self._fits)):
            self._fits[i] = 0
        for k in range(_MOST_LINES):
            self._decihertz[k] = 0
        self.level_dbm0 = level.LOWEST_DBM0
        self.snr_db = 0
        self.on_ms = 0
        self.off_ms = 0

    @property
    def frequencies(self):
        """What sounded, in Hz, ascending."""
        return tuple([(found + 5) // 10 for found in self._decihertz if found])

    @property
    def countries(self):
        """The countries that send this tone so, in the order of the plan."""
        return tuple([country for country, tone in self.candidates if tone == self._tone])

    @property
    def candidates(self):
        """All that it may be: pairs of a country and an index of TONE_NAMES, in the order of the plan."""
        found = []
        for i, row in enumerate(self._ear.cadence.rows):
            if self._fits[i] and (row[COUNTRY], row[TONE]) not in found:
                found.append((row[COUNTRY], row[TONE]))
        return tuple(found)

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        kept, low, high = self._parts
        at = 0
        while at < n:
            start = at
            at = _take(high, samples, at, n, kept)
            if high[EXPECTS_HOWLER]:
                _keep(samples, start, at, kept, high)
            if high[_FRONT + _CELL] == _CELLS:
                high[_FRONT + _CELL] = 0
                band(0, 0, kept, low)
                event = follow(high, low)
                if event:
                    self._high.noticed(event, low)
                if high[EXPECTS_HOWLER]:
                    self._high.look_for_howler()
                # Last, as it takes what the high ear has kept.
                event = follow(low, high)
                if event:
                    self._low.noticed(event, high)

    def skip(self, n):
        """`n` samples were lost. What sounds is taken to go on, unless they are more than 100 ms."""
        words = self._high.words
        lost = words[_LOST] + n + _CELL_SAMPLES * words[_FRONT + _CELL] + words[_FRONT + _WAITING]
        words[_FRONT + _CELL] = 0
        words[_FRONT + _WAITING] = 0
        words[_KEPT] = 0
        if n > _LONGEST_SKIP_SAMPLES:
            words[_LOST] = 0
            self._low.break_off()
            self._high.break_off()
        else:
            cells = lost // _CELL_SAMPLES
            words[_LOST] = lost - cells * _CELL_SAMPLES
            self._low.skip(cells)
            self._high.skip(cells)

    # What the ears tell

    def told(self, ear):
        """An ear is certain of a tone."""
        self.level_dbm0 = ear.level_dbm0
        self.snr_db = ear.snr_db
        for k in range(_MOST_LINES):
            self._decihertz[k] = 0 if k and not self._decihertz[k - 1] else ear.decihertz(k)
        self._describe(ear)
        self._sink.call_progress(self._tone)

    def over(self, ear):
        """The tone that an ear was certain of is over."""
        self._describe(ear)
        cadence = ear.cadence
        self._sink.call_progress_end(self._tone, (cadence.ended_ms - cadence.began_ms) * _SAMPLES_PER_MS)

    def _describe(self, ear):
        cadence = ear.cadence
        self._ear = ear
        self._tone = cadence.rows[cadence.told][TONE]
        for i in range(len(cadence.rows)):
            self._fits[i] = cadence.fits[i]
        self.on_ms = cadence.last_ms(False)
        self.off_ms = cadence.last_ms(True)
