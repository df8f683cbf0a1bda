"""Lines and areas: where trace is offered, at what price, up to which cap, and by which adapter of the line.

A line is bound to at most one adapter; an adapter may have several lines. What a line does not say, its area does: the
one with the longest prefix of the line. What that does not say is the operator's setting (`rules.policy`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from host_tools.service.messages import MAX_CHARGE_CENTS, AdapterId, Line
from host_tools.service.tables import ADAPTERS, AREAS, LINES

MAX_CAP_CENTS = 1_000_000
"""$10,000.00: as the operator's own setting."""

Price = Annotated[int, Field(ge=0, le=MAX_CHARGE_CENTS)]
Cap = Annotated[int, Field(ge=0, le=MAX_CAP_CENTS)]
# Controls, what has no width, and what turns the direction of writing round.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
AreaName = Annotated[
    str, StringConstraints(pattern=rf"^[^{_UNSEEN}\x20\xa0]([^{_UNSEEN}]{{0,62}}[^{_UNSEEN}\x20\xa0])?$")
]
"""1 to 64 characters that can be seen, and spaces between them."""


class UnknownAdapter(Exception):
    """A line is to be bound to an adapter that is not known."""


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class LinePolicy(_Row):
    """What is set of one line; None is that of its area, or of no adapter in particular.

    Attributes:
        line: 1 to 15 digits.
        adapter_id: the only adapter that may trace for the line.
        is_offered: whether trace is offered.
        price_cents: of a successful trace, 0 to 1000.
        monthly_cap_cents: the most that is charged in a month, 0 to 1000000.
    """

    line: Line
    adapter_id: AdapterId | None = None
    is_offered: bool | None = None
    price_cents: Price | None = None
    monthly_cap_cents: Cap | None = None


class AreaPolicy(_Row):
    """What is set of the lines that begin with `prefix` and with no longer one; None is the operator's setting.

    Attributes:
        prefix: 1 to 15 digits.
        name: as the operator calls the area.
        is_offered, price_cents, monthly_cap_cents: as of a line.
    """

    prefix: Line
    name: AreaName
    is_offered: bool
    price_cents: Price | None = None
    monthly_cap_cents: Cap | None = None


_LINE = select(LINES).where(LINES.c.line == bindparam("of"))
_AREA = select(AREAS).where(AREAS.c.prefix == bindparam("of"))
_LINES_OF = select(LINES).where(LINES.c.line.in_(bindparam("of", expanding=True)))
_LINES_OF_ADAPTERS = select(LINES.c.line, LINES.c.adapter_id).where(
    LINES.c.adapter_id.in_(bindparam("of", expanding=True))
)
_AREAS_OF = select(AREAS).where(AREAS.c.prefix.in_(bindparam("of", expanding=True)))


class Lines:
    """The lines that have something of their own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, line: str) -> LinePolicy | None:
        """What is set of the line, when anything is."""
        row = self._connection.execute(_LINE, {"of": line}).mappings().first()
        return LinePolicy(**row) if row else None

    def page(self, after: str = "", limit: int = 100) -> list[LinePolicy]:
        """The next `limit` lines behind `after`, in the order of their digits."""
        rows = select(LINES).where(LINES.c.line > after).order_by(LINES.c.line).limit(limit)
        return [LinePolicy(**row) for row in self._connection.execute(rows).mappings()]

    def of_adapter(self, adapter_id: str) -> list[str]:
        """The lines that are bound to the adapter, in the order of their digits."""
        bound = select(LINES.c.line).where(LINES.c.adapter_id == adapter_id).order_by(LINES.c.line)
        return list(self._connection.scalars(bound))

    def of_adapters(self, adapter_ids: Collection[str]) -> dict[str, list[str]]:
        """The lines that are bound to each of these adapters; one that has none is not there."""
        bound: defaultdict[str, list[str]] = defaultdict(list)
        for line, adapter_id in self._connection.execute(_LINES_OF_ADAPTERS, {"of": list(adapter_ids)}):
            bound[adapter_id].append(line)
        return bound

    def put(self, policy: LinePolicy) -> None:
        """Sets all of a line; a line with nothing of its own is kept no more.

        Raises:
            UnknownAdapter: nothing is changed.
        """
        if policy.adapter_id is not None and not self._is_known(policy.adapter_id):
            raise UnknownAdapter(policy.adapter_id)
        values = policy.model_dump()
        self._connection.execute(delete(LINES).where(LINES.c.line == policy.line))
        if any(value is not None for name, value in values.items() if name != "line"):
            self._connection.execute(insert(LINES), values)

    def _is_known(self, adapter_id: str) -> bool:
        of = select(ADAPTERS.c.adapter_id).where(ADAPTERS.c.adapter_id == adapter_id)
        return self._connection.scalar(of) is not None


class Areas:
    """The areas, a row each."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, prefix: str) -> AreaPolicy | None:
        """The area of exactly this prefix."""
        row = self._connection.execute(_AREA, {"of": prefix}).mappings().first()
        return AreaPolicy(**row) if row else None

    def all(self) -> list[AreaPolicy]:
        """Every area, in the order of the digits of its prefix."""
        rows = self._connection.execute(select(AREAS).order_by(AREAS.c.prefix)).mappings()
        return [AreaPolicy(**row) for row in rows]

    def put(self, policy: AreaPolicy) -> None:
        """Sets all of an area, which may be a new one."""
        values = policy.model_dump()
        of = update(AREAS).where(AREAS.c.prefix == policy.prefix)
        if not self._connection.execute(of.values(values)).rowcount:
            self._connection.execute(insert(AREAS), values)

    def remove(self, prefix: str) -> bool:
        """Forgets an area: its lines are those of a shorter prefix. Answers whether there was one."""
        return self._connection.execute(delete(AREAS).where(AREAS.c.prefix == prefix)).rowcount > 0


def rows_for(
    connection: Connection, lines: Collection[str]
) -> tuple[dict[str, LinePolicy], dict[str, AreaPolicy]]:
    """What is set of these lines, by line, and of every area that one of them may lie in, by prefix.

    Two queries, whatever the number of lines, up to 2000 of them: 30000 prefixes, and both databases take 32766
    parameters at the least.
    """
    of_lines = connection.execute(_LINES_OF, {"of": sorted(set(lines))}).mappings()
    of_areas = connection.execute(_AREAS_OF, {"of": _prefixes(lines)}).mappings()
    return (
        {row["line"]: LinePolicy(**row) for row in of_lines},
        {row["prefix"]: AreaPolicy(**row) for row in of_areas},
    )


def _prefixes(lines: Collection[str]) -> list[str]:
    return sorted({line[:digits] for line in lines for digits in range(1, len(line) + 1)})
