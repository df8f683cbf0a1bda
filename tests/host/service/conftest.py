"""The trace service on a real socket, its settings, and requests to send to it."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import uvicorn

from host_tools.service.api import create_app
from host_tools.service.sealing import new_key_pair
from host_tools.service.settings import Settings

CALLED_AT = 1767268800  # 2026-01-01 12:00:00 UTC
LINE = "5555550100"


@dataclass(frozen=True)
class Centre:
    """A trace centre: its keys and where its service keeps things."""

    private_key: str
    public_key: str
    folder: Path

    @property
    def database(self) -> Path:
        """The service's SQLite file."""
        return self.folder / "star57.sqlite"

    def settings(self, **chosen: Any) -> Settings:
        """Settings of the centre's service."""
        return Settings(
            **{"centre_public_key": self.public_key, "database": f"sqlite:///{self.database}", **chosen}
        )

    def rows(self) -> list[sqlite3.Row]:
        """The stored traces, in the order of their arrival."""
        connection = sqlite3.connect(self.database)
        try:
            connection.row_factory = sqlite3.Row
            return connection.execute("SELECT * FROM traces ORDER BY rowid").fetchall()
        finally:
            connection.close()

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
def centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Centre:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STAR57_{name.upper()}", raising=False)
    return Centre(*new_key_pair(), tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Starts the service with these settings; answers its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(settings: Settings, clock: Callable[[], float] = lambda: CALLED_AT + 60.0) -> str:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        server = uvicorn.Server(uvicorn.Config(create_app(settings, clock), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread))
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        assert server.started
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

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
