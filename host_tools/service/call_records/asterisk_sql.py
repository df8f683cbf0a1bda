"""Asterisk's table `cdr` in SQLite or PostgreSQL, as cdr_sqlite3_custom, cdr_pgsql and cdr_adaptive_odbc write it.

The columns `calldate` or `start`, `src` and `dst` must be there; the others are used where they are. Times are UTC
(`usegmtime=yes`) unless their column has a time zone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from host_tools.service.call_records.record import CallRecord
from host_tools.service.call_records.source import CallRecordsUnreadable, CallRecordUnreadable, Wanted
from host_tools.service.foreign_database import (
    Dialect,
    ForeignDatabase,
    ForeignDatabaseUnreadable,
    ForeignDataUnreadable,
)

_TIME_COLUMNS = ("calldate", "start")
# What joins the legs of a call, the better one first.
_CALL_COLUMNS = ("linkedid", "uniqueid")
# In the order of CallRecord's attributes, behind its time; whether it is a count.
_COLUMNS = {
    "src": False,
    "dst": False,
    "clid": False,
    "disposition": False,
    "duration": True,
    "billsec": True,
    "lastapp": False,
    "uniqueid": False,
    "linkedid": False,
    "sequence": True,
}

# The planners are told where to begin: with what is wanted, and from there by an index. By themselves they may read all
# calls of the exchange instead, as soon as many are wanted at once.
_OWN_LEGS: dict[Dialect, str] = {
    "sqlite": """
        WITH own AS MATERIALIZED (
            SELECT wanted.key AS number, {columns} FROM json_each(?) AS wanted CROSS JOIN cdr
            WHERE cdr.dst = json_extract(wanted.value, '$[0]')
            AND cdr.{time} >= datetime(json_extract(wanted.value, '$[1]'), 'unixepoch')
            AND cdr.{time} < datetime(json_extract(wanted.value, '$[2]') + 1, 'unixepoch')
        )
        SELECT * FROM own""",
    "postgresql": """
        WITH own AS MATERIALIZED (
            SELECT number - 1 AS number, leg.*
            FROM unnest($1::text[], $2::bigint[], $3::bigint[])
                WITH ORDINALITY AS wanted (line, earliest, latest, number)
            CROSS JOIN LATERAL (
                SELECT {columns} FROM cdr WHERE cdr.dst = wanted.line
                AND cdr.{time} >= to_timestamp(wanted.earliest){zone}
                AND cdr.{time} < to_timestamp(wanted.latest + 1){zone} OFFSET 0
            ) AS leg
        )
        SELECT * FROM own""",
}
_OTHER_LEGS: dict[Dialect, str] = {
    "sqlite": """
        UNION SELECT own.number, {columns} FROM own CROSS JOIN cdr
        WHERE own.{call} <> '' AND cdr.{call} = own.{call}""",
    "postgresql": """
        UNION SELECT own.number, leg.* FROM own
        CROSS JOIN LATERAL (SELECT {columns} FROM cdr WHERE cdr.{call} = own.{call} OFFSET 0) AS leg
        WHERE own.{call} <> ''""",
}
_UNIX_SECONDS: dict[Dialect, str] = {
    "sqlite": "CAST(strftime('%s', cdr.{time}) AS INTEGER)",
    "postgresql": "CAST(floor(extract(epoch FROM cdr.{time})) AS bigint)",
}


@dataclass(frozen=True)
class _Layout:
    """The table as it is.

    Attributes:
        time: the column with the beginning of a leg.
        call: the column that joins the legs of a call, if there is one.
        types: of all columns, by name.
    """

    time: str
    call: str | None
    types: Mapping[str, str]


class AsteriskTable:
    """Reads the table `cdr`: one query, however many calls are wanted."""

    def __init__(self, database: ForeignDatabase) -> None:
        self._database = database
        self._select: str | None = None

    async def calls(self, line: str, earliest: int, latest: int) -> list[CallRecord]:
        """As the protocol says."""
        return (await self.calls_of_many([Wanted(line, earliest, latest)]))[0]

    async def calls_of_many(self, wanted: Sequence[Wanted]) -> list[list[CallRecord]]:
        """As the protocol says."""
        found: list[list[CallRecord]] = [[] for _ in wanted]
        try:
            if self._select is None:
                self._select = _select(await self._layout(), self._database.dialect)
            for number, *row in await self._database.rows(self._select, *self._parameters(wanted)):
                found[number].append(_record(row))
        except ForeignDataUnreadable as error:
            raise CallRecordUnreadable(str(error)) from error
        except ForeignDatabaseUnreadable as error:
            self._select = None  # the table may have been changed
            raise CallRecordsUnreadable(str(error)) from error
        return found

    async def check(self) -> list[str]:
        """As the protocol says."""
        try:
            layout = await self._layout()
            indexed = await self._database.indexed("cdr")
            rows = await self._database.rows(_one_of_any(layout, self._database.dialect))
        except ForeignDatabaseUnreadable as error:
            raise CallRecordsUnreadable(str(error)) from error
        for row in rows:
            _record(row)
        remarks = [
            f"No index of cdr begins with {column}: each trace reads the whole table."
            for column in ("dst", layout.call)
            if column is not None and column not in indexed
        ]
        if layout.call is None:
            remarks.append("cdr has neither linkedid nor uniqueid: nobody knows who made a forwarded call.")
        return remarks

    async def close(self) -> None:
        """As the protocol says."""
        await self._database.close()

    async def _layout(self) -> _Layout:
        types = await self._database.columns("cdr")
        time = next((name for name in _TIME_COLUMNS if name in types), None)
        if time is None or "src" not in types or "dst" not in types:
            raise CallRecordsUnreadable(
                "there is no table cdr with the columns calldate or start, src and dst"
            )
        if self._database.dialect == "postgresql" and not types[time].startswith("timestamp"):
            raise CallRecordsUnreadable(f"the column {time} of cdr is no timestamp")
        return _Layout(time, next((name for name in _CALL_COLUMNS if name in types), None), types)

    def _parameters(self, wanted: Sequence[Wanted]) -> Sequence[object]:
        if self._database.dialect == "sqlite":
            return (json.dumps(wanted),)
        return [[each[field] for each in wanted] for field in range(len(Wanted._fields))]


def _select(layout: _Layout, dialect: Dialect) -> str:
    """The query for all legs of wanted calls: the number of the wanted one, then the attributes of CallRecord."""
    with_others = _OWN_LEGS[dialect] + (_OTHER_LEGS[dialect] if layout.call else "")
    return with_others.format(
        columns=_columns(layout, dialect),
        time=layout.time,
        call=layout.call,
        zone=" AT TIME ZONE 'UTC'" if layout.types[layout.time].endswith("without time zone") else "",
    )


def _one_of_any(layout: _Layout, dialect: Dialect) -> str:
    return f"SELECT {_columns(layout, dialect)} FROM cdr LIMIT 1"  # noqa: S608 - names of columns alone


def _columns(layout: _Layout, dialect: Dialect) -> str:
    columns = [f"{_UNIX_SECONDS[dialect].format(time=layout.time)} AS called_at"]
    for name, is_count in _COLUMNS.items():
        absent, kind = ("0", "bigint") if is_count else ("''", "text")
        value = f"coalesce(CAST(cdr.{name} AS {kind}), {absent})" if name in layout.types else absent
        columns.append(f"{value} AS {name}")
    return ", ".join(columns)


def _record(row: Sequence[Any]) -> CallRecord:
    if row[0] is None:
        raise CallRecordUnreadable("a call record has no time that is YYYY-MM-DD HH:MM:SS")
    return CallRecord(*row)
