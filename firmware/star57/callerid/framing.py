"""Bytes into whole messages: where one starts, how long it is, whether its checksum holds (GR-30)."""

MESSAGE = const(1)
CHECKSUM_WRONG = const(2)
TRUNCATED = const(3)
NO_CARRIER = const(4)
GARBAGE = const(5)

# SDMF call, message waiting, reserved; MDMF call set-up, test, message waiting (GR-30), advice of charge,
# short message (ES 200 659-3).
_MESSAGE_TYPES = b"\x04\x06\x0b\x80\x81\x82\x86\x89"
_LONGEST = const(258)  # type, length, 255, checksum

# A message is announced by mark: 55 bits at least (SIN 227), of which carrier and noise may take some.
# Without a seizure before it, the mark is all that tells a message from speech, so more of it is asked for.
_ANNOUNCING_MARKS = const(11)
_ANNOUNCING_MARKS_ALONE = const(32)
# Within a message up to 20 bits of mark may come between two bytes (GR-30); more end it.
_INTERRUPTING_MARKS = const(25)


class Framer:
    """Assembles the bytes of an FskReceiver, as its sink.

    `result`: None, MESSAGE, CHECKSUM_WRONG or TRUNCATED; a later message replaces an earlier one.
    `data`, `length`: the message's bytes, from the type to the checksum.
    `confidence`: of its least certain bit, 0..255.
    `receiving`: a message has begun. `carrier_seen`, `carrier_present`: since reset, and now.
    """

    def __init__(self):
        self.data = bytearray(_LONGEST)
        self.reset()

    def reset(self, seizure=True):
        """As new. `seizure`: one may come before the mark, as it does on-hook."""
        self._announcing_marks = _ANNOUNCING_MARKS if seizure else _ANNOUNCING_MARKS_ALONE
        self.result = None
        self.length = 0
        self.confidence = 0
        self.receiving = False
        self.carrier_seen = False
        self.carrier_present = False
        self._announced = False
        self._damaged = False

    def carrier(self, present):
        self.carrier_present = bool(present)
        self.carrier_seen = self.carrier_seen or self.carrier_present
        self._announced = False
        if self.receiving:
            self._end(TRUNCATED)

    def marks(self, bits):
        if self.receiving and bits >= _INTERRUPTING_MARKS:
            self._end(TRUNCATED)
        self._announced = bits >= self._announcing_marks

    def byte(self, value, confidence):
        if self.receiving:
            self._append(value, confidence)
        elif self._announced and value in _MESSAGE_TYPES:
            self.receiving = True
            self.result = None
            self.length = 0
            self.confidence = 255
            self._damaged = False
            self._append(value, confidence)
        self._announced = False

    def framing_error(self):
        """Keeps the lost byte's place, so that the message still ends where it should."""
        self._announced = False
        if self.receiving:
            self._damaged = True
            self._append(0, 0)

    def _append(self, value, confidence):
        self.data[self.length] = value
        self.length += 1
        self.confidence = min(self.confidence, confidence)
        if self.length >= 3 and self.length == self.data[1] + 3:
            self._end(CHECKSUM_WRONG if self._damaged or self._sum() else MESSAGE)

    def _sum(self):
        total = 0
        for i in range(self.length):
            total += self.data[i]
        return total & 0xFF

    def _end(self, result):
        self.receiving = False
        self.result = result
