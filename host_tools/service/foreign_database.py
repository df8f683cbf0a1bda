"""Databases of others, the exchange's and the operator's, which are only ever read: SQLite and PostgreSQL.

Plain statements straight to the driver: each trace asks here, and SQLAlchemy would cost it more than the database does.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import asyncpg
from sqlalchemy import make_url

_PATIENCE_S = 1.0
_CONNECT_WITHIN_S = 5.0
_COMMAND_WITHIN_S = 5.0

# A value out of range or of another form; and an infinite time, which PostgreSQL calls a feature that it has not.
_WRONG_DATA = (asyncpg.DataError, asyncpg.FeatureNotSupportedError)

Dialect = Literal["sqlite", "postgresql"]


class ForeignDatabaseUnreadable(Exception):
    """The database is not there, does not let us read, or has not what is asked for."""


class ForeignDataUnreadable(ForeignDatabaseUnreadable):
    """A row holds something that cannot be read as what it should be; others may be read."""


class ForeignDatabase(Protocol):
    """A database that is only read. Every method but `close` raises ForeignDatabaseUnreadable, and nothing else."""

    dialect: Dialect

    async def rows(self, statement: str, *parameters: object) -> Sequence[Sequence[Any]]:
        """What a SELECT of this dialect answers."""

    async def columns(self, table: str) -> dict[str, str]:
        """The type of each column of the table, in lower case, by its name; empty when there is no such table."""

    async def indexed(self, table: str) -> set[str]:
        """The columns that an index of the table begins with."""

    async def close(self) -> None:
        """Closes every connection."""


def open_foreign_database(url: str, connections: int = 2) -> ForeignDatabase:
    """The database at `url`, as `settings.DatabaseUrl`; nothing is opened before it is needed."""
    if make_url(url).get_backend_name() == "sqlite":
        return ForeignSqlite(url, connections)
    return ForeignPostgresql(url, connections)


class ForeignSqlite:
    """An SQLite file, read in threads of its own: while somebody has it locked, nothing else waits."""

    dialect: Dialect = "sqlite"

    def __init__(self, url: str, connections: int) -> None:
        self._path = Path(make_url(url).database or "").absolute()
        self._threads = ThreadPoolExecutor(connections, "foreign-sqlite")
        self._own = threading.local()
        self._open: dict[int, sqlite3.Connection] = {}

    async def rows(self, statement: str, *parameters: object) -> Sequence[Sequence[Any]]:
        """As the protocol says."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._rows, statement, parameters
        )

    async def columns(self, table: str) -> dict[str, str]:
        """As the protocol says."""
        rows = await self.rows("SELECT name, lower(type) FROM pragma_table_info(?)", table)
        return {row[0]: row[1] for row in rows}

    async def indexed(self, table: str) -> set[str]:
        """As the protocol says."""
        statement = (
            "SELECT column.name FROM pragma_index_list(?) AS found, pragma_index_info(found.name) AS column "
            "WHERE column.seqno = 0"
        )
        return {name for (name,) in await self.rows(statement, table)}

    async def close(self) -> None:
        """As the protocol says."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _rows(self, statement: str, parameters: Sequence[object]) -> list[Any]:
        try:
            return self._connection().execute(statement, parameters).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise ForeignDatabaseUnreadable(f"SQLite: {_without_path(error)}") from error

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection, to the file that is there now: the old one may have been put aside."""
        status = os.stat(self._path)
        file = (status.st_dev, status.st_ino)
        if getattr(self._own, "file", None) != file:
            mine = threading.get_ident()
            if mine in self._open:
                self._open.pop(mine).close()
            self._own.connection = sqlite3.connect(
                f"{self._path.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S, check_same_thread=False
            )
            # A caller's name in another encoding is no reason to lose the call.
            self._own.connection.text_factory = partial(str, encoding="utf-8", errors="replace")
            self._own.file = file
            self._open[mine] = self._own.connection
        connection: sqlite3.Connection = self._own.connection
        return connection


class ForeignPostgresql:
    """A PostgreSQL database, in transactions that cannot write."""

    dialect: Dialect = "postgresql"

    def __init__(self, url: str, connections: int) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connections = connections
        self._opening = asyncio.Lock()
        self._pool: Any = None

    async def rows(self, statement: str, *parameters: object) -> Sequence[Sequence[Any]]:
        """As the protocol says."""
        try:
            pool = self._pool or await self._opened()
            rows: Sequence[Sequence[Any]] = await pool.fetch(statement, *parameters)
        except _WRONG_DATA as error:
            raise ForeignDataUnreadable(f"PostgreSQL: {type(error).__name__}") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            raise ForeignDatabaseUnreadable(f"PostgreSQL: {type(error).__name__}") from error
        return rows

    async def columns(self, table: str) -> dict[str, str]:
        """As the protocol says."""
        statement = (
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute "
            "WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped"
        )
        return {row[0]: row[1] for row in await self.rows(statement, table)}

    async def indexed(self, table: str) -> set[str]:
        """As the protocol says."""
        statement = (
            "SELECT attname::text FROM pg_index JOIN pg_attribute "
            "ON attrelid = indrelid AND attnum = indkey[0] WHERE indrelid = to_regclass($1) AND indpred IS NULL"
        )
        return {name for (name,) in await self.rows(statement, table)}

    async def close(self) -> None:
        """As the protocol says."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._connections,
                    reset=_leave,
                    timeout=_CONNECT_WITHIN_S,
                    command_timeout=_COMMAND_WITHIN_S,
                    server_settings={"default_transaction_read_only": "on"},
                )
        return self._pool


async def _leave(_: object) -> None:
    """A connection that has only read needs no reset, which would cost another turn to the server."""


def _without_path(error: Exception) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else str(error)
