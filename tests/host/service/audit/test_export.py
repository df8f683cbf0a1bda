"""An export out of each database, and the verification within the service."""

# ruff: noqa: S608 - who tampers writes statements as they come

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from host_tools.service.audit import export
from host_tools.service.audit.checkpoint import Checkpoints
from host_tools.service.audit.export import Overtaken, exported, verified
from host_tools.service.audit.log import AuditLog, Entry, append_all
from host_tools.service.audit.verify import Verification
from host_tools.service.store import Store

AT = 1767268800  # 2026-01-01 12:00:00 UTC
OTHER = "f" * 64


@pytest.fixture
async def written(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with rows 1 to 15, checkpoints at rows 4 and 9; few are read at once."""
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 4)
    await store.together(write)
    return store


def write(connection: Connection) -> None:
    for number in range(3):
        append_all(connection, [Entry(AT + number, "ann", "bill.read", "", {"n": n}) for n in range(4)])
        if number < 2:
            Checkpoints(connection).make(AT + number, "service")
    AuditLog(connection).append(AT, "ann", "bill.read", "")


def prune(connection: Connection, up_to: int) -> None:
    (row,) = [each for each in Checkpoints(connection).newest(9) if each.sequence == up_to]
    AuditLog(connection).append(AT, "service", "retention.deleted", "audit", sequence=up_to, hash=row.hash)
    Checkpoints(connection).mark_pruned(up_to)
    connection.exec_driver_sql(f"DELETE FROM audit WHERE sequence <= {up_to}")


async def lines_of(store: Store) -> list[bytes]:
    return [line async for some in exported(store) for line in some]


async def test_an_export_is_the_whole_log_in_order(written: Store) -> None:
    lines = await lines_of(written)
    kinds = ["c" if line.startswith(b'{"checkpoint"') else "r" for line in lines[:-1]]
    assert "".join(kinds) == "rrrrcrrrrrcrrrrrr"
    assert lines[-1].startswith(b'{"end":')
    report = await verified(written)
    assert (report.findings, report.rows, report.checkpoints) == ((), 15, 2)


async def test_of_an_empty_log_it_is_the_end_alone(store: Store) -> None:
    (line,) = await lines_of(store)
    assert line == b'{"end":{"hash":"' + b"0" * 64 + b'","sequence":0}}\n'
    assert (await verified(store)).is_proven


async def test_of_a_pruned_log_it_begins_with_the_checkpoint(written: Store) -> None:
    await written.together(lambda connection: prune(connection, 9))
    lines = await lines_of(written)
    assert [b'"is_pruned":true' in line for line in lines[:3]] == [True, True, False]
    report = await verified(written)
    assert (report.findings, report.first, report.last) == ((), 10, 16)


async def test_what_is_appended_meanwhile_is_not_in_it(written: Store) -> None:
    lines = []
    async for some in exported(written):
        lines += some
        await written.together(write)
    verification = Verification()
    for line in lines:
        verification.take(line)
    report = verification.report()
    assert (report.findings, report.last) == ((), 15)


async def test_retention_in_its_midst_ends_it(written: Store) -> None:
    lines = []

    async def read() -> None:
        async for some in exported(written):
            lines.extend(some)
            if len(lines) == 5:
                await written.together(lambda connection: prune(connection, 4))

    with pytest.raises(Overtaken):
        await read()
    verification = Verification()
    for line in lines:
        verification.take(line)
    assert [str(each) for each in verification.report().findings] == [
        "the end: the last line is missing: the export was cut off",
        "checkpoint 4: the row after it, which told of it, is missing: the log was cut off",
    ]


async def test_a_verification_begins_anew_when_retention_overtakes_it(
    written: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = written.read

    async def read_and_prune(work: Callable[[Connection], Any]) -> Any:
        nonlocal reads
        answer = await read(work)
        reads += 1
        if reads == 1:
            await written.together(lambda connection: prune(connection, 4))
        return answer

    monkeypatch.setattr(written, "read", read_and_prune)
    report = await verified(written)
    assert (report.findings, report.first) == ((), 5)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        *[
            (
                f"UPDATE audit SET {change} WHERE sequence = 7",
                "row 7: was changed: its hash does not cover what it says",
            )
            for change in (
                "at = at + 1",
                "actor = 'x'",
                "action = 'x.x'",
                "subject = 'x'",
                "details = '{\"n\":9}'",
                f"previous_hash = '{OTHER}'",
                f"hash = '{OTHER}'",
            )
        ],
        ("UPDATE audit SET details = '{ }' WHERE sequence = 7", "row 7: its details is of the wrong kind"),
        ("UPDATE audit SET details = '{' WHERE sequence = 7", "row 7: its details is of the wrong kind"),
        ("DELETE FROM audit WHERE sequence = 7", "row 8: row 7 is missing before it"),
        ("DELETE FROM audit WHERE sequence BETWEEN 6 AND 13", "row 14: rows 6 to 13 are missing before it"),
        (
            "DELETE FROM audit WHERE sequence >= 10",
            "checkpoint 9: the row after it, which told of it, is missing",
        ),
        ("DELETE FROM audit WHERE sequence >= 8", "checkpoint 9: its row is missing: it comes after row 7"),
        ("DELETE FROM audit", "checkpoint 4: its row is missing: it comes after the beginning"),
        ("DELETE FROM checkpoints WHERE sequence = 9", "row 10: tells of checkpoint 9, which is missing"),
        (
            f"UPDATE checkpoints SET hash = '{OTHER}'",
            "checkpoint 4: has another hash than row 4: the log was rewritten",
        ),
        ("UPDATE checkpoints SET made_at = 1", "checkpoint 4: is not what row 5, after it, tells of it"),
        (
            "UPDATE checkpoints SET is_pruned = true",
            "checkpoint 9: the log begins after it, and no row says why",
        ),
        ("UPDATE checkpoints SET time_stamp = 'AAAA'", "checkpoint 4: its time stamp is over something else"),
    ],
)
async def test_what_was_tampered_with_is_found(written: Store, statement: str, words: str) -> None:
    await written.together(take_triggers_away)
    await written.together(lambda connection: connection.exec_driver_sql(statement))
    told = [str(finding) for finding in (await verified(written)).findings]
    assert any(each.startswith(words) for each in told), told


def take_triggers_away(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        for table in ("audit", "checkpoints"):
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return
    for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET sequence = -1 WHERE sequence = 15",
        "UPDATE audit SET sequence = x'00ff' WHERE sequence = 7",
        "UPDATE checkpoints SET sequence = x'00ff' WHERE sequence = 4",
        "UPDATE checkpoints SET is_pruned = 2 WHERE sequence = 4",
    ],
)
async def test_what_sqlite_holds_of_another_kind_is_a_finding(written: Store, change: str) -> None:
    def tamper(connection: Connection) -> None:
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql(change)

    await written.together(tamper)
    assert not (await verified(written)).is_proven
