"""Cases of the trace centre: what is to be acted on, and how far it has come. Nothing here knows who called.

    ready ──instrument entered──▶ instrument ──records released──▶ released ──▶ closed

A case is opened by the third successful trace of one origin by one line, or at once when somebody is in danger. A later
trace of the same origin joins it; when it had been released, it is ready again, for an instrument that covers the later
trace too. Every change is in the audit log, in the same transaction.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import RowMapping, case, func, insert, select, update
from sqlalchemy.engine import Connection

from host_tools.service.audit.log import AuditLog
from host_tools.service.instruments import EnteredInstrument
from host_tools.service.tables import CASE_TRACES, CASES, COUNTERS, TRACED, TRACES

CaseId = Annotated[str, StringConstraints(pattern=r"^C-[0-9]{8}$")]

# What is none at all is not asked for: PostgreSQL takes no text with a NUL in it.
_CASE_ID = re.compile(r"C-[0-9]{8}", re.ASCII)
_TRACE_ID = re.compile(r"T-[0-9]{8}", re.ASCII)
_LAST_CASE_NUMBER = 99_999_999


class CaseError(Exception):
    """A case cannot be had or changed so; the text is a sentence for who asked, and nothing is changed."""


class NoSuchCase(CaseError):
    """There is no case of this number."""


class CaseIsClosed(CaseError):
    """A closed case is not changed any more."""


class CaseIsHeld(CaseError):
    """A case under legal hold is not closed."""


class HoldUnchanged(CaseError):
    """It is under legal hold already, or is not."""


class InstrumentMissing(CaseError):
    """Before an instrument is entered, nothing is released."""


class NotReleased(CaseError):
    """Closed as released, and nothing was."""


class WasReleased(CaseError):
    """Closed for another reason, and records were released."""


class NoSuccessfulTrace(CaseError):
    """There is no successful trace of the line that could be acted on."""


class TraceOfAnotherLine(CaseError):
    """A trace is none of the line's successful ones."""


class CaseIdsExhausted(CaseError):
    """The last number of a case, C-99999999, is given."""


class CaseState(StrEnum):
    """How far a case has come."""

    READY = "ready"
    INSTRUMENT = "instrument"
    RELEASED = "released"
    CLOSED = "closed"


class OpenedFor(StrEnum):
    """Why a case was opened."""

    THREE_TRACES = "three_traces"
    IMMEDIATE_DANGER = "immediate_danger"


class CloseReason(StrEnum):
    """Why a case is closed."""

    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    NO_INSTRUMENT = "no_instrument"
    MISTAKE = "mistake"


@dataclass(frozen=True)
class Case:
    """One case; times in Unix seconds.

    Attributes:
        case_id: C- and 8 digits.
        line: the called line.
        opened_by: an account name, or "service".
        changed_at: when it came into its state.
        has_legal_hold: nothing of it is deleted, and it is not closed.
        trace_ids: its traces, in their order.
    """

    case_id: str
    line: str
    opened_for: OpenedFor
    opened_at: int
    opened_by: str
    state: CaseState
    changed_at: int
    has_legal_hold: bool
    trace_ids: tuple[str, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether there is something to be done."""
        return self.state is not CaseState.CLOSED

    @property
    def is_danger(self) -> bool:
        """Whether somebody is in immediate danger."""
        return self.opened_for is OpenedFor.IMMEDIATE_DANGER


@dataclass(frozen=True)
class CaseTrace:
    """A trace of a case, without who called; times in Unix seconds.

    Attributes:
        called_at: None when nobody knows.
        received_at: when the request came.
        is_kept: its sealed record is still there.
    """

    trace_id: str
    called_at: int | None
    received_at: int
    is_kept: bool


_IN_ORDER = (
    case((CASES.c.opened_for == OpenedFor.IMMEDIATE_DANGER.value, 0), else_=1),
    CASES.c.opened_at,
    CASES.c.case_id,
)
_OPEN = CASES.c.state != CaseState.CLOSED.value
_COUNT_ON = (
    update(COUNTERS)
    .where(COUNTERS.c.name == "case", COUNTERS.c.value < _LAST_CASE_NUMBER)
    .values(value=COUNTERS.c.value + 1)
    .returning(COUNTERS.c.value)
)


class Cases:
    """The cases, within one transaction; whatever changes one is in an audited transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._log = AuditLog(connection)

    def get(self, case_id: str) -> Case:
        """The case of this number.

        Raises:
            NoSuchCase: there is none.
        """
        of = select(CASES).where(CASES.c.case_id == case_id)
        row = self._connection.execute(of).mappings().first() if _CASE_ID.fullmatch(case_id) else None
        if row is None:
            raise NoSuchCase("There is no case of this number.")
        return self._with_traces([row])[0]

    def traces(self, of: Case) -> list[CaseTrace]:
        """The traces of a case that are still there, in their order."""
        query = (
            select(TRACES.c.trace_id, TRACES.c.called_at, TRACES.c.received_at, TRACES.c.sealed.is_not(None))
            .where(TRACES.c.trace_id.in_(of.trace_ids), TRACED)
            .order_by(TRACES.c.trace_id)
        )
        return [
            CaseTrace(trace_id, called_at, received_at, bool(is_kept))
            for trace_id, called_at, received_at, is_kept in self._connection.execute(query)
        ]

    def queue(self, limit: int = 100, skip: int = 0) -> list[Case]:
        """The open cases: those of danger first, and of each the oldest first.

        Args:
            limit: so many at most.
            skip: without so many of the first.
        """
        query = select(CASES).where(_OPEN).order_by(*_IN_ORDER).limit(limit).offset(skip)
        return self._with_traces(self._connection.execute(query).mappings().all())

    def count_open(self) -> int:
        """How many cases are open."""
        return self._connection.scalar(select(func.count()).select_from(CASES).where(_OPEN)) or 0

    def of_line(self, line: str) -> list[Case]:
        """The cases of a line, the newest first."""
        query = (
            select(CASES)
            .where(CASES.c.line == line)
            .order_by(CASES.c.opened_at.desc(), CASES.c.case_id.desc())
        )
        return self._with_traces(self._connection.execute(query).mappings().all())

    def open_for_danger(self, line: str, trace_ids: Collection[str], *, opened_by: str, at: int) -> Case:
        """Opens a case for immediate danger, whatever was counted; an open one that has one of the traces becomes it.

        Args:
            line: whose traces they are.
            trace_ids: successful traces of the line; none for its last one.
            opened_by: account name.
            at: Unix seconds.

        Raises:
            NoSuccessfulTrace, TraceOfAnotherLine, CaseIdsExhausted: nothing is changed.
        """
        wanted = self._successful(line, trace_ids)
        found = self._open_with(line, wanted)
        if found is None:
            return self._opened(line, OpenedFor.IMMEDIATE_DANGER, wanted, opened_by, at)
        joined = self._join(found, wanted, opened_by, at)
        if not joined.is_danger:
            self._change(joined.case_id, opened_for=OpenedFor.IMMEDIATE_DANGER.value)
            self._log.append(at, opened_by, "case.danger", joined.case_id, line=line)
        return self.get(joined.case_id)

    def open_for_three(self, line: str, trace_ids: Sequence[str], at: int) -> Case:
        """Opens a case for traces of one origin by one line, or adds to the one that is open what it lacks.

        Raises:
            CaseIdsExhausted: nothing is changed.
        """
        found = self._open_with(line, trace_ids)
        if found is None:
            return self._opened(line, OpenedFor.THREE_TRACES, trace_ids, "service", at)
        return self._join(found, trace_ids, "service", at)

    def instrument_entered(self, entered: EnteredInstrument) -> Case:
        """A legal instrument was entered for a case: its records may be released.

        Raises:
            NoSuchCase, CaseIsClosed: nothing is changed.
        """
        of = self._open(entered.case_id)
        self._move(of, CaseState.INSTRUMENT, entered.entered_at)
        self._log.append(
            entered.entered_at,
            entered.entered_by,
            "instrument.entered",
            of.case_id,
            instrument=entered.instrument_id,
            kind=entered.instrument.kind.value,
        )
        return self.get(of.case_id)

    def releasable(self, case_id: str) -> Case:
        """The case, when its records may be released now.

        Raises:
            NoSuchCase, CaseIsClosed: there is nothing to release.
            InstrumentMissing: no instrument was entered, or a trace has joined since.
        """
        of = self._open(case_id)
        if of.state is CaseState.READY:
            raise InstrumentMissing("Enter the legal instrument first: without one nothing is released.")
        return of

    def released(self, case_id: str, at: int) -> Case:
        """Its records were released; `releases.py` writes the audit log of it.

        Raises:
            NoSuchCase, CaseIsClosed, InstrumentMissing: nothing is changed.
        """
        of = self.releasable(case_id)
        self._move(of, CaseState.RELEASED, at)
        return self.get(case_id)

    def set_hold(self, case_id: str, *, is_held: bool, by: str, at: int) -> Case:
        """Puts a case under legal hold, or lifts it; a closed one too, for its records may still be there.

        Raises:
            NoSuchCase, HoldUnchanged: nothing is changed.
        """
        of = self.get(case_id)
        if of.has_legal_hold == is_held:
            words = "already under legal hold" if is_held else "not under legal hold"
            raise HoldUnchanged(f"The case is {words}.")
        self._change(case_id, has_legal_hold=is_held)
        self._log.append(at, by, "hold.set" if is_held else "hold.lifted", case_id)
        return self.get(case_id)

    def close(self, case_id: str, reason: CloseReason, *, by: str, at: int) -> Case:
        """Closes a case.

        Raises:
            NoSuchCase, CaseIsClosed, CaseIsHeld, NotReleased, WasReleased: nothing is changed.
        """
        of = self._open(case_id)
        if of.has_legal_hold:
            raise CaseIsHeld("The case is under legal hold: lift it first.")
        if reason is CloseReason.RELEASED and of.state is not CaseState.RELEASED:
            raise NotReleased("Nothing was released since the last change: choose why the case is closed.")
        if reason is not CloseReason.RELEASED and of.state is CaseState.RELEASED:
            raise WasReleased("The records were released: close the case as released.")
        self._move(of, CaseState.CLOSED, at)
        self._log.append(at, by, "case.closed", case_id, reason=reason.value)
        return self.get(case_id)

    def _open(self, case_id: str) -> Case:
        of = self.get(case_id)
        if not of.is_open:
            raise CaseIsClosed("The case is closed: it is not changed any more.")
        return of

    def _opened(
        self, line: str, opened_for: OpenedFor, trace_ids: Iterable[str], opened_by: str, at: int
    ) -> Case:
        number = self._connection.scalar(_COUNT_ON)
        if number is None:
            raise CaseIdsExhausted("The last number of a case, C-99999999, is given.")
        case_id = f"C-{number:08}"
        opened = {
            "case_id": case_id,
            "line": line,
            "opened_for": opened_for.value,
            "opened_at": at,
            "opened_by": opened_by,
            "state": CaseState.READY.value,
            "changed_at": at,
            "has_legal_hold": False,
        }
        self._connection.execute(insert(CASES), opened)
        traces = sorted(set(trace_ids))
        self._add(case_id, traces)
        action = "case.danger" if opened_for is OpenedFor.IMMEDIATE_DANGER else "case.opened"
        self._log.append(at, opened_by, action, case_id, line=line, traces=len(traces))
        return self.get(case_id)

    def _join(self, of: Case, trace_ids: Iterable[str], by: str, at: int) -> Case:
        new = sorted(set(trace_ids) - set(of.trace_ids))
        if not new:
            return of
        self._add(of.case_id, new)
        if of.state is not CaseState.READY:
            # An instrument that was entered before need not cover what has come since.
            self._move(of, CaseState.READY, at)
        self._log.append(at, by, "case.joined", of.case_id, line=of.line, traces=len(new))
        return self.get(of.case_id)

    def _open_with(self, line: str, trace_ids: Iterable[str]) -> Case | None:
        query = (
            select(CASES)
            .join(CASE_TRACES, CASE_TRACES.c.case_id == CASES.c.case_id)
            .where(CASES.c.line == line, _OPEN, CASE_TRACES.c.trace_id.in_(list(trace_ids)))
            .order_by(*_IN_ORDER)
            .limit(1)
        )
        row = self._connection.execute(query).mappings().first()
        return self._with_traces([row])[0] if row else None

    def _successful(self, line: str, trace_ids: Collection[str]) -> list[str]:
        of_line = select(TRACES.c.trace_id).where(TRACES.c.line == line, TRACED)
        if not trace_ids:
            newest = of_line.order_by(TRACES.c.received_at.desc(), TRACES.c.trace_id.desc()).limit(1)
            last = self._connection.scalar(newest)
            if last is None:
                raise NoSuccessfulTrace("No call to this line was traced yet: nothing could be acted on.")
            return [last]
        known = [trace_id for trace_id in trace_ids if _TRACE_ID.fullmatch(trace_id)]
        found = list(self._connection.scalars(of_line.where(TRACES.c.trace_id.in_(known))))
        if set(found) != set(trace_ids):
            raise TraceOfAnotherLine("One of these is no successful trace of this line.")
        return sorted(found)

    def _add(self, case_id: str, trace_ids: Iterable[str]) -> None:
        rows = [{"case_id": case_id, "trace_id": trace_id} for trace_id in trace_ids]
        self._connection.execute(insert(CASE_TRACES), rows)

    def _move(self, of: Case, state: CaseState, at: int) -> None:
        self._change(of.case_id, state=state.value, changed_at=at)

    def _change(self, case_id: str, **values: str | int | bool) -> None:
        self._connection.execute(update(CASES).where(CASES.c.case_id == case_id).values(**values))

    def _with_traces(self, rows: Sequence[RowMapping]) -> list[Case]:
        traces: defaultdict[str, list[str]] = defaultdict(list)
        query = (
            select(CASE_TRACES)
            .where(CASE_TRACES.c.case_id.in_([row["case_id"] for row in rows]))
            .order_by(CASE_TRACES.c.trace_id)
        )
        for row in self._connection.execute(query):
            traces[row.case_id].append(row.trace_id)
        return [_case(row, tuple(traces[row["case_id"]])) for row in rows]


def open_for_three(connection: Connection, line: str, trace_ids: Sequence[str], at: int) -> str:
    """Opens a case for the traces of one origin by one line, or adds them to the open one; its number.

    For each successful trace that makes action possible, with the ids of all traces of that origin, its own too.

    Raises:
        CaseIdsExhausted: nothing is changed.
    """
    return Cases(connection).open_for_three(line, trace_ids, at).case_id


def _case(row: RowMapping, trace_ids: tuple[str, ...]) -> Case:
    values = {**row, "opened_for": OpenedFor(row["opened_for"]), "state": CaseState(row["state"])}
    return Case(**values, trace_ids=trace_ids)
