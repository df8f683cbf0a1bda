"""The tests' own PostgreSQL: each test has a database to itself, and what was committed is there after a crash."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, insert, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from host_tools.service import migrations
from host_tools.service.store import Store
from host_tools.service.tables import AREAS
from tests.host.postgresql import USER, PostgreSQL, PostgreSQLFailed, binaries

needs_postgresql = pytest.mark.skipif(
    binaries() is None, reason="there is no PostgreSQL here: apt install postgresql"
)


@pytest.fixture
def own_server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


def run_sync(url: str, statement: str) -> list[object]:
    """The first column of what the statement answers, on SQLite; committed."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            return first_column(connection, statement)
    finally:
        engine.dispose()


async def run(url: str, statement: str) -> list[object]:
    """The first column of what the statement answers; committed."""
    if url.startswith("sqlite"):
        return run_sync(url, statement)
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(first_column, statement)
    finally:
        await engine.dispose()


def first_column(connection: Connection, statement: str) -> list[object]:
    result = connection.execute(text(statement))
    return list(result.scalars()) if result.returns_rows else []


@pytest.mark.parametrize("time", ["first", "second"])
async def test_each_test_has_an_empty_database(empty_database_url: str, time: str) -> None:
    # This fails when the table is there from the other time.
    await run(empty_database_url, "CREATE TABLE calls (line VARCHAR(15))")
    await run(empty_database_url, "INSERT INTO calls VALUES ('5555550123')")
    assert await run(empty_database_url, "SELECT line FROM calls") == ["5555550123"]


def test_both_kinds_are_run(empty_database_url: str, request: pytest.FixtureRequest) -> None:
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+asyncpg"}
    kind = request.node.callspec.params["empty_database_url"]
    assert make_url(empty_database_url).drivername == drivers[kind]


@pytest.mark.parametrize("time", ["first", "second"])
async def test_a_prepared_database_is_as_the_service_makes_it(database_url: str, time: str) -> None:
    store = Store(database_url)
    try:
        assert await store.read(migrations.is_current)
        assert await store.read(lambda connection: connection.execute(select(AREAS)).all()) == []
        area = {"prefix": "555", "name": "Area", "is_offered": True}
        await store.write(lambda connection: connection.execute(insert(AREAS).values(area)))
    finally:
        await store.close()


async def test_commits_wait_for_the_disk(postgresql_url: str) -> None:
    for setting in ("synchronous_commit", "full_page_writes"):
        assert await run(postgresql_url, f"SHOW {setting}") == ["on"]
    assert await run(postgresql_url, "SHOW fsync") == ["off"]  # of the shared one


async def test_the_service_is_no_superuser(postgresql_url: str) -> None:
    assert await run(postgresql_url, "SELECT current_user") == [USER]
    assert await run(postgresql_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [False]


async def test_a_wrong_password_is_refused(postgresql_url: str) -> None:
    wrong = make_url(postgresql_url).set(password="wrong").render_as_string(hide_password=False)  # noqa: S106
    with pytest.raises(Exception, match="password authentication failed"):
        await run(wrong, "SELECT 1")


async def test_a_database_is_dropped_with_whoever_is_connected(postgresql: PostgreSQL) -> None:
    name = postgresql.create_database()
    engine = create_async_engine(postgresql.url(name))
    async with engine.connect() as connection:
        assert await connection.run_sync(first_column, "SELECT 1") == [1]
        postgresql.drop_database(name)
        with pytest.raises(SQLAlchemyError):
            await connection.run_sync(first_column, "SELECT 1")
    await engine.dispose()


@needs_postgresql
async def test_what_was_committed_survives_a_crash(own_server: PostgreSQL) -> None:
    url = own_server.url(own_server.create_database())
    await run(url, "CREATE TABLE calls (line VARCHAR(15))")
    await run(url, "INSERT INTO calls VALUES ('5555550123')")
    own_server.kill()
    with pytest.raises(OSError, match="Connect"):
        await run(url, "SELECT 1")
    own_server.start()
    assert await run(url, "SELECT line FROM calls") == ["5555550123"]


def test_its_programs_know_the_server(postgresql: PostgreSQL) -> None:
    listed = subprocess.run(
        [postgresql.binaries / "psql", "--list", "--tuples-only", "--no-align"],
        env={**os.environ, **postgresql.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "template1|postgres" in listed.stdout


def test_why_it_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.host.postgresql.binaries", lambda: None)
    with pytest.raises(PostgreSQLFailed, match="apt install postgresql"):
        PostgreSQL()
