"""The log of its calls that a household keeps: what its line presented, and what it noted. Only it reads it.

Numbers, names and notes are encrypted with the service's secret, each to its own row: whoever has the database alone
reads none, and one that was moved to another row is found out. Notes are added and withdrawn, and never changed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, select, tuple_, update
from sqlalchemy.engine import Connection

from host_tools.service.audit.log import AuditLog
from host_tools.service.call_log_switch import is_refused
from host_tools.service.lines import Lines
from host_tools.service.messages import CallerId, CallReport, Outcome, TimeSource
from host_tools.service.rules import is_of_another_adapter
from host_tools.service.sealing import Presentation, presentation_of
from host_tools.service.secret import NotOurs, Secret
from host_tools.service.tables import CALL_LOG, CALL_NOTES, CASES, TRACES

LONGEST_NOTE = 1000
MOST_NOTES = 20
"""Of one call."""
_USE = "call log"
# So that the length of what is encrypted does not tell how long a number, a name or a note is.
_PADDED_TO_BYTES = 256
_CALLS_AT_ONCE = 500


class NoSuchCall(Exception):
    """The line's log has no such call."""


class NoSuchNote(Exception):
    """The line's log has no such note, or it is withdrawn already."""


class TooManyNotes(Exception):
    """A call has as many notes as it may have."""


class CallLogIsHeld(Exception):
    """A case of the line is under legal hold: nothing is deleted."""


@dataclass(frozen=True)
class Note:
    """What a household has written about a call; times in Unix seconds.

    Attributes:
        note: as it was written.
        withdrawn_at: None while it holds.
    """

    note_id: int
    note: str
    written_at: int
    written_by: str
    withdrawn_at: int | None


@dataclass(frozen=True)
class LoggedCall:
    """One call; times in Unix seconds.

    Attributes:
        at: of its first ring, by the clock that `time_source` names; with "none", when its report came.
        rings: complete rings.
        number, name: as the line presented them, which may be false.
        presentation: whether a number was presented, and why not.
        trace_outcome: what became of its trace; None without one.
        trace_id: the public number of its trace.
        notes: the oldest first.
    """

    adapter_id: str
    call_id: str
    at: int
    time_source: TimeSource
    rings: int
    answered: bool
    call_waiting: bool
    number: str | None
    name: str | None
    presentation: Presentation
    trace_outcome: Outcome | None
    trace_id: str | None
    received_at: int
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class SealedReport:
    """A report, and what the line presented, encrypted: so much is done before the transaction begins."""

    report: CallReport
    presented: bytes


def seal_report(report: CallReport, secret: Secret) -> SealedReport:
    """The report, ready to be taken.

    Raises:
        SecretUnusable: the service has no secret now.
    """
    caller_id = report.call.caller_id
    presented = None if caller_id is None else caller_id.model_dump()
    return SealedReport(
        report, _encrypted(secret, (report.adapter_id, report.call.call_id), {"presented": presented})
    )


def take_report(connection: Connection, sealed: SealedReport, received_at: int) -> bool:
    """Keeps a call, or what is new of it; whether it is kept.

    It is not when the line is another adapter's, as with a trace, or when its household wants no log.
    """
    report = sealed.report
    if _is_of_another(connection, report) or is_refused(connection, report.line):
        return False
    known = connection.execute(_known(report)).first()
    if known is None:
        row = {"adapter_id": report.adapter_id, "call_id": report.call.call_id, "line": report.line}
        connection.execute(
            insert(CALL_LOG), {**row, **_values(sealed, received_at), "received_at": received_at}
        )
        return True
    if known.line != report.line:
        return False  # what one household has does not become another's
    values = _values(sealed, received_at)
    if report.time_source == "none":
        del values["at"], values["time_source"]
    if values["trace_outcome"] is None:
        del values["trace_outcome"]
    connection.execute(update(CALL_LOG).where(_of_report(report)).values(**values))
    return True


def _is_of_another(connection: Connection, report: CallReport) -> bool:
    lines = Lines(connection)
    bound = lines.find(report.line)
    owner = None if bound is None else bound.adapter_id
    return is_of_another_adapter(report.line, report.adapter_id, owner, lines.of_adapter(report.adapter_id))


def _known(report: CallReport) -> Any:
    return select(CALL_LOG.c.line).where(_of_report(report))


def _of_report(report: CallReport) -> Any:
    return and_(CALL_LOG.c.adapter_id == report.adapter_id, CALL_LOG.c.call_id == report.call.call_id)


def _values(sealed: SealedReport, received_at: int) -> dict[str, Any]:
    report, call = sealed.report, sealed.report.call
    return {
        "at": received_at if report.time_source == "none" else call.at,
        "time_source": report.time_source,
        "rings": call.rings,
        "answered": call.answered,
        "call_waiting": call.call_waiting,
        "presented": sealed.presented,
        "trace_outcome": report.trace_outcome.value if report.trace_outcome else None,
    }


class CallLog:
    """The log of one line, as its household has it; within one transaction.

    Every method that reads raises SecretUnusable, and NotOurs for what was not encrypted for its row.
    """

    def __init__(self, connection: Connection, secret: Secret, line: str) -> None:
        self._connection = connection
        self._secret = secret
        self._line = line

    def count(self) -> int:
        """How many calls there are."""
        count = select(func.count()).select_from(CALL_LOG).where(CALL_LOG.c.line == self._line)
        return self._connection.scalar(count) or 0

    def page(self, skip: int, limit: int) -> list[LoggedCall]:
        """The calls, the newest first, without the first `skip`."""
        newest = _CALLS.where(CALL_LOG.c.line == self._line).order_by(*_newest_first())
        return self._read(self._connection.execute(newest.offset(skip).limit(limit)).all())

    def between(self, since: int, until: int, limit: int) -> list[LoggedCall]:
        """The calls from `since` to before `until` (Unix seconds), the oldest first; the first `limit` of them."""
        within = and_(CALL_LOG.c.line == self._line, CALL_LOG.c.at >= since, CALL_LOG.c.at < until)
        oldest = _CALLS.where(within).order_by(CALL_LOG.c.at, CALL_LOG.c.adapter_id, CALL_LOG.c.call_id)
        return self._read(self._connection.execute(oldest.limit(limit)).all())

    def call(self, adapter_id: str, call_id: str) -> LoggedCall:
        """One call.

        Raises:
            NoSuchCall: there is none.
        """
        rows = self._connection.execute(_CALLS.where(self._of(adapter_id, call_id))).all()
        if not rows:
            raise NoSuchCall(call_id)
        return self._read(rows)[0]

    def add_note(self, adapter_id: str, call_id: str, note: str, *, by: str, at: int) -> LoggedCall:
        """Adds a note to a call; the call as it is then.

        Raises:
            NoSuchCall, TooManyNotes: nothing is changed.
        """
        if len(self.call(adapter_id, call_id).notes) >= MOST_NOTES:
            raise TooManyNotes(call_id)
        row = {"adapter_id": adapter_id, "call_id": call_id, "written_at": at, "written_by": by}
        encrypted = _encrypted(self._secret, (adapter_id, call_id), {"note": note})
        self._connection.execute(insert(CALL_NOTES), {**row, "note": encrypted})
        AuditLog(self._connection).append(at, by, "call.noted", call_id, line=self._line)
        return self.call(adapter_id, call_id)

    def withdraw_note(self, note_id: int, *, by: str, at: int) -> LoggedCall:
        """Marks a note as withdrawn; it stays to be read. Its call as it is then.

        Raises:
            NoSuchNote: nothing is changed.
        """
        of_line = tuple_(CALL_NOTES.c.adapter_id, CALL_NOTES.c.call_id).in_(
            select(CALL_LOG.c.adapter_id, CALL_LOG.c.call_id).where(CALL_LOG.c.line == self._line)
        )
        holds = and_(CALL_NOTES.c.note_id == note_id, CALL_NOTES.c.withdrawn_at.is_(None), of_line)
        noted = self._connection.execute(
            select(CALL_NOTES.c.adapter_id, CALL_NOTES.c.call_id).where(holds)
        ).first()
        if noted is None:
            raise NoSuchNote(str(note_id))
        withdrawn = update(CALL_NOTES).where(CALL_NOTES.c.note_id == note_id).values(withdrawn_at=at)
        self._connection.execute(withdrawn)
        AuditLog(self._connection).append(
            at, by, "call.note_withdrawn", noted.call_id, line=self._line, note=note_id
        )
        return self.call(noted.adapter_id, noted.call_id)

    def delete_all(self, *, by: str, at: int) -> int:
        """Deletes every call and its notes, for good; how many calls.

        Raises:
            CallLogIsHeld: nothing is changed.
        """
        held = select(CASES.c.case_id).where(CASES.c.line == self._line, CASES.c.has_legal_hold)
        if self._connection.execute(held.limit(1)).first() is not None:
            raise CallLogIsHeld(self._line)
        of_line = select(CALL_LOG.c.adapter_id, CALL_LOG.c.call_id).where(CALL_LOG.c.line == self._line)
        of_calls = tuple_(CALL_NOTES.c.adapter_id, CALL_NOTES.c.call_id).in_(of_line)
        self._connection.execute(delete(CALL_NOTES).where(of_calls))
        rows = self._connection.execute(delete(CALL_LOG).where(CALL_LOG.c.line == self._line)).rowcount
        AuditLog(self._connection).append(at, by, "call_log.deleted", self._line, rows=rows)
        return rows

    def _of(self, adapter_id: str, call_id: str) -> Any:
        return and_(
            CALL_LOG.c.line == self._line,
            CALL_LOG.c.adapter_id == adapter_id,
            CALL_LOG.c.call_id == call_id,
        )

    def _read(self, rows: Sequence[Row[Any]]) -> list[LoggedCall]:
        calls = [self._call(row) for row in rows]
        found: list[LoggedCall] = []
        for begin in range(0, len(calls), _CALLS_AT_ONCE):
            some = calls[begin : begin + _CALLS_AT_ONCE]
            identities = [(call.adapter_id, call.call_id) for call in some]
            traces, notes = self._traces(identities), self._notes(identities)
            found += [
                _with(call, traces.get(identity, ()), notes.get(identity, ()))
                for call, identity in zip(some, identities, strict=True)
            ]
        return found

    def _call(self, row: Row[Any]) -> LoggedCall:
        content = self._decrypted((row.adapter_id, row.call_id), row.presented)["presented"]
        presented = None if content is None else CallerId.model_validate(content)
        return LoggedCall(
            row.adapter_id,
            row.call_id,
            row.at,
            row.time_source,
            row.rings,
            row.answered,
            row.call_waiting,
            presented.number if presented else None,
            presented.name if presented else None,
            presentation_of(presented),
            Outcome(row.trace_outcome) if row.trace_outcome else None,
            None,
            row.received_at,
            (),
        )

    def _traces(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Any]]:
        """Traces of these calls by the adapter that has reported them, the oldest first."""
        of_calls = tuple_(TRACES.c.adapter_id, TRACES.c.call_id).in_(list(identities))
        columns = (TRACES.c.adapter_id, TRACES.c.call_id, TRACES.c.outcome, TRACES.c.trace_id)
        query = select(*columns).where(TRACES.c.line == self._line, of_calls).order_by(TRACES.c.received_at)
        found: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in self._connection.execute(query):
            found[row.adapter_id, row.call_id].append(row)
        return found

    def _notes(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Note]]:
        of_calls = tuple_(CALL_NOTES.c.adapter_id, CALL_NOTES.c.call_id).in_(list(identities))
        found: defaultdict[tuple[str, str], list[Note]] = defaultdict(list)
        for row in self._connection.execute(
            select(CALL_NOTES).where(of_calls).order_by(CALL_NOTES.c.note_id)
        ):
            identity = row.adapter_id, row.call_id
            note = self._decrypted(identity, row.note)["note"]
            found[identity].append(Note(row.note_id, note, row.written_at, row.written_by, row.withdrawn_at))
        return found

    def _decrypted(self, identity: tuple[str, str], encrypted: bytes) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._secret.decrypt(_USE, encrypted))
        if content.pop("of") != list(identity):
            raise NotOurs
        return content


_CALLS = select(CALL_LOG)


def _newest_first() -> tuple[Any, ...]:
    return CALL_LOG.c.at.desc(), CALL_LOG.c.adapter_id, CALL_LOG.c.call_id


def _with(call: LoggedCall, traces: Sequence[Row[Any]], notes: Sequence[Note]) -> LoggedCall:
    """The call with its traces: the one that has a number says more than one that has none."""
    numbered = next((row for row in traces if row.trace_id is not None), None)
    last = numbered or (traces[-1] if traces else None)
    outcome = Outcome(last.outcome) if last is not None else call.trace_outcome
    trace_id = numbered.trace_id if numbered is not None else None
    return replace(call, trace_outcome=outcome, trace_id=trace_id, notes=tuple(notes))


def _encrypted(secret: Secret, identity: tuple[str, str], content: dict[str, Any]) -> bytes:
    plain = json.dumps({"of": identity, **content}).encode()
    return secret.encrypt(_USE, plain + b" " * (-len(plain) % _PADDED_TO_BYTES))
