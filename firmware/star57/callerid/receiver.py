"""Caller ID from samples: an FSK receiver and a framer, and the window in which they listen."""

from star57.callerid import message
from star57.callerid.framing import GARBAGE, MESSAGE, NO_CARRIER, TRUNCATED, Framer
from star57.callerid.standards import BELL_202
from star57.dsp.fsk import FskReceiver

# Message waiting, 82 03 0B 01 FF 70. Fewer bytes than that may be a click: the message may be yet to come.
_SHORTEST_MESSAGE = const(6)


class CallerIdReceiver:
    """Hears one caller-ID message in a window of samples; deaf outside it, for speech and tones are no FSK.

    `result` is None until the window ends. A good message ends it at once (MESSAGE), a bad one when the
    carrier drops (CHECKSUM_WRONG, TRUNCATED). When the window runs out it is TRUNCATED if a message was under
    way, GARBAGE if there was a carrier but no message, NO_CARRIER if there was none.
    """

    def __init__(self, standard=BELL_202):
        self._framer = Framer()
        self._fsk = FskReceiver(self._framer, standard.mark_hz, standard.space_hz, standard.baud)
        self._window_samples = 0
        self.result = None

    def listen(self, window_samples, seizure=True):
        """Opens the window. `seizure`: one may come, as it does on-hook; without it more mark has to come."""
        self.reset()
        self._framer.reset(seizure)
        self._window_samples = window_samples

    def close(self):
        """Ends the window without a result of its own."""
        self._window_samples = 0

    def clear(self):
        """Forgets the result, once it has been taken."""
        self.result = None

    def reset(self):
        """As new: deaf, without a result."""
        self._fsk.reset()
        self._framer.reset()
        self.close()
        self.clear()

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h"), as far as they lie in the window."""
        n = min(n, self._window_samples)
        if n:
            self._fsk.feed(samples, n)
            self._advance(n)

    def skip(self, n):
        """`n` samples were lost."""
        n = min(n, self._window_samples)
        if n:
            self._fsk.skip(n)
            self._advance(n)

    def message(self):
        """The message, when `result` is MESSAGE. Allocates. Raises message.MessageError."""
        return message.parse(self._framer.data[: self._framer.length])

    @property
    def confidence(self):
        """0..255, of the message's least certain bit."""
        return self._framer.confidence

    def _advance(self, n):
        self._window_samples -= n
        framer = self._framer
        if framer.result == MESSAGE or self._failed():
            self._end(framer.result)
        elif self._window_samples == 0:
            if framer.receiving:
                self._end(TRUNCATED)
            elif framer.result is not None:
                self._end(framer.result)
            else:
                self._end(GARBAGE if framer.carrier_seen else NO_CARRIER)

    def _failed(self):
        framer = self._framer
        return framer.result is not None and not framer.carrier_present and framer.length >= _SHORTEST_MESSAGE

    def _end(self, result):
        self.close()
        self.result = result
