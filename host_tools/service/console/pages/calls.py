"""A household's log of its calls: look, note, print, switch on and off, delete.

That they looked is in the audit log once an hour, and each record, note, switch and deletion by itself; never a number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any, Self, TypeVar

from fastapi import HTTPException, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator
from sqlalchemy.engine import Connection

from host_tools.service.access import Permission, Person, allow
from host_tools.service.audit.log import AuditLog
from host_tools.service.call_log import (
    LONGEST_NOTE,
    CallLog,
    CallLogIsHeld,
    LoggedCall,
    NoSuchCall,
    NoSuchNote,
    TooManyNotes,
)
from host_tools.service.call_log_switch import Switch, set_switch, switch_of
from host_tools.service.console.errors import Told, answer
from host_tools.service.console.forms import WHOLE, Form, submitted
from host_tools.service.console.input import Input, sentence
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import api_router, page_router
from host_tools.service.console.state import now_of, people_of, store_of
from host_tools.service.household import OUTCOMES
from host_tools.service.local_time import local_time
from host_tools.service.messages import MAX_COUNT, AdapterId, CallId
from host_tools.service.orders import RevisionsExhausted
from host_tools.service.printed_log import (
    HOW_TIMES_ARE_KNOWN,
    MOST_CALLS,
    WHAT_IT_IS,
    PrintedLog,
    presented_number,
    printed_log_csv,
    seconds_of,
)
from host_tools.service.printed_log_pdf import printed_log_pdf
from host_tools.service.settings import Settings

router = page_router()
api = api_router("calls")

Household = Annotated[Person, allow(Permission.OWN_LINE)]
Skip = Annotated[int, Query(ge=0, le=10**9, description="How many of the newest calls to leave out.")]
NoteId = Annotated[int, Path(ge=1, le=MAX_COUNT)]
Day = Annotated[date, Field(ge=date(1971, 1, 1), le=date(9998, 12, 31))]
CALLS_A_PAGE = 50
DAYS_AT_FIRST = 30

Answer = TypeVar("Answer")

_HELD = Told(
    "Nothing was deleted",
    "A case of your line is under legal hold: your log is kept with it. Ask the trace centre.",
)
_TOO_MANY_NOTES = Told(
    "This call has 20 notes", "No more can be added to it: write to another call, or on paper."
)
_NO_MORE_SETTINGS = Told("Your adapter takes no more settings", "Ask whoever looks after your adapter.")
_TOO_MANY_CALLS = f"There are more than {MOST_CALLS} calls in these days: choose fewer."


def _as_lines(value: object) -> object:
    # A browser ends the lines of a form by two characters, and counts one.
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class NewNote(Input):
    """What a household writes about a call."""

    note: Annotated[
        str,
        BeforeValidator(_as_lines),
        Field(min_length=1, max_length=LONGEST_NOTE, pattern=r"\S", description="a note with words in it"),
    ]


class SwitchOrder(Input):
    """Whether a household wants a log of its calls."""

    is_on: Annotated[bool, Field(description="yes or no")]


class Period(Input):
    """The days of a record, both included, by the operator's time zone."""

    since: Day
    until: Day

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.since > self.until:
            raise ValueError("The last day comes before the first.")
        return self


@dataclass(frozen=True)
class OwnCalls:
    """A page of a household's log: the calls behind the first `skip`, the newest first, of `count` in all."""

    line: str
    zone: str
    switch: Switch
    count: int
    skip: int
    calls: list[LoggedCall]


class Record(BaseModel):
    """The calls of a period, the oldest first; `sha256` is that of the record's CSV file."""

    line: str
    since: date
    until: date
    zone: str
    sha256: str
    calls: list[LoggedCall]


class Deleted(BaseModel):
    """How many calls were deleted."""

    calls: int


@router.get("/calls")
async def calls_page(request: Request, person: Household, skip: Skip = 0) -> Response:
    """The newest calls, by day."""
    return await _page(request, person, skip, _blank_period(request))


@router.get("/calls/record")
async def record_page(request: Request, person: Household) -> Response:
    """A record on a page that can be printed."""
    form = _period(request)
    if form.model is None:
        return await _page(request, person, 0, form, 422)
    record = await _record(request, person, form.model)
    if record is None:
        return await _page(request, person, 0, form.wrong("since", _TOO_MANY_CALLS), 422)
    return page(
        request,
        "calls/record.html",
        record=record,
        what_it_is=WHAT_IT_IS,
        times=HOW_TIMES_ARE_KNOWN,
        made_at=int(now_of(request)),
        **_WORDS,
    )


@router.get("/calls/record.csv")
async def record_as_csv(request: Request, person: Household) -> Response:
    """A record as CSV."""
    return await _file(request, person, printed_log_csv, "text/csv; charset=utf-8", "csv")


@router.get("/calls/record.pdf")
async def record_as_pdf(request: Request, person: Household) -> Response:
    """A record as PDF."""
    return await _file(request, person, printed_log_pdf, "application/pdf", "pdf")


@router.get("/calls/delete")
async def delete_page(request: Request, person: Household) -> Response:
    """Asks once more; nothing is read of the calls but how many they are."""
    line = _line(person)
    count = await store_of(request).read(lambda connection: _log(request, connection, line).count())
    return page(request, "calls/delete.html", line=line, count=count)


@router.post("/calls/delete")
async def delete(request: Request, person: Household) -> Response:
    """Deletes the whole log, for good."""
    try:
        await _delete(request, person)
    except CallLogIsHeld:
        return answer(request, 409, _HELD)
    return RedirectResponse("/calls", 303)


@router.post("/calls/switch")
async def switch(request: Request, person: Household) -> Response:
    """Switches the log on or off."""
    form = await submitted(request, SwitchOrder)
    if form.model is None:
        return answer(request, 422, fields=form.errors)
    try:
        await _switch(request, person, form.model)
    except RevisionsExhausted:
        return answer(request, 409, _NO_MORE_SETTINGS)
    return RedirectResponse("/calls", 303)


@router.post("/calls/notes/{note_id}/withdraw")
async def withdraw(request: Request, person: Household, note_id: NoteId) -> Response:
    """Withdraws a note, which stays to be read."""
    return _call_or_back(request, await _withdraw(request, person, note_id))


@router.post("/calls/{adapter_id}/{call_id}/notes")
async def note(request: Request, person: Household, adapter_id: AdapterId, call_id: CallId) -> Response:
    """Adds a note to a call."""
    form = await submitted(request, NewNote)
    if form.model is None:
        call = await _call(request, person, adapter_id, call_id)
        template = "calls/call.html" if _is_for_part(request) else "calls/note.html"
        return page(request, template, status_code=422, **_of_call(request, call, form))
    try:
        return _call_or_back(request, await _note(request, person, adapter_id, call_id, form.model))
    except TooManyNotes:
        return answer(request, 409, _TOO_MANY_NOTES)


@api.get("/calls")
async def calls_data(request: Request, person: Household, skip: Skip = 0) -> OwnCalls:
    """The household's own calls, as its caller ID has shown them, with its notes: 50, the newest first."""
    return await _own_calls(request, person, skip)


@api.get("/calls/record")
async def record_data(
    request: Request, person: Household, since: Annotated[Day, Query()], until: Annotated[Day, Query()]
) -> Record:
    """The calls of some days, 2000 at the most."""
    try:
        period = Period(since=since, until=until)
    except ValidationError as error:
        raise HTTPException(422) from error
    record = await _record(request, person, period)
    if record is None:
        raise HTTPException(422)
    return Record(
        line=record.line,
        since=since,
        until=until,
        zone=record.zone.key,
        sha256=record.sha256,
        calls=list(record.calls),
    )


@api.put("/calls/switch", responses={409: {"description": "The adapter takes no more settings"}})
async def switch_data(request: Request, person: Household, order: SwitchOrder) -> Switch:
    """Switches the log on or off; what is kept stays."""
    try:
        return await _switch(request, person, order)
    except RevisionsExhausted as error:
        raise HTTPException(409) from error


@api.post(
    "/calls/{adapter_id}/{call_id}/notes",
    status_code=201,
    responses={404: {"description": "There is no such call"}, 409: {"description": "It has 20 notes"}},
)
async def note_data(
    request: Request, person: Household, adapter_id: AdapterId, call_id: CallId, note: NewNote
) -> LoggedCall:
    """Adds a note to a call."""
    try:
        return await _note(request, person, adapter_id, call_id, note)
    except TooManyNotes as error:
        raise HTTPException(409) from error


@api.post(
    "/calls/notes/{note_id}/withdrawal",
    status_code=201,
    responses={404: {"description": "There is no such note that holds"}},
)
async def withdraw_data(request: Request, person: Household, note_id: NoteId) -> LoggedCall:
    """Withdraws a note, which stays to be read."""
    return await _withdraw(request, person, note_id)


@api.delete("/calls", responses={409: {"description": "A case of the line is under legal hold"}})
async def delete_data(request: Request, person: Household) -> Deleted:
    """Deletes the whole log with its notes, for good."""
    try:
        return Deleted(calls=await _delete(request, person))
    except CallLogIsHeld as error:
        raise HTTPException(409) from error


def outcome_of(call: LoggedCall) -> str:
    """What became of a call's trace, in words; "" without one."""
    return OUTCOMES[call.trace_outcome] if call.trace_outcome else ""


_WORDS: dict[str, Any] = {"number_of": presented_number, "outcome_of": outcome_of}
"""What the templates say calls with."""


async def _page(
    request: Request, person: Person, skip: int, period: Form[Period], status_code: int = 200
) -> Response:
    own = await _own_calls(request, person, skip)
    zone = _settings(request).zone
    days = [
        (day, list(calls))
        for day, calls in groupby(own.calls, lambda call: f"{local_time(call.at, zone):%A, %Y-%m-%d}")
    ]
    return page(
        request,
        "calls/calls.html",
        status_code=status_code,
        own=own,
        days=days,
        next_skip=skip + CALLS_A_PAGE if skip + CALLS_A_PAGE < own.count else None,
        period=period,
        form=Form[NewNote].blank(),
        clock=_clock(request),
        **_WORDS,
    )


def _of_call(request: Request, call: LoggedCall, form: Form[NewNote]) -> dict[str, Any]:
    return {"call": call, "form": form, "clock": _clock(request), **_WORDS}


def _call_or_back(request: Request, call: LoggedCall) -> Response:
    """The call's part of the page for htmx, and the page for a browser without it."""
    if _is_for_part(request):
        return page(request, "calls/call.html", **_of_call(request, call, Form[NewNote].blank()))
    return RedirectResponse("/calls", 303)


def _is_for_part(request: Request) -> bool:
    return "hx-request" in request.headers


def _clock(request: Request) -> Callable[[int], str]:
    zone = _settings(request).zone
    return lambda seconds: f"{local_time(seconds, zone):%H:%M:%S %Z}"


def _blank_period(request: Request) -> Form[Period]:
    today = local_time(int(now_of(request)), _settings(request).zone).date()
    return Form[Period].blank(since=today - timedelta(days=DAYS_AT_FIRST - 1), until=today)


def _period(request: Request) -> Form[Period]:
    given = {
        name: request.query_params[name] for name in ("since", "until") if request.query_params.get(name)
    }
    form = Form[Period].blank(**given)
    try:
        return Form(form.values, model=Period.model_validate(given))
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            name = str(each["loc"][0]) if each["loc"] else WHOLE
            form = form.wrong(name, sentence(each, Period))
        return form


async def _own_calls(request: Request, person: Person, skip: int) -> OwnCalls:
    line, at = _line(person), now_of(request)

    def read(connection: Connection) -> OwnCalls:
        AuditLog(connection).append_hourly(at, person.name, "call_log.read", line)
        log = _log(request, connection, line)
        calls = log.page(skip, CALLS_A_PAGE)
        zone = _settings(request).time_zone
        return OwnCalls(line, zone, switch_of(connection, line), log.count(), skip, calls)

    return await store_of(request).write_audited(read)


async def _call(request: Request, person: Person, adapter_id: str, call_id: str) -> LoggedCall:
    line = _line(person)
    return await _found(
        store_of(request).read(lambda connection: _log(request, connection, line).call(adapter_id, call_id))
    )


async def _note(request: Request, person: Person, adapter_id: str, call_id: str, note: NewNote) -> LoggedCall:
    line, at = _line(person), int(now_of(request))
    return await _found(
        store_of(request).write_audited(
            lambda connection: _log(request, connection, line).add_note(
                adapter_id, call_id, note.note, by=person.name, at=at
            )
        )
    )


async def _withdraw(request: Request, person: Person, note_id: int) -> LoggedCall:
    line, at = _line(person), int(now_of(request))
    return await _found(
        store_of(request).write_audited(
            lambda connection: _log(request, connection, line).withdraw_note(note_id, by=person.name, at=at)
        )
    )


async def _found(call: Any) -> LoggedCall:
    try:
        found: LoggedCall = await call
    except (NoSuchCall, NoSuchNote) as error:
        raise HTTPException(404) from error
    return found


async def _switch(request: Request, person: Person, order: SwitchOrder) -> Switch:
    line, at = _line(person), int(now_of(request))

    def write(connection: Connection) -> Switch:
        set_switch(connection, line, is_on=order.is_on, by=person.name, at=at)
        return switch_of(connection, line)

    return await store_of(request).write_audited(write)


async def _delete(request: Request, person: Person) -> int:
    line, at = _line(person), int(now_of(request))
    return await store_of(request).write_audited(
        lambda connection: _log(request, connection, line).delete_all(by=person.name, at=at)
    )


async def _record(request: Request, person: Person, period: Period) -> PrintedLog | None:
    """The record of some days; None when it has too many calls."""
    line, at, zone = _line(person), now_of(request), _settings(request).zone
    since, until = seconds_of(period.since, period.until, zone)

    def read(connection: Connection) -> list[LoggedCall]:
        days = {"since": period.since.isoformat(), "until": period.until.isoformat()}
        AuditLog(connection).append(at, person.name, "call_log.printed", line, **days)
        return _log(request, connection, line).between(since, until, MOST_CALLS + 1)

    calls = await store_of(request).write_audited(read)
    if len(calls) > MOST_CALLS:
        return None
    return PrintedLog(line, period.since, period.until, zone, tuple(calls))


async def _file(
    request: Request, person: Person, made: Callable[[PrintedLog], bytes], media_type: str, ending: str
) -> Response:
    form = _period(request)
    if form.model is None:
        return await _page(request, person, 0, form, 422)
    record = await _record(request, person, form.model)
    if record is None:
        return await _page(request, person, 0, form.wrong("since", _TOO_MANY_CALLS), 422)
    # In a thread: adapters wait for their answers meanwhile.
    content = await asyncio.to_thread(made, record)
    name = f"calls-{record.line}-{record.since}-{record.until}.{ending}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


def _log(request: Request, connection: Connection, line: str) -> CallLog:
    return CallLog(connection, people_of(request).secret, line)


def _line(person: Person) -> str:
    if person.line is None:
        raise HTTPException(404)
    return person.line


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings
