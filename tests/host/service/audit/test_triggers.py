"""What the databases themselves refuse."""

# ruff: noqa: S608 - the statements are the test's own

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, ProgrammingError

from host_tools.service.audit import triggers
from host_tools.service.audit.checkpoint import Checkpoints
from host_tools.service.audit.export import verified
from host_tools.service.audit.log import AuditLog
from host_tools.service.store import Store

AT = 1767268800  # 2026-01-01 12:00:00 UTC


@pytest.fixture
async def written(store: Store) -> AsyncIterator[Store]:
    """A store with rows 1 to 3, a checkpoint at row 2."""

    def write(connection: Connection) -> None:
        log, checkpoints = AuditLog(connection), Checkpoints(connection)
        for number in range(2):
            log.append(AT + number, "ann", "bill.read", f"{number}")
        checkpoints.make(AT + 2, "service")
        triggers.install(connection)  # once more than the store did: nothing changes

    await store.together(write)
    yield store
    report = await verified(store)
    assert (report.findings, report.rows) == ((), 3)


def _execute(statement: str, connection: Connection) -> None:
    connection.exec_driver_sql(statement)


_ROW = "2, 0, 'x', 'x.x', '', '{}', '', ''"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'somebody' WHERE sequence = 2",
        "UPDATE audit SET details = details",
        "DELETE FROM audit WHERE sequence = 1",
        "DELETE FROM audit",
        f"INSERT INTO audit VALUES ({_ROW})",
        f"INSERT INTO audit VALUES ({_ROW}) ON CONFLICT (sequence) DO UPDATE SET actor = 'x'",
        "UPDATE checkpoints SET hash = 'x'",
        "UPDATE checkpoints SET sequence = 1",
        "UPDATE checkpoints SET made_at = 1",
        "DELETE FROM checkpoints",
    ],
)
async def test_no_row_is_changed_or_deleted(written: Store, statement: str) -> None:
    with pytest.raises(IntegrityError):
        await written.together(partial(_execute, statement))


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT OR REPLACE INTO audit VALUES ({_ROW})",
        "INSERT OR REPLACE INTO checkpoints VALUES (2, 'x', 1, NULL, 0)",
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_row_is_replaced(written: Store, statement: str) -> None:
    with pytest.raises(IntegrityError):
        await written.together(partial(_execute, statement))


@pytest.mark.parametrize("table", ["audit", "checkpoints", "audit, checkpoints", "audit CASCADE"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_no_table_is_truncated(written: Store, table: str) -> None:
    with pytest.raises(IntegrityError):
        await written.together(partial(_execute, f"TRUNCATE {table}"))


async def test_a_time_stamp_comes_once(store: Store) -> None:
    def write(connection: Connection) -> None:
        AuditLog(connection).append(AT, "ann", "bill.read", "")
        Checkpoints(connection).make(AT, "service")
        assert Checkpoints(connection).keep_time_stamp(1, b"\x30\x00", AT, "service")
        assert not Checkpoints(connection).keep_time_stamp(1, b"\x30\x01", AT, "service")

    await store.together(write)
    for value in ("NULL", "hash"):  # of whatever type it is, it is another
        with pytest.raises((IntegrityError, ProgrammingError)):
            await store.together(partial(_execute, f"UPDATE checkpoints SET time_stamp = {value}"))


async def test_a_beginning_goes_once_its_checkpoint_is_marked_and_the_mark_stays(store: Store) -> None:
    def write(connection: Connection) -> None:
        for number in range(2):
            AuditLog(connection).append(AT + number, "ann", "bill.read", "")
        Checkpoints(connection).make(AT + 2, "service")
        Checkpoints(connection).mark_pruned(2)
        assert connection.exec_driver_sql("DELETE FROM audit WHERE sequence <= 2").rowcount == 2

    await store.together(write)
    for statement in ("DELETE FROM audit WHERE sequence = 3", "UPDATE checkpoints SET is_pruned = false"):
        with pytest.raises(IntegrityError):
            await store.together(partial(_execute, statement))
