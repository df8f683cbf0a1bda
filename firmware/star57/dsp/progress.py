"""Call-progress receiver: dial tone, ringback, busy and their kin, told apart by frequency and cadence.

Samples are halved in rate twice. Two ears (ear.py) follow what sounds: low_ear.py from 320 to 660 Hz, by its lines
(lines.py), and high_ear.py the single tones from 850 to 1900 Hz. Each cuts it into runs, and gives them to a Cadence
(cadence.py), which knows the rows of the plan (tone_plans.py).
"""

from array import array

from micropython import const

from star57.dsp import level
from star57.dsp.ear import follow
from star57.dsp.high_ear import HighEar
from star57.dsp.lines import band
from star57.dsp.low_ear import LowEar
from star57.dsp.tone_plans import COUNTRY, LINES, OFF, PLANS, SECTIONS, TONE

_SAMPLES_PER_MS = const(8)
_CELLS = const(10)  # in a block of 20 ms
_CELL_SAMPLES = const(16)
_HALF_SAMPLES = const(80)
_LONGEST_SKIP_SAMPLES = const(800)
# Below this lie the lines of the low ear.
_HIGH_FROM_HZ = const(850)

# Words of the front end; a word that may be negative is read as in fsk.py.
_MEAN = const(0)  # of sums of taps of samples +32768, times 32
_LAST = const(1)  # sample, +32768
_ONE_BEFORE = const(2)  # of the samples at 4 kHz
_TWO_BEFORE = const(3)
_CELL = const(4)  # of the block, that comes next
_WAITING = const(5)  # samples of that cell that have come
_STATE_WORDS = const(6)
# Words of a block, as in ear.py.
_SUMS = const(10)
# Where in `low` its samples go, and samples that wait for their cell to be whole.
_LOW = const(20)
_WAIT = const(60)


@micropython.viper
def _take(state: ptr32, samples: ptr16, at: int, n: int, low: ptr16, block: ptr32) -> int:
    """Takes samples from `at` on, to the end of the block or of the `n`; answers where it stopped.

    Cells are taken whole: what is less waits behind `low`'s samples.
    """
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
    """Takes `count` whole cells. The first arguments are where the machine code has its registers.

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
def _keep(samples: ptr16, start: int, end: int, kept: ptr16, at: int) -> int:
    """Puts samples into a ring of 10 ms, from `at` on; answers where the next is put."""
    for i in range(start, end):
        kept[at] = samples[i]
        at += 1
        if at == _HALF_SAMPLES:
            at = 0
    return at


def _is_high(row):
    """Whether the high ear hears the tones of a row."""
    for lines, _ in row[SECTIONS]:
        if lines != OFF:
            return LINES[lines][1] >= _HIGH_FROM_HZ
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
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self._low = LowEar(self, tuple([row for row in plan if not _is_high(row)]))
        self._high = HighEar(self, tuple([row for row in plan if _is_high(row)]))
        # What every block needs, in one place: on the way to a name the core takes more time than over a sample.
        lines = self._low.lines
        self._parts = (self._state, lines.samples, lines.state, lines.ring) + (
            self._low.block,
            self._low.track,
            self._high.block,
            self._high.track,
        )
        self._decihertz = array("H", bytes(2 * 5))
        self._fits = bytearray(len(plan))
        self.reset()

    def reset(self):
        """As new."""
        self._low.reset()
        self._high.reset()
        for i in range(_STATE_WORDS):
            self._state[i] = 0
        self._state[_MEAN] = 32 * 4 * 32768
        self._state[_LAST] = 32768
        self._kept = 0
        self._expects_howler = False
        self._lost = 0
        self._ear = self._low
        self._tone = 0
        for i in range(len(self._fits)):
            self._fits[i] = 0
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
        state, low_samples, lines, ring, low, low_track, high, high_track = self._parts
        at = 0
        while at < n:
            start = at
            at = _take(state, samples, at, n, low_samples, high)
            if self._expects_howler:
                self._kept = _keep(samples, start, at, self._high.samples, self._kept)
            if state[_CELL] == _CELLS:
                state[_CELL] = 0
                band(0, 0, low_samples, lines, ring, low)
                event = follow(low_track, low, high)
                if event:
                    self._low.noticed(event, high)
                event = follow(high_track, high, low)
                if event:
                    self._high.noticed(event, low)
                    self._expects_howler = self._high.expects_howler
                if self._expects_howler:
                    self._high.look_for_howler()

    def skip(self, n):
        """`n` samples were lost. What sounds is taken to go on, unless they are more than 100 ms."""
        state = self._state
        self._lost += n + _CELL_SAMPLES * state[_CELL] + state[_WAITING]
        for i in range(_CELL, _STATE_WORDS):
            state[i] = 0
        self._kept = 0
        if n > _LONGEST_SKIP_SAMPLES:
            self._lost = 0
            self._low.break_off()
            self._high.break_off()
        else:
            cells = self._lost // _CELL_SAMPLES
            self._lost -= cells * _CELL_SAMPLES
            self._low.skip(cells)
            self._high.skip(cells)

    # What the ears tell

    def told(self, ear):
        """An ear is certain of a tone."""
        self.level_dbm0 = ear.level_dbm0
        self.snr_db = ear.snr_db
        self._count = ear.count
        for k in range(ear.count):
            self._decihertz[k] = ear.decihertz[k]
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
