"""Text as a TTY sends it: the 5-bit code of the United States at 45.45 baud (TIA/EIA-825-A; ITU-T V.18, Annex A).

Mark is 1400 Hz and space 1800 Hz; a character is a start bit, five data bits, the lowest first, and two stop bits: 1.5
would do (V.18, III.5.4.5.1), but some receivers count on two. A bit is 22 ms, which is 176 samples: nothing is rounded.
There is no carrier while nothing is said: mark comes 150 ms or more before the first character, and stays for 300 ms
behind the last (the same).
"""

from array import array

import micropython
from micropython import const

from star57.dsp.level import peak
from star57.dsp.tones import QUARTER_SINE

BIT_SAMPLES = const(176)
DATA_BITS = const(5)
LETTERS_SHIFT = const(31)
FIGURES_SHIFT = const(27)
# What each code is in letters and in figures; a blank stands where a code is a shift or has no character, and where
# the United States and V.18 have different ones: bell or -, # or =, & or +.
LETTERS = " E\nA SIU\rDRJNFCKTZLWHYPQOBG MXV "
FIGURES = " 3\n-  87\r$4',!:(5\")2 6019?  ./; "

# What Spanish and French have beyond the code, and how it is written without: a new line is the only control.
_PLAIN = const(
    (
        ("\u00a0", " "), ("\u202f", " "), ("\u00a1", ""), ("\u00bf", ""),
        ("\u00ab", '"'), ("\u00bb", '"'), ("\u2019", "'"), ("\u2013", "-"), ("\u2014", "-"),
        ("à", "a"), ("á", "a"), ("â", "a"), ("ç", "c"), ("è", "e"), ("é", "e"), ("ê", "e"), ("ë", "e"), ("í", "i"),
        ("î", "i"), ("ï", "i"), ("ñ", "n"), ("ó", "o"), ("ô", "o"), ("ú", "u"), ("ù", "u"), ("û", "u"), ("ü", "u"),
        ("œ", "oe"), ("À", "A"), ("Á", "A"), ("Â", "A"), ("Ç", "C"), ("È", "E"), ("É", "E"), ("Ê", "E"), ("Ë", "E"),
        ("Í", "I"), ("Î", "I"), ("Ï", "I"), ("Ñ", "N"), ("Ó", "O"), ("Ô", "O"), ("Ú", "U"), ("Ù", "U"), ("Û", "U"),
        ("Ü", "U"), ("Œ", "OE"),
    )
)  # fmt: skip

# The code of each character from 32 to 95, and _FIGURE where it is one of figures.
_CODES = (
    b"\x04\x4d\x51\x59\x49\x59\x59\x4b\x4f\x52\x59\x59\x4c\x43\x5c\x5d\x56\x57\x53\x41\x4a\x50\x55\x47\x46"
    b"\x58\x4e\x5e\x59\x59\x59\x59\x59\x03\x19\x0e\x09\x01\x0d\x1a\x14\x06\x0b\x0f\x12\x1c\x0c\x18\x16\x17"
    b"\x0a\x05\x10\x07\x1e\x13\x1d\x15\x11\x59\x59\x59\x59\x59"
)
_FIGURE = const(64)
_BLANK = const(4)
_CARRIAGE_RETURN = const(8)
_LINE_FEED = const(2)
_QUESTION_MARK = const(89)  # and _FIGURE

_STOP_SAMPLES = const(352)
_CHARACTER_SAMPLES = const(1408)  # start bit, data bits, stop bits
_MARK_BEFORE_SAMPLES = const(8 * 200)
_MARK_BEHIND_SAMPLES = const(8 * 300)
_RAMP_SAMPLES = const(32)
# 1400 and 1800 Hz, in 2^-24 of a turn a sample.
_MARK_STEP = const(2936013)
_SPACE_STEP = const(3774874)

# The words that the viper loop works with.
_PHASE = const(0)
_STEP = const(1)
_PEAK = const(2)
_SENT = const(3)
_DURATION = const(4)
_STATE_WORDS = const(5)


@micropython.viper
def _send(state: ptr32, sine: ptr8, out: ptr16, start: int, end: int):
    """One tone, phase continuous. As in tones.py: a product is below 2^29; times the ramp, after its shift, 2^20."""
    phase = int(state[_PHASE])
    step = int(state[_STEP])
    peak = int(state[_PEAK])
    sent = int(state[_SENT])
    duration = int(state[_DURATION])
    for i in range(start, end):
        place = (phase >> 13) & 510
        if phase & 0x400000:
            place = 510 - place
        x = ((int(sine[place]) + (int(sine[place + 1]) << 8)) * peak) >> 14
        if phase & 0x800000:
            x = 0 - x
        ramp = duration - sent
        if sent < ramp:
            ramp = sent
        if ramp < _RAMP_SAMPLES:
            x = (x * ramp) >> 5
        out[i] = x
        phase += step
        phase -= (phase >> 24) << 24
        sent += 1
    state[_PHASE] = phase
    state[_SENT] = sent


@micropython.viper
def _put_codes(text: ptr8, length: int, table: ptr8, codes: ptr8) -> int:
    """Writes the codes of UTF-8 capitals, behind the first, which is a shift; answers how many there are then."""
    shift = LETTERS_SHIFT
    count = 1
    for i in range(length):
        character = int(text[i])
        if character == 10:
            codes[count] = _CARRIAGE_RETURN
            codes[count + 1] = _LINE_FEED
            count += 2
            shift = 0
        elif character == 32:
            codes[count] = _BLANK
            count += 1
            if shift == FIGURES_SHIFT:
                shift = 0
        elif character < 128 or character >= 192:
            # What begins a character; of one without a code a question mark is sent.
            code = _QUESTION_MARK
            if 32 < character < 96:
                code = int(table[character - 32])
            needed = FIGURES_SHIFT if code & _FIGURE else LETTERS_SHIFT
            if needed != shift:
                shift = needed
                codes[count] = shift
                count += 1
            codes[count] = code & 31
            count += 1
    return count


def encode(text):
    """The codes of any text, shifts among them. A line's end is CR and LF; what has no code, a question mark.

    A text begins in letters. The shift in force is told again at the start of each line, and that to figures in front
    of each word of theirs: of a shift that was lost, no more than a line is lost (V.18, III.5.4.5.4: at the start, and
    every 72 characters), and a TTY that returns to letters with each space is served, too.
    """
    written = text.encode()
    if len(written) != len(text):
        for character, plain in _PLAIN:
            text = text.replace(character, plain)
        written = text.encode()
    written = written.upper()
    codes = bytearray(1 + 2 * len(written))
    codes[0] = LETTERS_SHIFT
    return codes[: _put_codes(written, len(written), _CODES, codes)]


class BaudotSender:
    """Sends one text, in the middle of what TTYs send at their modular jack, -9 to -13 dBm. `done` when all was sent.

    dbm0: the level of either tone, a whole number.
    """

    def __init__(self, dbm0=-11):
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self._state[_PEAK] = peak(dbm0)
        self._codes = b""
        self._next = 0  # the code that comes next
        self._bit = 0  # of the code that is sent: 0 its start bit
        self._left = 0  # samples of that bit

    @property
    def done(self):
        return self._state[_SENT] >= self._state[_DURATION]

    @property
    def remaining(self):
        """Samples that are still to be sent."""
        return self._state[_DURATION] - self._state[_SENT]

    def start(self, text):
        """Begins to send `text`, capitals and figures (`encode`). Allocates."""
        self._codes = encode(text)
        state = self._state
        state[_PHASE] = 0
        state[_STEP] = _MARK_STEP
        state[_SENT] = 0
        state[_DURATION] = _MARK_BEFORE_SAMPLES + _CHARACTER_SAMPLES * len(self._codes) + _MARK_BEHIND_SAMPLES
        self._next = 0
        self._bit = DATA_BITS + 1
        self._left = _MARK_BEFORE_SAMPLES

    def fill(self, buffer, n):
        """Writes up to `n` samples into `buffer`, array("h"), and answers how many; 0 when done."""
        end = max(0, min(n, self.remaining))
        at = 0
        while at < end:
            if self._left == 0:
                self._next_bit()
            stop = min(end, at + self._left)
            _send(self._state, QUARTER_SINE, buffer, at, stop)
            self._left -= stop - at
            at = stop
        return end

    def _next_bit(self):
        self._bit += 1
        if self._bit > DATA_BITS + 1:
            if self._next == len(self._codes):
                self._left = _MARK_BEHIND_SAMPLES
                return
            self._bit = 0
            self._next += 1
        mark = True
        self._left = BIT_SAMPLES
        if self._bit == 0:
            mark = False
        elif self._bit <= DATA_BITS:
            mark = self._codes[self._next - 1] >> (self._bit - 1) & 1
        else:
            self._left = _STOP_SAMPLES
        self._state[_STEP] = _MARK_STEP if mark else _SPACE_STEP
