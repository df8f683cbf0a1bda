"""The service's store: works, which are functions of a connection, within transactions of SQLite or PostgreSQL.

    taken = await store.write(lambda connection: Adapters(connection).take(...))

A work uses SQLAlchemy's Core and nothing of one database alone, and is run where it may block. Whoever writes the audit
log does it in `write_audited` or `together`: one at a time, in all processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import make_url, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from host_tools.service import migrations
from host_tools.service.batching import Batching
from host_tools.service.postgresql import PostgresqlDatabase
from host_tools.service.sqlite import SqliteDatabase
from host_tools.service.tables import TRACES

Answer = TypeVar("Answer")
Work = Callable[[Connection], Answer]
# What is wrong with one statement, and leaves the transaction as it was before it.
_OF_ONE_WORK = (DataError, IntegrityError, ProgrammingError)


@dataclass(frozen=True)
class _Plain:
    """A work, and the row that it changes."""

    work: Work[Any]
    row: str


class Database(Protocol):
    """What the store stands on; one transaction a call, on the disk when it returns."""

    async def make(self) -> None:
        """Makes what can be made of a database that is not there yet."""

    async def read(self, work: Work[Answer]) -> Answer:
        """A transaction that reads."""

    async def write(self, work: Work[Answer]) -> Answer:
        """A transaction that writes."""

    async def write_audited(self, work: Work[Answer]) -> Answer:
        """A transaction that is alone in writing the audit log."""

    async def migrate(self, work: Work[Answer]) -> Answer:
        """A transaction that is alone in changing the tables."""

    async def close(self) -> None:
        """Closes every connection."""


class Store:
    """The store at `url`, for one event loop; any number of processes may use the same.

    Every method raises SQLAlchemyError or OSError when the database cannot do it now.
    """

    def __init__(self, url: str) -> None:
        self._database: Database = (
            SqliteDatabase(url) if make_url(url).get_backend_name() == "sqlite" else PostgresqlDatabase(url)
        )
        self._plain: Batching[_Plain, Any] = Batching(self._commit_plain)
        self._audited: Batching[Work[Any], Any] = Batching(self._commit_audited)

    @property
    def batchings(self) -> dict[str, Batching[Any, Any]]:
        """What is written for many at once, by what it is."""
        return {"plain": self._plain, "audited": self._audited}

    async def prepare(self) -> None:
        """Makes the store, or brings the tables of an older one up to date."""
        await self._database.make()
        if not await self._database.read(migrations.is_current):
            await self._database.migrate(migrations.upgrade)

    async def check(self) -> None:
        """Reads the table of traces, to see that it can be read."""
        await self._database.read(lambda connection: connection.execute(select(TRACES.c.line).limit(1)).all())

    async def read(self, work: Work[Answer]) -> Answer:
        """What `work` answers, which only reads."""
        return await self._database.read(work)

    async def write(self, work: Work[Answer], row: str = "") -> Answer:
        """What `work` answers, when it is on the disk. Works that wait are written in one transaction.

        A work that raises is undone alone; when the database itself fails, all that was written with it is undone.

        Args:
            work: changes what it is given.
            row: which one it changes, where other replicas change the same. Works of one transaction are done in the
                order of their rows, so that two transactions never wait for one another in a circle.

        Raises:
            Refused: `unavailable`, when too much waits; and whatever `work` raises.
        """
        answer: Answer = await self._plain.do(_Plain(work, row))
        return answer

    async def write_audited(self, work: Work[Answer]) -> Answer:
        """As `write`, for a work that appends to the audit log."""
        answer: Answer = await self._audited.do(work)
        return answer

    async def together(self, work: Work[Answer]) -> Answer:
        """What `work` answers, which writes for many at once and may append to the audit log; on the disk."""
        return await self._database.write_audited(work)

    async def close(self) -> None:
        """Writes what waits, and closes every connection."""
        await self._plain.close()
        await self._audited.close()
        await self._database.close()

    async def _commit_plain(self, works: list[_Plain]) -> list[Any]:
        order = sorted(range(len(works)), key=lambda number: works[number].row)

        def write(connection: Connection) -> list[Any]:
            outcomes = {number: _outcome(connection, works[number].work) for number in order}
            return [outcomes[number] for number in range(len(works))]

        return await self._database.write(write)

    async def _commit_audited(self, works: list[Work[Any]]) -> list[Any]:
        return await self._database.write_audited(
            lambda connection: [_outcome(connection, work) for work in works]
        )


def run_once(url: str, work: Work[Answer], *, prepares: bool = True) -> Answer:
    """What `work` answers, within one audited transaction of the store at `url`; for commands, wherever they run.

    Args:
        url: as `settings.DatabaseUrl`.
        work: may write, and append to the audit log.
        prepares: makes the store, or brings it up to date, before.

    Raises:
        SQLAlchemyError, OSError: the database cannot do it now; and whatever `work` raises.
    """

    async def run() -> Answer:
        store = Store(url)
        try:
            if prepares:
                await store.prepare()
            return await store.together(work)
        finally:
            await store.close()

    with ThreadPoolExecutor(1, "run-once") as thread:
        return thread.submit(asyncio.run, run()).result()


def _outcome(connection: Connection, work: Work[Any]) -> Any:
    """What `work` answers, or the exception that it raised."""
    try:
        with connection.begin_nested():
            return work(connection)
    except DBAPIError as error:
        if isinstance(error, _OF_ONE_WORK) and not error.connection_invalidated:
            return error
        raise  # the transaction may have ended: nothing in it is certain
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one, its neighbours are written
        return error
