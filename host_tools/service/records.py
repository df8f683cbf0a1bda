"""The store of traces: one row an accepted request; who called is in its sealed column and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import Index, LargeBinary, String, event, func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from host_tools.service.messages import Outcome
from host_tools.service.sqlite import sqlite_engine

_LAST_TRACE_ID = "T-99999999"
_BUSY_TIMEOUT_MS = 1000


class TraceIdsExhausted(Exception):
    """The last public number of a trace, T-99999999, is given."""


class Base(DeclarativeBase):
    """The tables of the trace service."""


class Trace(Base):
    """One accepted request and what was decided."""

    __tablename__ = "traces"

    request_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    line: Mapped[str] = mapped_column(String(15))
    call_id: Mapped[str] = mapped_column(String(16))
    adapter_id: Mapped[str] = mapped_column(String(32))
    requested_at: Mapped[int]
    """Unix seconds, the adapter's clock."""
    received_at: Mapped[int]
    """Unix seconds, the service's clock."""
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    """Why not traceable: a `rules.Reason`."""
    trace_id: Mapped[str | None] = mapped_column(String(10))
    """The trace's public number; of an already traced call, that of its trace."""
    charge_cents: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """`sealing.WhoCalled`, sealed to the centre's public key."""


_TRACED = text(f"outcome = '{Outcome.TRACED.value}'")
Index("one_trace_per_call", Trace.line, Trace.call_id, unique=True, sqlite_where=_TRACED)
Index("one_trace_per_trace_id", Trace.trace_id, unique=True, sqlite_where=_TRACED)


class Ledger:
    """One transaction that writes: what it reads stays true until it is committed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, request_id: str) -> Trace | None:
        """The row of this request, when it was accepted before."""
        return await self._session.get(Trace, request_id)

    async def trace_id_of_call(self, line: str, call_id: str) -> str | None:
        """The public number of this call's trace, when it was traced before."""
        return await self._session.scalar(
            select(Trace.trace_id).where(
                Trace.line == line, Trace.call_id == call_id, Trace.outcome == Outcome.TRACED.value
            )
        )

    async def next_trace_id(self) -> str:
        """The public number after the last: T-00000001, T-00000002 and so on.

        Raises:
            TraceIdsExhausted: all are given.
        """
        last = await self._session.scalar(
            select(func.max(Trace.trace_id)).where(Trace.outcome == Outcome.TRACED.value)
        )
        if last == _LAST_TRACE_ID:
            raise TraceIdsExhausted(_LAST_TRACE_ID)
        return f"T-{int(last[2:]) + 1:08}" if last else "T-00000001"

    def add(self, trace: Trace) -> None:
        """Stores the row with this transaction."""
        self._session.add(trace)


class Records:
    """The database of traces. Every method raises SQLAlchemyError when the database cannot do it now."""

    def __init__(self, url: str) -> None:
        self._engine = _durable_engine(url)
        self._writing = asyncio.Lock()  # waiting here is fair and quick; waiting in SQLite is polling

    async def prepare(self) -> None:
        """Makes the tables that are not there yet."""
        async with self._engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def check(self) -> None:
        """Reads the table of traces, to see that it can be read."""
        async with self._engine.connect() as connection:
            await connection.execute(select(Trace.request_id).limit(1))

    async def find(self, request_id: str) -> Trace | None:
        """The row of this request, when it was accepted before."""
        async with AsyncSession(self._engine) as session:
            return await session.get(Trace, request_id)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Ledger]:
        """A transaction, alone in writing; at its end it is on the disk, or after an exception undone."""
        engine = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        async with self._writing, AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield Ledger(session)

    async def close(self) -> None:
        """Closes every connection."""
        await self._engine.dispose()


def _durable_engine(url: str) -> AsyncEngine:
    engine = sqlite_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: SqliteConnection, _: object) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine
