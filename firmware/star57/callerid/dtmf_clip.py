"""Caller ID by DTMF: digits into a caller. One row a scheme; every scheme listens at once and is told by its form."""

from collections import namedtuple

from star57.callerid.framing import GARBAGE, MESSAGE, NO_CARRIER, TRUNCATED
from star57.callerid.message import Message

_LONGEST = const(48)
_LONGEST_STRING_SAMPLES = const(
    8 * 10000
)  # spandsp adsi.c: a partial string is dropped 10 s after its first digit
_LONGEST_PAUSE_SAMPLES = const(8 * 3000)  # Asterisk waits 2 s for the next digit
# Exchanges send a digit every 100 to 140 ms. After a string that is none, a pause like this must come before the next.
_APART_SAMPLES = const(8 * 1000)
# Four digits of 40 ms and their pauses: a start code and the shortest number.
_HIDES_A_PART_SAMPLES = const(8 * 280)
_FEWEST_DIGITS = const(3)
_MOST_DIGITS = const(20)  # EN 300 659-3 5.4: calling line identity

_NONE = const(0)
_A = const(0x41)
_B = const(0x42)
_C = const(0x43)
_D = const(0x44)
_HASH = const(0x23)
_STAR = const(0x2A)
_ZERO = const(0x30)

# name; countries (ISO 3166)
# number_lead, forwarded_lead, absence_lead: the code before the caller's number, the redirecting number and
#   the code of the number's absence, 0 if there is none. A part stands at most once, in any order. With a
#   number_lead of 0 the number comes first, without a code before it.
# end: the code that ends the string
# pause_ends_samples: a pause that also ends it, 0 if none does
# absences: (digits, letter of message.REASONS)
# source
Scheme = namedtuple(
    "Scheme",
    (
        "name",
        "countries",
        "number_lead",
        "forwarded_lead",
        "absence_lead",
        "end",
        "pause_ends_samples",
        "absences",
        "source",
    ),
)

_INFORMATION = ((b"00", "O"), (b"10", "P"))

A_TO_C = Scheme(
    "a_to_c",
    ("SE", "FI", "IS", "BE", "NL", "BR", "IN", "SA", "UY"),
    _A,
    _D,
    _B,
    _C,
    0,
    _INFORMATION,
    "Telia; spandsp adsi.h",
)
A_TO_HASH = Scheme(
    "a_to_hash",
    ("DK",),
    _A,
    _NONE,
    _D,
    _HASH,
    0,
    ((b"1", "P"), (b"2", "I"), (b"3", "O")),
    "CLIP Denmark; spandsp adsi.h",
)
D_TO_C = Scheme(
    "d_to_c",
    ("TW", "KW", "IN", "NL"),
    _D,
    _NONE,
    _B,
    _C,
    0,
    _INFORMATION,
    "spandsp adsi.h; Teltone TLE manual p. 85",
)
# What these begin with, a household also dials: only for a listener that knows its exchange.
NUMBER_TO_HASH = Scheme(
    "number_to_hash",
    ("DK", "NL"),
    _NONE,
    _NONE,
    _NONE,
    _HASH,
    8 * 2000,  # Asterisk waits that long for the next digit
    (),
    "spandsp adsi.h; Asterisk callerid.c",
)
STAR_TO_HASH = Scheme(
    "star_to_hash", (), _STAR, _NONE, _NONE, _HASH, 0, (), "PKTC-IETF-SIG-MIB, DTMF start code"
)
HASH_TO_C = Scheme("hash_to_c", (), _HASH, _NONE, _NONE, _C, 0, (), "PKTC-IETF-SIG-MIB, DTMF start code")

ALL = (A_TO_C, A_TO_HASH, D_TO_C)
AMBIGUOUS = (NUMBER_TO_HASH, STAR_TO_HASH, HASH_TO_C)
SCHEMES = {scheme.name: scheme for scheme in ALL + AMBIGUOUS}


class DtmfCallerId:
    """Hears one caller by DTMF in a window of samples; deaf outside it. A DtmfReceiver's sink, or behind one.

    sink.caller(result)     the window has ended; None for no sink
    schemes: rows of SCHEMES, by default those that no household can dial: they begin with A, B or D.

    `result` is None until the window ends. A string that fits a scheme ends it at once (MESSAGE). When the window
    runs out it is TRUNCATED if a string was under way, GARBAGE if digits came but no caller, NO_CARRIER if none.
    A string that fits no scheme is dropped at its end; one without an end 10 s after its first digit, or 3 s after
    its last. Allocates nothing but in message().
    """

    def __init__(self, sink=None, schemes=ALL):
        self._sink = sink
        self._schemes = schemes
        self._codes = bytearray(_LONGEST)
        self._length = 0
        self.reset()

    def listen(self, window_samples):
        """Opens the window."""
        self.reset()
        self._window_samples = window_samples

    def close(self):
        """Ends the window without a result."""
        self._window_samples = 0

    def clear(self):
        """Forgets the result, once it has been taken."""
        self.result = None

    def reset(self):
        """As new: deaf, without a result."""
        self.result = None
        self._window_samples = 0
        self._fitting = 0
        self._sounding = False
        self._digits_seen = False
        self._dropping = False
        self._pause_samples = _APART_SAMPLES
        self._drop()

    def digit(self, code, _level_dbm0=0):
        """A digit has begun to sound; its character's code."""
        if not self._window_samples:
            return
        self._sounding = True
        self._digits_seen = True
        self._begin_afresh(code)
        self._pause_samples = 0
        if self._dropping:
            self._dropping = not self._is_end(code)
        elif self._length == 0 and not self._may_begin(code):
            self._dropping = True
        elif self._length == _LONGEST:
            self._spoil()
        else:
            self._codes[self._length] = code
            self._length += 1
            if self._length > 1 and self._is_end(code):
                self._end_string(code)

    def digit_end(self, _code, _duration_samples):
        """The digit has ended: the pause after it begins."""
        self._sounding = False
        self._pause_samples = 0

    def advance(self, n):
        """`n` samples have gone by."""
        left = self._window_samples
        if n > left:
            n = left
        if not n:
            return
        self._window_samples = left - n
        if not self._sounding and self._pause_samples <= _LONGEST_PAUSE_SAMPLES:
            self._pause_samples += n
        if self._length:
            self._string_samples += n
            if self._fits_after_pause():
                self._end_window(MESSAGE)
            elif self._pause_samples > _LONGEST_PAUSE_SAMPLES:
                self._drop()
            elif self._string_samples > _LONGEST_STRING_SAMPLES:
                self._spoil()
        if self._window_samples == 0 and self.result is None:
            self._end_window(self._result_of_nothing())

    def skip(self, n):
        """`n` samples were lost, and with them perhaps a digit of the string that is under way."""
        if self._window_samples and n:
            self._sounding = False
            if self._length or n >= _HIDES_A_PART_SAMPLES:
                self._spoil()
                self._pause_samples = 0
            # The loss itself is no pause: digits may have sounded in it.
            pause_samples = self._pause_samples
            self.advance(n)
            self._pause_samples = pause_samples

    def message(self):
        """The caller, a Message of kind "dtmf", when `result` is MESSAGE. Allocates."""
        message = Message("dtmf", None)
        message.schemes = [
            scheme.name for index, scheme in enumerate(self._schemes) if self._fitting >> index & 1
        ]
        fitting = [scheme for scheme in self._schemes if scheme.name in message.schemes]
        if fitting:
            _fill(message, fitting[0], bytes(self._codes[: self._length]))
        return message

    def _begin_afresh(self, code):
        """A pause, or a code that only ever comes first, ends what was being dropped; that code also a string."""
        if code == _A and (self._dropping or self._length) and self._may_begin(code):
            self._dropping = False
            self._drop()
        elif self._pause_samples >= _APART_SAMPLES:
            self._dropping = False

    def _may_begin(self, code):
        for scheme in self._schemes:
            if code == scheme.number_lead or code == scheme.absence_lead:  # noqa: PLR1714 - a tuple allocates
                return True
            # The number may be left out where its absence is told (Telia).
            if code == scheme.forwarded_lead or (scheme.number_lead == _NONE and _is_digit(code)):
                return True
        return False

    def _is_end(self, code):
        for scheme in self._schemes:
            if code == scheme.end:
                return True
        return False

    def _end_string(self, code):
        self._fitting = 0
        for index in range(len(self._schemes)):
            scheme = self._schemes[index]
            if scheme.end == code and _fits(scheme, self._codes, self._length - 1):
                self._fitting |= 1 << index
        if self._fitting:
            self._end_window(MESSAGE)
        else:
            self._drop()

    def _fits_after_pause(self):
        self._fitting = 0
        if self._sounding:
            return False
        for index in range(len(self._schemes)):
            scheme = self._schemes[index]
            has_ended = 0 < scheme.pause_ends_samples <= self._pause_samples
            if has_ended and _fits(scheme, self._codes, self._length):
                self._fitting |= 1 << index
        return self._fitting > 0

    def _result_of_nothing(self):
        if self._length:
            return TRUNCATED
        return GARBAGE if self._digits_seen else NO_CARRIER

    def _drop(self):
        self._length = 0
        self._string_samples = 0

    def _spoil(self):
        self._drop()
        self._dropping = True

    def _end_window(self, result):
        self.close()
        self.result = result
        if self._sink is not None:
            self._sink.caller(result)


def _is_digit(code):
    return _ZERO <= code <= _ZERO + 9


def _part_end(codes, start, length):
    """Where the digits that begin at `start` end."""
    while start < length and _is_digit(codes[start]):
        start += 1
    return start


def _fits(scheme, codes, length):
    """Whether `length` codes, without the one that ends them, have the scheme's form and say something."""
    place = 0
    number = forwarded = absence = False
    while place < length:
        lead = codes[place]
        if _is_digit(lead):
            if scheme.number_lead != _NONE or place:
                return False
            lead = _NONE
        else:
            place += 1
        end = _part_end(codes, place, length)
        if lead == scheme.number_lead and not number:
            number = True
            # A number may be sent empty, where the reason of its absence follows.
            if end > place and not _FEWEST_DIGITS <= end - place <= _MOST_DIGITS:
                return False
            empty = end == place
        elif lead == scheme.forwarded_lead and not forwarded:
            forwarded = True
            if not _FEWEST_DIGITS <= end - place <= _MOST_DIGITS:
                return False
        elif lead == scheme.absence_lead and not absence:
            absence = _absence(scheme, codes, place, end) is not None
            if not absence:
                return False
        else:
            return False
        place = end
    return absence or (number and not empty)


def _absence(scheme, codes, start, end):
    """The letter that the digits from `start` to `end` stand for, or None."""
    for digits, letter in scheme.absences:
        if len(digits) == end - start:
            same = True
            for place in range(len(digits)):
                same = same and digits[place] == codes[start + place]
            if same:
                return letter
    return None


def _fill(message, scheme, codes):
    """Reads a string that fits the scheme into the message."""
    place = 0
    while place < len(codes):
        lead = codes[place]
        if _is_digit(lead):
            lead = _NONE
        else:
            place += 1
        end = _part_end(codes, place, len(codes))
        digits = "".join([chr(code) for code in codes[place:end]])
        if lead == scheme.number_lead:
            # An unknown caller may be sent as zeros (Teltone TLE manual p. 85).
            if digits.strip("0"):
                message.number = digits
            elif message.reason is None:
                message.reason = "O"
        elif lead == scheme.forwarded_lead:
            message.forwarded_from = digits
        elif lead == scheme.absence_lead:
            message.reason = _absence(scheme, codes, place, end)
        place = end
