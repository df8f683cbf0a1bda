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
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service import batching, door, signing, tracing
from host_tools.service.adapters import Adapters
from host_tools.service.messages import RefusalReason
from host_tools.service.orders import push_update
from host_tools.service.sealing import Seal, open_sealed
from host_tools.service.store import run_once
from host_tools.service.tables import TABLES
from tests.host.service.conftest import (
    CALLED_AT,
    LINE,
    Adapter,
    Centre,
    Reply,
    Service,
    new_heartbeat,
    new_request,
    post,
)
from tests.host.service.vectors import CALL_REPORT, HEARTBEAT, SIGNED, VECTORS, body_of, key_of

Serve = Callable[..., Service]


def answer(adapter: Adapter, address: str, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a trace request, without what every one of them has."""
    reply = adapter.ask(address, request)
    assert (reply.status, reply.is_signed) == (200, True)
    assert reply.message.pop("message") == "trace_answer"
    assert reply.message.pop("version") == 1
    assert reply.message.pop("request_id") == request["request_id"]
    return reply.message


def traced(number: int) -> dict[str, Any]:
    return {"outcome": "traced", "trace_id": f"T-{number:08}", "charge_cents": 500, "action_open": False}


def refused(reason: str, status: int, *, signed: bool = True, newest_sequence: int | None = None) -> Reply:
    message = {"message": "refusal", "reason": reason, "newest_sequence": newest_sequence}
    return Reply(status, message, signed)


NOT_TRACEABLE = {"outcome": "not_traceable", "trace_id": None, "charge_cents": 0, "action_open": False}


def test_calls_are_traced_one_after_another(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    answers = [answer(adapter, address, new_request()) for _ in range(4)]
    # The third of one origin opens the way to action.
    open_ = {"action_open": True}
    assert answers == [traced(1), traced(2), {**traced(3), **open_}, {**traced(4), **open_}]


def test_the_same_call_is_traced_once(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    first, again = new_request(), new_request()
    again["call"] = first["call"]
    assert answer(adapter, address, first) == traced(1)
    for _ in range(2):
        assert answer(adapter, address, again) == {
            **traced(1),
            "outcome": "already_traced",
            "charge_cents": 0,
        }
    assert answer(adapter, address, {**new_request(), "call": first["call"], "line": "5555550101"}) == traced(
        2
    )
    assert answer(adapter, address, first) == traced(1)


def test_the_price_is_the_operators(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings(price_cents=1000))
    assert answer(adapter, address, new_request())["charge_cents"] == 1000


def test_a_line_without_call_trace(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings(lines_offered="5555550101"))
    assert answer(adapter, address, new_request()) == {**NOT_TRACEABLE, "outcome": "not_offered"}
    assert answer(adapter, address, new_request(line="5555550101")) == traced(1)


def test_an_adapter_that_is_not_known(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    stranger = Adapter("adapter-2")
    request = new_request(adapter_id="adapter-2")
    assert stranger.ask(address, request) == refused("unknown_adapter", 403, signed=False)
    assert centre.rows() == []
    # Made known while the service runs, and forgotten again.
    assert answer(centre.add_adapter("adapter-2", stranger.key), address, request) == traced(1)
    assert run_once(centre.url, lambda connection: Adapters(connection).remove("adapter-2"))
    assert stranger.ask(address, request, 100) == refused("unknown_adapter", 403, signed=False)


def test_what_another_key_has_signed_is_not_its_own(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    other = Adapter(adapter.adapter_id)
    assert other.ask(address, new_request()) == refused("bad_signature", 401, signed=False)
    assert centre.rows() == []


def test_an_adapter_asks_for_itself_alone(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    other = centre.add_adapter("adapter-2")
    assert other.ask(address, new_request()) == refused("malformed", 400)
    assert centre.rows() == []


def test_an_ask_is_taken_once(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    request = new_request()
    token = adapter.token(request, 57)
    assert adapter.posted(address, token).message["trace_id"] == "T-00000001"
    assert adapter.posted(address, token) == refused("old_sequence", 409, newest_sequence=57)
    assert adapter.ask(address, new_request(), 56) == refused("old_sequence", 409, newest_sequence=57)
    address = serve(centre.settings())
    assert adapter.posted(address, token) == refused("old_sequence", 409, newest_sequence=57)
    assert len(centre.rows()) == 1
    assert adapter.ask(address, request, 58).message["trace_id"] == "T-00000001"
    assert adapter.ask(address, new_heartbeat(), 2**53 - 1).status == 200
    assert adapter.ask(address, new_heartbeat(), 2**53 - 1).status == 409


async def test_of_one_ask_sent_many_times_at_once_one_is_taken(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    address = serve(centre.settings())
    token = adapter.token(new_request())
    async with httpx.AsyncClient(base_url=address) as client:
        responses = await asyncio.gather(*(client.post("/v1/messages", content=token) for _ in range(8)))
    assert sorted(response.status_code for response in responses) == [200] + [409] * 7
    assert len(centre.rows()) == 1


def test_a_refused_ask_takes_no_number(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    assert adapter.ask(address, b"{}", 57) == refused("malformed", 400)
    assert answer(adapter, address, new_request()) == traced(1)  # number 0


def test_each_adapter_has_numbers_of_its_own(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    other = centre.add_adapter("adapter-2")
    assert adapter.ask(address, new_heartbeat(), 1000).status == 200
    assert other.ask(address, new_heartbeat(adapter_id="adapter-2"), 1).status == 200


def test_refusals_are_counted_and_logged(
    centre: Centre, adapter: Adapter, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    address = serve(centre.settings())
    caplog.clear()
    post(address, b"5555550123")
    Adapter("5555550123").ask(address, new_request())
    Adapter("adapter-1").ask(address, new_request())
    adapter.ask(address, b'{"message":"5555550123"}')
    adapter.ask(address, new_heartbeat(), 9)
    adapter.ask(address, new_heartbeat(), 9)
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("host_tools")]
    assert logged == [
        "refused: malformed",
        "refused: unknown_adapter",
        "refused: bad_signature, adapter adapter-1",
        "refused: old_sequence, adapter adapter-1",
    ]
    assert address.desk.refusals.counts == {
        RefusalReason.MALFORMED: 2,
        RefusalReason.UNKNOWN_ADAPTER: 1,
        RefusalReason.BAD_SIGNATURE: 1,
        RefusalReason.OLD_SEQUENCE: 1,
    }


def test_a_heartbeat_is_answered_with_the_time_and_kept(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    address = serve(centre.settings(), lambda: CALLED_AT + 61.9)
    reply = adapter.ask(address, new_heartbeat(outbox=3))
    assert reply.is_signed
    assert reply.message == {
        "message": "heartbeat_answer",
        "version": 1,
        "unix_seconds": CALLED_AT + 61,
        "settings": None,
        "prompt": None,
        "log_from": None,
        "again": False,
        "update": None,
    }
    kept = run_once(centre.url, lambda connection: Adapters(connection).adapter("adapter-1"))
    assert kept is not None
    assert (kept.heard_at, kept.newest_sequence) == (CALLED_AT + 61, 0)
    assert json.loads(kept.heartbeat or "") == new_heartbeat(outbox=3)


def test_an_adapter_of_before_there_were_updates_is_answered_as_before(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    address = serve(centre.settings())
    of_before = {name: value for name, value in new_heartbeat().items() if name not in ("slot", "update")}
    wanted = push_update("0" * 64)
    run_once(centre.url, lambda connection: Adapters(connection).change("adapter-1", **wanted))
    assert adapter.ask(address, of_before).message.keys() == adapter.ask(
        address, new_heartbeat()
    ).message.keys() - {"update"}


def test_lines_of_the_log_are_kept(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    log = {"message": "log", "version": 1, "adapter_id": "adapter-1", "first": 3, "lines": ["one", "two"]}
    assert adapter.ask(address, log).message == {"message": "log_answer", "version": 1}
    kept = run_once(centre.url, lambda connection: Adapters(connection).adapter("adapter-1"))
    assert kept is not None
    assert json.loads(kept.log_lines) == [[3, "one"], [4, "two"]]


def test_a_connection_lives_on(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    with httpx.Client(base_url=address) as client:
        for token in (
            adapter.token(new_heartbeat()),
            b"none",
            adapter.token(b"{}"),
            adapter.token(new_heartbeat()),
        ):
            response = client.post("/v1/messages", content=token)
            assert "connection" not in response.headers
        assert client.post("/v1/messages", content=b"x" * 3001).headers["connection"] == "close"


@pytest.mark.parametrize(
    ("calls", "fields", "outcome", "origin"),
    [
        ([(0, "5555550123")], {"caller": None}, "traced", "5555550123"),
        ([(9, "5555550123"), (20, "5555550199")], {}, "traced", "5555550123"),
        ([(0, "")], {"caller": None}, "not_traceable", None),
        ([(0, "5555550123"), (5, "5555550199")], {"caller": None}, "not_traceable", None),
        ([(0, "5555550123"), (5, "5555550199")], {}, "traced", "5555550123"),
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
    adapter: Adapter,
    serve: Serve,
    calls: list[tuple[int, str]],
    fields: dict[str, Any],
    outcome: str,
    origin: str | None,
) -> None:
    address = serve(centre.settings(call_records=centre.call_records(*calls)))
    assert answer(adapter, address, new_request(**fields))["outcome"] == outcome
    (row,) = centre.rows()
    assert open_sealed(row["sealed"], centre.private_key).origin == origin


async def test_a_request_repeated_is_answered_byte_for_byte(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    address = serve(centre.settings())
    requests = [new_request(adapter_id=f"other-{n}") for n in range(10)]
    others = [centre.add_adapter(f"other-{n}") for n in range(10)]
    async with httpx.AsyncClient(base_url=address) as client:

        async def ask(n: int) -> dict[str, Any]:
            # In time, each number may come behind a greater one: then the adapter asks once more.
            while True:
                response = await client.post("/v1/messages", content=others[n].token(requests[n]))
                if response.status_code == 200:
                    return others[n].read(response.content)

        # Each 4 times at once, then once more.
        answers = await asyncio.gather(*(ask(n) for n in list(range(10)) * 4))
        later = [await ask(n) for n in range(10)]
    assert answers[:10] * 4 == answers
    assert answers[:10] == later
    rows = centre.rows()
    assert sorted(row["trace_id"] for row in rows) == [f"T-{n:08}" for n in range(1, 11)]


def test_the_identity_of_another_adapters_request_takes_nobodys_place(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    """Whoever has read a request in clear sends its identity first; the household's is traced all the same."""
    address = serve(centre.settings())
    request = new_request()
    other = centre.add_adapter("other-1")
    assert answer(other, address, {**request, "adapter_id": "other-1", "line": "5555550199"}) == traced(1)
    assert answer(adapter, address, request) == traced(2)
    assert answer(adapter, address, request) == traced(2)
    assert [row["adapter_id"] for row in centre.rows()] == ["other-1", adapter.adapter_id]


async def test_one_call_asked_for_at_once_is_traced_once(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    address = serve(centre.settings())
    call = new_request()["call"]
    others = [centre.add_adapter(f"other-{n}") for n in range(8)]
    tokens = [other.token({**new_request(adapter_id=other.adapter_id), "call": call}) for other in others]
    async with httpx.AsyncClient(base_url=address) as client:
        responses = await asyncio.gather(*(client.post("/v1/messages", content=token) for token in tokens))
    answers = [other.read(response.content) for other, response in zip(others, responses, strict=True)]
    assert sorted(answer["outcome"] for answer in answers) == ["already_traced"] * 7 + ["traced"]
    assert {answer["trace_id"] for answer in answers} == {"T-00000001"}


async def test_call_records_that_are_locked_hold_up_nothing_else(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    """More requests look in them than there are threads for anything."""
    address = serve(centre.settings(call_records=centre.call_records((0, "5555550123"))))
    others = [centre.add_adapter(f"other-{n}") for n in range(40)]
    exchange = sqlite3.connect(centre.folder / "cdr.sqlite", isolation_level=None)
    exchange.execute("BEGIN EXCLUSIVE")
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        tokens = [other.token(new_request(adapter_id=other.adapter_id)) for other in others]
        asking = [asyncio.create_task(client.post("/v1/messages", content=token)) for token in tokens]
        await asyncio.wait(asking, timeout=0.3)
        beaten = await client.post("/v1/messages", content=adapter.token(new_heartbeat()))
        assert not all(task.done() for task in asking)
        exchange.close()
        responses = await asyncio.gather(*asking)
    assert beaten.status_code == 200
    assert {response.status_code for response in responses} <= {200, 503}


def test_answers_and_numbers_outlive_a_restart(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    request = new_request()
    before = answer(adapter, serve(centre.settings()), request)
    address = serve(centre.settings(price_cents=100, lines_offered=""))
    assert answer(adapter, address, request) == before
    assert answer(adapter, serve(centre.settings()), new_request()) == traced(2)


def test_valid_vectors_are_accepted_and_kept_byte_for_byte(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    address = serve(centre.settings())
    # The vectors are one request in many forms: here each is a request of its own.
    bodies = [
        body_of(vector).replace(b"00112233445566778899aabbccddeeff", b"%032x" % n)
        for n, vector in enumerate(VECTORS["requests"]["valid"], 1)
    ]
    adapters = {"adapter-1": adapter, **{name: centre.add_adapter(name) for name in ("a", "Z" * 32)}}
    asked = [(adapter := adapters[json.loads(body)["adapter_id"]], adapter.token(body)) for body in bodies]
    for adapter, token in asked:
        reply = adapter.posted(address, token)
        assert (reply.status, reply.is_signed) == (200, True)
    sealed = [open_sealed(row["sealed"], centre.private_key).request for row in centre.rows()]
    assert sorted(sealed) == sorted(token for _, token in asked)
    others = (HEARTBEAT["heartbeats"], HEARTBEAT["logs"], CALL_REPORT["call_reports"])
    for vector in (vector for kind in others for vector in kind["valid"]):
        body = body_of(vector)
        assert adapters[json.loads(body)["adapter_id"]].ask(address, body).status == 200


def test_invalid_vectors_are_refused_and_nothing_is_stored(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    address = serve(centre.settings())
    vectors = [VECTORS["requests"], HEARTBEAT["heartbeats"], HEARTBEAT["logs"], CALL_REPORT["call_reports"]]
    for vector in (vector for kind in vectors for vector in kind["invalid"]):
        reply = adapter.ask(address, body_of(vector))
        assert reply == refused(vector["reason"], vector["status"]), vector["name"]
    assert centre.rows() == []
    kept = run_once(centre.url, lambda connection: Adapters(connection).adapter("adapter-1"))
    assert kept is not None
    assert (kept.newest_sequence, kept.heartbeat, kept.log_lines) == (None, None, "[]")


def test_signed_vectors_have_their_refusal_in_clear_or_signed(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    adapters = {name: centre.add_adapter(name, key_of(name)) for name in SIGNED["keys"]}
    for vector in SIGNED["asks"]["invalid"]:
        reply = adapters["adapter-1"].posted(address, vector["token"].encode())
        assert reply == refused(vector["reason"], vector["status"], signed=vector["signed"]), vector["name"]
    for vector in SIGNED["asks"]["valid"]:
        reply = adapters[vector["adapter_id"]].posted(address, vector["token"].encode())
        assert reply.is_signed
        assert reply.status in ((200, 409) if vector["payload"] else (400,)), vector["name"]


def test_a_body_without_length_is_read_no_further_than_the_limit(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100_000):
            sent += 1024
            yield b" " * 1024

    try:
        response = httpx.post(f"{serve(centre.settings())}/v1/messages", content=endless())
    except httpx.NetworkError:
        pass  # the service has hung up, while the client was still sending
    else:
        assert adapter.reply(response) == refused("too_large", 413, signed=False)
    assert sent < 20_000_000


def test_a_body_without_length_at_the_limit(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    token = adapter.token(new_request())
    for body, status in ((token, 200), (token.ljust(3000, b"A"), 401), (token.ljust(3001, b"A"), 413)):
        parts = iter([body[:100], body[100:]])
        assert httpx.post(f"{address}/v1/messages", content=parts).status_code == status


def test_half_a_body_is_not_settled(
    centre: Centre, adapter: Adapter, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "BODY_WITHIN_S", 0.2)
    address = serve(centre.settings())
    half = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 5) as connection:
        connection.sendall(half)
        reply = connection.recv(4096)
    assert reply.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in reply
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 5) as connection:
        connection.sendall(half)
    assert answer(adapter, address, new_request()) == traced(1)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/messages", 405), ("POST", "/v1/traces", 404), ("GET", "/v1/", 404)],
)
def test_another_path_or_method_settles_nothing(
    centre: Centre, adapter: Adapter, serve: Serve, method: str, path: str, status: int
) -> None:
    response = httpx.request(method, serve(centre.settings()) + path)
    assert adapter.reply(response) == refused("unavailable", status, signed=False)


def test_a_locked_database_is_unavailable_and_nothing_is_lost(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    address = serve(centre.settings())
    request = new_request()
    with centre.locked():
        assert adapter.ask(address, request) == refused("unavailable", 503)
        assert httpx.get(f"{address}/health").status_code == 200
    assert centre.rows() == []
    assert answer(adapter, address, request) == traced(1)


def test_call_records_that_cannot_be_read_are_unavailable(
    centre: Centre, adapter: Adapter, serve: Serve
) -> None:
    path = centre.folder / "cdr.sqlite"
    address = serve(centre.settings(call_records=f"sqlite:///{path}"))
    request = new_request()
    assert adapter.ask(address, request) == refused("unavailable", 503)
    assert not path.exists()
    centre.call_records((0, "5555550123"))
    assert answer(adapter, address, request) == traced(1)


def test_health_is_that_of_the_database(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    assert adapter.reply(httpx.get(f"{address}/health")) == Reply(
        200, {"status": "ok", "refusals": {}}, is_signed=False
    )
    run_once(centre.url, lambda connection: connection.exec_driver_sql("DROP TABLE traces"))
    assert adapter.reply(httpx.get(f"{address}/health")) == refused("unavailable", 503, signed=False)
    assert adapter.ask(address, new_request()) == refused("unavailable", 503)


def test_a_fault_is_unavailable_and_repeats_nothing(
    centre: Centre, adapter: Adapter, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tracing, "accept", broken)
    address = serve(centre.settings())
    assert adapter.ask(address, new_request()) == refused("unavailable", 503, signed=False)
    assert centre.rows() == []


def test_more_than_can_be_written_is_unavailable(
    centre: Centre, adapter: Adapter, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MOST_WAITING", 0)
    assert adapter.ask(serve(centre.settings()), new_request()) == refused("unavailable", 503)


def test_who_called_is_nowhere_in_clear(
    centre: Centre, adapter: Adapter, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = serve(centre.settings(call_records=centre.call_records((0, "5555550187"))))
    accepted = new_request()
    wrong = new_request()
    wrong["call"]["caller_id"]["name"] = 1
    asks = [accepted, accepted, {**new_request(), "call": accepted["call"]}, wrong]
    replies = [post(address, adapter.token(ask)) for ask in asks]
    with centre.locked():
        replies.append(post(address, adapter.token(new_request())))
    assert [reply.status_code for reply in replies] == [200, 200, 200, 400, 503]

    stored = [path.read_bytes() for path in centre.folder.glob("star57.sqlite*")]
    stored += [repr(rows).encode() for rows in run_once(centre.url, everything)]
    assert any(accepted["request_id"].encode() in content for content in stored)
    logged = "\n".join(f"{record.getMessage()}\n{record.exc_text or ''}" for record in caplog.records)
    assert accepted["request_id"] in logged
    answered = [json.dumps(adapter.read(reply.content)).encode() for reply in replies]
    assert adapter.key.hex() not in logged
    seen = [*stored, logged.encode(), *answered]
    for secret in (b"5555550187", b"5555550123", b"JANE DOE"):
        assert not any(secret in content for content in seen)
    in_use = "\n".join(record.getMessage() for record in caplog.records if record.levelno >= logging.INFO)
    assert LINE not in in_use

    who_called = open_sealed(centre.rows()[0]["sealed"], centre.private_key)
    assert who_called.origin == "5555550187"
    assert who_called.presented is not None
    assert who_called.presented.number == "5555550123"
    assert signing.verify(who_called.request, adapter.key, "ask") == json.dumps(accepted).encode()


def everything(connection: Connection) -> list[list[Any]]:
    """All rows of all tables."""
    return [list(connection.execute(select(table)).all()) for table in TABLES.sorted_tables]


def test_a_row_tells_what_happened_and_when(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    request = new_request(caller=None, time_source="none")
    address = serve(centre.settings(), lambda: CALLED_AT + 61.9)
    assert answer(adapter, address, request) == NOT_TRACEABLE
    row = dict(centre.rows()[0])
    assert open_sealed(row.pop("sealed"), centre.private_key).origin is None
    assert row == {
        "request_id": request["request_id"],
        "line": LINE,
        "call_id": request["call"]["call_id"],
        "adapter_id": "adapter-1",
        "called_at": None,
        "requested_at": CALLED_AT + 60,
        "received_at": CALLED_AT + 61,
        "outcome": "not_traceable",
        "reason": "origin_unknown",
        "trace_id": None,
        "charge_cents": 0,
        "is_actionable": False,
        "origin_tag": None,
        "origin_key": None,
        "sealed_to": Seal(centre.public_key).fingerprint,
    }
