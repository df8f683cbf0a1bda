"""`star57 service` as an operator runs it: a process, its signals, its disk."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.host.service.conftest import Centre, new_request

COMMAND = [sys.executable, "-c", "from host_tools.cli.main import app; app()", "service", "--port", "0"]
ROOT = Path(__file__).resolve().parents[3]
Start = Callable[[], tuple[subprocess.Popen[str], str]]


def environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STAR57_")}
    paths = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", **settings}


@pytest.fixture
def start(centre: Centre) -> Iterator[Start]:
    """Starts the command; answers the process and its address."""
    started: list[subprocess.Popen[str]] = []

    def run() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            COMMAND,
            env=environment(STAR57_CENTRE_PUBLIC_KEY=centre.public_key, PYTHONUNBUFFERED="1"),
            cwd=centre.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        assert process.stdout
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address
        return process, address[0]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def post(address: str, request: object) -> httpx.Response:
    return httpx.post(f"{address}/v1/traces", json=request)


@pytest.mark.parametrize(
    ("settings", "status", "sentence"),
    [
        (
            {},
            2,
            "there is no key to seal records to: set STAR57_CENTRE_PUBLIC_KEY or --centre-public-key",
        ),
        (
            {"STAR57_CENTRE_PUBLIC_KEY": "123"},
            2,
            "set STAR57_CENTRE_PUBLIC_KEY or --centre-public-key right: not a public key of 64 hex digits",
        ),
        (
            {"STAR57_DATABASE": "sqlite:////no/such/folder/star57.sqlite"},
            1,
            "the database sqlite+aiosqlite:////no/such/folder/star57.sqlite cannot be opened for writing",
        ),
        ({"STAR57_HOST": "192.0.2.1"}, 1, "cannot listen on 192.0.2.1 port 0: "),
    ],
)
def test_what_hinders_it_is_one_sentence(
    centre: Centre, settings: dict[str, str], status: int, sentence: str
) -> None:
    usual = {"STAR57_CENTRE_PUBLIC_KEY": centre.public_key} if settings and status == 1 else {}
    run = subprocess.run(
        COMMAND,
        env=environment(**usual, **settings),
        cwd=centre.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == status
    assert run.stderr.startswith(f"star57 service: {sentence}")
    assert run.stderr.count("\n") == 1


def test_what_was_answered_survives_a_kill(start: Start) -> None:
    process, address = start()
    requests = [new_request() for _ in range(5)]
    answers = [post(address, request).content for request in requests]
    process.kill()
    process.wait()
    _, address = start()
    assert [post(address, request).content for request in requests] == answers


def test_it_stops_gracefully(centre: Centre, start: Start) -> None:
    process, address = start()
    assert post(address, new_request()).status_code == 200
    process.send_signal(signal.SIGTERM)
    logged, _ = process.communicate(timeout=10)
    assert process.returncode in (0, -signal.SIGTERM)
    assert "trace request" in logged
    assert "5555550123" not in logged
    assert not (centre.folder / "star57.sqlite-wal").exists()  # all is in the one file


def test_a_full_disk_is_unavailable_and_stores_nothing_by_halves(centre: Centre, start: Start) -> None:
    process, address = start()
    first, second = new_request(), new_request()
    kept = post(address, first).content
    full = (centre.folder / "star57.sqlite-wal").stat().st_size + 100
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (full, hard))
    refused = post(address, second)
    assert (refused.status_code, refused.json()["reason"]) == (503, "unavailable")
    assert post(address, first).content == kept
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert post(address, second).json()["trace_id"] == "T-00000002"
    assert len(centre.rows()) == 2
