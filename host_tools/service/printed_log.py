"""A household's record of its calls in a period, for the police, as CSV; `printed_log_pdf.py` has it on paper."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from host_tools.service.call_log import LoggedCall, Note
from host_tools.service.csv_table import csv_table
from host_tools.service.household import OUTCOMES
from host_tools.service.local_time import in_words, local_time
from host_tools.service.messages import TimeSource
from host_tools.service.sealing import Presentation

MOST_CALLS = 2000
"""Of one record: some eighty pages."""
WHAT_IT_IS = (
    "This is what the telephone line presented to the household, as its adapter reported it, and what the household "
    "noted. It is not proof of who called: a presented number or name can be forged by the caller. Where a call was "
    "traced, its trace number and outcome are given; the traced origin is not in this record. It is with the trace "
    "centre, which answers a legal instrument."
)
HOW_TIMES_ARE_KNOWN: dict[TimeSource, str] = {
    "network": "by the network's clock, to the second",
    "caller_id": "by the minute that a caller ID told: up to a minute early",
    "none": "not known: the time is when the report came, after the call",
}
PRESENTATIONS: dict[Presentation, str] = {
    "presented": "",
    "private": "Withheld by the caller",
    "out_of_area": "Not available",
    "none": "None presented",
}

_HEADER = (
    "line",
    "date",
    "time",
    "time_zone",
    "time_known_by",
    "number_presented",
    "name_presented",
    "presentation",
    "rings",
    "answered",
    "call_waiting",
    "trace_outcome",
    "trace",
    "adapter",
    "call",
    "reported_at",
    "notes",
)


@dataclass(frozen=True)
class PrintedLog:
    """The calls of a line from the day `since` to the day `until`, both included, by the clocks of `zone`.

    Attributes:
        calls: the oldest first.
    """

    line: str
    since: date
    until: date
    zone: ZoneInfo
    calls: tuple[LoggedCall, ...]

    @property
    def sha256(self) -> str:
        """Of its CSV file, 64 hex digits: it says which record a sheet of paper is of."""
        return hashlib.sha256(printed_log_csv(self)).hexdigest()


def seconds_of(since: date, until: date, zone: ZoneInfo) -> tuple[int, int]:
    """Unix seconds at which the days from `since` to `until` begin, and behind which they end."""
    first = datetime.combine(since, time(), zone)
    behind = datetime.combine(until + timedelta(days=1), time(), zone)
    return int(first.timestamp()), int(behind.timestamp())


def printed_log_csv(log: PrintedLog) -> bytes:
    """The calls, a row each; the same record makes the same bytes."""
    return csv_table(_HEADER, (_row(log, call) for call in log.calls))


def presented_number(call: LoggedCall) -> str:
    """The number as it was presented, or why there is none, in words."""
    return call.number or PRESENTATIONS[call.presentation] or PRESENTATIONS["none"]


def note_in_words(note: Note, zone: ZoneInfo) -> str:
    """A note with its date, and with that of its withdrawal."""
    withdrawn = "" if note.withdrawn_at is None else f", withdrawn {in_words(note.withdrawn_at, zone)}"
    return f"[{in_words(note.written_at, zone)}{withdrawn}] {note.note}"


def _row(log: PrintedLog, call: LoggedCall) -> tuple[str, ...]:
    day, _, clock = local_time(call.at, log.zone).isoformat(timespec="seconds").partition("T")
    return (
        log.line,
        day,
        clock,
        log.zone.key,
        call.time_source,
        call.number or "",
        call.name or "",
        call.presentation,
        str(call.rings),
        _yes_or_no(call.answered),
        _yes_or_no(call.call_waiting),
        OUTCOMES[call.trace_outcome] if call.trace_outcome else "",
        call.trace_id or "",
        call.adapter_id,
        call.call_id,
        in_words(call.received_at, log.zone),
        "\n".join(note_in_words(note, log.zone) for note in call.notes),
    )


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
