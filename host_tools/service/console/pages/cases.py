"""The desk for programs: the queue, cases, a line's traces without who called; what liaisons release, as a file."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from fastapi import Request, Response

from host_tools.service.cases import Case, CaseError, CaseId, NoSuchCase
from host_tools.service.console import desk
from host_tools.service.console.desk import (
    CaseFile,
    CloseOrder,
    Danger,
    DeskPerson,
    HoldOrder,
    LiaisonPerson,
    LineTraces,
    Queue,
    ReleaseOrder,
    Skip,
)
from host_tools.service.console.errors import Told, answer
from host_tools.service.console.routers import api_router
from host_tools.service.instruments import EnteredInstrument, Instrument, InstrumentInFuture
from host_tools.service.messages import Line
from host_tools.service.releases import RefusalReason, ReleaseRefused

Answer = TypeVar("Answer")

api = api_router("cases")

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such case"},
    409: {"description": "The case is not so far, or what was named is not its own"},
}
_BUNDLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bundle",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    },
    **_PROBLEMS,
}


@api.get("/cases")
async def queue(request: Request, person: DeskPerson, skip: Skip = 0) -> Queue:
    """The open cases, at most 50: those of danger first, and of each the oldest first."""
    return await desk.queue(request, person, skip)


@api.get("/traces")
async def line_traces(request: Request, person: DeskPerson, line: Line) -> LineTraces:
    """A line's traces, the newest 1000 of them, without who called; and its cases."""
    return await desk.line_traces(request, person, line)


@api.post("/cases", status_code=201, response_model=Case, responses={409: _PROBLEMS[409]})
async def open_for_danger(request: Request, given: Danger, person: DeskPerson) -> Response | Case:
    """Opens a case for immediate danger, of these traces or of the line's last one."""
    return await _or_problem(request, desk.open_for_danger(request, person, given))


@api.get("/cases/{case_id}", response_model=CaseFile, responses={404: _PROBLEMS[404]})
async def case(request: Request, person: DeskPerson, case_id: CaseId) -> Response | CaseFile:
    """All of a case, without who called."""
    return await _or_problem(request, desk.case_file(request, person, case_id))


@api.post(
    "/cases/{case_id}/instruments", status_code=201, response_model=EnteredInstrument, responses=_PROBLEMS
)
async def enter_instrument(
    request: Request, given: Instrument, person: LiaisonPerson, case_id: CaseId
) -> Response | EnteredInstrument:
    """Enters a legal instrument for a case."""
    return await _or_problem(request, desk.enter(request, person, case_id, given))


@api.post("/cases/{case_id}/release", response_class=Response, responses=_BUNDLE)
async def release(request: Request, given: ReleaseOrder, person: LiaisonPerson, case_id: CaseId) -> Response:
    """Opens the records of a case, and hands over the bundle, this once."""
    return await _or_problem(request, desk.release(request, person, case_id, given))


@api.post("/cases/{case_id}/hold", response_model=Case, responses=_PROBLEMS)
async def hold(request: Request, given: HoldOrder, person: DeskPerson, case_id: CaseId) -> Response | Case:
    """Sets or lifts the legal hold of a case."""
    return await _or_problem(request, desk.hold(request, person, case_id, given))


@api.post("/cases/{case_id}/close", response_model=Case, responses=_PROBLEMS)
async def close(request: Request, given: CloseOrder, person: DeskPerson, case_id: CaseId) -> Response | Case:
    """Closes a case."""
    return await _or_problem(request, desk.close(request, person, case_id, given))


async def _or_problem(request: Request, answered: Awaitable[Answer]) -> Answer | Response:
    """What is answered, or why it is not."""
    try:
        return await answered
    except NoSuchCase as error:
        return answer(request, 404, Told("There is no such case", str(error)))
    except InstrumentInFuture as error:
        told = Told("The instrument is dated after today", str(error))
        return answer(request, 409, told, fields={"issued_on": str(error)})
    except CaseError as error:
        return answer(request, 409, Told("The case was not changed", str(error)))
    except ReleaseRefused as refused:
        status = 404 if refused.reason is RefusalReason.NO_SUCH_CASE else 409
        return answer(request, status, Told("Nothing was released", str(refused)))
