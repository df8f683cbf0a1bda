"""SQLite files, as the service's store or somebody else's records: sqlite3 in threads under SQLAlchemy's engine."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

_BUSY_TIMEOUT_S = 2
_TRIES_EACH_S = 0.002
_PATIENT = f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_S * 1000}"
_READERS = 4

Answer = TypeVar("Answer")


def sqlite_engine(url: str, *, read_only: bool = False, patience_s: float = 5.0) -> Engine:
    """An engine for the SQLite file that `url` names; errors, and so logs, do not repeat parameters.

    Args:
        url: as `settings.DatabaseUrl`.
        read_only: a missing file is an error, and never an empty new database.
        patience_s: how long a file is waited for that somebody else has locked.
    """
    file = _file(url).absolute().as_uri() + ("?mode=ro" if read_only else "")

    def connect() -> sqlite3.Connection:
        # A pooled connection is used by one thread at a time, but not always by the same.
        return sqlite3.connect(file, timeout=patience_s, uri=True, check_same_thread=False)

    return create_engine(url, creator=connect, hide_parameters=True)


class SqliteDatabase:
    """The store in an SQLite file: any number of readers, one writer in a thread of its own; other processes beside it.

    Every method raises SQLAlchemyError when the database cannot do it now.
    """

    def __init__(self, url: str) -> None:
        self._path = _file(url)
        self._engine = _durable_engine(url)
        self._readers = ThreadPoolExecutor(_READERS, "store-reader")
        self._writer = ThreadPoolExecutor(1, "store-writer")

    async def make(self) -> None:
        """Makes the file, for its owner alone."""
        await self._in(self._writer, lambda: _keep_private(self._path))

    async def read(self, work: Callable[[Connection], Answer]) -> Answer:
        """What `work` answers, within one transaction that reads."""

        def run() -> Answer:
            with self._engine.connect() as connection:
                return work(connection)

        return await self._in(self._readers, run)

    async def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """What `work` answers, within a transaction that is alone in writing, and on the disk."""

        def run() -> Answer:
            with self._engine.execution_options(writes=True).begin() as connection:
                return work(connection)

        return await self._in(self._writer, run)

    async def write_audited(self, work: Callable[[Connection], Answer]) -> Answer:
        """As `write`: a writer here is alone, so that nobody else goes on with the audit log."""
        return await self.write(work)

    async def migrate(self, work: Callable[[Connection], Answer]) -> Answer:
        """As `write`, for what changes the tables themselves."""

        def run() -> Answer:
            with self._engine.execution_options(writes=True).connect() as connection:
                # A table that others refer to is made anew; the references hold again at the end.
                connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                connection.rollback()
                with connection.begin():
                    answer = work(connection)
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")
                connection.rollback()
                return answer

        return await self._in(self._writer, run)

    async def close(self) -> None:
        """Closes every connection."""
        self._readers.shutdown()
        self._writer.shutdown()
        self._engine.dispose()

    async def _in(self, threads: ThreadPoolExecutor, run: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(threads, run)


def _file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _keep_private(file: Path) -> None:
    # It holds keys. SQLite gives the files beside it the rights that this one has when it makes them.
    with suppress(OSError):  # SQLite tells what hinders
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        for suffix in ("", "-wal", "-shm"):
            beside = file.with_name(file.name + suffix)
            if beside.exists():
                beside.chmod(stat.S_IMODE(beside.stat().st_mode) & ~stat.S_IRWXO)


def _durable_engine(url: str) -> Engine:
    engine = sqlite_engine(url)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(_PATIENT)
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            _begin_alone(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_alone(connection: Connection) -> None:
    # SQLite's own waiting gets slower and slower, so that a busy process starves one beside it.
    end_s = time.monotonic() + _BUSY_TIMEOUT_S
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while not _is_begun(connection, is_last=time.monotonic() >= end_s):
            time.sleep(_TRIES_EACH_S)
    finally:
        connection.exec_driver_sql(_PATIENT)


def _is_begun(connection: Connection, *, is_last: bool) -> bool:
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        is_busy = isinstance(error.orig, sqlite3.OperationalError) and (
            error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        )
        if is_last or not is_busy:
            raise
        return False
    return True
