"""What a TTY types, told by the character: the same code and tones as baudot.py sends.

A bit is cut into eight pieces of 22 samples. Both tones are correlated with each; the power of either in the last eight
pieces, half a bit at a time, tells which of them a whole bit has, also where a TTY is 20 Hz off. Bits are taken in
their middle, counted from the edge of the start bit.
"""

from array import array

import micropython
from micropython import const

from star57.dsp.baudot import DATA_BITS, FIGURES, FIGURES_SHIFT, LETTERS, LETTERS_SHIFT

_LETTERS = LETTERS.encode()
_FIGURES = FIGURES.encode()
_BLANK = const(32)
_SPACE_CODE = const(4)

_PIECE_SAMPLES = const(22)
_PIECES = const(8)  # in a bit
# A TTY sends mark for 150 ms or more before it types (V.18, III.5.4.5.1); of that, 88 ms are heard, behind a first bit.
_CARRIER_PIECES = const(32)
_FADED_PIECES = const(40)

# 200 Hz: mark is its seventh harmonic, space its ninth. 64 times the sine and 64; 10 places more, for the cosine.
_SINE = (
    b"\x40\x4a\x54\x5d\x66\x6d\x74\x79\x7d\x7f\x80\x7f\x7d\x79\x74\x6d\x66\x5d\x54\x4a\x40\x36\x2c\x23\x1a"
    b"\x13\x0c\x07\x03\x01\x00\x01\x03\x07\x0c\x13\x1a\x23\x2c\x36\x40\x4a\x54\x5d\x66\x6d\x74\x79\x7d\x7f"
)
_TURN = const(40)
_MARK_PLACES = const(7)
_SPACE_PLACES = const(9)

# The words that the viper loops share; one that may be negative is read as in progress.py. First those of this piece:
# of mark the sums by cosine and sine, of space the same, the energy; behind them the same of the last eight pieces.
_MEAN = const(5)  # of the samples, Q8
_MARK_PLACE = const(6)
_SPACE_PLACE = const(7)
_KEPT = const(8)
_SUMS = const(5)
_STATE_WORDS = const(48)

# -48 dBm0: TTYs take -50 dBm at their jack.
_LEAST_POWER = const(100)

# What a bit's worth of pieces is: mark, or space; loud, and a quarter of its energy that of the two tones; half of it.
_MARK = const(1)
_HEARD = const(2)
_PURE = const(4)


@micropython.viper
def _correlate(state: ptr32, samples: ptr16, sine: ptr8, start: int, end: int):
    """Adds samples to the piece. Behind the high-pass (160 Hz) |x| < 2^16, times 64 and 22 below 2^27."""
    a = int(state[0])
    a -= (a & 0x20000000) << 3
    b = int(state[1])
    b -= (b & 0x20000000) << 3
    c = int(state[2])
    c -= (c & 0x20000000) << 3
    d = int(state[3])
    d -= (d & 0x20000000) << 3
    energy = int(state[4])
    mean = int(state[_MEAN])
    mean -= (mean & 0x20000000) << 3
    mark = int(state[_MARK_PLACE])
    space = int(state[_SPACE_PLACE])
    for i in range(start, end):
        x = int(samples[i])
        x -= (x & 0x8000) << 1
        mean += ((x << 8) - mean) >> 3
        x -= mean >> 8
        a += x * (int(sine[mark + 10]) - 64)
        b += x * (int(sine[mark]) - 64)
        c += x * (int(sine[space + 10]) - 64)
        d += x * (int(sine[space]) - 64)
        x >>= 2
        energy += (x * x) >> 4
        mark += _MARK_PLACES
        if mark >= _TURN:
            mark -= _TURN
        space += _SPACE_PLACES
        if space >= _TURN:
            space -= _TURN
    state[0] = a
    state[1] = b
    state[2] = c
    state[3] = d
    state[4] = energy
    state[_MEAN] = mean
    state[_MARK_PLACE] = mark
    state[_SPACE_PLACE] = space


@micropython.viper
def _end_piece(state: ptr32, at: int) -> int:
    """Puts the piece in place `at` of the last eight, which are one ring, and answers what these are.

    Four pieces sum to less than 2^28.5, over 2^15 squared and twice to less than 2^28; a tone has 0.69 of `energy`.
    """
    kept = ptr32(int(state) + 4 * (_KEPT + _SUMS * at))
    for k in range(_SUMS):
        kept[k] = state[k]
        state[k] = 0
    energy = 0
    place = _KEPT + 4
    for _ in range(_PIECES):
        energy += int(state[place]) >> 4
        place += _SUMS
    mark = 0
    space = 0
    for tone in range(4):
        # The older half of the pieces, then the newer.
        piece = at
        for _ in range(2):
            total = 0
            for _ in range(4):
                piece += 1
                if piece == _PIECES:
                    piece = 0
                x = int(state[_KEPT + _SUMS * piece + tone])
                total += x - ((x & 0x20000000) << 3)
            total >>= 15
            if tone < 2:
                mark += total * total
            else:
                space += total * total
    answer = _MARK if mark > space else 0
    power = mark + space
    if power > _LEAST_POWER:
        if power * 6 > energy:
            answer += _HEARD
        if power * 3 > energy:
            answer += _PURE
    return answer


class BaudotReceiver:
    """Tells what is typed on a TTY.

    sink.character(code)    ord of a capital, a figure, a sign, " ", "\\r" or "\\n", in the middle of its stop bits

    A TTY hears nothing while it sends: neither must this, which would read what the adapter sends. So it is to be fed
    while nothing plays, and reset while something does, which takes no time but for the first.
    """

    def __init__(self, sink):
        self._sink = sink
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self._is_new = False
        self.reset()

    def reset(self):
        """As new: silence, and letters."""
        if self._is_new:
            return
        self._is_new = True
        for k in range(_STATE_WORDS):
            self._state[k] = 0
        self._filled = 0  # samples of the piece
        self._at = 0  # its place in the ring
        self._figures = False
        self._lose_carrier()

    def skip(self, _n):
        """Samples were lost: the character that they fell in is lost, too."""
        self._wait = 0

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h"). Allocates nothing."""
        self._is_new = False
        at = 0
        while at < n:
            end = min(n, at + _PIECE_SAMPLES - self._filled)
            _correlate(self._state, samples, _SINE, at, end)
            self._filled += end - at
            at = end
            if self._filled == _PIECE_SAMPLES:
                self._filled = 0
                self._follow(_end_piece(self._state, self._at))
                self._at = (self._at + 1) % _PIECES

    def _lose_carrier(self):
        self._has_carrier = False
        self._marks = 0  # pieces of mark until there is one
        self._faded = 0  # pieces without a tone
        self._wait = 0  # pieces until the middle of the next bit; 0 between characters
        self._bit = 0
        self._code = 0

    def _follow(self, heard):
        if not self._has_carrier:
            self._marks = self._marks + 1 if heard & _MARK and heard & _PURE else 0
            self._has_carrier = self._marks == _CARRIER_PIECES
            return
        self._faded = 0 if heard & _HEARD else self._faded + 1
        if self._faded == _FADED_PIECES:
            self._lose_carrier()
        elif self._wait:
            self._wait -= 1
            if self._wait == 0:
                self._take_bit(heard)
        elif not heard & _MARK and heard & _HEARD:
            # The edge of a start bit lies in the middle of the eight pieces: that bit fills them four pieces later.
            self._wait = _PIECES // 2
            self._bit = 0
            self._code = 0

    def _take_bit(self, heard):
        is_mark = heard & _MARK
        if not heard & _HEARD or (self._bit == 0 and is_mark):
            return
        if self._bit > DATA_BITS:
            if is_mark:
                self._tell(self._code)
            return
        if self._bit:
            self._code |= is_mark << (self._bit - 1)
        self._bit += 1
        self._wait = _PIECES

    def _tell(self, code):
        if code == LETTERS_SHIFT:
            self._figures = False
        elif code == FIGURES_SHIFT:
            self._figures = True
        else:
            character = _FIGURES[code] if self._figures else _LETTERS[code]
            if character != _BLANK or code == _SPACE_CODE:
                self._sink.character(character)
