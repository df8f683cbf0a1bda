"""The centre's desk: the queue, a line's traces without who called, and a case from its opening through to its release.

Operators and liaisons see the same, and only a liaison enters instruments and releases.
"""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from host_tools.service.access import Permission, Person
from host_tools.service.cases import CaseError, CaseId, CaseState, CloseReason, NoSuchCase
from host_tools.service.console import desk
from host_tools.service.console.desk import (
    CASES_A_PAGE,
    CloseOrder,
    Danger,
    DeskPerson,
    HoldOrder,
    LiaisonPerson,
    ReleaseOrder,
    Skip,
)
from host_tools.service.console.forms import WHOLE, Form, submitted
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import page_router
from host_tools.service.instruments import Instrument, InstrumentInFuture, InstrumentKind
from host_tools.service.releases import RefusalReason, ReleaseRefused

router = page_router()

STATES = {
    CaseState.READY: "ready to be acted on",
    CaseState.INSTRUMENT: "instrument entered",
    CaseState.RELEASED: "records released",
    CaseState.CLOSED: "closed",
}
_CLOSE_REASONS = {
    CloseReason.RELEASED: "The records were released",
    CloseReason.WITHDRAWN: "The household has withdrawn",
    CloseReason.NO_INSTRUMENT: "No instrument came",
    CloseReason.MISTAKE: "Opened by mistake",
}
_KINDS = [(kind.value, kind.words) for kind in InstrumentKind]
_LINE = "This must be a line's number: 1 to 15 digits, nothing between."


@router.get("/desk")
async def queue_page(request: Request, person: DeskPerson, skip: Skip = 0) -> Response:
    """The queue."""
    queue = await desk.queue(request, person, skip)
    return page(request, "desk/queue.html", queue=queue, states=STATES, most=CASES_A_PAGE)


@router.get("/desk/lines")
async def line_page(request: Request, person: DeskPerson, line: str = "") -> Response:
    """A line's traces."""
    form = Form[Danger].blank(line=line)
    return await _line_page(
        request, person, form if _is_line(line) or not line else form.wrong("line", _LINE)
    )


@router.post("/desk/cases")
async def open_for_danger(request: Request, person: DeskPerson) -> Response:
    """Opens a case for immediate danger."""
    form = await submitted(request, Danger)
    if form.model is None:
        return await _line_page(request, person, form)
    try:
        of = await desk.open_for_danger(request, person, form.model)
    except CaseError as error:
        return await _line_page(request, person, form.wrong(WHOLE, str(error)))
    return _to_case(of.case_id)


@router.get("/desk/cases/{case_id}")
async def case_page(request: Request, person: DeskPerson, case_id: CaseId) -> Response:
    """A case."""
    return await _case_page(request, person, case_id)


@router.post("/desk/cases/{case_id}/instrument")
async def enter_instrument(request: Request, person: LiaisonPerson, case_id: CaseId) -> Response:
    """Enters a legal instrument."""
    form = await submitted(request, Instrument)
    if form.model is None:
        return await _case_page(request, person, case_id, instrument=form)
    try:
        await desk.enter(request, person, case_id, form.model)
    except InstrumentInFuture as error:
        return await _case_page(request, person, case_id, instrument=form.wrong("issued_on", str(error)))
    except CaseError as error:
        return await _case_page(request, person, case_id, instrument=form.wrong(WHOLE, str(error)))
    return _to_case(case_id)


@router.post("/desk/cases/{case_id}/release")
async def release(request: Request, person: LiaisonPerson, case_id: CaseId) -> Response:
    """Opens the records, and hands over the bundle, this once."""
    form = await submitted(request, ReleaseOrder)
    if form.model is None:
        return await _case_page(request, person, case_id, release=form)
    try:
        return await desk.release(request, person, case_id, form.model)
    except ReleaseRefused as refused:
        name = "passphrase" if refused.reason is RefusalReason.WRONG_PASSPHRASE else WHOLE
        return await _case_page(request, person, case_id, release=form.wrong(name, str(refused)))


@router.post("/desk/cases/{case_id}/hold")
async def hold(request: Request, person: DeskPerson, case_id: CaseId) -> Response:
    """Sets or lifts the legal hold."""
    form = await submitted(request, HoldOrder)
    if form.model is None:
        return await _case_page(request, person, case_id, hold=form)
    try:
        await desk.hold(request, person, case_id, form.model)
    except CaseError as error:
        return await _case_page(request, person, case_id, hold=form.wrong(WHOLE, str(error)))
    return _to_case(case_id)


@router.post("/desk/cases/{case_id}/close")
async def close(request: Request, person: DeskPerson, case_id: CaseId) -> Response:
    """Closes a case."""
    form = await submitted(request, CloseOrder)
    if form.model is None:
        return await _case_page(request, person, case_id, close=form)
    try:
        await desk.close(request, person, case_id, form.model)
    except CaseError as error:
        return await _case_page(request, person, case_id, close=form.wrong("reason", str(error)))
    return _to_case(case_id)


async def _line_page(request: Request, person: Person, form: Form[Danger]) -> Response:
    line = form.value("line")
    traces = await desk.line_traces(request, person, line) if _is_line(line) else None
    status_code = 422 if form.errors else 200
    return page(request, "desk/line.html", form=form, traces=traces, states=STATES, status_code=status_code)


async def _case_page(request: Request, person: Person, case_id: str, **forms: Form[Any]) -> Response:
    """The case, with the form that is to be corrected, when one is given."""
    try:
        file = await desk.case_file(request, person, case_id)
    except NoSuchCase as error:
        raise HTTPException(404) from error
    blank: dict[str, Form[Any]] = {name: Form() for name in ("instrument", "release", "hold", "close")}
    return page(
        request,
        "desk/case.html",
        file=file,
        forms={**blank, **forms},
        states=STATES,
        kinds=_KINDS,
        close_reasons=_reasons(file.case.state),
        may_release=person.may(Permission.RELEASE),
        status_code=422 if forms else 200,
    )


def _reasons(state: CaseState) -> list[tuple[str, str]]:
    """Those that fit: a case whose records were released is closed as released, and no other is."""
    return [
        (reason.value, words)
        for reason, words in _CLOSE_REASONS.items()
        if (reason is CloseReason.RELEASED) == (state is CaseState.RELEASED)
    ]


def _is_line(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def _to_case(case_id: str) -> Response:
    return RedirectResponse(f"/desk/cases/{case_id}", 303)
