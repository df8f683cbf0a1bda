"""Where the characters of a burst start: the one sequence of start-stop characters that explains its spaces best."""

from array import array

from micropython import const

NO_DECISION = const(128)

_RING = const(128)  # longer than a character
_DATA_BITS = const(9)  # start bit and eight data bits; a stop bit is mark, and so is idle

# The words that the loop works with.
_SAMPLES = const(0)
_LENGTH = const(1)  # of a character in whole samples; one sample more is allowed at no cost
_CHARACTER_COST = const(2)
_IDLE_COST = const(3)
_KEEP = const(4)  # whether the way is kept
_WORDS = const(5)

_ZERO_SUM = const(0x400000)
_ENDS_IN_CHARACTER = const(0x10000000)

_FROM_CHARACTER = const(1)  # idle began here
_LONGER = const(2)  # the character that ends here has one sample more
_AFTER_IDLE = const(4)  # and idle before it


@micropython.viper
def _search(state: ptr32, decisions: ptr8, centres: ptr8, ended: ptr32, idle: ptr32, starting: ptr32) -> int:
    """The best sequence's sum, and _ENDS_IN_CHARACTER if it does. Its way takes the place of the decisions.

    A sequence scores the spaces in its characters, less the marks in their start bits. The bits of a character that
    starts at t are centred behind t, so that a decision is not needed once t has come. Sums: 9 * 128 a character of 63
    samples or more; 8192 samples: below 2^18.
    """
    count = int(state[_SAMPLES])
    length = int(state[_LENGTH])
    character_cost = int(state[_CHARACTER_COST])
    idle_cost = int(state[_IDLE_COST])
    keep = int(state[_KEEP])
    for i in range(_RING):
        ended[i] = 0
        idle[i] = _ZERO_SUM
        starting[i] = 0
    last = count - length - 2
    t = 1
    while t < count:
        flags = 0
        best = int(idle[(t - 1) & 127])
        from_character = int(ended[(t - 1) & 127]) - idle_cost
        if from_character > best:
            best = from_character
            flags = _FROM_CHARACTER
        idle[t & 127] = best
        best = 0
        if t > length:
            source = t - length
            k = 0
            while k < 2:
                score = int(starting[source & 127])
                score -= (score & 0x20000000) << 3
                before = int(ended[source & 127])
                after_idle = 0
                if int(idle[source & 127]) > before:
                    before = int(idle[source & 127])
                    after_idle = _AFTER_IDLE
                score += before
                if score > best:
                    best = score
                    flags = (flags & 1) | after_idle | (k << 1)
                source -= 1
                k += 1
        ended[t & 127] = best
        # The character that starts here.
        score = 0
        if t < last:
            score = NO_DECISION - int(decisions[t + int(centres[0])])
            k = 1
            while k < _DATA_BITS:
                d = NO_DECISION - int(decisions[t + int(centres[k])])
                if d > 0:
                    score += d
                k += 1
            score -= character_cost
        starting[t & 127] = score
        if keep:
            decisions[t] = flags
        t += 1
    t = count - 1
    if int(ended[t & 127]) > int(idle[t & 127]):
        return _ENDS_IN_CHARACTER + int(ended[t & 127])
    return int(idle[t & 127])


class CharacterFinder:
    """Finds the starts of characters.

    decisions: a bytearray, one a sample: how far mark (more than NO_DECISION) or space (less) leads in the bit that is
    centred there.
    """

    def __init__(self):
        self._state = array("i", bytes(4 * _WORDS))
        self._ended = array("i", bytes(4 * _RING))
        self._idle = array("i", bytes(4 * _RING))
        self._starting = array("i", bytes(4 * _RING))
        self._centres = bytearray(_DATA_BITS)

    def score(self, decisions, count, bit_samples, character_cost, idle_cost):
        """The score of the best sequence in `count` samples; costs are in units of the decisions."""
        return (
            self._find(decisions, count, bit_samples, character_cost, idle_cost, 0) & 0x0FFFFFFF
        ) - _ZERO_SUM

    def starts(self, decisions, count, bit_samples, character_cost, idle_cost):
        """The starts of that sequence's characters, in samples, in order. Spoils the decisions. Allocates."""
        final = self._find(decisions, count, bit_samples, character_cost, idle_cost, 1)
        found = []
        t = count - 1
        in_character = final >= _ENDS_IN_CHARACTER
        while t > 0:
            flags = decisions[t]
            if in_character:
                t -= self._state[_LENGTH] + (1 if flags & _LONGER else 0)
                found.append(t)
                in_character = not flags & _AFTER_IDLE
            else:
                in_character = bool(flags & _FROM_CHARACTER)
                t -= 1
        found.reverse()
        return found

    def _find(self, decisions, count, bit_samples, character_cost, idle_cost, keep):
        state = self._state
        state[_SAMPLES] = count
        state[_LENGTH] = int(10 * bit_samples - 0.25)
        state[_CHARACTER_COST] = character_cost
        state[_IDLE_COST] = idle_cost
        state[_KEEP] = keep
        for k in range(_DATA_BITS):
            self._centres[k] = round((k + 0.5) * bit_samples)
        return _search(state, decisions, self._centres, self._ended, self._idle, self._starting)
