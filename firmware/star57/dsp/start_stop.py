"""When the characters of a burst start: evenly, and each with a start bit behind mark.

Between two characters an exchange may send up to 20 bits of mark (GR-30), the same number each time.
"""

from array import array

from micropython import const

NO_DECISION = const(128)
WHOLE_BIT = const(100)  # a decision for a whole bit without noise, either side of NO_DECISION

_FEW = const(8)  # characters that tell a period roughly
_PERIODS_A_STEP = const(24)  # that are tried
_TOGETHER = const(9)  # characters that tell how far their starts are off
_COARSE_PERIOD = const(128)  # half a sample, Q8; one where many periods are tried
_SPACED_PERIOD = const(256)
# Characters that tell it better and better, and by what it is moved, four times either way.
_FINER = ((14, 32), (32, 12))
_SPACED_STARTS_APART = const(3)
_IDLE_BITS_BEFORE = const(5)  # and a half; there another character would have its data
_CLEAR = 0.7  # of what mark before the data promises: characters that are not there have half of that at most
_PRESENT = 0.5
_CLEARER = (
    1.3  # than a shorter period a longer one must be: twice that fits as well, and it is taken from many
)
_MARK_MEASURED = const(200)  # samples before the earliest start
_USUAL_BIT = const(1707)  # samples at 1200 baud, Q8
_SHORTEST_BIT = const(1621)  # 1264 baud
_LONGEST_BIT = const(1785)  # 1147 baud
_FEWEST_BITS = const(10)
_UNSPACED = (10, 10)  # the fewest bits and the most of a period
_SPACED = (11, 30)
_OTHER_BAUD = 1.03  # as much better than 1200 baud another must fit, where both may be

# The words that the loops work with. Times are in samples, Q8.
_START = const(0)
_PERIOD = const(1)
_BIT = const(2)
_CHARACTERS = const(3)
_STARTS = const(4)  # how many starts to try, and how far apart
_APART = const(5)
_BEST = const(6)
_IDLE = const(7)  # how far before a character the line idles, if it ever does
_WORDS = const(8)


@micropython.viper
def _edges(decisions: ptr8, state: ptr32) -> int:
    """The greatest sum above 0, over the starts tried, of how far each character has mark before it and space behind.

    Leaves that start in state[_BEST]. A sum is below 32 * 512.
    """
    half = int(state[_BIT]) >> 1
    idle = int(state[_IDLE])
    period = int(state[_PERIOD])
    apart = int(state[_APART])
    characters = int(state[_CHARACTERS])
    start = int(state[_START])
    most = 0
    tries = int(state[_STARTS])
    while tries > 0:
        at = start
        total = 0
        k = characters
        while k > 0:
            total += int(decisions[(at - half) >> 8]) + int(decisions[(at - idle) >> 8])
            total -= int(decisions[(at + half) >> 8]) << 1
            at += period
            k -= 1
        if total > most:
            most = total
            state[_BEST] = start
        start += apart
        tries -= 1
    return most


@micropython.viper
def _bits(decisions: ptr8, state: ptr32) -> int:
    """How clear the bits are: decisions for start and stop bits as they must be, for data bits as they are.

    At most 9 characters of ten times 128.
    """
    bit = int(state[_BIT])
    period = int(state[_PERIOD])
    start = int(state[_START]) + 128
    total = 0
    k = int(state[_CHARACTERS])
    while k > 0:
        at = start + (bit >> 1)
        total += 128 - int(decisions[at >> 8])
        n = 8
        while n > 0:
            at += bit
            d = int(decisions[at >> 8]) - 128
            total += d if d > 0 else 0 - d
            n -= 1
        at += bit
        total += int(decisions[at >> 8]) - 128
        start += period
        k -= 1
    return total


def _peak(strengths):
    """Where between its neighbours the greatest of a list lies, by a parabola."""
    best = strengths.index(max(strengths))
    if not 0 < best < len(strengths) - 1:
        return best
    before, at, after = strengths[best - 1 : best + 2]
    return best + 0.5 * (before - after) / (before - 2 * at + after) if before + after < 2 * at else best


class CharacterClock:
    """Finds when characters start, in decisions.

    decisions: a bytearray, one a sample: how far mark (more than NO_DECISION) or space (less) leads in the bit that is
    centred there.

    start, period, bit_samples: the n-th character starts at start + n * period (floats, in samples)
    """

    def __init__(self):
        self._state = array("i", bytes(4 * _WORDS))
        self.start = 0.0
        self.period = 0.0
        self.bit_samples = 0.0
        self._edge = 0.0  # what a character's edge scores
        self._best = (0, 0, 0)

    def find(self, decisions, count, earliest):
        """Steps that look for characters, the first at `earliest` or within a character behind it.

        Yields False between them, and True at last if there are some.
        """
        state = self._state
        state[_BIT] = _USUAL_BIT
        self._edge = 4 * self._mean(decisions, earliest - _MARK_MEASURED, earliest)
        for _ in self._best_period(decisions, count, earliest, _UNSPACED, _COARSE_PERIOD, 1):
            yield False
        period, score, start = self._best
        if score < _FEW * _CLEAR * self._edge:
            spaced = self._best_period(
                decisions, count, earliest, _SPACED, _SPACED_PERIOD, _SPACED_STARTS_APART
            )
            for _ in spaced:
                yield False
            if self._best[1] > _CLEARER * score:
                period, _, start = self._best
        state[_START] = start
        for characters, step in _FINER:
            if period:
                period = self._finer_period(decisions, count, period, characters, step)
        if period:
            self.start = state[_START] / 256
            self.period = period / 256
            self._choose_bit(decisions, period, count)
            yield True

    def offset(self, decisions, first, count):
        """(by how much characters start behind `first`, for how many of them that was found: nine at most), or None.

        `first`: a float; characters follow it by the period. Looks from 2 samples before it to as many behind.
        """
        strengths, characters = self._strengths(decisions, first, count)
        return None if characters == 0 else ((_peak(strengths) - 4) / 2, characters)

    @property
    def is_unspaced(self):
        """Whether characters follow each other at once."""
        return self.period < 10.5 * self.bit_samples

    def has_edge(self, decisions, start):
        """Whether a character starts there."""
        state = self._state
        self._set(start, 1)
        state[_STARTS] = 1
        return _edges(decisions, state) > _PRESENT * self._edge

    def _strengths(self, decisions, first, count):
        """How clear the bits are in steps of half a sample, and of how many characters; 0 if none fits in."""
        state = self._state
        characters = min(_TOGETHER, int((count - first - 12) / self.period))
        if characters < 1 or first < 4:
            return None, 0
        self._set(first, characters)
        start = state[_START]
        strengths = []
        for move in range(-512, 513, 128):
            state[_START] = start + move
            strengths.append(_bits(decisions, state))
        return strengths, characters

    def _set(self, start, characters):
        state = self._state
        state[_START] = round(256 * start)
        state[_PERIOD] = round(256 * self.period)
        state[_BIT] = round(256 * self.bit_samples)
        state[_IDLE] = self._idle(state[_PERIOD])
        state[_CHARACTERS] = characters

    def _idle(self, period):
        """Where the line idles before a character: in the middle of the idle bits, or near it if they are many."""
        idle_and_stop = period - 9 * self._state[_BIT]
        return (
            max(self._state[_BIT], min(idle_and_stop, (2 * _IDLE_BITS_BEFORE + 1) * self._state[_BIT])) >> 1
        )

    def _mean(self, decisions, first, end):
        return sum(decisions[first:end]) / (end - first) - NO_DECISION

    def _best_period(self, decisions, count, earliest, bits, step, apart):
        """Steps that leave the (period in Q8, score of a few characters, start in Q8) that fits best in `_best`.

        The period is 0 if none does.
        """
        state = self._state
        best = most = start = 0
        state[_CHARACTERS] = _FEW
        state[_APART] = apart << 8
        for tried, period in enumerate(range(bits[0] * _SHORTEST_BIT, bits[1] * _LONGEST_BIT, step)):
            if earliest + (_FEW * period >> 8) + 4 >= count:
                break
            state[_PERIOD] = period
            state[_IDLE] = self._idle(period)
            state[_START] = earliest << 8
            state[_STARTS] = (period >> 8) // apart
            score = _edges(decisions, state)
            if score > (most if 2 * period < 3 * best else _CLEARER * most):
                most = score
                best = period
                start = state[_BEST]
            if tried % _PERIODS_A_STEP == _PERIODS_A_STEP - 1:
                yield
        self._best = (best, most, start)

    def _finer_period(self, decisions, count, period, characters, step):
        """The period by as many characters as there are, so many at most, or 0; moves the start, too."""
        state = self._state
        first = state[_START]
        state[_CHARACTERS] = min(characters, ((count - 12) * 256 - first) // period)
        state[_IDLE] = self._idle(period)
        state[_STARTS] = 9
        state[_APART] = 256
        best = most = start = 0
        for candidate in range(period - 4 * step, period + 4 * step + 1, step):
            state[_PERIOD] = candidate
            state[_START] = max(1024, first - 1024)
            score = _edges(decisions, state)
            if score > most:
                most = score
                best = candidate
                start = state[_BEST]
        state[_START] = start
        return best

    def _choose_bit(self, decisions, period, count):
        """How long a bit is: of the whole numbers of bits in a period, the one whose bits are clearest."""
        usual = max(_FEWEST_BITS, round(period / _USUAL_BIT))
        chosen = usual
        most = 0
        for bits in (usual, usual - 1, usual + 1):
            bit = period // bits
            if bits < _FEWEST_BITS or not _SHORTEST_BIT <= bit <= _LONGEST_BIT:
                continue
            self.bit_samples = bit / 256
            strengths, characters = self._strengths(decisions, self.start, count)
            if characters and max(strengths) > most:
                most = max(strengths) * _OTHER_BAUD
                chosen = bits
        self.bit_samples = min(_LONGEST_BIT, max(_SHORTEST_BIT, period / chosen)) / 256
