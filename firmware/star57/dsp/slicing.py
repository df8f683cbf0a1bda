"""Kept samples into decisions: in the bit that is centred at each sample, how far mark leads."""

from array import array

from micropython import const

from star57.dsp import fsk
from star57.dsp.start_stop import WHOLE_BIT

_NO_DECISION = const(128)  # start_stop.NO_DECISION; viper folds only constants of its own file
_CHUNK = const(112)
_AROUND = const(4)  # samples before and behind that a correlator takes in

# The words that the loops work with.
_MARK_WEIGHT = const(0)  # a decision's share of a magnitude, in 1/65536
_SPACE_WEIGHT = const(1)
_MIDDLE = const(2)  # of a decision, likewise; may be negative
_MOST_MARK = const(3)
_MOST_SPACE = const(4)
_WORDS = const(5)


@micropython.viper
def _decide(mark: ptr16, space: ptr16, decisions: ptr8, state: ptr32, count: int):
    """M(m - M/2) - S(s - S/2), scaled by 2 WHOLE_BIT / (M^2 + S^2): magnitudes m and s, those of whole bits M and S.

    A magnitude is taken to be four times a whole bit's at most: its part is below 65536 * 800.
    """
    mark_weight = int(state[_MARK_WEIGHT])
    space_weight = int(state[_SPACE_WEIGHT])
    middle = int(state[_MIDDLE])
    middle -= (middle & 0x20000000) << 3
    most_mark = int(state[_MOST_MARK])
    most_space = int(state[_MOST_SPACE])
    end = int(mark) + (count << 1)
    while int(mark) < end:
        m = int(mark[0])
        if m > most_mark:
            m = most_mark
        s = int(space[0])
        if s > most_space:
            s = most_space
        d = _NO_DECISION + ((m * mark_weight - s * space_weight - middle) >> 16)
        if d >> 8:
            d = 255 if d > 0 else 0
        decisions[0] = d
        mark = ptr16(int(mark) + 2)
        space = ptr16(int(space) + 2)
        decisions = ptr8(int(decisions) + 1)


@micropython.viper
def _add_leading(mark: ptr16, space: ptr16, sums: ptr32, shift: int, count: int):
    """Adds space's magnitudes, shifted, where it leads, to sums[0], and their squares to sums[1].

    Magnitudes are taken to be below 512: 4096 squares stay below 2^30.
    """
    total = int(sums[0])
    squares = int(sums[1])
    end = int(mark) + (count << 1)
    while int(mark) < end:
        if int(space[0]) > int(mark[0]):
            s = int(space[0]) >> shift
            if s > 511:
                s = 511
            total += s
            squares += s * s
        mark = ptr16(int(mark) + 2)
        space = ptr16(int(space) + 2)
    sums[0] = total
    sums[1] = squares


class BurstSlicer:
    """Slices what a BurstRecorder has kept."""

    def __init__(self, recorder):
        self._recorder = recorder
        self._passed = array("H", bytes(2 * (_CHUNK + 2 * _AROUND)))
        self._mark = array("H", bytes(2 * _CHUNK))
        self._space = array("H", bytes(2 * _CHUNK))
        self._state = array("i", bytes(4 * _WORDS))
        self._sums = array("i", (0, 0))

    def space_magnitude(self, first, count, mark_taps, space_taps, whole_mark):
        """The magnitude of space, where it leads, in `count` (4096 at most) samples from the `first`-th kept; or 0.

        It is the mean of the magnitudes weighted by themselves, so that noise behind a burst hardly counts.
        `whole_mark`: the magnitude of a whole mark bit.
        """
        shift = 0
        while whole_mark / (1 << shift) > 128:
            shift += 1
        sums = self._sums
        sums[0] = 0
        sums[1] = 0
        for start in range(0, count, _CHUNK):
            chunk = min(_CHUNK, count - start)
            self._correlate(first + start, chunk, mark_taps, space_taps)
            _add_leading(self._mark, self._space, sums, shift, chunk)
        return sums[1] / sums[0] * (1 << shift) if sums[0] else 0

    def slice(self, first, count, mark_taps, space_taps, whole_mark, whole_space, decisions):
        """Fills decisions[:count], a memoryview. `whole_mark` and `whole_space`: magnitudes of whole bits."""
        state = self._state
        scale = 65536 * 2 * WHOLE_BIT / (whole_mark * whole_mark + whole_space * whole_space)
        state[_MARK_WEIGHT] = round(scale * whole_mark)
        state[_SPACE_WEIGHT] = round(scale * whole_space)
        state[_MIDDLE] = round(scale * (whole_mark * whole_mark - whole_space * whole_space) / 2)
        state[_MOST_MARK] = round(4 * whole_mark)
        state[_MOST_SPACE] = round(4 * whole_space)
        for start in range(0, count, _CHUNK):
            chunk = min(_CHUNK, count - start)
            self._correlate(first + start, chunk, mark_taps, space_taps)
            _decide(self._mark, self._space, decisions[start:], state, chunk)

    def _correlate(self, first, count, mark_taps, space_taps):
        passed = self._passed
        self._recorder.read(first - _AROUND, passed, count + 2 * _AROUND)
        fsk.lift(passed, count + 2 * _AROUND)
        fsk.correlate(passed, self._mark, self._space, mark_taps, space_taps, count)
