"""Whose number it is, from a table or a CSV; what cannot be read never stops a trace."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from host_tools.service.directory import (
    READ_WITHIN_S,
    Directory,
    DirectoryUnreadable,
    Subscriber,
    open_directory,
)

JANE = Subscriber("5555550123", "JANE DOE", "57 MAIN STREET, ANYTOWN")
JOHN = Subscriber("+15555550144", "JOHN DOE", "")
BERLIN = Subscriber("+493012345678", 'M. "MAX" MÜLLER', "MUSTERSTRASSE 1\nBERLIN")
SUBSCRIBERS = (JANE, JOHN, BERLIN)
_MAKE = "CREATE TABLE subscribers (number varchar(20) PRIMARY KEY, name varchar(80), address varchar(200))"
_ROWS = [(each.number, each.name, each.address or None) for each in SUBSCRIBERS]


def make_sqlite(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_MAKE)
        connection.executemany("INSERT INTO subscribers VALUES (?, ?, ?)", _ROWS)
    return f"sqlite:///{path}"


def make_csv(path: Path) -> str:
    path.write_text(
        "address,number,name,since\n"
        '"57 MAIN STREET, ANYTOWN",5555550123,JANE DOE,2001\n'
        ",+15555550144,JOHN DOE,2002\n"
        '"MUSTERSTRASSE 1\nBERLIN",+493012345678,"M. ""MAX"" MÜLLER",2003\n',
        encoding="utf-8",
    )
    return str(path)


async def make_postgresql(url: str) -> None:
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    await connection.execute(_MAKE)
    await connection.executemany("INSERT INTO subscribers VALUES ($1, $2, $3)", _ROWS)
    await connection.close()


@pytest.fixture(params=["sqlite", "csv", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return make_sqlite(tmp_path / "subscribers.sqlite")
    if request.param == "csv":
        return make_csv(tmp_path / "subscribers.csv")
    at: str = request.getfixturevalue("postgresql_url")
    await make_postgresql(at)
    return at


@pytest.mark.parametrize(
    ("number", "subscriber"),
    [
        ("5555550123", JANE),
        ("15555550123", JANE),
        ("+15555550123", JANE),
        ("5555550144", JOHN),
        ("+15555550144", JOHN),
        ("+493012345678", BERLIN),
        ("493012345678", BERLIN),
        ("5555550199", None),
        ("anonymous", None),
        ("", None),
        ("' OR ''='", None),
        ("%", None),
    ],
)
async def test_a_subscriber_is_found_by_each_form_of_the_number(
    url: str, number: str, subscriber: Subscriber | None
) -> None:
    directory = open_directory(url)
    assert await directory.find(number) == subscriber
    await directory.check()
    assert directory.failures == 0
    await directory.close()


async def test_many_are_found_at_once(url: str) -> None:
    directory = open_directory(url)
    assert await directory.find_many(["5555550123", "+15555550144", "5555550199"]) == {
        "5555550123": JANE,
        "+15555550144": JOHN,
    }
    assert await directory.find_many([]) == {}
    await directory.close()


async def test_a_csv_that_was_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.csv"
    directory = open_directory(make_csv(path))
    assert await directory.find(JANE.number) == JANE
    path.write_text("\ufeffnumber,name,address\n5555550123,JANE ROE,ELSEWHERE\n", encoding="utf-8")
    assert await directory.find(JANE.number) == Subscriber(JANE.number, "JANE ROE", "ELSEWHERE")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"number,name\n5555550123,JANE DOE\n",
        b"number;name;address\n",
        b'number,name,address\n5555550123,"JANE\n',
        b"number,name,address\n5555550123,\xff,\n",
        b"\x00" * 100,
    ],
)
async def test_a_csv_that_is_none_is_told_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = tmp_path / "subscribers.csv"
    path.write_bytes(content)
    await _is_told_and_counted(open_directory(str(path)), caplog)


@pytest.mark.parametrize(
    "where",
    [
        "sqlite:////nowhere/subscribers.sqlite",
        "/nowhere.csv",
        "postgresql+asyncpg://star57@127.0.0.1:1/nobody",
    ],
)
async def test_a_directory_that_is_not_there_is_told_and_counted(
    caplog: pytest.LogCaptureFixture, where: str
) -> None:
    await _is_told_and_counted(open_directory(where), caplog)


async def test_a_database_without_the_table_is_told_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "subscribers.sqlite"
    sqlite3.connect(path).close()
    path.touch()
    await _is_told_and_counted(open_directory(f"sqlite:///{path}"), caplog)


async def _is_told_and_counted(directory: Directory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert await directory.find(JANE.number) is None
    assert await directory.find_many([JANE.number, JOHN.number]) == {}
    assert directory.failures == 2
    with pytest.raises(DirectoryUnreadable):
        await directory.check()
    assert JANE.number not in caplog.text
    await directory.close()


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Meanwhile the operator has the table for himself."""
    if make_url(url).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as owner:
            owner.execute("BEGIN EXCLUSIVE")
            yield
        return
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE subscribers")
            yield
    finally:
        await connection.close()


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
async def test_a_table_that_is_locked_holds_nobody_up(url: str) -> None:
    """More traces look in it than it has connections: all wait no longer than one, and are captured without a name."""
    directory = open_directory(url)
    async with locked(url):
        began_s = time.monotonic()
        found = await asyncio.gather(*(directory.find(JANE.number) for _ in range(20)))
        assert time.monotonic() - began_s < 5 * READ_WITHIN_S
    assert found == [None] * 20
    assert directory.failures == 20
    assert await directory.find(JANE.number) == JANE
    await directory.close()
