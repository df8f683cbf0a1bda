"""Tracing: many look in the call records at once, and what is wrong with those of one, or with all."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from tests.host.service.conftest import CALLED_AT, Adapter, Centre, Service, new_request

Serve = Callable[..., Service]
ASKING = 20


def line(number: int) -> str:
    return f"55555502{number:02}"


async def replies(centre: Centre, address: str, adapters: list[Adapter]) -> list[int]:
    """The status of the reply to a request of each adapter, for a line of its own."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        tokens = [
            adapter.token(new_request(adapter_id=adapter.adapter_id, line=line(number)))
            for number, adapter in enumerate(adapters)
        ]
        asked = [client.post("/v1/messages", content=token) for token in tokens]
        return [response.status_code for response in await asyncio.gather(*asked)]


def write_calls(centre: Centre, *extra: tuple[str, str, str, str]) -> str:
    """A cdr table with a call to each line, and these rows besides: (calldate, src, dst, linkedid); its URL."""
    path = centre.folder / "cdr.sqlite"
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(CALLED_AT))
    calls = [(at, "5555550123", line(number), f"call-{number}") for number in range(ASKING)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE cdr (calldate TEXT, src TEXT, dst TEXT, linkedid TEXT)")
        connection.executemany("INSERT INTO cdr VALUES (?, ?, ?, ?)", [*calls, *extra])
    return f"sqlite:///{path}"


async def test_one_whose_records_nobody_can_read_stops_none_beside_it(centre: Centre, serve: Serve) -> None:
    records = write_calls(centre, ("yesterday", "5555550123", "5555550199", "call-7"))
    address = serve(centre.settings(call_records=records))
    adapters = [centre.add_adapter(f"adapter-{number}") for number in range(ASKING)]
    statuses = await replies(centre, address, adapters)
    assert statuses == [503 if number == 7 else 200 for number in range(ASKING)]


async def test_call_records_that_are_locked_are_not_asked_for_each_anew(centre: Centre, serve: Serve) -> None:
    """Who waits is told to ask again within the time of a few questions, and not of all."""
    records = write_calls(centre)
    address = serve(centre.settings(call_records=records))
    adapters = [centre.add_adapter(f"adapter-{number}") for number in range(ASKING)]
    with closing(sqlite3.connect(centre.folder / "cdr.sqlite", isolation_level=None)) as exchange:
        exchange.execute("BEGIN EXCLUSIVE")
        began_s = time.monotonic()
        assert await replies(centre, address, adapters) == [503] * ASKING
        assert time.monotonic() - began_s < 10
    assert await replies(centre, address, adapters) == [200] * ASKING


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_time_that_is_none_is_of_its_call_alone(
    centre: Centre, serve: Serve, postgresql_url: str
) -> None:
    """In PostgreSQL the whole query fails of it."""
    dsn = make_url(postgresql_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE cdr (calldate timestamp, src text, dst text, linkedid text)")
        await connection.execute(
            "INSERT INTO cdr SELECT to_timestamp($1) AT TIME ZONE 'UTC', '5555550123', "
            "'55555502' || lpad(n::text, 2, '0'), 'call-' || n FROM generate_series(0, $2::int - 1) AS n",
            CALLED_AT,
            ASKING,
        )
        await connection.execute("INSERT INTO cdr VALUES ('infinity', '1', '2', 'call-7')")
    finally:
        await connection.close()
    address = serve(centre.settings(call_records=postgresql_url))
    adapters = [centre.add_adapter(f"adapter-{number}") for number in range(ASKING)]
    statuses = await replies(centre, address, adapters)
    assert statuses == [503 if number == 7 else 200 for number in range(ASKING)]
