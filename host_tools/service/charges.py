"""The ledger: a row a successful trace, with its price and what is charged of it. It is only ever added to.

Amounts are cents. A failed trace costs nothing and has no row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import StringConstraints
from sqlalchemy import ColumnElement, bindparam, func, insert, literal, select, tuple_
from sqlalchemy.engine import Connection

from host_tools.service.tables import CHARGES

Month = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$")]
"""YYYY-MM."""


@dataclass(frozen=True)
class Charge:
    """A row of the ledger.

    Attributes:
        trace_id: the trace's public number.
        line: the called line, which pays.
        month: YYYY-MM of the operator's time zone (`local_time.month_of`).
        traced_at: Unix seconds, the service's clock.
        price_cents: what the trace costs.
        charge_cents: what is charged of it, less than its price once the month's cap is reached.
    """

    trace_id: str
    line: str
    month: str
    traced_at: int
    price_cents: int
    charge_cents: int


@dataclass(frozen=True)
class Total:
    """What a line, or all lines together, have in a month: successful traces, their price, what is charged."""

    traces: int
    price_cents: int
    charge_cents: int


_SUMS = func.count(), func.sum(CHARGES.c.price_cents), func.sum(CHARGES.c.charge_cents)
_IN_ORDER = (CHARGES.c.line, CHARGES.c.traced_at, CHARGES.c.trace_id)
_PLACE = tuple_(*_IN_ORDER)
_SPENT = (
    select(CHARGES.c.line, CHARGES.c.month, func.sum(CHARGES.c.charge_cents).label("cents"))
    .where(
        CHARGES.c.month.in_(bindparam("months", expanding=True)),
        CHARGES.c.line.in_(bindparam("lines", expanding=True)),
    )
    .group_by(CHARGES.c.line, CHARGES.c.month)
)


class Charges:
    """The ledger in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_all(self, charges: Iterable[Charge]) -> None:
        """Adds a row for each.

        Raises:
            sqlalchemy.exc.IntegrityError: a trace is charged already; none of them is added.
        """
        rows = [asdict(charge) for charge in charges]
        if rows:
            self._connection.execute(insert(CHARGES), rows)

    def spent(self, lines_and_months: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """What each line was charged in a month so far, cents, by (line, month); one query for all.

        Whoever adds to it must be alone in writing from here on, or two traces share what is left of a cap.
        """
        spent = dict.fromkeys(lines_and_months, 0)
        if spent:
            lines, months = (sorted(set(each)) for each in zip(*spent, strict=True))
            for line, month, cents in self._connection.execute(_SPENT, {"lines": lines, "months": months}):
                if (line, month) in spent:
                    spent[line, month] = int(cents)
        return spent

    def of(self, line: str, month: str) -> list[Charge]:
        """The rows of a line's month, the earliest first."""
        return self._read(CHARGES.c.month == month, CHARGES.c.line == line)

    def of_month(self, month: str, after: Charge | None = None, limit: int | None = None) -> list[Charge]:
        """The rows of all lines of a month, by line, the earliest first: the next `limit` behind `after`."""
        behind = () if after is None else (CHARGES.c.line >= after.line, _place(after) < _PLACE)
        return self._read(CHARGES.c.month == month, *behind, limit=limit)

    def total(self, month: str) -> Total:
        """The sum of all lines of a month."""
        row = self._connection.execute(select(*_SUMS).where(CHARGES.c.month == month)).one()
        return Total(*(int(cell or 0) for cell in row))

    def totals(self, month: str, after: str = "", limit: int = 100) -> dict[str, Total]:
        """The sums of the next `limit` lines behind `after`, in the order of their digits."""
        sums = (
            select(CHARGES.c.line, *_SUMS)
            .where(CHARGES.c.month == month, CHARGES.c.line > after)
            .group_by(CHARGES.c.line)
            .order_by(CHARGES.c.line)
            .limit(limit)
        )
        return {line: Total(*(int(cell) for cell in row)) for line, *row in self._connection.execute(sums)}

    def months(self) -> list[str]:
        """The months from the newest with a row back to the oldest, those between them included."""
        newest, oldest = self._connection.execute(
            select(func.max(CHARGES.c.month), func.min(CHARGES.c.month))
        ).one()
        return [] if newest is None else _months_back(newest, oldest)

    def months_of(self, line: str) -> list[str]:
        """The months in which the line has a row, the newest first."""
        of_line = (
            select(CHARGES.c.month)
            .where(CHARGES.c.month.in_(self.months()), CHARGES.c.line == line)
            .distinct()
            .order_by(CHARGES.c.month.desc())
        )
        return list(self._connection.scalars(of_line))

    def _read(self, *conditions: ColumnElement[bool], limit: int | None = None) -> list[Charge]:
        query = select(CHARGES).where(*conditions).order_by(*_IN_ORDER).limit(limit)
        return [Charge(**row) for row in self._connection.execute(query).mappings()]


def _place(charge: Charge) -> ColumnElement[Any]:
    return tuple_(literal(charge.line), literal(charge.traced_at), literal(charge.trace_id))


def _months_back(newest: str, oldest: str) -> list[str]:
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (oldest, newest))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(last, first - 1, -1)]
