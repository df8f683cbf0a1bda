"""A household's own line: its traces and what to do next, a log to print, its bills, and a word of immediate danger.

That they looked is in the audit log: at the line once an hour, at a bill each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from sqlalchemy.engine import Connection

from host_tools.service.access import Permission, Person, allow
from host_tools.service.audit.log import AuditLog
from host_tools.service.bill import Bill, bill
from host_tools.service.cases import Case, Cases, NoSuccessfulTrace
from host_tools.service.charges import Charges, Month
from host_tools.service.console.bill_files import BillAnswer, csv_file, pdf_file
from host_tools.service.console.errors import Told, answer
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import api_router, page_router
from host_tools.service.console.state import now_of, store_of
from host_tools.service.household import HouseholdLine, household_line
from host_tools.service.local_time import month_of
from host_tools.service.policy_in_force import policy_in_force
from host_tools.service.rules import Policy
from host_tools.service.settings import Settings

router = page_router()
api = api_router("line")

Household = Annotated[Person, allow(Permission.OWN_LINE)]

_NOTHING_TRACED = Told(
    "No call was traced yet",
    "Call emergency services first: dial your emergency number, such as 911 or 112. The trace centre can act on a call "
    "that was traced: after the next one hang up, lift and dial *57, then come back here.",
)


@dataclass(frozen=True)
class OwnLine:
    """A household's line.

    Attributes:
        household: traces, cases and what to do next.
        policy: what holds on the line.
        month: the present one, YYYY-MM in `zone`.
        spent_cents: what was charged in it so far.
        bills: the months with a charge, the newest first.
    """

    household: HouseholdLine
    policy: Policy
    zone: str
    month: str
    spent_cents: int
    bills: list[str]


class OpenedCase(BaseModel):
    """The case for immediate danger, new or open already."""

    case_id: str


@router.get("/line")
async def line_page(request: Request, person: Household) -> Response:
    """What the household sees first."""
    return page(request, "line/line.html", own=await _own_line(request, person))


@router.get("/line/log")
async def log_page(request: Request, person: Household) -> Response:
    """Dates and times for the police, on paper."""
    own = await _own_line(request, person)
    return page(request, "line/log.html", own=own, printed_at=int(now_of(request)))


@router.get("/line/bill/{month}.csv")
async def bill_as_csv(request: Request, person: Household, month: Month) -> Response:
    """The bill as CSV."""
    own_bill = await _bill(request, person, month)
    return await csv_file([own_bill], own_bill.line, month)


@router.get("/line/bill/{month}.pdf")
async def bill_as_pdf(request: Request, person: Household, month: Month) -> Response:
    """The bill as PDF."""
    return await pdf_file(await _bill(request, person, month))


@router.get("/line/bill/{month}")
async def bill_page(request: Request, person: Household, month: Month) -> Response:
    """The bill as a page."""
    return page(request, "line/bill.html", bill=await _bill(request, person, month))


@router.post("/line/danger")
async def danger(request: Request, person: Household) -> Response:
    """Opens a case for immediate danger."""
    try:
        await _open_for_danger(request, person)
    except NoSuccessfulTrace:
        return answer(request, 409, _NOTHING_TRACED)
    return RedirectResponse("/line", 303)


@api.get("/line")
async def line_data(request: Request, person: Household) -> OwnLine:
    """The household's own line: traces, cases, what to do next, what holds on it. Never a caller's number."""
    return await _own_line(request, person)


@api.get("/line/bill/{month}")
async def bill_data(request: Request, person: Household, month: Month) -> BillAnswer:
    """The household's bill of a month."""
    return BillAnswer.model_validate(await _bill(request, person, month))


@api.post("/line/danger", status_code=201, responses={409: {"description": "No call was traced yet"}})
async def danger_data(request: Request, person: Household) -> OpenedCase:
    """Opens a case for immediate danger; call emergency services first."""
    try:
        case = await _open_for_danger(request, person)
    except NoSuccessfulTrace as error:
        raise HTTPException(409) from error
    return OpenedCase(case_id=case.case_id)


async def _own_line(request: Request, person: Person) -> OwnLine:
    line = _line(person)
    settings: Settings = request.app.state.settings
    month = month_of(int(now_of(request)), settings.zone)

    def read(connection: Connection) -> OwnLine:
        AuditLog(connection).append_hourly(now_of(request), person.name, "line.read", line)
        charges = Charges(connection)
        return OwnLine(
            household_line(connection, line, settings.traces_for_action),
            policy_in_force(connection, line, settings),
            settings.time_zone,
            month,
            charges.spent([(line, month)])[line, month],
            charges.months_of(line),
        )

    return await store_of(request).write_audited(read)


async def _bill(request: Request, person: Person, month: str) -> Bill:
    line = _line(person)
    settings: Settings = request.app.state.settings

    def read(connection: Connection) -> Bill:
        AuditLog(connection).append(now_of(request), person.name, "bill.read", month, line=line)
        return bill(line, month, Charges(connection).of(line, month), settings.zone)

    return await store_of(request).write_audited(read)


async def _open_for_danger(request: Request, person: Person) -> Case:
    line = _line(person)
    at = int(now_of(request))
    return await store_of(request).write_audited(
        lambda connection: Cases(connection).open_for_danger(line, (), opened_by=person.name, at=at)
    )


def _line(person: Person) -> str:
    if person.line is None:
        raise HTTPException(404)
    return person.line
