"""The events of `star57 decode` in words: a line for the terminal, a label for the picture, a summary of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from host_tools.rig.events import Event
from host_tools.rig.explanation import REASONS, STANDARD_NAMES

ABSENCES = {
    "P": "private",
    "O": "out of area",
    "C": "coin telephone",
    "S": "service conflict",
    "I": "international",
}
_NAMES = {
    "caller_id": "caller ID",
    "caller_id_failed": "no caller ID",
    "message_waiting": "message waiting",
    "other_message": "message",
    "dtmf": "DTMF",
    "alert_tone": "alert tone",
    "call_progress": "call progress",
    "no_caller_id": "no caller ID",
}
_COUNTED = {
    "caller_id": ("caller", "callers"),
    "caller_id_failed": ("burst that failed", "bursts that failed"),
    "message_waiting": ("message-waiting signal", "message-waiting signals"),
    "other_message": ("other message", "other messages"),
    "dtmf": ("digit", "digits"),
    "alert_tone": ("alert tone", "alert tones"),
    "call_progress": ("call-progress tone", "call-progress tones"),
}


def line(event: Event) -> str:
    """One line: when, what, and how well."""
    return f"{event['at']:10.3f} s  {_NAMES[event['event']]:<15}  {label(event)}{_measured(event)}"


def label(event: Event) -> str:
    """What it says, in a few words."""
    return _LABELS[event["event"]](event)


def summary(events: Sequence[Event]) -> str:
    """What was heard, counted; and the digits in a row."""
    counts = Counter(event["event"] for event in events)
    heard = [f"{counts[kind]} {names[counts[kind] != 1]}" for kind, names in _COUNTED.items() if counts[kind]]
    digits = "".join(event["digit"] for event in events if event["event"] == "dtmf")
    return (", ".join(heard) or "nothing was heard") + (f" (digits: {digits})" if digits else "")


def _caller(event: Event) -> str:
    number = event["number"] or ABSENCES.get(event["reason"] or "", "no number")
    name = event["name"] or {"P": "(name private)", "O": "(name unavailable)"}.get(
        event["name_reason"] or "", ""
    )
    waiting = "call waiting" if event["call_waiting"] else ""
    forwarded = f"forwarded from {event['forwarded_from']}" if event["forwarded_from"] else ""
    return "  ".join(part for part in (number, name, _date(event["date_time"]), waiting, forwarded) if part)


def _date(date_time: str | None) -> str:
    return f"{date_time[:2]}-{date_time[2:4]} {date_time[4:6]}:{date_time[6:8]}" if date_time else ""


def _failed(event: Event) -> str:
    return REASONS.get(event["reason"], str(event["reason"]))


def _waiting(event: Event) -> str:
    state = {True: "on", False: "off"}.get(event["message_waiting"], "not said")
    count = event.get("number_of_messages")
    return state if count is None else f"{state}, {count} message{'s' if count != 1 else ''}"


def _other(event: Event) -> str:
    known = [str(event[key]) for key in ("charge", "display_information", "name", "number") if event.get(key)]
    return "  ".join([f"type {event['message_type']:02X}h", *known])


def _digit(event: Event) -> str:
    return f"{event['digit']}  {event['duration_ms']} ms"


def _alert(event: Event) -> str:
    return f"{event['tone'].upper()}  {event['duration_ms']} ms"


def _progress(event: Event) -> str:
    where = f" ({', '.join(event['countries'])})" if event["countries"] else ""
    return f"{event['tone'].replace('_', ' ')}{where}  {event['duration_ms'] / 1000:.1f} s"


def _absence(_event: Event) -> str:
    return "no burst in all of the recording"


_LABELS = {
    "caller_id": _caller,
    "caller_id_failed": _failed,
    "message_waiting": _waiting,
    "other_message": _other,
    "dtmf": _digit,
    "alert_tone": _alert,
    "call_progress": _progress,
    "no_caller_id": _absence,
}


def _measured(event: Event) -> str:
    quality = event.get("quality", event)
    standard = event.get("standard")
    figures = (
        ("", STANDARD_NAMES.get(standard or "", (standard or "").replace("_", " "))),
        (" dBm0", quality.get("level_dbm0")),
        (" dB SNR", quality.get("snr_db")),
        (" framing errors", quality.get("framing_errors") or None),
        ("", "repaired" if quality.get("repaired") else None),
    )
    known = ", ".join(f"{value}{unit}" for unit, value in figures if value not in (None, ""))
    return f"  [{known}]" if known else ""
