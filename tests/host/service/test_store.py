"""The store: what it guarantees by itself, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from host_tools.service import postgresql
from host_tools.service.store import Store, run_once
from host_tools.service.tables import AREAS

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    await store.prepare()
    yield store
    await store.close()


@pytest.fixture
async def new_store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store whose file it has made itself."""
    store = Store(f"sqlite:///{tmp_path / 'star57.sqlite'}")
    await store.prepare()
    yield store
    await store.close()


def adding(prefix: int) -> Callable[[Connection], int]:
    """Adds the area of this prefix, and answers it."""

    def add(connection: Connection) -> int:
        connection.execute(insert(AREAS).values(prefix=str(prefix), name="An area", is_offered=True))
        return prefix

    return add


def prefixes(connection: Connection) -> list[int]:
    """The prefixes of the areas that there are."""
    return sorted(int(prefix) for prefix in connection.scalars(select(AREAS.c.prefix)))


async def test_what_is_written_is_read(store: Store, database_url: str) -> None:
    assert await store.write(adding(1)) == 1
    assert await store.write_audited(adding(2)) == 2
    assert await store.together(adding(3)) == 3
    assert await store.read(prefixes) == [1, 2, 3]
    assert await asyncio.to_thread(run_once, database_url, prefixes) == [1, 2, 3]


async def test_what_waits_is_one_transaction(store: Store) -> None:
    transactions: set[object] = set()

    def add(prefix: int) -> Callable[[Connection], int]:
        def work(connection: Connection) -> int:
            transactions.add(connection.get_transaction())
            return adding(prefix)(connection)

        return work

    assert await asyncio.gather(*(store.write(add(n)) for n in range(100))) == list(range(100))
    assert len(transactions) == 1
    assert await store.read(prefixes) == list(range(100))


@pytest.mark.parametrize("name", ["write", "write_audited"])
async def test_one_that_fails_is_undone_alone(store: Store, name: str) -> None:
    def add_and_fail(connection: Connection) -> None:
        adding(99)(connection)
        raise KeyError("this one")

    works = [adding(1), add_and_fail, adding(1), adding(2)]
    write = getattr(store, name)
    outcomes = await asyncio.gather(*map(write, works), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, KeyError, IntegrityError, int]
    assert await store.read(prefixes) == [1, 2]


async def test_an_exception_undoes_what_is_written_together(store: Store) -> None:
    def add_and_fail(connection: Connection) -> None:
        adding(1)(connection)
        raise KeyError

    with pytest.raises(KeyError):
        await store.together(add_and_fail)
    assert await store.read(prefixes) == []


async def test_when_the_database_fails_nothing_is_written(store: Store) -> None:
    def lose_the_disk(_: Connection) -> None:
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

    outcomes = await asyncio.gather(
        store.write(adding(1)), store.write(lose_the_disk), store.write(adding(2)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 3
    assert await store.read(prefixes) == []
    assert await store.write(adding(1)) == 1


async def test_stores_that_are_prepared_at_once_are_prepared_once(empty_database_url: str) -> None:
    stores = [Store(empty_database_url) for _ in range(4)]
    await asyncio.gather(*(store.prepare() for store in stores))
    for number, store in enumerate(stores):
        await store.write(adding(number))
    assert await stores[0].read(prefixes) == [0, 1, 2, 3]
    for store in stores:
        await store.check()
        await store.close()


async def test_who_writes_the_audit_log_is_alone(store: Store, database_url: str) -> None:
    """In another replica too: what it has read is still so when it writes."""
    other = Store(database_url)

    def add_next(connection: Connection) -> int:
        return adding(len(prefixes(connection)) + 1)(connection)

    writes = [store.write_audited, other.write_audited, store.together, other.together]
    added: list[int] = []
    for _ in range(10):
        added += await asyncio.gather(*(write(add_next) for write in writes))
    assert sorted(added) == list(range(1, 41))
    await other.close()


async def test_works_of_one_transaction_are_done_in_the_order_of_their_rows(store: Store) -> None:
    done: list[str] = []

    def noting(name: str) -> Callable[[Connection], str]:
        return lambda _: done.append(name) or name  # type: ignore[func-returns-value]

    names = ["b2", "a1", "c", "b1", "a2"]
    assert await asyncio.gather(*(store.write(noting(name), name[0]) for name in names)) == names
    assert done == ["a1", "a2", "b2", "b1", "c"]  # of one row as they came


@on_postgresql
async def test_replicas_that_change_the_same_rows_never_wait_in_a_circle(
    store: Store, database_url: str
) -> None:
    other = Store(database_url)
    await asyncio.gather(*(store.write(adding(n)) for n in (1, 2)))

    def changing(prefix: int) -> Callable[[Connection], int]:
        def change(connection: Connection) -> int:
            connection.execute(update(AREAS).where(AREAS.c.prefix == str(prefix)).values(name="Changed"))
            connection.exec_driver_sql("SELECT pg_sleep(0.2)")
            return prefix

        return change

    changes = [(store, 1), (store, 2), (other, 2), (other, 1)]
    answers = await asyncio.gather(*(of.write(changing(row), str(row)) for of, row in changes))
    assert answers == [1, 2, 2, 1]
    await other.close()


@on_postgresql
async def test_who_has_waited_sees_what_was_committed_whatever_the_servers_default(database_url: str) -> None:
    name = make_url(database_url).database

    def set_default(connection: Connection) -> None:
        connection.exec_driver_sql(
            f'ALTER DATABASE {name} SET default_transaction_isolation = "repeatable read"'
        )

    await asyncio.to_thread(run_once, database_url, set_default)
    stores = [Store(database_url) for _ in range(3)]

    def add_next(connection: Connection) -> int:
        return adding(len(prefixes(connection)) + 1)(connection)

    added: list[int] = []
    for _ in range(5):
        added += await asyncio.gather(*(store.write_audited(add_next) for store in stores))
    assert sorted(added) == list(range(1, 16))
    for store in stores:
        await store.close()


@on_postgresql
async def test_a_replica_that_freezes_does_not_keep_the_others_from_writing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_IDLE_WITHIN", "200ms")
    store = Store(database_url)
    await store.prepare()
    begun, goes_on = threading.Event(), threading.Event()

    def freeze(connection: Connection) -> int:
        begun.set()
        assert goes_on.wait(30)
        return adding(1)(connection)

    frozen = asyncio.create_task(asyncio.to_thread(run_once, database_url, freeze))
    await asyncio.to_thread(begun.wait, 10)
    assert await store.write_audited(adding(2)) == 2
    goes_on.set()
    with pytest.raises(DBAPIError):
        await frozen
    assert await store.read(prefixes) == [2]
    await store.close()


@on_postgresql
async def test_a_lost_server_is_an_error_and_comes_back(database_url: str) -> None:
    store = Store(make_url(database_url).set(port=1).render_as_string(hide_password=False))
    with pytest.raises((OSError, DBAPIError)):
        await store.read(prefixes)
    await store.close()


@on_postgresql
async def test_a_connection_that_was_cut_fails_once(store: Store, database_url: str) -> None:
    await store.write(adding(1))
    other = Store(database_url)
    await other.write(
        lambda connection: connection.exec_driver_sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )
    await other.close()
    with pytest.raises(DBAPIError):
        await store.write(adding(2))
    assert await store.write(adding(3)) == 3
    assert await store.read(prefixes) == [1, 3]


async def test_a_commit_is_on_the_disk(new_store: Store) -> None:
    def pragmas(connection: Connection) -> list[object]:
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]

    assert await new_store.write(pragmas) == ["wal", 2]  # 2: FULL


async def test_the_file_is_for_its_owner_alone(new_store: Store, tmp_path: Path) -> None:
    await new_store.write(adding(1))
    modes = [file.stat().st_mode for file in await asyncio.to_thread(_files, tmp_path)]
    assert [mode & 0o077 for mode in modes] == [0] * 3


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("star57.sqlite*"))


@on_sqlite
async def test_who_writes_waits_for_another_to_end(store: Store, database_url: str) -> None:
    path = make_url(database_url).database or ""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    ending = threading.Timer(0.2, other.execute, ["ROLLBACK"])
    ending.start()
    await store.write(adding(1))
    ending.join()
    other.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(store.write(adding(n)) for n in (2, 3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 2
    assert await store.read(prefixes) == [1]
    other.close()
    assert await store.write(adding(2)) == 2


@on_sqlite
async def test_who_reads_waits_for_nobody(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def add_slowly(connection: Connection) -> None:
        adding(1)(connection)
        begun.set()
        assert go_on.wait(10)

    writing = asyncio.create_task(store.write(add_slowly))
    await asyncio.to_thread(begun.wait, 10)
    assert await asyncio.wait_for(store.read(prefixes), 10) == []
    go_on.set()
    await writing
