"""Health: what lives, what is ready, and what says so before it stops."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx

from host_tools.service.api import create_app
from host_tools.service.sealing import new_key_pair
from tests.host.service.conftest import NO_ROOTS, Adapter, Centre, Service, new_request, post

Serve = Callable[..., Service]


def ready(address: str) -> tuple[int, dict[str, object]]:
    answer = httpx.get(f"{address}/health/ready", verify=NO_ROOTS, timeout=30)
    return answer.status_code, answer.json()


def test_health_has_what_was_refused(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    assert httpx.get(f"{address}/health", verify=NO_ROOTS).json() == {"status": "ok", "refusals": {}}
    post(address, b"nothing signed")
    assert httpx.get(f"{address}/health", verify=NO_ROOTS).json() == {
        "status": "ok",
        "refusals": {"malformed": 1},
    }


def test_it_lives_and_is_ready(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    (centre.folder / "subscribers.csv").write_text("number,name,address\n")
    records = {
        "call_records": centre.call_records((0, "5555550123")),
        "subscribers": f"{centre.folder}/subscribers.csv",
    }
    address = serve(centre.settings(**records))
    assert httpx.get(f"{address}/health/live", verify=NO_ROOTS).status_code == 204
    assert ready(address) == (200, {"status": "ready", "lacks": []})


def test_it_is_not_ready_without_what_a_trace_needs(centre: Centre, serve: Serve, tmp_path: Path) -> None:
    subscribers = tmp_path / "subscribers.csv"
    address = serve(centre.settings(call_records="sqlite:////no/cdr.sqlite", subscribers=str(subscribers)))
    assert ready(address) == (503, {"status": "not_ready", "lacks": ["call_records", "directory"]})
    subscribers.write_text("number,name,address\n")
    assert ready(address) == (503, {"status": "not_ready", "lacks": ["call_records"]})
    assert httpx.get(f"{address}/health", verify=NO_ROOTS).status_code == 200
    assert httpx.get(f"{address}/health/live", verify=NO_ROOTS).status_code == 204


def test_one_record_that_nobody_can_read_is_no_reason(centre: Centre, serve: Serve) -> None:
    url = centre.call_records((0, "5555550123"))
    with closing(sqlite3.connect(centre.folder / "cdr.sqlite")) as connection:
        connection.execute("UPDATE cdr SET calldate = 'yesterday'")
        connection.commit()
    assert ready(serve(centre.settings(call_records=url))) == (200, {"status": "ready", "lacks": []})


async def test_it_is_not_ready_without_its_store(empty_database_url: str, tmp_path: Path) -> None:
    app = create_app(Centre(*new_key_pair(), tmp_path, empty_database_url).settings())
    transport = httpx.ASGITransport(app)
    # Before its start there is no table yet, as when somebody has dropped them.
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"status": "not_ready", "lacks": ["store"]})
        assert (await client.get("/health/live")).status_code == 204
    async with app.router.lifespan_context(app):
        pass


async def test_who_is_told_to_stop_is_ready_for_nothing_new(centre: Centre) -> None:
    app = create_app(centre.settings())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service.test") as client,
    ):
        assert (await client.get("/health/ready")).status_code == 200
        app.state.life.is_stopping = True
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"status": "stopping", "lacks": []})
        assert (await client.get("/health")).status_code == 200  # what comes is still served


def test_asking_stores_nothing(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    adapter.ask(address, new_request())
    before = centre.rows()
    for path in ("/health", "/health/live", "/health/ready", "/metrics"):
        assert httpx.get(f"{address}{path}", verify=NO_ROOTS).is_success
    assert centre.rows() == before
