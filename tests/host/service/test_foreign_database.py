"""Databases of others: read at once, never written, and read again after whatever happened to them."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from host_tools.service.foreign_database import ForeignDatabaseUnreadable, open_foreign_database
from tests.host.postgresql import PostgreSQL, binaries

_READS = "SELECT 57"


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mine (column_1 integer)", "SELECT * FROM nothing", "not SQL"]
)
async def test_it_is_never_written_and_a_wrong_statement_is_an_error(
    empty_database_url: str, statement: str
) -> None:
    _make_sqlite(empty_database_url)
    database = open_foreign_database(empty_database_url)
    for _ in range(2):
        with pytest.raises(ForeignDatabaseUnreadable):
            await database.rows(statement)
        assert [tuple(row) for row in await database.rows(_READS)] == [(57,)]
    assert await database.columns("mine") == {}
    assert await database.indexed("mine") == set()
    await database.close()


async def test_many_may_ask_at_once(empty_database_url: str) -> None:
    _make_sqlite(empty_database_url)
    database = open_foreign_database(empty_database_url, connections=2)
    answers = await asyncio.gather(*(database.rows(f"SELECT {number}") for number in range(50)))
    assert [answer[0][0] for answer in answers] == list(range(50))
    await database.close()


async def test_a_locked_file_is_an_error_after_a_second(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cdr.sqlite'}"
    _make_sqlite(url)
    database = open_foreign_database(url)
    with closing(sqlite3.connect(tmp_path / "cdr.sqlite", isolation_level=None)) as owner:
        owner.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ForeignDatabaseUnreadable, match="locked"):
            await database.rows("SELECT * FROM sqlite_master")
        owner.execute("ROLLBACK")
        assert await database.rows("SELECT * FROM sqlite_master") == []
    await database.close()


@pytest.mark.skipif(binaries() is None, reason="there is no PostgreSQL here")
async def test_a_server_that_comes_back_is_read_again() -> None:
    with PostgreSQL() as server:
        database = open_foreign_database(server.url(server.create_database()))
        assert len(await database.rows(_READS)) == 1
        server.kill()
        with pytest.raises(ForeignDatabaseUnreadable):
            await database.rows(_READS)
        server.start()
        assert len(await database.rows(_READS)) == 1
        await database.close()


def _make_sqlite(url: str) -> None:
    path = url.removeprefix("sqlite:///")
    if path != url:
        sqlite3.connect(path).close()
        Path(path).touch()
