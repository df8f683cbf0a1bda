"""What receivers and detectors notice, between the audio path, which may not allocate, and those who act on it."""

from array import array

from micropython import const

_RING_STARTED = const(0)
_RING_ENDED = const(1)
_RINGING_STOPPED = const(2)
_OFF_HOOK = const(3)
_ON_HOOK = const(4)
_FLASH = const(5)
_DIGIT = const(6)
_ALERT = const(7)
_SUBSCRIBER_ALERT = const(8)
NAMES = (
    "ring_started",
    "ring_ended",
    "ringing_stopped",
    "off_hook",
    "on_hook",
    "flash",
    "digit",
    "alert",
    "subscriber_alert",
)
"""The kinds, in their order."""

_FACTS = const(32)
_ZERO = const(0x30)  # the digits
_NINE = const(0x39)


class Facts:
    """The sink of every receiver: a fixed ring of what they noticed. Full, it keeps the old and counts the new."""

    def __init__(self):
        self._kinds = bytearray(_FACTS)
        self._values = array("i", bytes(4 * _FACTS))
        self._first = 0
        self._count = 0
        self.lost = 0
        self.value = 0

    def take(self):
        """The kind of the oldest fact, its value in `value`; -1 when there is none."""
        if not self._count:
            return -1
        kind = self._kinds[self._first]
        self.value = self._values[self._first]
        self._first = (self._first + 1) % _FACTS
        self._count -= 1
        return kind

    def _put(self, kind, value):
        if self._count == _FACTS:
            self.lost += 1
            return
        place = (self._first + self._count) % _FACTS
        self._kinds[place] = kind
        self._values[place] = value
        self._count += 1

    def ring_started(self):
        self._put(_RING_STARTED, 0)

    def ring_ended(self, number, _duration_samples):
        self._put(_RING_ENDED, number)

    def ringing_stopped(self, rings):
        self._put(_RINGING_STOPPED, rings)

    def off_hook(self):
        self._put(_OFF_HOOK, 0)

    def on_hook(self):
        self._put(_ON_HOOK, 0)

    def loop_opened(self):
        pass

    def flash(self):
        self._put(_FLASH, 0)

    def pulsed_digit(self, code):
        self._put(_DIGIT, code)

    def digit(self, code, _level_dbm0):
        self._put(_DIGIT, code)

    def digit_end(self, code, duration_samples):
        pass

    def character(self, code):
        if _ZERO <= code <= _NINE:
            self._put(_DIGIT, code)

    def alert(self, duration_samples):
        self._put(_ALERT, duration_samples)

    def subscriber_alert(self, duration_samples):
        self._put(_SUBSCRIBER_ALERT, duration_samples)
