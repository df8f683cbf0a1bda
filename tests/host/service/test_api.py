"""The service over real HTTP: one answer a request, for ever, and nobody sees the caller."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from host_tools.service import api
from host_tools.service.sealing import open_sealed
from tests.host.service.conftest import CALLED_AT, LINE, Centre, new_request
from tests.host.service.vectors import VECTORS, body_of

Serve = Callable[..., str]


def post(address: str, request: dict[str, Any] | bytes) -> httpx.Response:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return httpx.post(f"{address}/v1/traces", content=body)


def answer(address: str, request: dict[str, Any]) -> dict[str, Any]:
    response = post(address, request)
    assert response.status_code == 200
    answered: dict[str, Any] = response.json()
    assert answered.pop("message") == "trace_answer"
    assert answered.pop("version") == 1
    assert answered.pop("request_id") == request["request_id"]
    return answered


def traced(number: int) -> dict[str, Any]:
    return {"outcome": "traced", "trace_id": f"T-{number:08}", "charge_cents": 500}


def refusal(response: httpx.Response) -> tuple[int, dict[str, str]]:
    return response.status_code, response.json()


def refused(reason: str, status: int) -> tuple[int, dict[str, str]]:
    return status, {"message": "refusal", "reason": reason}


NOT_TRACEABLE = {"outcome": "not_traceable", "trace_id": None, "charge_cents": 0}


def test_calls_are_traced_one_after_another(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    assert [answer(address, new_request()) for _ in range(3)] == [traced(1), traced(2), traced(3)]


def test_the_same_call_is_traced_once(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    first, again = new_request(), new_request()
    again["call"] = first["call"]
    assert answer(address, first) == traced(1)
    for _ in range(2):
        assert answer(address, again) == {**traced(1), "outcome": "already_traced", "charge_cents": 0}
    assert answer(address, {**new_request(), "call": first["call"], "line": "5555550101"}) == traced(2)
    assert answer(address, first) == traced(1)


def test_the_price_is_the_operators(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings(price_cents=1000))
    assert answer(address, new_request())["charge_cents"] == 1000


def test_a_line_without_call_trace(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings(lines_offered="5555550101"))
    assert answer(address, new_request()) == {**NOT_TRACEABLE, "outcome": "not_offered"}
    assert answer(address, new_request(line="5555550101")) == traced(1)


def test_an_adapter_that_is_not_known(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings(adapters="adapter-2,adapter-3"))
    assert refusal(post(address, new_request())) == refused("unknown_adapter", 403)
    assert centre.rows() == []
    assert answer(address, new_request(adapter_id="adapter-3")) == traced(1)


@pytest.mark.parametrize(
    ("calls", "fields", "outcome", "origin"),
    [
        ([(0, "5555550123")], {"caller": None}, "traced", "5555550123"),
        ([(9, "5555550123"), (20, "5555550199")], {}, "traced", "5555550123"),
        ([(0, "")], {"caller": None}, "not_traceable", None),
        ([(0, "5555550123"), (5, "5555550199")], {}, "not_traceable", None),
        ([(11, "5555550123")], {}, "not_traceable", None),
        ([(59, "5555550123")], {"time_source": "caller_id"}, "traced", "5555550123"),
        ([], {}, "not_traceable", None),
        (
            [(-90, "5555550199"), (1, "5555550123")],
            {"time_source": "none", "at": 7, "requested_at": 67},
            "traced",
            "5555550123",
        ),
        (
            [(0, "5555550123"), (50, "")],
            {"time_source": "none", "at": 7, "requested_at": 67},
            "not_traceable",
            None,
        ),
        ([(0, "5555550123")], {"time_source": "none", "at": 7, "requested_at": 6}, "not_traceable", None),
    ],
)
def test_the_origin_is_found_in_the_call_records(
    centre: Centre,
    serve: Serve,
    calls: list[tuple[int, str]],
    fields: dict[str, Any],
    outcome: str,
    origin: str | None,
) -> None:
    address = serve(centre.settings(call_records=centre.call_records(*calls)))
    assert answer(address, new_request(**fields))["outcome"] == outcome
    (row,) = centre.rows()
    assert open_sealed(row["sealed"], centre.private_key).origin == origin


async def test_a_request_repeated_is_answered_byte_for_byte(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    requests = [json.dumps(new_request()).encode() for _ in range(10)]
    async with httpx.AsyncClient(base_url=address) as client:
        # Each 4 times at once, then once more.
        at_once = await asyncio.gather(*(client.post("/v1/traces", content=body) for body in requests * 4))
        later = [await client.post("/v1/traces", content=body) for body in requests]
    answers = [response.content for response in at_once]
    assert answers[:10] * 4 == answers
    assert answers[:10] == [response.content for response in later]
    rows = centre.rows()
    assert sorted(row["trace_id"] for row in rows) == [f"T-{n:08}" for n in range(1, 11)]


async def test_one_call_asked_for_at_once_is_traced_once(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    call = new_request()["call"]
    requests = [{**new_request(), "call": call} for _ in range(8)]
    async with httpx.AsyncClient(base_url=address) as client:
        responses = await asyncio.gather(*(client.post("/v1/traces", json=request) for request in requests))
    outcomes = sorted(response.json()["outcome"] for response in responses)
    assert outcomes == ["already_traced"] * 7 + ["traced"]
    assert {response.json()["trace_id"] for response in responses} == {"T-00000001"}


def test_answers_and_numbers_outlive_a_restart(centre: Centre, serve: Serve) -> None:
    request = new_request()
    before = post(serve(centre.settings()), request).content
    address = serve(centre.settings(price_cents=100, lines_offered=""))
    assert post(address, request).content == before
    assert answer(serve(centre.settings()), new_request()) == traced(2)


def test_valid_vectors_are_accepted_and_kept_byte_for_byte(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    # The vectors are one request in many forms: here each is a request of its own.
    bodies = [
        body_of(vector).replace(b"00112233445566778899aabbccddeeff", b"%032x" % n)
        for n, vector in enumerate(VECTORS["requests"]["valid"], 1)
    ]
    with httpx.Client(base_url=address) as client:
        for body in bodies:
            response = client.post("/v1/traces", content=body)
            assert response.status_code == 200
            assert response.headers["content-type"] == "application/json"
    sealed = [open_sealed(row["sealed"], centre.private_key) for row in centre.rows()]
    assert [who_called.request for who_called in sealed] == bodies


def test_invalid_vectors_are_refused_and_nothing_is_stored(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    with httpx.Client(base_url=address) as client:
        for vector in VECTORS["requests"]["invalid"]:
            response = client.post("/v1/traces", content=body_of(vector))
            assert refusal(response) == refused(vector["reason"], vector["status"]), vector["name"]
    assert centre.rows() == []


def test_a_body_without_length_is_read_no_further_than_the_limit(centre: Centre, serve: Serve) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100_000):
            sent += 1024
            yield b" " * 1024

    try:
        response = httpx.post(f"{serve(centre.settings())}/v1/traces", content=endless())
    except httpx.NetworkError:
        pass  # the service has hung up, while the client was still sending
    else:
        assert refusal(response) == refused("too_large", 413)
    assert sent < 20_000_000


def test_a_body_without_length_at_the_limit(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    for size, status in ((2048, 200), (2049, 413)):
        body = json.dumps(new_request()).encode().ljust(size)
        parts = iter([body[:100], body[100:]])
        assert httpx.post(f"{address}/v1/traces", content=parts).status_code == status


def test_half_a_body_is_not_settled(centre: Centre, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BODY_WITHIN_S", 0.2)
    address = serve(centre.settings())
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 5) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        reply = connection.recv(4096)
    assert reply.startswith(b"HTTP/1.1 503 ")
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 5) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert answer(address, new_request()) == traced(1)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/traces", 405), ("POST", "/v1/trace", 404), ("GET", "/", 404)]
)
def test_another_path_or_method_settles_nothing(
    centre: Centre, serve: Serve, method: str, path: str, status: int
) -> None:
    response = httpx.request(method, serve(centre.settings()) + path)
    assert refusal(response) == refused("unavailable", status)


def test_a_locked_database_is_unavailable_and_nothing_is_lost(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    request = new_request()
    other = sqlite3.connect(centre.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert refusal(post(address, request)) == refused("unavailable", 503)
    assert httpx.get(f"{address}/health").status_code == 200
    other.execute("ROLLBACK")
    other.close()
    assert centre.rows() == []
    assert answer(address, request) == traced(1)


def test_call_records_that_cannot_be_read_are_unavailable(centre: Centre, serve: Serve) -> None:
    path = centre.folder / "cdr.sqlite"
    address = serve(centre.settings(call_records=f"sqlite:///{path}"))
    request = new_request()
    assert refusal(post(address, request)) == refused("unavailable", 503)
    assert not path.exists()
    centre.call_records((0, "5555550123"))
    assert answer(address, request) == traced(1)


def test_health_is_that_of_the_database(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    assert refusal(httpx.get(f"{address}/health")) == (200, {"status": "ok"})
    connection = sqlite3.connect(centre.database)
    connection.execute("DROP TABLE traces")
    connection.close()
    assert refusal(httpx.get(f"{address}/health")) == refused("unavailable", 503)
    assert refusal(post(address, new_request())) == refused("unavailable", 503)


def test_a_fault_is_unavailable_and_repeats_nothing(
    centre: Centre, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(api, "decide", broken)
    assert refusal(post(serve(centre.settings()), new_request())) == refused("unavailable", 500)
    assert centre.rows() == []


def test_who_called_is_nowhere_in_clear(
    centre: Centre, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = serve(centre.settings(call_records=centre.call_records((0, "5555550187"))))
    accepted = new_request()
    replies = [post(address, accepted), post(address, accepted)]
    replies.append(post(address, {**new_request(), "call": accepted["call"]}))
    wrong = new_request()
    wrong["call"]["caller_id"]["name"] = 1
    replies.append(post(address, wrong))
    other = sqlite3.connect(centre.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    replies.append(post(address, new_request()))
    other.close()
    assert [reply.status_code for reply in replies] == [200, 200, 200, 400, 503]

    stored = [path.read_bytes() for path in centre.folder.glob("star57.sqlite*")]
    assert any(accepted["request_id"].encode() in content for content in stored)
    logged = "\n".join(f"{record.getMessage()}\n{record.exc_text or ''}" for record in caplog.records)
    assert accepted["request_id"] in logged
    seen = [*stored, logged.encode(), *(reply.content for reply in replies)]
    for secret in (b"5555550187", b"5555550123", b"JANE DOE"):
        assert not any(secret in content for content in seen)
    in_use = "\n".join(record.getMessage() for record in caplog.records if record.levelno >= logging.INFO)
    assert LINE not in in_use

    who_called = open_sealed(centre.rows()[0]["sealed"], centre.private_key)
    assert who_called.origin == "5555550187"
    assert who_called.presented is not None
    assert who_called.presented.number == "5555550123"
    assert who_called.request == json.dumps(accepted).encode()


def test_a_row_tells_what_happened_and_when(centre: Centre, serve: Serve) -> None:
    request = new_request(caller=None, time_source="none")
    address = serve(centre.settings(), lambda: CALLED_AT + 61.9)
    assert answer(address, request) == NOT_TRACEABLE
    row = dict(centre.rows()[0])
    assert open_sealed(row.pop("sealed"), centre.private_key).origin is None
    assert row == {
        "request_id": request["request_id"],
        "line": LINE,
        "call_id": request["call"]["call_id"],
        "adapter_id": "adapter-1",
        "requested_at": CALLED_AT + 60,
        "received_at": CALLED_AT + 61,
        "outcome": "not_traceable",
        "reason": "origin_unknown",
        "trace_id": None,
        "charge_cents": 0,
    }
