"""The trace service as the bench signs in to it, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from host_tools.technician.registrar import AlreadyKnown, NewAdapter, NotRegistered, ServiceRegistrar

ADAPTER = NewAdapter("bench-01", b"\x57" * 32, "5555550100", replaces=False)
SESSION = "of-this-session"


@contextmanager
def service(statuses: dict[str, int]) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Its URL, and what it is asked with which authorization; it answers a method and path with a status."""
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            what = f"{self.command} {self.path}"
            self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append((what, self.headers.get("authorization")))
            body = json.dumps({"token": SESSION, "title": "No", "detail": "It is not so."}).encode()
            self.send_response(statuses.get(what, 200))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_DELETE = do_POST  # noqa: N815 - its name in the library

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_signs_in_tells_of_the_adapter_and_signs_out() -> None:
    with service({}) as (url, asked), ServiceRegistrar(url, "bench", "correct horse") as registrar:
        registrar.register(ADAPTER)
    bearer = f"Bearer {SESSION}"
    assert asked == [
        ("POST /api/sessions", None),
        ("POST /api/adapters", bearer),
        ("DELETE /api/session", bearer),
    ]


def test_a_service_that_does_not_hear_the_end_takes_nothing_from_what_was_done() -> None:
    at_its_end = {"DELETE /api/session": 503}
    with service(at_its_end) as (url, asked), ServiceRegistrar(url, "bench", "correct horse") as registrar:
        registrar.register(ADAPTER)
    assert asked[-1][0] == "DELETE /api/session"


@pytest.mark.parametrize(("status", "fault"), [(409, AlreadyKnown), (403, NotRegistered)])
def test_what_the_service_does_not_take_is_told(status: int, fault: type[NotRegistered]) -> None:
    with service({"POST /api/adapters": status}) as (url, _):
        registrar = ServiceRegistrar(url, "bench", "correct horse")
        with registrar, pytest.raises(fault, match="It is not so") as told:
            registrar.register(ADAPTER)
    assert type(told.value) is fault


def test_a_key_goes_nowhere_in_the_open() -> None:
    with pytest.raises(NotRegistered, match="https"):
        ServiceRegistrar("http://trace.example.net", "bench", "correct horse")
