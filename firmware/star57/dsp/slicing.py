"""Kept samples into decisions: in the bit that is centred at each sample, how far mark leads."""

from array import array

from micropython import const

from star57.dsp import fsk
from star57.dsp.start_stop import WHOLE_BIT

_NO_DECISION = const(128)  # start_stop.NO_DECISION; viper folds only constants of its own file
_CHUNK = const(80)
_AROUND = const(3)  # samples before and behind that a correlator needs

# The words that the loops work with.
_COUNT = const(0)
_MARK_WEIGHT = const(1)  # a decision's share of a magnitude, in 1/65536
_SPACE_WEIGHT = const(2)
_MIDDLE = const(3)  # of a decision, likewise; may be negative
_MOST_MARK = const(4)
_MOST_SPACE = const(5)
_WORDS = const(6)


@micropython.viper
def _decide(state: ptr32, mark: ptr16, space: ptr16, decisions: ptr8):
    """As FskReceiver decides: M(m - M/2) - S(s - S/2), scaled by 2 WHOLE_BIT / (M^2 + S^2).

    A magnitude is taken to be four times a whole bit's at most: its part is below 65536 * 800.
    """
    mark_weight = int(state[_MARK_WEIGHT])
    space_weight = int(state[_SPACE_WEIGHT])
    middle = int(state[_MIDDLE])
    middle -= (middle & 0x20000000) << 3
    most_mark = int(state[_MOST_MARK])
    most_space = int(state[_MOST_SPACE])
    for i in range(int(state[_COUNT])):
        m = int(mark[i])
        if m > most_mark:
            m = most_mark
        s = int(space[i])
        if s > most_space:
            s = most_space
        d = _NO_DECISION + ((mark_weight * m - space_weight * s - middle) >> 16)
        if d < 0:
            d = 0
        elif d > 255:
            d = 255
        decisions[i] = d


@micropython.viper
def _add_leading(state: ptr32, mark: ptr16, space: ptr16, shift: int, sums: ptr32):
    """Adds space's magnitudes, shifted, where it leads, to sums[0], and their squares to sums[1].

    Magnitudes are taken to be below 512: 4096 squares stay below 2^30.
    """
    total = int(sums[0])
    squares = int(sums[1])
    for i in range(int(state[_COUNT])):
        s = int(space[i])
        if s > int(mark[i]):
            s = s >> shift
            if s > 511:
                s = 511
            total += s
            squares += s * s
    sums[0] = total
    sums[1] = squares


class BurstSlicer:
    """Slices what a BurstRecorder has kept."""

    def __init__(self, recorder):
        self._recorder = recorder
        self._samples = array("h", bytes(2 * (_CHUNK + 2 * _AROUND)))
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
            self._correlate(first + start, min(_CHUNK, count - start), mark_taps, space_taps)
            _add_leading(self._state, self._mark, self._space, shift, sums)
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
            self._correlate(first + start, min(_CHUNK, count - start), mark_taps, space_taps)
            _decide(state, self._mark, self._space, decisions[start:])

    def _correlate(self, first, count, mark_taps, space_taps):
        self._state[_COUNT] = count
        self._recorder.read(first - _AROUND, self._samples, count + 2 * _AROUND)
        fsk.lift(self._samples, self._passed, count + 2 * _AROUND)
        fsk.correlate(self._passed, mark_taps, self._mark, count)
        fsk.correlate(self._passed, space_taps, self._space, count)
