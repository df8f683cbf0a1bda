"""What a caller-ID message says: SDMF and MDMF (GR-30, GR-31), and ETSI's parameters (ES 200 659-3)."""

_SDMF_CALL = const(0x04)
_SDMF_TYPES = b"\x04\x06\x0b"
_DATE_TIME_LENGTH = const(8)

_DATE_TIME = const(0x01)
_NUMBER = const(0x02)
_ABSENCE_OF_NUMBER = const(0x04)
_NAME = const(0x07)
_ABSENCE_OF_NAME = const(0x08)
_REDIRECTING_NUMBER = const(0x1A)

_PRIVATE = "P"
_UNAVAILABLE = "O"


class MessageError(Exception):
    """The bytes are no message; `reason` says why."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Message:
    """A caller-ID message.

    kind: "sdmf" or "mdmf"; message_type: its first byte
    number, name, forwarded_from: text or None
    reason, name_reason: why there is no number or name: "P" private, "O" out of area or unavailable, or None
    date_time: "MMDDHHMM" or None
    call_waiting: the message belongs to a call that waits; the one who listened for it says so
    unknown: list of (parameter type, bytes), in order: what has no field here, is repeated or holds no sense.
        An SDMF message that presents no call has its whole body there, under the message's type.
    """

    def __init__(self, kind, message_type):
        self.kind = kind
        self.message_type = message_type
        self.number = None
        self.name = None
        self.reason = None
        self.name_reason = None
        self.date_time = None
        self.call_waiting = False
        self.forwarded_from = None
        self.unknown = []

    def as_dict(self):
        """All fields, fit for JSON: unknown parameters as [type, hex digits]."""
        return {
            "kind": self.kind,
            "message_type": self.message_type,
            "number": self.number,
            "name": self.name,
            "reason": self.reason,
            "name_reason": self.name_reason,
            "date_time": self.date_time,
            "call_waiting": self.call_waiting,
            "forwarded_from": self.forwarded_from,
            "unknown": [[parameter_type, value.hex()] for parameter_type, value in self.unknown],
        }


def parse(data):
    """Reads a whole message: its bytes from the type to the checksum. Raises MessageError, nothing else."""
    data = bytes(data)
    if len(data) < 3 or len(data) != data[1] + 3:
        raise MessageError("length")
    if sum(data) & 0xFF:
        raise MessageError("checksum")
    message_type = data[0]
    body = data[2:-1]
    if message_type in _SDMF_TYPES:
        return _parse_sdmf(message_type, body)
    if message_type & 0x80:
        return _parse_mdmf(message_type, body)
    raise MessageError("message type")


def _parse_sdmf(message_type, body):
    message = Message("sdmf", message_type)
    if message_type != _SDMF_CALL:
        message.unknown.append((message_type, body))
        return message
    if len(body) < _DATE_TIME_LENGTH:
        raise MessageError("too short")
    _take(message, _DATE_TIME, body[:_DATE_TIME_LENGTH])
    _take(message, _NUMBER, body[_DATE_TIME_LENGTH:])
    return message


def _parse_mdmf(message_type, body):
    message = Message("mdmf", message_type)
    position = 0
    while position < len(body):
        if position + 2 > len(body):
            raise MessageError("parameter cut short")
        end = position + 2 + body[position + 1]
        if end > len(body):
            raise MessageError("parameter cut short")
        _take(message, body[position], body[position + 2 : end])
        position = end
    return message


def _take(message, parameter_type, value):
    field, content = _field(parameter_type, value)
    if field is None or getattr(message, field) is not None:
        message.unknown.append((parameter_type, value))
    else:
        setattr(message, field, content)


def _field(parameter_type, value):
    """Name of the field that a parameter fills, and its content; (None, None) if there is none."""
    text = _text(value)
    if not text:
        return None, None
    absence = text if text in (_PRIVATE, _UNAVAILABLE) else None
    if parameter_type == _DATE_TIME and _is_date_time(text):
        return "date_time", text
    # Some switches put the reason for a number's or a name's absence in its place.
    if parameter_type == _ABSENCE_OF_NUMBER or (parameter_type == _NUMBER and absence):
        return ("reason", absence) if absence else (None, None)
    if parameter_type == _ABSENCE_OF_NAME or (parameter_type == _NAME and absence):
        return ("name_reason", absence) if absence else (None, None)
    return {_NUMBER: "number", _NAME: "name", _REDIRECTING_NUMBER: "forwarded_from"}.get(parameter_type), text


def _text(value):
    """Latin-1, which every byte has a place in; control characters become "?"."""
    return "".join(["?" if code < 0x20 or 0x7F <= code < 0xA0 else chr(code) for code in value])


def _is_date_time(text):
    """MMDDHHMM, each part in its range."""
    if len(text) != _DATE_TIME_LENGTH or not all("0" <= digit <= "9" for digit in text):
        return False
    month, day, hour, minute = [int(text[i : i + 2]) for i in (0, 2, 4, 6)]
    return 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60
