"""What the supervisor asks of a task of the link: that it says when it will be back, and is."""

from asyncio import core

from micropython import const

# How much later than it meant to a live task may be, in a loop that reads, writes and resolves names.
_LATE_MS = const(10_000)


class Watched:
    """A task that promises, before each wait, when it will be back at the latest."""

    def __init__(self):
        self._promise(0)

    def checked_in(self):
        """Whether the task lives: it is not overdue by its own word."""
        return core.ticks_diff(self._back_at, core.ticks()) > 0

    def _promise(self, wait_ms):
        self._back_at = core.ticks_add(core.ticks(), wait_ms + _LATE_MS)
