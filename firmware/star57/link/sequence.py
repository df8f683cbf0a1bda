"""Sequence numbers of asks (docs/protocol.md): each greater than all before it, through power loss."""

from micropython import const

from star57.storage import StorageError

# A heartbeat a minute: a write to flash in four hours.
_BLOCK = const(256)
_RANDOM_BYTES = const(5)


class SequenceNumbers:
    """Counts asks, 0 to 2^53 - 1; a DurableRecord holds up to where numbers may have been given.

    Where that cannot be read or written, numbers begin at a random one below 2^40, so that no number is given twice
    but by a chance that is none; a service that has seen greater ones says so.
    """

    def __init__(self, record, random_bytes):
        self._record = record
        self._random_bytes = random_bytes
        self._next = None
        self._given_to = None
        self.faults = 0

    def next(self):
        """The next number."""
        if self._next is None:
            self._begin()
        elif self._next >= self._given_to and not self._give(self._next):
            self._given_to = self._next + _BLOCK
        number = self._next
        self._next += 1
        return number

    def go_on_behind(self, newest):
        """The service has seen `newest`: what comes next is greater."""
        if self._next is None or self._next <= newest:
            self._next = newest + 1
            self._given_to = newest + 1
            self._give(self._next)

    def _begin(self):
        kept = self._kept()
        # A block further than what is there: the newest one may have failed to be written, or to be read again.
        self._next = None if kept is None else kept + _BLOCK
        if self._next is None or not self._give(self._next):
            self._next = int.from_bytes(self._random_bytes(_RANDOM_BYTES), "big")
            if not self._give(self._next):
                self._given_to = self._next + _BLOCK

    def _kept(self):
        payload = self._record.read()
        if payload is None:
            return None
        if not payload.isdigit() or len(payload) > 16:
            self.faults += 1
            return None
        return int(payload)

    def _give(self, first):
        """Whether numbers from `first` on may be given from now on, a block of them."""
        try:
            self._record.write(str(first + _BLOCK).encode())
        except StorageError:
            self.faults += 1
            return False
        self._given_to = first + _BLOCK
        return True
