"""The bills of every line and month; who looks at one is in the audit log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Query, Request, Response
from sqlalchemy.engine import Connection

from host_tools.service.access import Permission, Person, allow
from host_tools.service.audit.log import AuditLog
from host_tools.service.bill import Bill, bill, bills_of_month
from host_tools.service.charges import Charge, Charges, Month, Total
from host_tools.service.console.bill_files import BillAnswer, csv_file, pdf_file
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import api_router, page_router
from host_tools.service.console.state import now_of, store_of
from host_tools.service.messages import Line
from host_tools.service.settings import Settings

router = page_router()
api = api_router("bills")

Reader = Annotated[Person, allow(Permission.BILLS)]
After = Annotated[str, Query(pattern=r"^[0-9]{0,15}$", description="The last line of the page before.")]
LINES_A_PAGE = 100
CHARGES_AT_ONCE = 1000


@dataclass(frozen=True)
class MonthOfBills:
    """A month's sums: of all lines, and of those on this page by line; `next_after` begins the next page."""

    month: str
    zone: str
    total: Total
    lines: dict[str, Total]
    next_after: str | None


@router.get("/bills")
async def months_page(request: Request, _: Reader) -> Response:
    """The months."""
    return page(request, "bills/months.html", months=await _months(request))


@router.get("/bills/{month}.csv")
async def month_as_csv(request: Request, person: Reader, month: Month) -> Response:
    """A month's bills of all lines, for a billing system."""
    zone, store = _settings(request).zone, store_of(request)
    await store.write_audited(lambda connection: _note(connection, request, person, month))
    # A transaction each: traces must not wait for a month of a million.
    charges: list[Charge] = []
    while some := await store.read(partial(_next_charges, month, charges[-1] if charges else None)):
        charges += some
    return await csv_file(await asyncio.to_thread(bills_of_month, month, charges, zone), month)


@router.get("/bills/{month}")
async def month_page(request: Request, person: Reader, month: Month, after: After = "") -> Response:
    """A month's lines."""
    return page(request, "bills/month.html", bills=await _month(request, person, month, after))


@router.get("/bills/{month}/{line}.csv")
async def bill_as_csv(request: Request, person: Reader, month: Month, line: Line) -> Response:
    """A line's bill as CSV."""
    return await csv_file([await _bill(request, person, line, month)], line, month)


@router.get("/bills/{month}/{line}.pdf")
async def bill_as_pdf(request: Request, person: Reader, month: Month, line: Line) -> Response:
    """A line's bill as PDF."""
    return await pdf_file(await _bill(request, person, line, month))


@router.get("/bills/{month}/{line}")
async def bill_page(request: Request, person: Reader, month: Month, line: Line) -> Response:
    """A line's bill as a page."""
    return page(request, "bills/bill.html", bill=await _bill(request, person, line, month))


@api.get("/bills")
async def months_data(request: Request, _: Reader) -> list[str]:
    """The months that have bills, YYYY-MM, the newest first."""
    return await _months(request)


@api.get("/bills/{month}")
async def month_data(request: Request, person: Reader, month: Month, after: After = "") -> MonthOfBills:
    """A month's sums: of all lines, and of 100 lines behind `after`."""
    return await _month(request, person, month, after)


@api.get("/bills/{month}/{line}")
async def bill_data(request: Request, person: Reader, month: Month, line: Line) -> BillAnswer:
    """The bill of one line's month."""
    return BillAnswer.model_validate(await _bill(request, person, line, month))


async def _months(request: Request) -> list[str]:
    return await store_of(request).read(lambda connection: Charges(connection).months())


async def _month(request: Request, person: Person, month: str, after: str) -> MonthOfBills:
    zone = _settings(request).time_zone

    def read(connection: Connection) -> MonthOfBills:
        _note(connection, request, person, month)
        charges = Charges(connection)
        lines = charges.totals(month, after, LINES_A_PAGE)
        next_after = list(lines)[-1] if len(lines) == LINES_A_PAGE else None
        return MonthOfBills(month, zone, charges.total(month), lines, next_after)

    return await store_of(request).write_audited(read)


async def _bill(request: Request, person: Person, line: str, month: str) -> Bill:
    zone = _settings(request).zone

    def read(connection: Connection) -> Bill:
        _note(connection, request, person, month, line=line)
        return bill(line, month, Charges(connection).of(line, month), zone)

    return await store_of(request).write_audited(read)


def _next_charges(month: str, after: Charge | None, connection: Connection) -> list[Charge]:
    return Charges(connection).of_month(month, after, CHARGES_AT_ONCE)


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _note(connection: Connection, request: Request, person: Person, month: str, **of: str) -> None:
    AuditLog(connection).append(now_of(request), person.name, "bill.read", month, **of)
