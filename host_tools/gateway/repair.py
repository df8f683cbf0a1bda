"""Frames with a few wrong bits, put right: two anywhere, and all where it is known what must stand there."""

from __future__ import annotations

import zlib
from itertools import accumulate, repeat

MAX_BYTES = 64
"""The longest line that is put right: a part of 32 bytes fits."""

_CHECKSUM_BYTES = 8
_MAX_DIGITS = 3
_PREFIX = b"*57 "
_MAX_KNOWN_WRONG_BITS = 4
"""In the prefix and the three other spaces."""
_POLYNOMIAL = 0xEDB88320


def _earlier(difference: int, _: None) -> int:
    return (difference >> 1) ^ (_POLYNOMIAL if difference & 1 else 0)


_DIFFERENCES = list(accumulate(repeat(None, 8 * MAX_BYTES - 1), _earlier, initial=_POLYNOMIAL))
"""By how much a wrong bit changes the CRC-32 of a message, the last bit first."""
_PLACES = {difference: place for place, difference in enumerate(_DIFFERENCES)}


def repaired(line: bytes) -> bytes | None:
    """The frame that `line`, without line break, most likely was; None when that cannot be told.

    Of the bits that nobody can know, two may be wrong. More of them are taken for another frame in one of 100000
    lines: whoever relies on what a frame holds has its signature.
    """
    if len(line) > MAX_BYTES or _wrong_bits(line[:4], _PREFIX) > _MAX_KNOWN_WRONG_BITS:
        return None
    for digits in range(1, _MAX_DIGITS + 1):
        checksum_at = 7 + digits
        if len(line) <= checksum_at + _CHECKSUM_BYTES:
            return None
        text = bytearray(byte & 0x7F for byte in line)
        if _restore_known(text, checksum_at) <= _MAX_KNOWN_WRONG_BITS:
            found = _nearest(text, checksum_at)
            if found is not None:
                return found
    return None


def _restore_known(text: bytearray, checksum_at: int) -> int:
    """Puts what is known where it must stand; answers how many bits were wrong there."""
    wrong = _wrong_bits(text[:4], _PREFIX)
    text[:4] = _PREFIX
    for place in (5, checksum_at - 1, checksum_at + _CHECKSUM_BYTES):
        wrong += _wrong_bits(text[place : place + 1], b" ")
        text[place : place + 1] = b" "
    return wrong


def _nearest(text: bytearray, checksum_at: int) -> bytes | None:
    """The whole frame of which at most two bits are wrong in `text`; None when there is none."""
    message = text[:checksum_at] + text[checksum_at + _CHECKSUM_BYTES + 1 :]
    checksum = bytes(text[checksum_at : checksum_at + _CHECKSUM_BYTES])
    places = _wrong_places(zlib.crc32(message), checksum, 8 * len(message))
    if places is None:
        return None
    for place in places:
        message[len(message) - 1 - place // 8] ^= 0x80 >> place % 8
    return b"%s%08x %s" % (message[:checksum_at], zlib.crc32(message), message[checksum_at:])


def _wrong_places(crc: int, checksum: bytes, bits: int) -> list[int] | None:
    """Which of the message's bits are wrong, counted from its end, when at most two are, of it and its checksum."""
    if _wrong_bits(checksum, b"%08x" % crc) <= 2:
        return []
    for place, difference in enumerate(_DIFFERENCES[:bits]):
        if _wrong_bits(checksum, b"%08x" % (crc ^ difference)) <= 1:
            return [place]
    try:
        rest = crc ^ int(checksum, 16)
    except ValueError:
        return None
    for second, difference in enumerate(_DIFFERENCES[:bits]):
        first = _PLACES.get(rest ^ difference, bits)
        if first < second:
            return [first, second]
    return None


def _wrong_bits(data: bytes | bytearray, right: bytes) -> int:
    """How many of the bits that ASCII has differ. Bytes that are missing are wrong in all of them."""
    filled = bytes(byte & 0x7F for byte in data) + bytes(byte ^ 0x7F for byte in right[len(data) :])
    return (int.from_bytes(filled, "big") ^ int.from_bytes(right, "big")).bit_count()
