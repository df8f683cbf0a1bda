"""Group commit: what waits is written at once, and each is answered for itself."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError

from host_tools.service import group_commit
from host_tools.service.group_commit import GroupCommit
from host_tools.service.messages import Refused
from host_tools.service.records import Ledger, Records
from tests.host.service.conftest import Centre
from tests.host.service.test_records import TRACE


@pytest.fixture
async def records(centre: Centre) -> AsyncIterator[Records]:
    records = Records(centre.settings().database)
    records.prepare()
    yield records
    records.close()


@pytest.fixture
async def writer(records: Records) -> AsyncIterator[GroupCommit]:
    writer = GroupCommit(records)
    yield writer
    await writer.close()


def adding(number: int) -> Callable[[Ledger], int]:
    """Adds the trace of this number, and answers it."""

    def add(ledger: Ledger) -> int:
        ledger.add_trace(
            replace(TRACE, request_id=f"{number:032}", call_id=f"{number:016}", trace_id=f"T-{number:08}")
        )
        return number

    return add


def commits(records: Records) -> list[None]:
    """Grows by one with every commit."""
    seen: list[None] = []
    event.listen(records._engine, "commit", lambda _: seen.append(None))
    return seen


async def test_what_waits_is_one_transaction(centre: Centre, records: Records, writer: GroupCommit) -> None:
    seen = commits(records)
    answers = await asyncio.gather(*(writer.write(adding(number)) for number in range(100)))
    assert answers == list(range(100))
    assert len(centre.rows()) == 100
    assert len(seen) == 1


async def test_what_comes_meanwhile_is_the_next(
    centre: Centre, records: Records, writer: GroupCommit
) -> None:
    seen = commits(records)
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Ledger) -> None:
        begun.set()
        assert go_on.wait(10)

    first = asyncio.create_task(writer.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    others = [asyncio.create_task(writer.write(adding(number))) for number in range(3)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *others)
    assert len(seen) == 2
    assert len(centre.rows()) == 3


async def test_at_most_so_many_at_once(
    centre: Centre, records: Records, writer: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MOST_AT_ONCE", 10)
    seen = commits(records)
    await asyncio.gather(*(writer.write(adding(number)) for number in range(25)))
    assert len(seen) == 3
    assert len(centre.rows()) == 25


async def test_one_that_fails_is_undone_alone(centre: Centre, writer: GroupCommit) -> None:
    def add_and_fail(ledger: Ledger) -> None:
        adding(99)(ledger)
        raise KeyError("this one")

    outcomes = await asyncio.gather(
        writer.write(adding(1)),
        writer.write(add_and_fail),
        writer.write(adding(1)),
        writer.write(adding(2)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [int, KeyError, IntegrityError, int]
    assert [row["trace_id"] for row in centre.rows()] == ["T-00000001", "T-00000002"]


async def test_when_the_database_fails_nothing_is_written(centre: Centre, writer: GroupCommit) -> None:
    def lose_the_disk(_: Ledger) -> None:
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

    outcomes = await asyncio.gather(
        writer.write(adding(1)), writer.write(lose_the_disk), writer.write(adding(2)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 3
    assert centre.rows() == []
    assert await writer.write(adding(1)) == 1


async def test_a_locked_database_fails_everything_that_waits(centre: Centre, writer: GroupCommit) -> None:
    other = sqlite3.connect(centre.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(writer.write(adding(n)) for n in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 3
    other.close()
    assert await writer.write(adding(1)) == 1


async def test_too_much_that_waits_is_refused(writer: GroupCommit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST_WAITING", 2)
    outcomes = await asyncio.gather(*(writer.write(adding(n)) for n in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, int, Refused]


async def test_who_has_gone_leaves_its_work(centre: Centre, writer: GroupCommit) -> None:
    gone = asyncio.create_task(writer.write(adding(1)))
    await asyncio.sleep(0)
    gone.cancel()
    assert await writer.write(adding(2)) == 2
    assert len(centre.rows()) == 2


async def test_closing_writes_what_waits(centre: Centre, records: Records) -> None:
    writer = GroupCommit(records)
    waiting = asyncio.create_task(writer.write(adding(1)))
    await asyncio.sleep(0)
    await writer.close()
    assert await waiting == 1
    assert len(centre.rows()) == 1
