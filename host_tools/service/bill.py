"""A bill: the pay-per-use lines of one line's month, as rows and as CSV; `bill_pdf.py` has it on paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from host_tools.service.charges import Charge
from host_tools.service.csv_table import csv_table
from host_tools.service.dollars import amount
from host_tools.service.local_time import local_time

SERVICE = "Call trace (*57)"
CURRENCY = "USD"
CUT_BY_CAP = "monthly cap reached"

_HEADER = (
    "line",
    "month",
    "service",
    "trace",
    "date",
    "time",
    "time_zone",
    "price",
    "charge",
    "currency",
    "note",
)


@dataclass(frozen=True)
class BillItem:
    """One successful trace: when by the operator's clocks, its price, what is charged of it, and why less."""

    trace_id: str
    traced_at: datetime
    price_cents: int
    charge_cents: int

    @property
    def note(self) -> str:
        """Why less than the price is charged; empty when the price is."""
        return CUT_BY_CAP if self.charge_cents < self.price_cents else ""


@dataclass(frozen=True)
class Bill:
    """The traces that one line pays for in one month, the earliest first; `month` is YYYY-MM in `zone`."""

    line: str
    month: str
    zone: str
    items: tuple[BillItem, ...]

    @property
    def price_cents(self) -> int:
        """What the traces would cost without a cap."""
        return sum(item.price_cents for item in self.items)

    @property
    def charge_cents(self) -> int:
        """What is to be paid."""
        return sum(item.charge_cents for item in self.items)


def bill(line: str, month: str, charges: Iterable[Charge], zone: ZoneInfo) -> Bill:
    """The bill of a line's month, of the rows that the ledger has of it (`Charges.of`)."""
    items = tuple(
        BillItem(charge.trace_id, local_time(charge.traced_at, zone), charge.price_cents, charge.charge_cents)
        for charge in charges
    )
    return Bill(line, month, zone.key, items)


def bills_of_month(month: str, charges: Iterable[Charge], zone: ZoneInfo) -> list[Bill]:
    """The bill of each line, of the rows that the ledger has of a month, by line (`Charges.of_month`)."""
    return [bill(line, month, of_line, zone) for line, of_line in groupby(charges, attrgetter("line"))]


def bill_csv(bills: Iterable[Bill]) -> bytes:
    """The items of the bills, a row each, for a person or for a billing system; amounts in dollars, 5.00."""
    return csv_table(_HEADER, (_row(bill, item) for bill in bills for item in bill.items))


def _row(bill: Bill, item: BillItem) -> tuple[str, ...]:
    date, _, time = item.traced_at.isoformat(timespec="seconds").partition("T")
    return (
        bill.line,
        bill.month,
        SERVICE,
        item.trace_id,
        date,
        time,
        bill.zone,
        amount(item.price_cents),
        amount(item.charge_cents),
        CURRENCY,
        item.note,
    )
