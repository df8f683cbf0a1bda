"""Frames of the serial carrier, as `docs/protocol.md` has them: a line of text each, among lines that are none."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from host_tools.gateway.repair import repaired

MAX_PAYLOAD_BYTES = 528
MAX_HEAD_BYTES = 19
NUMBERS = 1000
PREFIX = b"*57 "

_FRAME = re.compile(rb"(\*57 ([a-z]) (0|[1-9][0-9]{0,2}) )([0-9a-f]{8}) ([ -~]*)")


class FrameError(Exception):
    """This line is no frame, or a damaged one."""


@dataclass(frozen=True)
class Frame:
    """What a line carries: `kind` a lower-case letter, `number` 0 to 999, a payload of 0 to 528 printable bytes."""

    kind: str
    number: int
    payload: bytes


def build(frame: Frame) -> bytes:
    """The bytes of a frame, with the line breaks around it."""
    head = f"*57 {frame.kind} {frame.number} ".encode()
    return b"\n%s%08x %s\n" % (head, zlib.crc32(frame.payload, zlib.crc32(head)), frame.payload)


def parse(line: bytes) -> Frame:
    """The frame in `line`, which has no line break.

    Raises:
        FrameError: it is none.
    """
    found = _FRAME.fullmatch(line)
    if found is None:
        raise FrameError("no frame")
    head, kind, number, checksum, payload = found.groups()
    if len(payload) > MAX_PAYLOAD_BYTES or int(checksum, 16) != zlib.crc32(payload, zlib.crc32(head)):
        raise FrameError("damaged")
    return Frame(kind.decode(), int(number), payload)


class FrameReader:
    """Finds the frames in a stream of bytes. It keeps one unfinished line, of the longest frame at most.

    `damaged` counts the lines that began as a frame, are none, and could not be put right.
    """

    # One byte more than a frame: the carriage return that a terminal may add.
    LONGEST_LINE_BYTES = MAX_HEAD_BYTES + MAX_PAYLOAD_BYTES + 1

    def __init__(self) -> None:
        self._line = bytearray()
        self._is_too_long = False
        self.damaged = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes."""
        *ended, rest = data.split(b"\n")
        frames = []
        for part in ended:
            self._append(part)
            frame = self._line_ended()
            if frame is not None:
                frames.append(frame)
        self._append(rest)
        return frames

    def _append(self, part: bytes) -> None:
        room = self.LONGEST_LINE_BYTES - len(self._line)
        self._is_too_long = self._is_too_long or len(part) > room
        self._line += part[:room]

    def _line_ended(self) -> Frame | None:
        line, self._line = bytes(self._line), bytearray()
        is_too_long, self._is_too_long = self._is_too_long, False
        if is_too_long:
            self.damaged += line.startswith(PREFIX)
            return None
        line = line.removesuffix(b"\r")
        try:
            return _parse_or_repair(line)
        except FrameError:
            self.damaged += line.startswith(PREFIX)
            return None


def _parse_or_repair(line: bytes) -> Frame:
    try:
        return parse(line)
    except FrameError:
        repaired_line = repaired(line)
        if repaired_line is None:
            raise
        return parse(repaired_line)
