"""Ring and hook: each edge of their pins, with the sample in which it came, by an interrupt that allocates nothing."""

from array import array

from machine import Pin
from micropython import const

_KEPT = const(128)  # edges; a ring of 68 Hz for a second, which is more than the audio ring holds


class EdgePins:
    """The pins whose edges count. `place` answers the place of the sample that comes next (AudioIn.place).

    While flash is erased no interrupt comes: edges of that time are one edge behind it, if the level has changed.
    `dropped` counts edges that nobody took in time.
    """

    def __init__(self, pins, place):
        self.kind = bytearray(_KEPT)
        self.level = bytearray(_KEPT)
        self.at = array("H", bytes(2 * _KEPT))
        self.dropped = 0
        self._place = place
        self._first = 0
        self._end = 0
        self._pins = pins
        self._last = bytearray(len(pins))
        self._handlers = [self._handler(i) for i in range(len(pins))]
        for i in range(len(pins)):
            pins[i].irq(self._handlers[i], Pin.IRQ_RISING | Pin.IRQ_FALLING, hard=True)
            # What is not at rest when the power comes has no edge to tell of it.
            if pins[i].value():
                self._handlers[i](pins[i])

    def first(self):
        """The index of the oldest edge in `kind`, `level` and `at`; -1 when there is none."""
        return -1 if self._first == self._end else self._first

    def drop_first(self):
        """The oldest has been taken."""
        self._first = (self._first + 1) % _KEPT

    def _handler(self, kind):
        def note(pin):
            level = pin.value()
            if level == self._last[kind]:
                return
            self._last[kind] = level
            end = self._end
            following = (end + 1) % _KEPT
            if following == self._first:
                self.dropped += 1
                return
            self.kind[end] = kind
            self.level[end] = level
            self.at[end] = self._place()
            self._end = following

        return note
