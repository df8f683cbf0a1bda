"""Where the characters of a burst start: the one sequence of start-stop characters that explains its spaces best."""

from array import array

from micropython import const

_RING = const(128)  # longer than a character
_DATA_BITS = const(9)  # start bit and eight data bits; a stop bit is mark, and so is idle

# The words that the loop works with.
_SAMPLES = const(0)
_LENGTH = const(1)  # of a character in whole samples; one sample more is allowed at no cost
_CHARACTER_COST = const(2)
_IDLE_COST = const(3)
_WORDS = const(4)

_FROM_CHARACTER = const(1)  # idle began here
_LONGER = const(2)  # the character that ends here has one sample more
_AFTER_IDLE = const(4)  # and idle before it


@micropython.viper
def _search(
    state: ptr32, decisions: ptr8, centres: ptr8, ended: ptr32, idle: ptr32, starting: ptr32, back: ptr8
) -> int:
    """Fills `back`, and answers whether the best sequence ends in a character (1) or idle (0), times 2^28, and its sum.

    A decision is 128 for none, less for space and more for mark. A sequence scores the spaces in its characters,
    less the marks in their start bits. Sums: 9 * 128 a character of 63 samples or more; 8192 samples: below 2^18.
    """
    count = int(state[_SAMPLES])
    length = int(state[_LENGTH])
    character_cost = int(state[_CHARACTER_COST])
    idle_cost = int(state[_IDLE_COST])
    # All sums are kept above zero by this much.
    for i in range(_RING):
        ended[i] = 0
        idle[i] = 0x400000
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
            score = 128 - int(decisions[t + int(centres[0])])
            k = 1
            while k < _DATA_BITS:
                d = 128 - int(decisions[t + int(centres[k])])
                if d > 0:
                    score += d
                k += 1
            score -= character_cost
        starting[t & 127] = score if score > (0 - 0x10000) else (0 - 0x10000)
        back[t] = flags
        t += 1
    t = count - 1
    if int(ended[t & 127]) > int(idle[t & 127]):
        return 0x10000000 + int(ended[t & 127])
    return int(idle[t & 127])


class CharacterFinder:
    """Finds the starts of characters.

    decisions: a bytearray, one a sample: how far mark leads in the bit that is centred there, 128 when it does not
    """

    def __init__(self, most_samples):
        self._state = array("i", bytes(4 * _WORDS))
        self._ended = array("i", bytes(4 * _RING))
        self._idle = array("i", bytes(4 * _RING))
        self._starting = array("i", bytes(4 * _RING))
        self._centres = bytearray(_DATA_BITS)
        self._back = bytearray(most_samples)
        self._length = 0
        self._final = 0

    def find(self, decisions, count, bit_samples, character_cost, idle_cost):
        """The score of the best sequence in `count` samples; costs are in units of the decisions."""
        length = int(10 * bit_samples - 0.25)
        state = self._state
        state[_SAMPLES] = count
        state[_LENGTH] = length
        state[_CHARACTER_COST] = character_cost
        state[_IDLE_COST] = idle_cost
        for k in range(_DATA_BITS):
            self._centres[k] = round((k + 0.5) * bit_samples)
        self._length = length
        self._final = _search(
            state, decisions, self._centres, self._ended, self._idle, self._starting, self._back
        )
        return (self._final & 0x0FFFFFFF) - 0x400000

    def starts(self, count):
        """The starts of that sequence's characters, in samples, in order."""
        found = []
        t = count - 1
        in_character = self._final >= 0x10000000
        while t > 0:
            flags = self._back[t]
            if in_character:
                t -= self._length + (1 if flags & _LONGER else 0)
                found.append(t)
                in_character = not flags & _AFTER_IDLE
            else:
                in_character = bool(flags & _FROM_CHARACTER)
                t -= 1
        found.reverse()
        return found
