"""Bills as answers of the API and as files to keep: JSON in cents, CSV, PDF."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from fastapi import Response
from pydantic import BaseModel, ConfigDict

from host_tools.service.bill import Bill, bill_csv
from host_tools.service.bill_pdf import bill_pdf


class BillItemAnswer(BaseModel):
    """One successful trace that is paid for; `note` says why less than the price is charged."""

    model_config = ConfigDict(from_attributes=True)

    trace_id: str
    traced_at: datetime
    price_cents: int
    charge_cents: int
    note: str


class BillAnswer(BaseModel):
    """The bill of one line's month, YYYY-MM in `zone`; `charge_cents` is to be paid."""

    model_config = ConfigDict(from_attributes=True)

    line: str
    month: str
    zone: str
    items: list[BillItemAnswer]
    price_cents: int
    charge_cents: int


async def csv_file(bills: Sequence[Bill], *what: str) -> Response:
    """The bills as CSV; `what` names the file."""
    # In a thread, as the PDF: a month of a large operator takes seconds, and adapters wait for their answers.
    table = await asyncio.to_thread(bill_csv, bills)
    return _file(table, "text/csv; charset=utf-8", f"{_name(what)}.csv")


async def pdf_file(bill: Bill) -> Response:
    """The bill as PDF."""
    paper = await asyncio.to_thread(bill_pdf, bill)
    return _file(paper, "application/pdf", f"{_name((bill.line, bill.month))}.pdf")


def _name(what: Sequence[str]) -> str:
    return "-".join(("call-trace", *what))


def _file(content: bytes, media_type: str, name: str) -> Response:
    # Lines and months are digits and hyphens: nothing in a name ends the header.
    return Response(
        content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'}
    )
