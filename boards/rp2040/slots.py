"""Two firmware slots in the board's flash, and the trial of one by the other (docs/slots.md)."""

import hashlib

import _slots
from micropython import const

_SLOTS = "ab"
# Hashing reads the flash and takes this much at a time, so that the line gets its turn.
_STEP_BYTES = const(4096)


class Slots:
    """The slot that runs, "a" or "b" in `running`, and the idle one, which can be written and tried.

    `trial`: what runs is not confirmed yet, and any reset takes the board back. `returned`: the last trial came back.
    All but `confirm` raise OSError, EINVAL, during a trial, for the idle slot holds the way back; EIO: the flash is
    worn out.

    begin_anew: called when the board has to begin anew.
    """

    room_bytes = _slots.ROOM_BYTES

    def __init__(self, begin_anew):
        self._begin_anew = begin_anew
        self.running = _SLOTS[_slots.running()]
        self.idle = _SLOTS[1 - _slots.running()]
        self.returned = bool(_slots.returned())
        self.trial = bool(_slots.trial())

    def begin(self):
        """Empties the idle slot, and forgets that an earlier try came back."""
        _slots.begin()
        self.returned = False

    def write(self, offset, data):
        """Puts `data`, 4096 bytes at the most, at a sector's start in the idle slot: 50 ms without interrupts."""
        _slots.write(offset, data)

    def sha256(self, size):
        """A generator of None, a step each, and at last of 32 bytes: for the first `size` bytes of the idle slot."""
        digest = hashlib.sha256()
        held = _slots.idle()
        for start in range(0, size, _STEP_BYTES):
            digest.update(held[start : min(start + _STEP_BYTES, size)])
            yield None
        yield digest.digest()

    def try_other(self):
        """Begins anew in the idle slot, for a try; OSError, EINVAL, when no whole firmware for this place is in it."""
        _slots.try_other()
        self._begin_anew()

    def confirm(self):
        """The running firmware is the good one from now on."""
        _slots.confirm()
        self.trial = False
