"""The first digits after off-hook, held against the codes that are ours."""

_LONGEST_PAUSE_SAMPLES = const(8 * 5000)


class DialledDigits:
    """Watches what is dialled, and touches none of it. Allocates nothing.

    codes: texts of digits, none the beginning of another (codes.py); none at all: nothing ever matches
    sink.code_dialled(index)    codes[index] was dialled as the first digits after off-hook or flash

    A code matches with its last digit. Once a digit fits no code, or 5 s go by between two, nothing matches until the
    next off-hook: 911 never does.
    """

    def __init__(self, sink, codes):
        self._sink = sink
        self._codes = [code.encode() for code in codes]
        self._digits = bytearray(max([len(code) for code in codes] + [1]))
        self._count = 0
        self._listening = False
        self._since_digit = 0

    def off_hook(self):
        """The phone was lifted, or the hook flashed: the next digit is the first."""
        self._listening = True
        self._count = 0

    def on_hook(self):
        """The phone was hung up: nothing is a digit of ours until it is lifted."""
        self._listening = False

    def digit(self, code):
        """A digit was dialled, by tone or by pulses; its character's code."""
        if not self._listening:
            return
        self._digits[self._count] = code
        self._count += 1
        self._since_digit = 0
        self._listening = False
        for index in range(len(self._codes)):
            if self._begins(self._codes[index]):
                if len(self._codes[index]) == self._count:
                    self._sink.code_dialled(index)
                    return
                self._listening = True

    def advance(self, n):
        """`n` samples have gone by."""
        if self._listening and self._count:
            self._since_digit += n
            if self._since_digit > _LONGEST_PAUSE_SAMPLES:
                self._listening = False

    def _begins(self, code):
        for place in range(self._count):
            if code[place] != self._digits[place]:
                return False
        return True
