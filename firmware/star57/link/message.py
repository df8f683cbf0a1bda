"""Messages of docs/protocol.md: asks into bytes, and bytes that may mean harm into answers and refusals."""

import json
from binascii import a2b_base64

from micropython import const

LONGEST_BYTES = const(2048)
MOST_CENTS = const(1000)

MALFORMED = "malformed"
TOO_LARGE = "too_large"
OLD_SEQUENCE = "old_sequence"
_REFUSALS = (MALFORMED, "bad_signature", "unknown_adapter", OLD_SEQUENCE, TOO_LARGE, "unavailable")
# Tuples, which lie in flash, where sets would not.
_ANSWER_FIELDS = ("message", "version", "request_id", "outcome", "trace_id", "charge_cents", "action_open")
_REFUSAL_FIELDS = ("message", "reason", "newest_sequence")
_HEARTBEAT_FIELDS = (
    "message",
    "version",
    "unix_seconds",
    "settings",
    "prompt",
    "log_from",
    "again",
    "update",
)
_SETTINGS_FIELDS = ("revision", "values")
_PROMPT_FIELDS = ("name", "size", "sha256", "offset", "data")
_UPDATE_FIELDS = ("sha256", "slot", "offset", "data")
_LOG_FIELDS = ("message", "version")
_CALL_REPORT_FIELDS = ("message", "version")
_LATEST_UNIX_SECONDS = const(0xFFFF_FFFF)
_GREATEST_COUNT = const(0x1F_FFFF_FFFF_FFFF)
_MOST_SETTINGS = const(16)
_LONGEST_PROMPT_BYTES = const(65536)
_LONGEST_IMAGE_BYTES = const(0x10_0000)
_LONGEST_PART_BYTES = const(960)
_HEX = "0123456789abcdef"
# outcome: has a trace_id, the most that it may cost in cents, may open the way to action
_OUTCOMES = {
    "traced": (True, MOST_CENTS, True),
    "not_traceable": (False, 0, False),
    "already_traced": (True, 0, False),
    "not_offered": (False, 0, False),
}


class MessageError(Exception):
    """These bytes are no such message; `reason` is "too_large", "malformed" or "other_request"."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def encode(ask):
    """The UTF-8 JSON of an ask, a dict of its fields. Raises MessageError("too_large") beyond 2048 bytes."""
    body = json.dumps(ask, separators=(",", ":")).encode()
    if len(body) > LONGEST_BYTES:
        raise MessageError(TOO_LARGE)
    return body


def decode_answer(data, request_id):
    """The trace answer in `data`, as a dict of its fields, to the request of that id. Raises MessageError."""
    answer = _decode(data, "trace_answer", _ANSWER_FIELDS)
    if not _is_answer(answer):
        raise MessageError(MALFORMED)
    if answer["request_id"] != request_id:
        raise MessageError("other_request")
    return answer


def decode_refusal(data):
    """The reason of the refusal in `data`, and its newest sequence number or None. Raises MessageError."""
    refusal = _decode(data, "refusal", _REFUSAL_FIELDS)
    reason, newest = refusal["reason"], refusal["newest_sequence"]
    if reason not in _REFUSALS:
        raise MessageError(MALFORMED)
    if not (_is_count(newest) if reason == OLD_SEQUENCE else newest is None):
        raise MessageError(MALFORMED)
    return reason, newest


def decode_heartbeat_answer(data):
    """The answer to a heartbeat, as a dict of its fields; the `data` of a prompt and of an update are bytes.

    Raises MessageError.
    """
    answer = _decode(data, "heartbeat_answer", _HEARTBEAT_FIELDS)
    is_right = (
        _is_integer(answer["version"], 1, 1)
        and _is_integer(answer["unix_seconds"], 0, _LATEST_UNIX_SECONDS)
        and (answer["settings"] is None or _is_settings(answer["settings"]))
        and (answer["prompt"] is None or _is_prompt(answer["prompt"]))
        and (answer["log_from"] is None or _is_count(answer["log_from"]))
        and isinstance(answer["again"], bool)
        and (answer["update"] is None or _is_update(answer["update"]))
    )
    if not is_right:
        raise MessageError(MALFORMED)
    return answer


def decode_log_answer(data):
    """Checks the answer to lines of the log. Raises MessageError."""
    if not _is_integer(_decode(data, "log_answer", _LOG_FIELDS)["version"], 1, 1):
        raise MessageError(MALFORMED)


def decode_call_report_answer(data):
    """Checks the answer to a call report. Raises MessageError."""
    if not _is_integer(_decode(data, "call_report_answer", _CALL_REPORT_FIELDS)["version"], 1, 1):
        raise MessageError(MALFORMED)


def _decode(data, kind, fields):
    if len(data) > LONGEST_BYTES:
        raise MessageError(TOO_LARGE)
    # MicroPython's json takes an object whose end is missing for a whole one.
    if not data.rstrip().endswith(b"}"):
        raise MessageError(MALFORMED)
    try:
        message = json.loads(data)
    except ValueError:
        raise MessageError(MALFORMED) from None
    if not _is_object_of(fields, message) or message["message"] != kind:
        raise MessageError(MALFORMED)
    return message


def _is_object_of(fields, value):
    """Whether it is an object with these fields and no others."""
    return isinstance(value, dict) and len(value) == len(fields) and all(name in value for name in fields)


def _is_answer(answer):
    if not _is_integer(answer["version"], 1, 1) or not _is_request_id(answer["request_id"]):
        return False
    outcome = answer["outcome"]
    if not isinstance(outcome, str) or outcome not in _OUTCOMES:
        return False
    has_trace_id, most_cents, may_open_action = _OUTCOMES[outcome]
    if not _is_integer(answer["charge_cents"], 0, most_cents):
        return False
    action_open = answer["action_open"]
    if not isinstance(action_open, bool) or (action_open and not may_open_action):
        return False
    return _is_trace_id(answer["trace_id"]) if has_trace_id else answer["trace_id"] is None


def _is_settings(settings):
    if not _is_object_of(_SETTINGS_FIELDS, settings):
        return False
    values = settings["values"]
    return (
        _is_integer(settings["revision"], 1, _GREATEST_COUNT)
        and isinstance(values, dict)
        and len(values) <= _MOST_SETTINGS
    )


def _is_prompt(prompt):
    """Whether it is a part of a prompt; its `data` become bytes."""
    if not _is_object_of(_PROMPT_FIELDS, prompt):
        return False
    prompt["data"] = _part(prompt["data"])
    return (
        _is_name(prompt["name"])
        and _is_integer(prompt["size"], 1, _LONGEST_PROMPT_BYTES)
        and _is_digits(prompt["sha256"], 64, _HEX)
        and prompt["data"] is not None
        and _is_integer(prompt["offset"], 0, prompt["size"] - len(prompt["data"]))
    )


def _is_update(update):
    """Whether it is a release, or a part of one's firmware; its `data` become bytes."""
    if not _is_object_of(_UPDATE_FIELDS, update):
        return False
    update["data"] = _part(update["data"])
    slot = update["slot"]
    return (
        _is_digits(update["sha256"], 64, _HEX)
        and (slot is None or (isinstance(slot, str) and slot in ("a", "b")))
        and update["data"] is not None
        and _is_integer(
            update["offset"], 0, 0 if slot is None else _LONGEST_IMAGE_BYTES - len(update["data"])
        )
    )


def _part(text):
    """The bytes of a part in base64; None when it is none."""
    try:
        data = a2b_base64(text)
    except (TypeError, ValueError):
        return None
    return data if 0 < len(data) <= _LONGEST_PART_BYTES else None


def _is_name(value):
    if not isinstance(value, str) or not 1 <= len(value) <= 32:
        return False
    return all("a" <= letter <= "z" or "0" <= letter <= "9" or letter == "_" for letter in value)


def _is_count(value):
    return _is_integer(value, 0, _GREATEST_COUNT)


def _is_integer(value, least, most):
    # A bool is an int to Python, and is none to the protocol.
    return type(value) is int and least <= value <= most


def _is_digits(value, count, digits):
    return isinstance(value, str) and len(value) == count and all(digit in digits for digit in value)


def _is_request_id(value):
    return _is_digits(value, 32, _HEX)


def _is_trace_id(value):
    return isinstance(value, str) and value[:2] == "T-" and _is_digits(value[2:], 8, "0123456789")
