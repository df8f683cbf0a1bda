"""Messages of docs/protocol.md: requests into bytes, and hostile bytes into answers and refusals."""

import json

from micropython import const

LONGEST_BYTES = const(2048)
MOST_CENTS = const(1000)

UNAVAILABLE = "unavailable"
_REFUSALS = ("malformed", "too_large", "unknown_adapter", UNAVAILABLE)
_ANSWER_FIELDS = {"message", "version", "request_id", "outcome", "trace_id", "charge_cents"}
_REFUSAL_FIELDS = {"message", "reason"}
_TIME_FIELDS = {"message", "version", "unix_seconds"}
_LATEST_UNIX_SECONDS = const(0xFFFF_FFFF)
# outcome: has a trace_id, the most that it may cost in cents
_OUTCOMES = {
    "traced": (True, MOST_CENTS),
    "not_traceable": (False, 0),
    "already_traced": (True, 0),
    "not_offered": (False, 0),
}


class MessageError(Exception):
    """These bytes are no such message; `reason` is "too_large", "malformed" or "other_request"."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def encode(request):
    """The UTF-8 JSON of a trace request. Raises MessageError("too_large") beyond 2048 bytes."""
    body = json.dumps(request, separators=(",", ":")).encode()
    if len(body) > LONGEST_BYTES:
        raise MessageError("too_large")
    return body


def decode_answer(data, request_id):
    """The trace answer in `data`, as a dict of its fields, to the request of that id. Raises MessageError."""
    answer = _decode(data, "trace_answer", _ANSWER_FIELDS)
    if not _is_answer(answer):
        raise MessageError("malformed")
    if answer["request_id"] != request_id:
        raise MessageError("other_request")
    return answer


def decode_refusal(data):
    """The reason of the refusal in `data`. Raises MessageError."""
    reason = _decode(data, "refusal", _REFUSAL_FIELDS)["reason"]
    if reason not in _REFUSALS:
        raise MessageError("malformed")
    return reason


def decode_time(data):
    """The Unix seconds of the time message in `data`, 0 to 4294967295. Raises MessageError."""
    time = _decode(data, "time", _TIME_FIELDS)
    if not _is_integer(time["version"], 1, 1) or not _is_integer(
        time["unix_seconds"], 0, _LATEST_UNIX_SECONDS
    ):
        raise MessageError("malformed")
    return time["unix_seconds"]


def _decode(data, kind, fields):
    if len(data) > LONGEST_BYTES:
        raise MessageError("too_large")
    # MicroPython's json takes an object whose end is missing for a whole one.
    if not data.rstrip().endswith(b"}"):
        raise MessageError("malformed")
    try:
        message = json.loads(data)
    except ValueError:
        raise MessageError("malformed") from None
    if not isinstance(message, dict) or set(message) != fields or message["message"] != kind:
        raise MessageError("malformed")
    return message


def _is_answer(answer):
    if not _is_integer(answer["version"], 1, 1) or not _is_request_id(answer["request_id"]):
        return False
    outcome = answer["outcome"]
    if not isinstance(outcome, str) or outcome not in _OUTCOMES:
        return False
    has_trace_id, most_cents = _OUTCOMES[outcome]
    if not _is_integer(answer["charge_cents"], 0, most_cents):
        return False
    return _is_trace_id(answer["trace_id"]) if has_trace_id else answer["trace_id"] is None


def _is_integer(value, least, most):
    # A bool is an int to Python, and is none to the protocol.
    return type(value) is int and least <= value <= most


def _is_digits(value, count, digits):
    return isinstance(value, str) and len(value) == count and all(digit in digits for digit in value)


def _is_request_id(value):
    return _is_digits(value, 32, "0123456789abcdef")


def _is_trace_id(value):
    return isinstance(value, str) and value[:2] == "T-" and _is_digits(value[2:], 8, "0123456789")
