"""What a caller-ID message says: SDMF and MDMF (GR-30, GR-31), ETSI's parameters (EN 300 659-3), and NTT's.

One table a format, one row a parameter: a new parameter is a new row. The same table tells a receiver that repairs a
message what the bytes of a parameter may be (`content_class`, `byte_fits`).
"""

from micropython import const

from star57.callerid.framing import (
    NTT_DLE,
    NTT_ETX,
    NTT_HEADER,
    NTT_LONGEST,
    NTT_SHORTEST,
    even_parity,
    ntt_crc,
)

_SDMF_CALL = const(0x04)
_SDMF_MESSAGE_WAITING = const(0x06)
_SDMF_TYPES = b"\x04\x06\x0b"
_SDMF_WAITING = {b"BBB": True, b"ooo": False}  # 42h and 6Fh, three times each
_MDMF_MESSAGE_WAITING = const(0x82)
_NTT_CALL = const(0x40)
_DATE_TIME_LENGTH = const(8)
_LONGEST = const(258)

_DATE_TIME = const(0x01)
_NUMBER = const(0x02)
_NAME = const(0x07)

# P private, O out of area or unavailable, C coin telephone, S service conflict (NTT), I international (Taiwan, Kuwait).
REASONS = const("POCSI")

# What the bytes of a parameter may be.
CLASS_ANY = const(0)
CLASS_DATE = const(1)  # eight digits, MMDDHHMM
CLASS_NUMBER = const(2)  # digits, * # +, what separates them; a number may instead be one letter of REASONS
CLASS_REASON = const(3)  # one letter of REASONS
CLASS_TEXT = const(4)  # 20h to 7Eh, and Latin-1 from A0h on

# The columns of a parameter's row: code; field of Message; number of its reader; codes that the reader knows; longest,
# in bytes; class of its bytes; source. Beyond its longest a number makes no sense; text misleads nobody, and is kept
# whole.
_CODE = const(0)
_FIELD = const(1)
_READER = const(2)
_CODES = const(3)
_MOST_BYTES = const(4)
_CONTENT = const(5)

_DIGITS = b"0123456789"
_DIALLED = b"0123456789*#+ -()."
# Month, day, hour, minute: the highest first digit of each.
_HIGHEST_TENS = b"1325"

# Tables lie in flash, as long as all that is in them is constant: (code, word), or words by their number from 0.
_CALL_TYPES = const(
    (
        (0x01, "voice"),
        (0x02, "ring_back_when_free"),
        (0x03, "name_delivery"),
        (0x04, "call_return"),
        (0x05, "alarm"),
        (0x06, "download"),
        (0x07, "reverse_charge"),
        (0x10, "external"),
        (0x11, "internal"),
        (0x50, "monitoring"),
        (0x81, "message_waiting"),
    )
)
_FORWARDED_TYPES = const(
    (
        "unknown",
        "busy",
        "no_reply",
        "unconditional",
        "deflected_after_alert",
        "deflected_at_once",
        "mobile_unreachable",
    )
)
# 0 to 2: GR-31; 3 to 5 as exchanges send them beyond it.
_REDIRECTION_REASONS = const(
    ("unconditional", "busy", "no_reply", "unconditional", "out_of_order", "deflected")
)
_CALLER_TYPES = const(
    (
        "unknown",
        "voice",
        "text",
        "virtual_private_network",
        "mobile",
        "mobile_virtual_private_network",
        "fax",
        "video",
        "email",
        "operator",
        "ordinary",
        "priority",
        "data",
        "test",
        "telemetric",
        "pay_phone",
    )
)


class MessageError(Exception):
    """The bytes are no message; `reason` says why."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def byte_fits(content_class, place, byte):
    """Whether `byte` (0..255) may stand at `place` (from 0) in a parameter of that class."""
    if content_class == CLASS_DATE:
        if byte not in _DIGITS or place >= _DATE_TIME_LENGTH:
            return False
        return place & 1 == 1 or byte <= _HIGHEST_TENS[place >> 1]
    if content_class == CLASS_NUMBER:
        return byte in _DIALLED or (place == 0 and chr(byte) in REASONS)
    if content_class == CLASS_REASON:
        return place == 0 and chr(byte) in REASONS
    return content_class == CLASS_ANY or 0x20 <= byte < 0x7F or byte >= 0xA0


def content_class(parameter_type):
    """CLASS_ANY, CLASS_DATE, CLASS_NUMBER, CLASS_REASON or CLASS_TEXT: what an MDMF parameter's bytes are."""
    row = _MDMF.get(parameter_type)
    return CLASS_ANY if row is None else row[_CONTENT]


def is_known(parameter_type):
    """Whether MDMF_PARAMETERS has it."""
    return parameter_type in _MDMF


def length_fits(parameter_type, length):
    """Whether a parameter of that type may have so many bytes; one that is not known, any but none."""
    row = _MDMF.get(parameter_type)
    if row is None:
        return length > 0
    if row[_CONTENT] == CLASS_DATE:
        return length == _DATE_TIME_LENGTH
    return 0 < length <= row[_MOST_BYTES]


# Readers: (the parameter's bytes, its row's codes) -> what it says, or None if it makes no sense.


def _read_date_time(value, _codes):
    return _text(value) if len(value) == _DATE_TIME_LENGTH and _is_date_time(value) else None


def _read_complementary_date_time(value, _codes):
    """MMDDHHMM, of which ETSI also has a form of ten digits, the last two of them seconds."""
    if len(value) == _DATE_TIME_LENGTH + 2 and (not _all_digits(value[8:]) or value[8:] > b"59"):
        return None
    return _text(value) if len(value) in (8, 10) and _is_date_time(value[:8]) else None


def _read_digits(value, _codes):
    return _text(value) if value and _all_digits(value) else None


def _read_number(value, _codes):
    """At least one digit, and nothing that has no place in a number."""
    has_digit = False
    for byte in value:
        if byte not in _DIALLED:
            return None
        has_digit = has_digit or byte in _DIGITS
    return _text(value) if has_digit else None


def _read_letter(value, letters):
    text = _text(value).strip()
    return text if len(text) == 1 and text in letters else None


def _read_text(value, _codes):
    return _text(value) or None


def _read_display(value, _codes):
    """The first byte, a control code, is the kind of display; the text comes after it."""
    if value and (value[0] < 0x20 or 0x80 <= value[0] < 0xA0):
        value = value[1:]
    return _text(value) or None


def _read_octets(value, _codes):
    return _hex(value) or None


def _read_integer(value, _codes):
    return value[0] if len(value) == 1 else None


def _read_indicator(value, _codes):
    return {b"\xff": True, b"\x00": False}.get(value)


def _read_code(value, names):
    if len(value) != 1:
        return None
    return names[value[0]] if value[0] < len(names) else None


def _read_call_type(value, words):
    for code, word in words:
        if value == bytes((code,)):
            return word
    return None


def _read_code_or_digit(value, names):
    """Some switches send the code as a number, some as an ASCII digit."""
    if len(value) == 1 and value[0] in _DIGITS:
        value = bytes([value[0] - 0x30])
    return _read_code(value, names)


_AS_DATE_TIME = const(0)
_AS_NUMBER = const(1)
_AS_LETTER = const(2)
_AS_CODE_OR_DIGIT = const(3)
_AS_TEXT = const(4)
_AS_OCTETS = const(5)
_AS_INDICATOR = const(6)
_AS_COMPLEMENTARY_DATE_TIME = const(7)
_AS_CALL_TYPE = const(8)
_AS_INTEGER = const(9)
_AS_CODE = const(10)
_AS_DIGITS = const(11)
_AS_DISPLAY = const(12)
_READERS = (
    _read_date_time,
    _read_number,
    _read_letter,
    _read_code_or_digit,
    _read_text,
    _read_octets,
    _read_indicator,
    _read_complementary_date_time,
    _read_call_type,
    _read_integer,
    _read_code,
    _read_digits,
    _read_display,
)

_GR30 = const("GR-30, GR-31")
_ETSI = const("EN 300 659-3 5.4")
_BOTH = const("GR-30, GR-31; EN 300 659-3 5.4")
_NTT_SOURCE = const("NTT Number Display")

MDMF_PARAMETERS = (
    (0x01, "date_time", _AS_DATE_TIME, None, 8, CLASS_DATE, _BOTH),
    (0x02, "number", _AS_NUMBER, None, 23, CLASS_NUMBER, _BOTH),  # ETSI: 20
    # ETSI's called line identity, or the dialable directory number of GR-30: see Message.
    (0x03, "called_number", _AS_NUMBER, None, 20, CLASS_NUMBER, _BOTH),
    (0x04, "reason", _AS_LETTER, REASONS, 1, CLASS_REASON, _BOTH),
    (0x05, "redirection_reason", _AS_CODE_OR_DIGIT, _REDIRECTION_REASONS, 1, CLASS_ANY, _GR30),
    (0x06, "call_qualifier", _AS_LETTER, "L", 1, CLASS_TEXT, _GR30),  # L: long distance
    (0x07, "name", _AS_TEXT, None, 50, CLASS_TEXT, _BOTH),  # GR-30: 21
    (0x08, "name_reason", _AS_LETTER, REASONS, 1, CLASS_REASON, _BOTH),
    (0x09, "alternate_route", _AS_OCTETS, None, 255, CLASS_ANY, "spandsp adsi.h"),
    (0x0B, "visual_indicator", _AS_INDICATOR, None, 1, CLASS_ANY, _BOTH),
    (0x0D, "message_id", _AS_OCTETS, None, 3, CLASS_ANY, _ETSI),
    (0x0E, "last_message_number", _AS_NUMBER, None, 20, CLASS_NUMBER, _ETSI),
    (0x0F, "complementary_date_time", _AS_COMPLEMENTARY_DATE_TIME, None, 10, CLASS_NUMBER, _ETSI),
    (0x10, "complementary_number", _AS_NUMBER, None, 20, CLASS_NUMBER, _ETSI),
    (0x11, "call_type", _AS_CALL_TYPE, _CALL_TYPES, 1, CLASS_ANY, _ETSI),
    (0x12, "first_called_number", _AS_NUMBER, None, 20, CLASS_NUMBER, _ETSI),
    (0x13, "number_of_messages", _AS_INTEGER, None, 1, CLASS_ANY, _ETSI),
    (0x15, "forwarded_type", _AS_CODE, _FORWARDED_TYPES, 1, CLASS_ANY, _ETSI),
    (0x16, "caller_type", _AS_CODE, _CALLER_TYPES, 1, CLASS_ANY, _ETSI),
    (0x1A, "forwarded_from", _AS_NUMBER, None, 20, CLASS_NUMBER, _ETSI),
    (0x20, "charge", _AS_TEXT, None, 14, CLASS_TEXT, _ETSI),
    (0x21, "additional_charge", _AS_TEXT, None, 14, CLASS_TEXT, _ETSI),
    (0x23, "duration", _AS_DIGITS, None, 6, CLASS_NUMBER, _ETSI),
    (0x30, "network_provider", _AS_TEXT, None, 20, CLASS_TEXT, _ETSI),
    (0x31, "carrier", _AS_TEXT, None, 20, CLASS_TEXT, _ETSI),
    (0x40, "terminal_function", _AS_OCTETS, None, 21, CLASS_ANY, _ETSI),
    (0x50, "display_information", _AS_DISPLAY, None, 253, CLASS_ANY, _ETSI),
    (0x55, "service_information", _AS_INTEGER, None, 1, CLASS_ANY, _ETSI),
    (0xE0, "network_extension", _AS_OCTETS, None, 10, CLASS_ANY, _ETSI),
)
NTT_PARAMETERS = (
    (0x02, "number", _AS_NUMBER, None, 23, CLASS_NUMBER, _NTT_SOURCE),
    (0x04, "reason", _AS_LETTER, "POCS", 1, CLASS_REASON, _NTT_SOURCE),
    (0x09, "called_number", _AS_NUMBER, None, 23, CLASS_NUMBER, _NTT_SOURCE),
    (0x21, "number_plan", _AS_OCTETS, None, 16, CLASS_ANY, _NTT_SOURCE),
    (0x22, "called_number_plan", _AS_OCTETS, None, 16, CLASS_ANY, _NTT_SOURCE),
)
_MDMF = {row[_CODE]: row for row in MDMF_PARAMETERS}
_NTT = {row[_CODE]: row for row in NTT_PARAMETERS}

# Some switches put the reason for a number's or a name's absence in its place.
_ABSENCES = {_NUMBER: ("reason", REASONS), _NAME: ("name_reason", "PO")}

_ALWAYS_PRESENTED = ("number", "name", "reason", "name_reason", "date_time", "call_waiting", "forwarded_from")
_PRESENTED_WHEN_KNOWN = (
    "dialable_number",
    "called_number",
    "first_called_number",
    "complementary_number",
    "last_message_number",
    "number_plan",
    "called_number_plan",
    "complementary_date_time",
    "call_type",
    "call_qualifier",
    "caller_type",
    "redirection_reason",
    "forwarded_type",
    "alternate_route",
    "message_waiting",
    "visual_indicator",
    "number_of_messages",
    "message_id",
    "charge",
    "additional_charge",
    "duration",
    "network_provider",
    "carrier",
    "terminal_function",
    "display_information",
    "service_information",
    "network_extension",
    "schemes",
)


class Message:
    """A caller-ID message. A field that the line did not present is None.

    kind: "sdmf", "mdmf", "ntt" or "dtmf"; message_type: its first byte (None by DTMF, NTT's is 0x40)
    number, name, forwarded_from: text
    reason, name_reason: why there is no number or name: a letter of REASONS
    date_time: "MMDDHHMM"; complementary_date_time: the same, or "MMDDHHMMSS"
    call_waiting: the message belongs to a call that waits; the one who listened for it says so
    dialable_number: the caller's number as it is to be dialled (GR-30)
    called_number: the line that was called (ETSI, NTT). Both are parameter 03 of MDMF: it is the caller's when its last
        digits are those of `number`.
    first_called_number, complementary_number, last_message_number: text
    number_plan, called_number_plan: hex digits (NTT: type and plan of the number)
    call_type, caller_type, forwarded_type, redirection_reason: a word of this file's tables
    call_qualifier: "L" long distance
    message_waiting: True or False: by the visual indicator, else by the number of messages
    visual_indicator: True or False; number_of_messages: 0..255
    charge, additional_charge, network_provider, carrier, display_information: text
    duration: digits, HHMMSS; service_information: 0..255
    alternate_route, message_id, terminal_function, network_extension: hex digits
    schemes: by DTMF, the names of the schemes that the digits fit
    unknown: list of (parameter type, bytes), in order: what has no field here, is repeated or holds no sense.
        An SDMF message that says nothing known has its whole body there, under the message's type.
    """

    def __init__(self, kind, message_type):
        self.kind = kind
        self.message_type = message_type
        self.call_waiting = False
        self.unknown = []

    def as_dict(self):
        """All that is known, fit for JSON: unknown parameters as [type, hex digits].

        kind, message_type, number, name, reason, name_reason, date_time, call_waiting, forwarded_from and unknown are
        always there; other fields when the line presented them.
        """
        fields = {"kind": self.kind, "message_type": self.message_type}
        for field in _ALWAYS_PRESENTED:
            fields[field] = getattr(self, field)
        for field in _PRESENTED_WHEN_KNOWN:
            content = getattr(self, field)
            if content is not None:
                fields[field] = content
        fields["unknown"] = [[parameter_type, _hex(value)] for parameter_type, value in self.unknown]
        return fields


# What an instance does not have is absent: fields cost memory only when the line presented them.
for _field in _ALWAYS_PRESENTED + _PRESENTED_WHEN_KNOWN:
    setattr(Message, _field, None)


def parse(data):
    """Reads a whole SDMF or MDMF message, from its type to its checksum. Raises MessageError, nothing else."""
    if not 3 <= len(data) <= _LONGEST or len(data) != data[1] + 3:
        raise MessageError("length")
    data = bytes(data)
    if sum(data) & 0xFF:
        raise MessageError("checksum")
    message_type = data[0]
    body = data[2:-1]
    if message_type in _SDMF_TYPES:
        return _parse_sdmf(message_type, body)
    if message_type & 0x80:
        return _parse_mdmf(message_type, body)
    raise MessageError("message type")


def parse_ntt(data):
    """Reads a whole NTT frame: its bytes as they came, from DLE SOH to the CRC. Raises MessageError, nothing else."""
    if not NTT_SHORTEST <= len(data) <= NTT_LONGEST:
        raise MessageError("length")
    data = bytes(data)
    crc = 0
    for place in range(2, len(data)):
        crc = ntt_crc(crc, data[place])
    if crc:
        raise MessageError("checksum")
    for byte in data[:-2]:
        if not even_parity(byte):
            raise MessageError("parity")
    plain = bytes([byte & 0x7F for byte in data[:-2]])
    if data[: len(NTT_HEADER)] != NTT_HEADER or plain[-2] != NTT_DLE or plain[-1] != NTT_ETX:
        raise MessageError("frame")
    content = _without_doubled(plain[len(NTT_HEADER) : -2])
    if len(content) < 2 or content[0] != _NTT_CALL:
        raise MessageError("message type")
    # Senders differ in whether the length counts a byte that was doubled once or twice.
    if content[1] - (len(content) - 2) not in (0, content[2:].count(bytes([NTT_DLE]))):
        raise MessageError("length")
    message = Message("ntt", _NTT_CALL)
    _take_all(message, _NTT, content[2:])
    return message


def _without_doubled(stuffed):
    content = bytearray()
    place = 0
    while place < len(stuffed):
        if stuffed[place] == NTT_DLE:
            place += 1
            if place == len(stuffed) or stuffed[place] != NTT_DLE:
                raise MessageError("frame")
        content.append(stuffed[place])
        place += 1
    return bytes(content)


def _parse_sdmf(message_type, body):
    message = Message("sdmf", message_type)
    if message_type == _SDMF_CALL:
        if len(body) < _DATE_TIME_LENGTH:
            raise MessageError("too short")
        _take(message, _MDMF, _DATE_TIME, body[:_DATE_TIME_LENGTH])
        _take(message, _MDMF, _NUMBER, body[_DATE_TIME_LENGTH:])
        return message
    if message_type == _SDMF_MESSAGE_WAITING:
        message.message_waiting = _SDMF_WAITING.get(body)
    if message.message_waiting is None:
        message.unknown.append((message_type, body))
    return message


def _parse_mdmf(message_type, body):
    message = Message("mdmf", message_type)
    _take_all(message, _MDMF, body)
    message.message_waiting = message.visual_indicator
    is_counted = message.message_waiting is None and message.number_of_messages is not None
    if message_type == _MDMF_MESSAGE_WAITING and is_counted:
        message.message_waiting = message.number_of_messages > 0
    if _is_same_line(message.called_number, message.number):
        message.dialable_number = message.called_number
        message.called_number = None
    return message


def _is_same_line(one, other):
    """Whether two numbers end in the same seven digits, those of a line within its exchanges (GR-30)."""
    return one is not None and other is not None and len(one) >= 7 and one[-7:] == other[-7:]


def _take_all(message, table, body):
    position = 0
    while position < len(body):
        if position + 2 > len(body):
            raise MessageError("parameter cut short")
        end = position + 2 + body[position + 1]
        if end > len(body):
            raise MessageError("parameter cut short")
        _take(message, table, body[position], body[position + 2 : end])
        position = end


def _take(message, table, parameter_type, value):
    field, content = _read(table, parameter_type, value)
    if content is None or getattr(message, field) is not None:
        message.unknown.append((parameter_type, value))
    else:
        setattr(message, field, content)


def _read(table, parameter_type, value):
    """Name of the field that a parameter fills, and its content, None if it has none."""
    if parameter_type in _ABSENCES:
        field, letters = _ABSENCES[parameter_type]
        absence = _read_letter(value, letters)
        if absence:
            return field, absence
    row = table.get(parameter_type)
    if row is None or (len(value) > row[_MOST_BYTES] and row[_CONTENT] != CLASS_TEXT):
        return None, None
    return row[_FIELD], _READERS[row[_READER]](value, row[_CODES])


def _text(value):
    """Latin-1, which every byte has a place in; control characters become "?"."""
    return "".join(["?" if code < 0x20 or 0x7F <= code < 0xA0 else chr(code) for code in value])


def _hex(value):
    """Hex digits; MicroPython 1.25 has b"" for those of nothing."""
    return value.hex() if value else ""


def _all_digits(value):
    for byte in value:
        if byte not in _DIGITS:
            return False
    return True


def _is_date_time(value):
    """MMDDHHMM, each part in its range."""
    if not _all_digits(value):
        return False
    month, day, hour, minute = [int(value[i : i + 2]) for i in (0, 2, 4, 6)]
    return 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60
