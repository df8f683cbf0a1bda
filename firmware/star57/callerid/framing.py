"""Bytes into whole messages: where one starts, how long it is, whether its checksum holds (GR-30; NTT)."""

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
ANNOUNCING_MARKS = const(11)
_ANNOUNCING_MARKS_ALONE = const(32)
# Within a message up to 20 bits of mark may come between two bytes (GR-30); more end it.
_INTERRUPTING_MARKS = const(25)

# NTT Number Display: DLE SOH 07 DLE STX, 40 length parameters, DLE ETX, CRC. All but the CRC carries even parity in
# bit 7; a DLE within the message is doubled. The CRC is x16 + x12 + x5 + 1, least significant bit first, from 0, over
# the bytes as they are sent, from 07 to ETX.
NTT_DLE = const(0x10)
NTT_ETX = const(0x03)
NTT_HEADER = b"\x90\x81\x87\x90\x82"
NTT_SHORTEST = const(11)  # an empty message
NTT_LONGEST = const(266)  # 127 bytes of parameters and their length, each a DLE and doubled
_CRC_OF_NIBBLE = (
    0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
    0x8408, 0x9489, 0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F,
)  # fmt: skip


def ntt_crc(crc, byte):
    """The CRC after one more byte. Over a frame's bytes from the third on, its CRC with them, it ends in 0."""
    crc = (crc >> 4) ^ _CRC_OF_NIBBLE[(crc ^ byte) & 15]
    return (crc >> 4) ^ _CRC_OF_NIBBLE[(crc ^ (byte >> 4)) & 15]


def even_parity(byte):
    """Whether an even number of the eight bits is set."""
    byte ^= byte >> 4
    return not (0x6996 >> (byte & 15)) & 1


class Framer:
    """Assembles the bytes of an FskReceiver, as its sink.

    `result`: None, MESSAGE, CHECKSUM_WRONG or TRUNCATED; a later message replaces an earlier one.
    `data`, `length`: the message's bytes, from the type to the checksum.
    `confidence`: of its least certain bit, 0..255. `weakest_byte`: where that is, from 0.
    `framing_errors`: bytes lost in it.
    `receiving`: a message has begun. `carrier_seen`, `carrier_present`: since reset, and now.
    """

    def __init__(self):
        self.data = bytearray(_LONGEST)
        self.reset()

    def reset(self, seizure=True):
        """As new. `seizure`: one may come before the mark, as it does on-hook."""
        self._announcing_marks = ANNOUNCING_MARKS if seizure else _ANNOUNCING_MARKS_ALONE
        self.result = None
        self.length = 0
        self.confidence = 0
        self.framing_errors = 0
        self.weakest_byte = 0
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
        self._announced = self._announced or bits >= self._announcing_marks

    def byte(self, value, confidence):
        if self.receiving:
            self._append(value, confidence)
            # Another message may follow in the same burst, at once.
            self._announced = not self.receiving and self.result == MESSAGE
            return
        if self._announced and value in _MESSAGE_TYPES:
            self.receiving = True
            self.result = None
            self.length = 0
            self.confidence = 255
            self.framing_errors = 0
            self.weakest_byte = 0
            self._damaged = False
            self._append(value, confidence)
        self._announced = False

    def framing_error(self):
        """Keeps the lost byte's place, so that the message still ends where it should."""
        self._announced = False
        if self.receiving:
            self._damaged = True
            self.framing_errors += 1
            self._append(0, 0)

    def _append(self, value, confidence):
        self.data[self.length] = value
        self.length += 1
        if confidence < self.confidence:
            self.confidence = confidence
            self.weakest_byte = self.length - 1
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


class NttFramer:
    """Assembles the bytes of an FskReceiver into an NTT frame, as its sink. Takes Framer's place.

    Attributes as Framer's. `data`, `length`: the frame as it came, from DLE SOH to the CRC, for message.parse_ntt.
    """

    def __init__(self):
        self.data = bytearray(NTT_LONGEST)
        self.reset()

    def reset(self, seizure=False):
        """As new. NTT sends no seizure, so that more of the mark before the frame is asked for."""
        self._announcing_marks = ANNOUNCING_MARKS if seizure else _ANNOUNCING_MARKS_ALONE
        self.result = None
        self.length = 0
        self.confidence = 0
        self.framing_errors = 0
        self.weakest_byte = 0
        self.receiving = False
        self.carrier_seen = False
        self.carrier_present = False
        self._announced = False
        self._start()

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
        elif self._announced and value == NTT_HEADER[0]:
            self.receiving = True
            self.result = None
            self.length = 0
            self.confidence = 255
            self.framing_errors = 0
            self.weakest_byte = 0
            self._start()
            self._append(value, confidence)
        self._announced = False

    def framing_error(self):
        """Keeps the lost byte's place."""
        self._announced = False
        if self.receiving:
            self._damaged = True
            self.framing_errors += 1
            self._append(0, 0)

    def _start(self):
        self._damaged = False
        self._escaped = False
        self._crc = 0
        self._crc_bytes = 0

    def _append(self, value, confidence):
        place = self.length
        self.data[place] = value
        self.length += 1
        if confidence < self.confidence:
            self.confidence = confidence
            self.weakest_byte = place
        if place >= 2:
            self._crc = ntt_crc(self._crc, value)
        if place < len(NTT_HEADER):
            self._append_to_header(place, value)
        elif self._crc_bytes:
            self._crc_bytes -= 1
            if self._crc_bytes == 0:
                self._end(CHECKSUM_WRONG if self._damaged or self._crc else MESSAGE)
        else:
            self._append_to_content(value)
        if self.receiving and self.length == NTT_LONGEST:
            self._end(CHECKSUM_WRONG)

    def _append_to_header(self, place, value):
        if value != NTT_HEADER[place]:
            self._damaged = True
            # One byte of a kind may be speech or noise; two are a frame, though it be damaged.
            if place == 1:
                self.receiving = False

    def _append_to_content(self, value):
        self._damaged = self._damaged or not even_parity(value)
        value &= 0x7F
        if self._escaped:
            self._escaped = False
            if value == NTT_ETX:
                self._crc_bytes = 2
            elif value != NTT_DLE:
                self._damaged = True
        elif value == NTT_DLE:
            self._escaped = True

    def _end(self, result):
        self.receiving = False
        self.result = result
