"""The first digits after off-hook, held against the codes that are ours."""

_LONGEST_PAUSE_SAMPLES = const(8 * 5000)


class DialledDigits:
    """Watches what is dialled, and touches none of it.

    sink.code_dialled(index)    codes[index] was dialled as the first digits after off-hook or flash

    A code matches with its last digit. Once a digit fits no code, or 5 s go by between two, nothing matches until the
    next off-hook: 911 never does.
    """

    def __init__(self, sink, codes):
        self._sink = sink
        self._codes = [tuple(ord(digit) for digit in code) for code in codes]
        self._listening = False
        self._digits = ()
        self._since_digit = 0

    def off_hook(self):
        """The phone was lifted, or the hook flashed: the next digit is the first."""
        self._listening = True
        self._digits = ()

    def on_hook(self):
        self._listening = False

    def digit(self, code):
        """A digit was dialled, by tone or by pulses."""
        if not self._listening:
            return
        self._digits += (code,)
        self._since_digit = 0
        if self._digits in self._codes:
            self._listening = False
            self._sink.code_dialled(self._codes.index(self._digits))
        elif not any(ours[: len(self._digits)] == self._digits for ours in self._codes):
            self._listening = False

    def advance(self, n):
        """`n` samples have gone by."""
        if self._listening and self._digits:
            self._since_digit += n
            if self._since_digit > _LONGEST_PAUSE_SAMPLES:
                self._listening = False
