"""A PostgreSQL database as the service's store: asyncpg under SQLAlchemy's engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_CONNECTIONS = 8
_CONNECT_WITHIN_S = 5
_COMMAND_WITHIN_S = 30
# Who waits longer for another to end is told that it cannot be done now.
_LOCK_WITHIN = "2s"
# A replica that froze, or whose machine is gone, must not keep the others from writing until TCP notices, in hours.
_IDLE_WITHIN = "15s"
_MIGRATE_WITHIN = "SET LOCAL lock_timeout = '60s'"
# Any two numbers, the same in every replica.
_AUDIT_LOCK = "SELECT pg_advisory_xact_lock(57, 1)"
_MIGRATION_LOCK = "SELECT pg_advisory_xact_lock(57, 2)"

Answer = TypeVar("Answer")


def postgresql_engine(url: str, *, connections: int = _CONNECTIONS, **options: Any) -> AsyncEngine:
    """An engine for the database that `url` names, `postgresql+asyncpg://...`; errors do not repeat parameters.

    Args:
        url: as `settings.DatabaseUrl`.
        connections: how many there are at most.
        options: of `create_async_engine`.
    """
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=False,
        pool_use_lifo=True,
        # Who has waited for a lock must see what was committed meanwhile, whatever the server's default is.
        isolation_level="READ COMMITTED",
        connect_args={
            "timeout": _CONNECT_WITHIN_S,
            "command_timeout": _COMMAND_WITHIN_S,
            "server_settings": {
                "lock_timeout": _LOCK_WITHIN,
                "idle_in_transaction_session_timeout": _IDLE_WITHIN,
                "application_name": "star57",
            },
        },
        **options,
    )


class PostgresqlDatabase:
    """The store in PostgreSQL, which any number of replicas share.

    Every method raises SQLAlchemyError or OSError when the database cannot do it now.
    """

    def __init__(self, url: str) -> None:
        self._engine = postgresql_engine(url)

    async def make(self) -> None:
        """The database is there: who keeps PostgreSQL has made it."""

    async def read(self, work: Callable[[Connection], Answer]) -> Answer:
        """What `work` answers, within one transaction that reads."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """What `work` answers, within one transaction, and on the disk."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def write_audited(self, work: Callable[[Connection], Answer]) -> Answer:
        """As `write`, alone among all that write the audit log, in every replica."""
        async with self._engine.begin() as connection:
            await connection.exec_driver_sql(_AUDIT_LOCK)
            return await connection.run_sync(work)

    async def migrate(self, work: Callable[[Connection], Answer]) -> Answer:
        """As `write`, for what changes the tables themselves; replicas that start together do it one after another."""
        async with self._engine.begin() as connection:
            await connection.exec_driver_sql(_MIGRATE_WITHIN)
            await connection.exec_driver_sql(_MIGRATION_LOCK)
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Closes every connection."""
        await self._engine.dispose()
