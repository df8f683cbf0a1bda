"""Frames of the serial carrier (docs/protocol.md): a line of text each, with a CRC-32, among lines that are none."""

from binascii import crc32

import micropython
from micropython import const

# Offset and total of a part, of four digits each, a space behind either, and 512 bytes; a few are left.
LONGEST_PAYLOAD_BYTES = const(528)
NUMBERS = const(1000)

# "*57 ", a kind of one letter, a number of 3 digits, the CRC-32, and the spaces between them.
_LONGEST_HEAD_BYTES = const(19)
_LONGEST_NUMBER = const(3)
_NEWLINE = const(10)


class FrameError(Exception):
    """This line is no frame, or a damaged one."""


def build(kind, number, payload):
    """The bytes of a frame, with the line breaks around it.

    `kind` is a lower-case letter, `number` 0 to NUMBERS - 1, `payload` at most LONGEST_PAYLOAD_BYTES of printable
    ASCII.
    """
    head = "*57 {} {} ".format(kind, number).encode()
    return b"\n%s%08x %s\n" % (head, crc32(payload, crc32(head)), payload)


def parse(line):
    """Kind, number and payload of the frame in `line`, which has no line break. Raises FrameError."""
    words = line.split(b" ", 4)
    if len(words) != 5 or words[0] != b"*57":
        raise FrameError
    _, kind, number, checksum, payload = words
    if not _is_kind(kind) or not _is_number(number) or len(payload) > LONGEST_PAYLOAD_BYTES:
        raise FrameError
    head_bytes = len(line) - len(payload) - len(checksum) - 1
    if checksum != b"%08x" % crc32(payload, crc32(line[:head_bytes])):
        raise FrameError
    if not is_printable(payload):
        raise FrameError
    return kind.decode(), int(number), payload


def is_printable(data):
    """Whether all bytes of `data` are printable ASCII."""
    return bool(_are_printable(data, len(data)))


@micropython.viper
def _are_printable(data: ptr8, count: int) -> bool:
    for place in range(count):
        if data[place] < 0x20 or data[place] > 0x7E:
            return False
    return True


def _is_kind(word):
    return len(word) == 1 and word.isalpha() and word.islower()


def _is_number(word):
    return len(word) <= _LONGEST_NUMBER and word.isdigit() and (word == b"0" or word[:1] != b"0")


class FrameReceiver:
    """Finds the frames in a stream of bytes, in a buffer that never grows.

    sink.frame(kind, number, payload) is called for each, and for those that could be put right. Every other line, a
    frame that is damaged beyond repair too, is passed by.
    """

    def __init__(self, sink):
        self._sink = sink
        # One byte more than a frame: the carriage return that a terminal may add.
        self._line = bytearray(_LONGEST_HEAD_BYTES + LONGEST_PAYLOAD_BYTES + 1)
        self._length = 0
        self._is_too_long = False

    def feed(self, data, count):
        """The first `count` bytes of `data` came."""
        # Local names are quick: a port without a plug may hear noise all day long.
        line = self._line
        room = len(line)
        length = self._length
        for place in range(count):
            byte = data[place]
            if byte == _NEWLINE:
                self._line_ended(length)
                length = 0
            elif length < room:
                line[length] = byte
                length += 1
            else:
                self._is_too_long = True
        self._length = length

    def _line_ended(self, length):
        is_too_long, self._is_too_long = self._is_too_long, False
        if is_too_long or not length:
            return
        line = bytes(memoryview(self._line)[:length])
        try:
            kind, number, payload = _parse_or_repair(line[:-1] if line.endswith(b"\r") else line)
        except FrameError:
            return
        self._sink.frame(kind, number, payload)


def _parse_or_repair(line):
    try:
        return parse(line)
    except FrameError:
        # Over most cables no line is ever damaged.
        from star57.link.repair import repaired  # noqa: PLC0415

        line = repaired(line)
        if line is None:
            raise
        return parse(line)
