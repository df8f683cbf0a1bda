"""The log: each line goes to the board at once, and the newest are kept for a host that asks for them."""

from micropython import const

_KEPT = const(32)
_LONGEST = const(100)


class LogBook:
    """Lines for a technician; never a caller's number. `lines` counts those logged since start."""

    def __init__(self, board):
        self._board = board
        self._kept = []
        self.lines = 0

    def log(self, text):
        """Logs `text`; each of its lines is one, and kept up to 100 characters."""
        self._board.log(text)
        for line in text.rstrip().split("\n"):
            if len(self._kept) == _KEPT:
                self._kept.pop(0)
            self._kept.append(line[:_LONGEST])
            self.lines += 1

    def since(self, first, most):
        """The number of the first line that is kept from number `first` on, and at most `most` lines from it on."""
        oldest = self.lines - len(self._kept)
        first = min(max(first, oldest), self.lines)
        place = first - oldest
        return first, self._kept[place : place + most]
