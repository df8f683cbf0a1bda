"""Messages at random for the programs that fuzz: as a switch may send them up to every limit, and damaged."""

from star57.callerid.dtmf_clip import ALL, AMBIGUOUS
from star57.callerid.framing import NTT_HEADER, ntt_crc
from star57.callerid.message import (
    CLASS_ANY,
    CLASS_DATE,
    CLASS_NUMBER,
    CLASS_REASON,
    MDMF_PARAMETERS,
    NTT_PARAMETERS,
)

KEYS = b"0123456789ABCD*#"
_SDMF_TYPES = b"\x04\x06\x0b"
_MDMF_TYPES = b"\x80\x80\x80\x81\x82\x86\x89"
_LETTERS = b"POCSILX"
_WAITING = (b"BBB", b"ooo", b"BBo")
_ODD_IN_NUMBERS = b"*#+ -().PX"
_LONGEST_BODY = const(255)
_LONGEST_NTT_BODY = const(127)
_DLE = const(0x10)


class Chance:
    """Marsaglia's xorshift32: the same numbers on every machine. One is drawn for each case of a seed."""

    def __init__(self, seed, case):
        self._state = (seed * 40503 + case * 2654435) & 0xFFFFFFFF or 57
        for _ in range(4):
            self.below(2)

    def below(self, limit):
        """0 to limit - 1; limits below 2^24."""
        state = self._state
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        self._state = state
        return (state >> 8) % limit

    def between(self, least, most):
        return least + self.below(most - least + 1)

    def once_in(self, count):
        return self.below(count) == 0

    def one_of(self, choices):
        return choices[self.below(len(choices))]

    def octets(self, count):
        return bytes([self.below(256) for _ in range(count)])

    def of(self, alphabet, count):
        return bytes([self.one_of(alphabet) for _ in range(count)])


def sealed(data):
    """With the checksum that an FSK message ends in."""
    return data + bytes([-sum(data) & 0xFF])


def ntt_sealed(data):
    """With the CRC that an NTT frame ends in."""
    crc = 0
    for byte in data[2:]:
        crc = ntt_crc(crc, byte)
    return data + bytes([crc & 0xFF, crc >> 8])


def fsk_message(chance):
    """An SDMF or MDMF message without its checksum."""
    if chance.once_in(4):
        message_type = chance.one_of(_SDMF_TYPES)
        if message_type == 0x04:
            body = _date(chance) + _number(chance, chance.one_of((0, 1, 7, 10, 23, 24, 247)))
            if chance.once_in(8):
                body = body[: chance.below(8)]
        else:
            body = chance.one_of(_WAITING)
    else:
        message_type = chance.one_of(_MDMF_TYPES)
        body = b""
        if chance.once_in(8):
            # The caller's number a second time, as it is to be dialled.
            number = chance.of(b"0123456789", 10)
            body = _parameter(0x02, number) + _parameter(0x03, b"1" + number)
        body += _parameters(chance, MDMF_PARAMETERS, _LONGEST_BODY - len(body))
    return bytes([message_type, len(body)]) + body


def plain_message(chance):
    """As most exchanges send them: date, number or its absence, and perhaps a name. Without its checksum."""
    number = chance.of(b"0123456789", chance.between(3, 15))
    if chance.once_in(5):
        body = _date(chance) + (chance.one_of((b"P", b"O")) if chance.once_in(4) else number)
        return bytes([0x04, len(body)]) + body
    body = b"\x01\x08" + _date(chance)
    body += b"\x04\x01" + chance.one_of((b"P", b"O")) if chance.once_in(6) else _parameter(0x02, number)
    if not chance.once_in(4):
        body += _parameter(0x07, chance.of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ ", chance.between(1, 15)))
    return bytes([0x80, len(body)]) + body


def ntt_frame(chance, lies=False):
    """An NTT frame without its CRC: its length counts a doubled byte once or twice; that of a parameter may lie."""
    body = bytes([byte & 0x7F for byte in _parameters(chance, NTT_PARAMETERS, _LONGEST_NTT_BODY)])
    if lies and body:
        body = body[:1] + bytes([chance.below(128)]) + body[2:]
    length = len(body)
    twice = length + body.count(bytes([_DLE]))
    if twice < 128 and chance.once_in(2):
        length = twice
    return ntt_around(bytes([0x40, length]) + body)


def ntt_around(content):
    """Header, content with its parity and doubled bytes, and end."""
    content = content.replace(b"\x10", b"\x10\x10") + b"\x10\x03"
    return NTT_HEADER + bytes([byte | (0x80 if bin(byte).count("1") & 1 else 0) for byte in content])


def dtmf_string(chance):
    """A caller as one of the schemes has it, with numbers up to every limit."""
    scheme = chance.one_of(ALL + AMBIGUOUS)
    parts = [_lead(scheme.number_lead) + _digits(chance)]
    if scheme.forwarded_lead and chance.once_in(2):
        parts.append(_lead(scheme.forwarded_lead) + _digits(chance))
    if scheme.absences and chance.once_in(2):
        part = _lead(scheme.absence_lead) + chance.one_of(scheme.absences)[0]
        # Where a number stands, the code of its absence is the exception.
        parts = [part] if chance.once_in(2) else parts + [part]
    if scheme.number_lead and chance.once_in(3):
        parts = parts[1:] + parts[:1]
    return b"".join(parts) + bytes([scheme.end])


def damaged(chance, data):
    """As it is, cut short, of random bytes, with bits or bytes changed, put in or taken out, or doubled."""
    how = chance.below(8)
    if how == 0:
        return data
    if how == 1:
        return data[: chance.below(len(data) + 1)]
    if how == 2:
        return chance.octets(chance.below(chance.one_of((4, 40, 300))))
    if how == 3:
        return data + data[: chance.below(len(data) + 1)]
    wrong = bytearray(data)
    for _ in range(chance.between(1, 3)):
        place = chance.below(len(wrong) + 1)
        if how in (4, 5) and place < len(wrong):
            wrong[place] = chance.below(256)
        elif how == 6 and place < len(wrong):
            wrong[place] ^= 1 << chance.below(8)
        else:
            wrong = wrong[:place] + chance.octets(chance.below(3)) + wrong[place + chance.below(3) :]
    return bytes(wrong)


def with_a_lying_length(chance, data):
    """An FSK message of which one length, a parameter's or its own, is wrong."""
    wrong = bytearray(data)
    places = []
    place = 3
    while wrong[0] & 0x80 and place < len(wrong):
        places.append(place)
        place += wrong[place] + 2
    place = chance.one_of(places or [1])
    wrong[place] = (wrong[place] + chance.one_of((1, -1, 2, 16, 128, 255))) & 0xFF
    return bytes(wrong)


def _parameters(chance, rows, most):
    """A few parameters, or as many as there is room for, to the last byte."""
    body = b""
    if chance.once_in(6):
        while most - len(body) > 60:
            body += _some_parameter(chance, rows, most - len(body) - 4)
        left = most - len(body) - 2
        value = chance.octets(left) if chance.once_in(2) else bytes([_DLE]) * left
        return body + _parameter(chance.one_of(rows)[0], value)
    for _ in range(chance.below(8)):
        parameter = _some_parameter(chance, rows, 64)
        if len(body) + len(parameter) <= most:
            body += parameter
    return body


def _some_parameter(chance, rows, most):
    """What one may hold, what it may not, or one that no table knows."""
    if chance.once_in(10):
        return _parameter(chance.below(256), chance.octets(chance.below(24)))
    row = chance.one_of(rows)
    value = chance.octets(chance.below(8)) if chance.once_in(12) else _value(chance, row)
    return _parameter(row[0], value[:most])


def _parameter(code, value):
    return bytes([code, len(value)]) + value


def _value(chance, row):
    _, _, _, codes, longest, content, _ = row
    length = chance.one_of((0, 1, 7, 10, 15, longest - 1, longest, longest + 1))
    if content == CLASS_DATE:
        return _date(chance)
    if content == CLASS_NUMBER:
        return _date(chance) + b"59" if longest == 10 else _number(chance, length)
    if content == CLASS_REASON:
        return chance.of(_LETTERS, chance.one_of((1, 1, 1, 2)))
    if content == CLASS_ANY:
        return _code(chance, codes, longest, length)
    # The letters that stand for an absence, and every byte of Latin-1.
    return chance.of(_LETTERS, 1) if chance.once_in(4) else _text(chance, length)


def _code(chance, codes, longest, length):
    """Of a table, one that it has or one beyond them; else bytes of the length."""
    if codes and isinstance(codes[0], tuple):
        return bytes([chance.one_of(codes)[0]])
    if codes:
        return bytes([chance.below(len(codes) + 1) + chance.one_of((0, 0, 0x30))])
    return chance.one_of((b"\xff", b"\x00", b"\x01")) if longest == 1 else chance.octets(length)


def _text(chance, length):
    if chance.once_in(2):
        return chance.of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ ", length)
    return chance.octets(length)


def _date(chance):
    """MMDDHHMM, now and then of no day."""
    if chance.once_in(8):
        return chance.of(b"0123456789:", 8)
    parts = (chance.between(1, 12), chance.between(1, 31), chance.below(24), chance.below(60))
    return "".join([f"{part:02}" for part in parts]).encode()


def _number(chance, length):
    if chance.once_in(4):
        return chance.of(_LETTERS, 1)
    number = bytearray(chance.of(b"0123456789", length))
    if number and chance.once_in(4):
        number[chance.below(len(number))] = chance.one_of(_ODD_IN_NUMBERS)
    return bytes(number)


def _lead(code):
    return bytes([code]) if code else b""


def _digits(chance):
    """From none to one too many; now and then only zeros, for a caller that is not known."""
    length = chance.one_of((0, 2, 3, 4, 7, 10, 10, 10, 15, 19, 20, 21))
    return b"0" * length if chance.once_in(8) else chance.of(b"0123456789", length)
