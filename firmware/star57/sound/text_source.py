"""A text for a TTY as the player takes it: the samples of its characters."""

from array import array

import micropython
from micropython import const

from star57.dsp.baudot import BaudotSender

_SCRATCH_SAMPLES = const(160)


@micropython.viper
def _copy(samples: ptr16, out: ptr16, offset: int, count: int):
    for i in range(count):
        out[offset + i] = samples[i]


class TextSource:
    """The samples of a text for a TTY. It has a sender of its own: the text before it may still be sent."""

    broken = False

    def __init__(self, text):
        self._sender = BaudotSender()
        self._sender.start(text)
        self._scratch = array("h", bytes(2 * _SCRATCH_SAMPLES))
        self.remaining = self._sender.remaining

    def fill(self, buffer, offset, n):
        """Writes up to `n` samples at `offset` and answers how many; fewer only at the end."""
        end = offset + min(n, self.remaining)
        at = offset
        while at < end:
            count = self._sender.fill(self._scratch, min(end - at, _SCRATCH_SAMPLES))
            _copy(self._scratch, buffer, at, count)
            at += count
        self.remaining -= end - offset
        return end - offset

    def close(self):
        pass
