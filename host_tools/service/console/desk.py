"""What the desk does with cases, for its pages and for programs alike. Whatever is looked at is in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field, SecretStr
from sqlalchemy.engine import Connection

from host_tools.service.access import Permission, Person, allow
from host_tools.service.audit.log import AuditLog
from host_tools.service.cases import Case, Cases, CaseTrace, CloseReason
from host_tools.service.console.input import Input
from host_tools.service.console.state import now_of, store_of
from host_tools.service.household import OUTCOMES, cases_by_trace
from host_tools.service.instruments import EnteredInstrument, Instrument, Instruments
from host_tools.service.key_files import KeyFolder
from host_tools.service.local_time import local_time
from host_tools.service.messages import MAX_COUNT, Line, Outcome, TraceId
from host_tools.service.reasons import Reason
from host_tools.service.releases import Release, Releaser, Releases, releases_of_case
from host_tools.service.settings import Settings
from host_tools.service.traces import Trace, Traces

DeskPerson = Annotated[Person, allow(Permission.DESK)]
LiaisonPerson = Annotated[Person, allow(Permission.RELEASE)]
Skip = Annotated[int, Query(ge=0, le=10**9, description="How many cases of the queue to leave out.")]
CASES_A_PAGE = 50

_LineNumber = Annotated[Line, Field(description="a line's number: 1 to 15 digits, nothing between")]


class Danger(Input):
    """Immediate danger on a line: its traces, or none for the last one."""

    line: _LineNumber
    trace_ids: Annotated[
        tuple[TraceId, ...], Field(max_length=50, description="at most 50 traces of the list")
    ] = ()


class ReleaseOrder(Input):
    """What opens the records: the newest instrument of the case, and the passphrase of the centre's private keys."""

    instrument_id: Annotated[int, Field(ge=1, le=MAX_COUNT, description="the number of an instrument")]
    passphrase: Annotated[
        SecretStr,
        Field(
            min_length=1,
            max_length=1024,
            description="a passphrase of at most 1024 characters",
            json_schema_extra={"pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"},  # as `Input` takes it
        ),
    ]


class HoldOrder(Input):
    """Whether a case is to be under legal hold."""

    is_held: Annotated[bool, Field(description="yes or no")]


class CloseOrder(Input):
    """Why a case is closed."""

    reason: Annotated[CloseReason, Field(description="one of the reasons in the list")]


@dataclass(frozen=True)
class Queue:
    """The open cases, from `skip` on; `count` of all."""

    cases: list[Case]
    skip: int
    count: int


@dataclass(frozen=True)
class CaseFile:
    """All that the desk knows of a case."""

    case: Case
    traces: list[CaseTrace]
    instruments: list[EnteredInstrument]
    releases: list[Release]


@dataclass(frozen=True)
class LineTrace:
    """One use of *57, as the desk sees it; times in Unix seconds.

    Attributes:
        called_at: of the call; None when nobody knows.
        traced_at: when the service had the request.
        outcome: in words.
        why: a sentence, where it could not be traced or is not offered; "" otherwise.
        trace_id: the public number, of a trace and of one that repeats it.
        charge_cents: what was charged.
        case_ids: the cases that the trace is in.
    """

    called_at: int | None
    traced_at: int
    outcome: str
    why: str
    trace_id: str | None
    charge_cents: int
    case_ids: tuple[str, ...]


@dataclass(frozen=True)
class LineTraces:
    """A line's traces without who called, the newest first, and its cases."""

    line: str
    traces: list[LineTrace]
    cases: list[Case]


async def queue(request: Request, person: Person, skip: int) -> Queue:
    """The open cases behind the first `skip`, at most 50."""

    def read(connection: Connection) -> Queue:
        _note(connection, request, person, "queue.read", "")
        cases = Cases(connection)
        return Queue(cases.queue(CASES_A_PAGE, skip), skip, cases.count_open())

    return await store_of(request).write_audited(read)


async def case_file(request: Request, person: Person, case_id: str) -> CaseFile:
    """All of a case.

    Raises:
        NoSuchCase: there is none.
    """

    def read(connection: Connection) -> CaseFile:
        cases = Cases(connection)
        of = cases.get(case_id)
        _note(connection, request, person, "case.read", case_id)
        return CaseFile(
            of,
            cases.traces(of),
            Instruments(connection).of_case(case_id),
            releases_of_case(connection, case_id),
        )

    return await store_of(request).write_audited(read)


async def line_traces(request: Request, person: Person, line: str) -> LineTraces:
    """The traces of a line, without who called."""

    def read(connection: Connection) -> LineTraces:
        _note(connection, request, person, "line.read", line)
        cases = Cases(connection).of_line(line)
        of_trace = cases_by_trace(cases)
        traces = [_line_trace(trace, of_trace) for trace in Traces(connection).of_line(line)]
        return LineTraces(line, traces, cases)

    return await store_of(request).write_audited(read)


def _line_trace(trace: Trace, cases: Mapping[str, tuple[str, ...]]) -> LineTrace:
    return LineTrace(
        trace.called_at,
        trace.received_at,
        OUTCOMES[Outcome(trace.outcome)],
        Reason(trace.reason).sentence if trace.reason else "",
        trace.trace_id,
        trace.charge_cents,
        cases.get(trace.trace_id or "", ()),
    )


async def open_for_danger(request: Request, person: Person, danger: Danger) -> Case:
    """Opens a case for immediate danger.

    Raises:
        CaseError: nothing is changed.
    """
    at = int(now_of(request))
    return await store_of(request).write_audited(
        lambda connection: Cases(connection).open_for_danger(
            danger.line, danger.trace_ids, opened_by=person.name, at=at
        )
    )


async def enter(request: Request, person: Person, case_id: str, instrument: Instrument) -> EnteredInstrument:
    """Enters an instrument for a case.

    Raises:
        CaseError, InstrumentInFuture: nothing is changed.
    """
    at = int(now_of(request))
    today = local_time(at, _settings(request).zone).date()

    def write(connection: Connection) -> EnteredInstrument:
        Cases(connection).get(case_id)
        entered = Instruments(connection).enter(
            case_id, instrument, entered_by=person.name, at=at, today=today
        )
        Cases(connection).instrument_entered(entered)
        return entered

    return await store_of(request).write_audited(write)


async def hold(request: Request, person: Person, case_id: str, order: HoldOrder) -> Case:
    """Sets or lifts a case's legal hold.

    Raises:
        CaseError: nothing is changed.
    """
    at = int(now_of(request))
    return await store_of(request).write_audited(
        lambda connection: Cases(connection).set_hold(case_id, is_held=order.is_held, by=person.name, at=at)
    )


async def close(request: Request, person: Person, case_id: str, order: CloseOrder) -> Case:
    """Closes a case.

    Raises:
        CaseError: nothing is changed.
    """
    at = int(now_of(request))
    return await store_of(request).write_audited(
        lambda connection: Cases(connection).close(case_id, order.reason, by=person.name, at=at)
    )


async def release(request: Request, person: Person, case_id: str, order: ReleaseOrder) -> Response:
    """The bundle of a case's records, as a file that no cache keeps.

    Raises:
        ReleaseRefused: nothing was released.
    """
    bundle = await _releases(request).release(
        Releaser(person.name, person.role), case_id, order.instrument_id, order.passphrase.get_secret_value()
    )
    headers = {
        "content-disposition": f'attachment; filename="{case_id}.zip"',
        "cache-control": "no-store",
    }
    return Response(bundle, media_type="application/zip", headers=headers)


def _releases(request: Request) -> Releases:
    # One for the application: it opens one case at a time. Made here, for the store is there once the service runs.
    state = request.app.state
    if not hasattr(state, "releases"):
        settings = _settings(request)
        folder = settings.centre_key_folder
        keys = KeyFolder(folder) if folder else None
        state.releases = Releases(state.store, keys, settings.zone, state.clock)
    releases: Releases = state.releases
    return releases


def _note(connection: Connection, request: Request, person: Person, action: str, subject: str) -> None:
    AuditLog(connection).append(now_of(request), person.name, action, subject)


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings
