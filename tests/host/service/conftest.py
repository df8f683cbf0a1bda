"""The trace service on a real socket, its settings, and asks to sign and send to it."""

from __future__ import annotations

import itertools
import json
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from sqlalchemy import RowMapping, make_url, select
from sqlalchemy.engine import Connection

from host_tools.service import signing
from host_tools.service.adapters import Adapters
from host_tools.service.api import create_app
from host_tools.service.desk import Desk
from host_tools.service.sealing import new_key_pair
from host_tools.service.serve import listen
from host_tools.service.settings import Settings
from host_tools.service.store import run_once
from host_tools.service.tables import TRACES

CALLED_AT = 1767268800  # 2026-01-01 12:00:00 UTC
LINE = "5555550100"
# There is no TLS here, and to load its roots for each request takes longer than the request.
NO_ROOTS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Adapter:
    """An adapter, as the service sees it: it signs what it asks, and knows what is signed for it."""

    adapter_id: str = "adapter-1"
    key: bytes = field(default_factory=signing.new_key)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def token(self, message: dict[str, Any] | bytes, sequence: int | None = None) -> bytes:
        """The message, signed; under the next sequence number when none is given."""
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        number = next(self.numbers) if sequence is None else sequence
        return signing.sign(payload, self.key, self.adapter_id, number, "ask")

    def read(self, token: bytes) -> dict[str, Any]:
        """The message in an answer that was signed for this adapter."""
        message: dict[str, Any] = json.loads(signing.verify(token, self.key, "answer"))
        return message

    def ask(self, address: str, message: dict[str, Any] | bytes, sequence: int | None = None) -> Reply:
        """What the service at `address` replies."""
        return self.posted(address, self.token(message, sequence))

    def posted(self, address: str, token: bytes) -> Reply:
        """What the service at `address` replies to a token."""
        return self.reply(post(address, token))

    def reply(self, response: httpx.Response) -> Reply:
        """A response, its signature verified when it has one."""
        is_signed = response.headers["content-type"] == "application/jose"
        message = self.read(response.content) if is_signed else response.json()
        return Reply(response.status_code, message, is_signed)


@dataclass(frozen=True)
class Reply:
    """What the service has replied."""

    status: int
    message: dict[str, Any]
    is_signed: bool


def post(address: str, token: bytes) -> httpx.Response:
    """Posts a token as an adapter does."""
    headers = {"content-type": "application/jose"}
    return httpx.post(f"{address}/v1/messages", content=token, headers=headers, timeout=30, verify=NO_ROOTS)


@dataclass(frozen=True)
class Centre:
    """A trace centre: its keys and where its service keeps things."""

    private_key: str
    public_key: str
    folder: Path
    url: str

    @property
    def database(self) -> Path:
        """The service's file, when it has an SQLite store."""
        return Path(make_url(self.url).database or "")

    def settings(self, **chosen: Any) -> Settings:
        """Settings of the centre's service."""
        return Settings(
            **{
                "centre_public_key": self.public_key,
                "database": self.url,
                "secret": self.folder / "secret",
                "origin_keys": self.folder / "origins",
                **chosen,
            }
        )

    def add_adapter(self, adapter_id: str = "adapter-1", key: bytes | None = None) -> Adapter:
        """Makes an adapter known."""
        adapter = Adapter(adapter_id, key or signing.new_key())
        run_once(self.url, lambda connection: Adapters(connection).add(adapter_id, adapter.key))
        return adapter

    def rows(self) -> list[RowMapping]:
        """The stored traces, in the order of their arrival."""
        query = select(TRACES).order_by(TRACES.c.received_at, TRACES.c.trace_id)
        return list(run_once(self.url, lambda connection: connection.execute(query).mappings().all()))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Meanwhile somebody else writes the store, and comes to no end."""
        begun, ends = threading.Event(), threading.Event()

        def work(_: Connection) -> None:
            begun.set()
            assert ends.wait(30)

        thread = threading.Thread(target=run_once, args=(self.url, work))
        thread.start()
        assert begun.wait(10)
        try:
            yield
        finally:
            ends.set()
            thread.join()

    def call_records(self, *calls: tuple[int, str]) -> str:
        """A cdr table with calls to LINE, each (seconds after CALLED_AT, src); its URL."""
        path = self.folder / "cdr.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE cdr (calldate TEXT, src TEXT, dst TEXT, uniqueid TEXT)")
        connection.executemany(
            "INSERT INTO cdr VALUES (datetime(?, 'unixepoch'), ?, ?, ?)",
            [(CALLED_AT + after_s, src, LINE, str(n)) for n, (after_s, src) in enumerate(calls)],
        )
        connection.commit()
        connection.close()
        return f"sqlite:///{path}"


@pytest.fixture
def centre(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Centre:
    """On SQLite, and on PostgreSQL."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STAR57_{name.upper()}", raising=False)
    return Centre(*new_key_pair(), tmp_path, database_url)


@pytest.fixture
def adapter(centre: Centre) -> Adapter:
    """An adapter that the centre knows."""
    return centre.add_adapter()


class Service(str):
    """The address of a service that runs; `desk` is its desk."""

    desk: Desk


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Starts the service with these settings; answers its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(settings: Settings, clock: Callable[[], float] = lambda: CALLED_AT + 60.0) -> Service:
        listener = listen(settings.model_copy(update={"port": 0}))
        app = create_app(settings, clock)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread))
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        assert server.started
        service = Service(f"http://127.0.0.1:{listener.getsockname()[1]}")
        service.desk = app.state.desk
        return service

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def new_request(*, caller: str | None = "5555550123", **fields: Any) -> dict[str, Any]:
    """A new request for a new call; `fields` of the request or of its call."""
    presented = {"number": caller, "name": "JANE DOE", "reason": None, "date_time": "01011200"}
    call = {
        "call_id": uuid4().hex[:16],
        "at": CALLED_AT,
        "rings": 2,
        "answered": True,
        "call_waiting": False,
        "caller_id": None if caller is None else presented,
    }
    request = {
        "message": "trace_request",
        "version": 1,
        "request_id": uuid4().hex,
        "adapter_id": "adapter-1",
        "line": LINE,
        "requested_at": CALLED_AT + 60,
        "time_source": "network",
        "call": {**call, **{name: value for name, value in fields.items() if name in call}},
    }
    return {**request, **{name: value for name, value in fields.items() if name not in call}}


def new_heartbeat(**fields: Any) -> dict[str, Any]:
    """A heartbeat of adapter-1, at which nothing is wrong."""
    heartbeat = {
        "message": "heartbeat",
        "version": 1,
        "adapter_id": "adapter-1",
        "board": "pico_w",
        "firmware": "0.1.0",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "carrier": "network",
        "reset_reason": "power_on",
        "uptime_s": 3600,
        "unix_seconds": CALLED_AT,
        "time_source": "network",
        "free_heap_bytes": 70000,
        "lost_samples": 0,
        "underruns": 0,
        "longest_gap_ms": 21,
        "outbox": 0,
        "refusals": 0,
        "decoded": None,
        "settings_revision": 0,
        "settings_refused": [],
        "prompt": None,
        "log_lines": 12,
        "slot": "a",
        "update": None,
    }
    return {**heartbeat, **fields}
