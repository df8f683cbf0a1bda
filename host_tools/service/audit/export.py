"""The audit log out of the store: as the lines of an export, and verified.

The rows are read some hundreds at a time, so that an export of any length holds nobody up: rows do not change, and what
is appended meanwhile is not in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import func, literal, select, true, type_coerce
from sqlalchemy.engine import Connection
from sqlalchemy.types import NullType

from host_tools.service.audit.entry import Head
from host_tools.service.audit.log import AuditLog
from host_tools.service.audit.verify import (
    Check,
    Report,
    Verification,
    checkpoint_line,
    end_line,
    lines,
    place,
)
from host_tools.service.store import Store
from host_tools.service.tables import AUDIT, CHECKPOINTS

ROWS_AT_ONCE = 500
MOST_ATTEMPTS = 3

Columns = dict[str, Any]

_LAST = select(AUDIT.c.sequence, AUDIT.c.hash).order_by(AUDIT.c.sequence.desc()).limit(1).subquery()
_ONE = select(literal(1).label("one")).subquery()
# One statement, as both are to be of one moment. As they are stored: what is wrong with them the verification says.
_EXTENT = (
    select(
        _LAST.c.sequence.label("last_sequence"),
        _LAST.c.hash.label("last_hash"),
        CHECKPOINTS.c.sequence,
        CHECKPOINTS.c.hash,
        CHECKPOINTS.c.made_at,
        type_coerce(CHECKPOINTS.c.time_stamp, NullType()).label("time_stamp"),
        type_coerce(CHECKPOINTS.c.is_pruned, NullType()).label("is_pruned"),
    )
    .select_from(_ONE.outerjoin(_LAST, true()).outerjoin(CHECKPOINTS, true()))
    .order_by(CHECKPOINTS.c.sequence)
)
_START = select(func.max(CHECKPOINTS.c.sequence)).where(CHECKPOINTS.c.is_pruned)


class Overtaken(Exception):
    """Retention has deleted rows of the log that were about to be read; whoever reads it begins anew."""


@dataclass(frozen=True)
class _Extent:
    """What an export is of, as it was at one moment."""

    head: Head
    checkpoints: list[Columns]

    @property
    def start(self) -> int:
        """The row after which the log begins."""
        pruned = [each["sequence"] for each in self.checkpoints if each["is_pruned"] in {True}]
        return max((sequence for sequence in pruned if isinstance(sequence, int)), default=0)

    def between(self, after: Any, last: Any) -> list[Columns]:
        """The checkpoints after a row, and up to another or, of None, to the end."""
        return [each for each in self.checkpoints if place(after) < place(each["sequence"]) <= place(last)]


async def exported(store: Store) -> AsyncIterator[list[bytes]]:
    """The lines of an export of the whole log, some at a time; each ends with a line feed.

    Raises:
        Overtaken: the export cannot go on; without its last line no verification takes it for whole.
        SQLAlchemyError, OSError: the database cannot do it now.
    """
    extent = await store.read(_extent)
    yield [checkpoint_line(each) for each in extent.between(0, extent.start)] if extent.start else []
    yield list(lines(await store.read(partial(_rows_before, extent)), ()))
    after = extent.start
    while rows := await store.read(partial(_rows, extent, after)):
        last = rows[-1]["sequence"]
        yield list(lines(rows, extent.between(after, last)))
        after = last
    yield [
        *(checkpoint_line(each) for each in extent.between(after, None)),
        end_line(extent.head.sequence, extent.head.hash),
    ]


async def verified(
    store: Store, check: Check | None = None, known: Mapping[int, str] | None = None
) -> Report:
    """What a verification of the whole log finds; `check` and `known` as of `Verification`.

    Raises:
        Overtaken: retention deletes rows all the time.
        SQLAlchemyError, OSError: the database cannot do it now.
    """
    for attempt in range(MOST_ATTEMPTS):
        verification = Verification(check, known)
        try:
            async for some in exported(store):
                await asyncio.to_thread(_take, verification, some)
        except Overtaken:
            if attempt == MOST_ATTEMPTS - 1:
                raise
            continue
        break
    return verification.report()


def tell_verified(connection: Connection, at: float, actor: str, report: Report) -> None:
    """Tells the log that it was verified, and what was found."""
    AuditLog(connection).append(
        at,
        actor,
        "audit.verified",
        "",
        is_proven=report.is_proven,
        wrong=report.wrong,
        first=report.first,
        last=report.last,
        hash=report.hash,
    )


def _take(verification: Verification, some: list[bytes]) -> None:
    for line in some:
        verification.take(line)


def _extent(connection: Connection) -> _Extent:
    rows = [row._asdict() for row in connection.execute(_EXTENT)]
    first = rows[0]
    head = Head() if first["last_sequence"] is None else Head(first["last_sequence"], first["last_hash"])
    return _Extent(head, [row for row in rows if row["sequence"] is not None])


def _rows_before(extent: _Extent, connection: Connection) -> list[Columns]:
    """Rows where the log has none any more: somebody has put them there, and the verification says so."""
    query = select(AUDIT).where(AUDIT.c.sequence <= extent.start).order_by(AUDIT.c.sequence)
    return [row._asdict() for row in connection.execute(query.limit(ROWS_AT_ONCE))]


def _rows(extent: _Extent, after: int, connection: Connection) -> list[Columns]:
    query = (
        select(AUDIT)
        .where(AUDIT.c.sequence > after, AUDIT.c.sequence <= extent.head.sequence)
        .order_by(AUDIT.c.sequence)
        .limit(ROWS_AT_ONCE)
    )
    rows = [row._asdict() for row in connection.execute(query)]
    if (connection.scalar(_START) or 0) != extent.start:
        raise Overtaken
    return rows
