"""Frames with a few wrong bits, put right: two anywhere, and all where it is known what must stand there."""

from array import array
from binascii import crc32

import micropython
from micropython import const

# A part of 32 bytes fits.
_LONGEST_BYTES = const(64)
_CHECKSUM_BYTES = const(8)
# Of the longest line without its checksum and the space behind it.
_MOST_BITS = const(440)
_SLOTS = const(1024)
_MOST_DIGITS = const(3)
_PREFIX = b"*57 "
_SPACE = const(32)
# In the prefix and the three other spaces.
_MOST_KNOWN_WRONG_BITS = const(4)
# Of the CRC-32, with its lowest power in the highest bit; and all bits but the highest.
_POLYNOMIAL = array("I", [0xEDB88320, 0x7FFFFFFF])


def repaired(line):
    """The frame that `line`, without line break, most likely was; None when that cannot be told.

    Of the bits that nobody can know, two may be wrong. More of them are taken for another frame in one of 100000
    lines: whoever relies on what a frame holds has its signature.
    """
    if len(line) > _LONGEST_BYTES or _wrong_bits(line[: len(_PREFIX)], _PREFIX) > _MOST_KNOWN_WRONG_BITS:
        return None
    for digits in range(1, _MOST_DIGITS + 1):
        checksum_at = 7 + digits
        if len(line) <= checksum_at + _CHECKSUM_BYTES:
            return None
        text = bytearray(byte & 0x7F for byte in line)
        if _restore_known(text, checksum_at) <= _MOST_KNOWN_WRONG_BITS:
            found = _nearest(text, checksum_at, _tables())
            if found is not None:
                return found
    return None


def _restore_known(text, checksum_at):
    """Puts what is known where it must stand; answers how many bits were wrong there."""
    wrong = _wrong_bits(text[: len(_PREFIX)], _PREFIX)
    text[: len(_PREFIX)] = _PREFIX
    for place in (5, checksum_at - 1, checksum_at + _CHECKSUM_BYTES):
        wrong += _wrong_bits(text[place : place + 1], b" ")
        text[place] = _SPACE
    return wrong


def _nearest(text, checksum_at, tables):
    """The whole frame of which at most two bits are wrong in `text`; None when there is none."""
    differences, places_of = tables
    message = text[:checksum_at] + text[checksum_at + _CHECKSUM_BYTES + 1 :]
    checksum = bytes(text[checksum_at : checksum_at + _CHECKSUM_BYTES])
    crc = array("I", [crc32(message), 0])
    bits = 8 * len(message)
    if _wrong_bits(b"%08x" % crc[0], checksum) <= 2:
        return _frame(message, checksum_at)
    place = _one_wrong(differences, bits, crc, checksum)
    if place >= 0:
        _turn(message, place)
        return _frame(message, checksum_at)
    try:
        crc[1] = crc[0] ^ int(checksum, 16)
    except ValueError:
        return None
    places = _two_wrong(differences, bits, crc, places_of)
    if places < 0:
        return None
    _turn(message, places & 0x3FF)
    _turn(message, places >> 10)
    return _frame(message, checksum_at)


def _frame(message, checksum_at):
    return bytes(message[:checksum_at]) + b"%08x " % crc32(message) + bytes(message[checksum_at:])


def _turn(message, place):
    message[len(message) - 1 - (place >> 3)] ^= 0x80 >> (place & 7)


def _wrong_bits(data, right):
    wrong = 0
    for place in range(len(right)):
        difference = (data[place] ^ right[place]) & 0x7F if place < len(data) else 0x7F
        while difference:
            wrong += 1
            difference &= difference - 1
    return wrong


@micropython.viper
def _one_wrong(differences: ptr32, bits: int, crc: ptr32, checksum: ptr8) -> int:
    """The place of a bit that, when it is wrong, leaves at most one wrong in the checksum; -1 for none."""
    for place in range(bits):
        value = crc[0] ^ differences[place]
        wrong = 0
        digit_at = 7
        while digit_at >= 0 and wrong < 2:
            digit = value & 15
            digit += 48 if digit < 10 else 87
            difference = (digit ^ checksum[digit_at]) & 0x7F
            while difference:
                wrong += 1
                difference &= difference - 1
            value >>= 4
            digit_at -= 1
        if wrong < 2:
            return place
    return -1


@micropython.viper
def _two_wrong(differences: ptr32, bits: int, crc: ptr32, places: ptr16) -> int:
    """The places of two bits that make up the difference crc[1], the second in the higher bits; -1 for none."""
    for second in range(bits):
        rest = differences[second] ^ crc[1]
        slot = rest & (_SLOTS - 1)
        while places[slot]:
            first = places[slot] - 1
            if first < second and differences[first] == rest:
                return second << 10 | first
            slot = (slot + 1) & (_SLOTS - 1)
    return -1


@micropython.viper
def _fill(differences: ptr32, polynomial: ptr32, places: ptr16):
    difference = polynomial[0]
    for place in range(_MOST_BITS):
        differences[place] = difference
        slot = difference & (_SLOTS - 1)
        while places[slot]:
            slot = (slot + 1) & (_SLOTS - 1)
        places[slot] = place + 1
        is_odd = difference & 1
        difference = (difference >> 1) & polynomial[1]
        if is_odd:
            difference ^= polynomial[0]


_made = []


def _tables():
    """By how much a wrong bit changes the CRC-32 of a message, the last bit first; and which bit makes a difference,
    counted from 1, in the slot of the lowest bits of that, or behind it; 0 ends the search.

    They take 4 KB, and are made when the first frame comes damaged: on a good line, never.
    """
    if not _made:
        differences = array("I", bytes(4 * _MOST_BITS))
        places = array("H", bytes(2 * _SLOTS))
        _fill(differences, _POLYNOMIAL, places)
        _made.append((differences, places))
    return _made[0]
