"""The trace request of docs/protocol.md, made when the household has confirmed."""

# From the clock that says least to the one that says most.
_TIME_SOURCES = ("none", "caller_id", "network")
_PRESENTED = ("number", "name", "reason", "date_time")
# Longer than any field that the line can honestly present; it keeps the whole message within 2048 bytes.
_LONGEST_PRESENTED = 64
_MOST_RINGS = 255


def build(settings, call, requested_at, time_source, random_bytes):
    """The request to trace `call`, with an identity of its own.

    `requested_at` is Unix seconds by the clock that `time_source` names ("network", "caller_id" or "none").
    The message has one `time_source` for both of its times: that of the lesser clock.
    """
    return {
        "message": "trace_request",
        "version": 1,
        "request_id": random_bytes(16).hex(),
        "adapter_id": settings.adapter_id,
        "line": settings.line,
        "requested_at": requested_at,
        "time_source": min(time_source, call.time_source, key=_TIME_SOURCES.index),
        "call": described(call),
    }


def described(call):
    """A call as messages have it: its identity, what happened, and what the line presented."""
    return {
        "call_id": call.call_id,
        "at": call.at,
        "rings": min(call.rings, _MOST_RINGS),
        "answered": call.answered,
        "call_waiting": call.call_waiting,
        "caller_id": _presented(call.caller_id),
    }


def _presented(caller_id):
    if caller_id is None:
        return None
    presented = {}
    for field in _PRESENTED:
        text = caller_id.get(field)
        presented[field] = text[:_LONGEST_PRESENTED] if isinstance(text, str) else None
    return presented
