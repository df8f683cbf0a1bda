"""`star57 service` as an operator runs it: a process, its signals, its disk."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from tests.host.service.conftest import NO_ROOTS, Adapter, Centre, new_heartbeat, new_request
from tests.thorough_plugin import thorough

COMMAND = [sys.executable, "-c", "from host_tools.cli.main import app; app()", "service", "--port", "0"]
ROOT = Path(__file__).resolve().parents[3]
Start = Callable[[], tuple[subprocess.Popen[str], str]]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STAR57_")}
    paths = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", **settings}


def few_open_files() -> None:
    """As a process begins that an operator starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))


@pytest.fixture
def start(centre: Centre) -> Iterator[Start]:
    """Starts the command; answers the process and its address."""
    started: list[subprocess.Popen[str]] = []

    def run() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            COMMAND,
            env=environment(
                STAR57_CENTRE_PUBLIC_KEY=centre.public_key, STAR57_DATABASE=centre.url, PYTHONUNBUFFERED="1"
            ),
            cwd=centre.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=few_open_files,  # noqa: PLW1509 - there is one thread here
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


@on_sqlite
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
            "the database sqlite:////no/such/folder/star57.sqlite cannot be opened for writing",
        ),
        ({"STAR57_HOST": "192.0.2.1"}, 1, "cannot listen on 192.0.2.1 port 0: "),
    ],
)
def test_what_hinders_it_is_one_sentence(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], status: int, sentence: str
) -> None:
    monkeypatch.chdir(centre.folder)
    usual = {"STAR57_CENTRE_PUBLIC_KEY": centre.public_key} if settings and status == 1 else {}
    run = CliRunner().invoke(app, ["service", "--port", "0"], env={**usual, **settings, "COLUMNS": "200"})
    assert run.exit_code == status
    assert run.stderr.startswith(f"star57 service: {sentence}")
    assert run.stderr.count("\n") == 1


@on_sqlite
def test_its_process_ends_with_the_sentence_and_the_status(centre: Centre) -> None:
    run = subprocess.run(
        COMMAND, env=environment(), cwd=centre.folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert run.stderr.startswith("star57 service: there is no key to seal records to: ")
    assert run.stderr.count("\n") == 1


def answer(adapter: Adapter, address: str, request: dict[str, Any]) -> dict[str, Any]:
    reply = adapter.ask(address, request)
    assert reply.status == 200
    return reply.message


def test_what_was_answered_survives_a_kill(adapter: Adapter, start: Start) -> None:
    process, address = start()
    requests = [new_request() for _ in range(5)]
    answers = [answer(adapter, address, request) for request in requests]
    token = adapter.token(new_heartbeat())
    assert adapter.posted(address, token).status == 200
    process.kill()
    process.wait()
    _, address = start()
    replayed = adapter.posted(address, token)
    assert (replayed.status, replayed.message["newest_sequence"]) == (409, 5)
    assert [answer(adapter, address, request) for request in requests] == answers


class Caller:
    """An adapter that has one request after another, each asked for until it is answered."""

    def __init__(self, adapter: Adapter, told: Callable[[], None] = lambda: None) -> None:
        self.adapter = adapter
        self.told = told
        self.answered: dict[str, dict[str, Any]] = {}
        self.waiting: dict[str, Any] | None = None

    async def call(self, address: str, times: int) -> None:
        """Asks `times` times; ends before, when the service is gone. What was not answered comes first."""
        async with httpx.AsyncClient(verify=NO_ROOTS, base_url=address, timeout=30) as client:
            for _ in range(times):
                self.waiting = self.waiting or new_request(adapter_id=self.adapter.adapter_id)
                token = self.adapter.token(self.waiting)
                try:
                    response = await client.post("/v1/messages", content=token)
                except httpx.TransportError:
                    return
                reply = self.adapter.reply(response)
                assert reply.status == 200
                self.answered[self.waiting["request_id"]] = reply.message
                self.waiting = None
                self.told()


@pytest.mark.parametrize("after", [thorough(20), 57, thorough(111)])
async def test_a_kill_amid_requests_loses_none_and_doubles_none(
    centre: Centre, start: Start, after: int
) -> None:
    process, address = start()
    countdown = iter(range(after))

    def told() -> None:
        if next(countdown, None) is None:
            process.kill()

    callers = [Caller(centre.add_adapter(f"adapter-{n}"), told) for n in range(8)]
    await asyncio.gather(*(caller.call(address, 1000) for caller in callers))
    process.wait()
    unanswered = [caller.waiting for caller in callers]
    assert any(unanswered)
    answered = {request_id: message for caller in callers for request_id, message in caller.answered.items()}
    rows = {row["request_id"]: row for row in centre.rows()}
    assert answered.keys() <= rows.keys()
    assert all(rows[request_id]["trace_id"] == answered[request_id]["trace_id"] for request_id in answered)

    _, address = start()
    await asyncio.gather(*(caller.call(address, 1) for caller in callers))
    assert not any(caller.waiting for caller in callers)
    asked = {request_id for caller in callers for request_id in caller.answered}
    rows_after = centre.rows()
    assert sorted(row["request_id"] for row in rows_after) == sorted(asked)
    assert sorted(row["trace_id"] for row in rows_after) == [f"T-{n:08}" for n in range(1, len(asked) + 1)]


async def test_two_services_share_one_database(centre: Centre, start: Start) -> None:
    callers = [Caller(centre.add_adapter(f"adapter-{n}")) for n in range(8)]
    addresses = [start()[1], start()[1]]
    await asyncio.gather(*(caller.call(addresses[n % 2], 8) for n, caller in enumerate(callers)))
    # Each goes on with the other service, where its numbers are known.
    await asyncio.gather(*(caller.call(addresses[1 - n % 2], 8) for n, caller in enumerate(callers)))
    assert sorted(row["trace_id"] for row in centre.rows()) == [f"T-{n:08}" for n in range(1, 129)]
    asked = sorted(request_id for caller in callers for request_id in caller.answered)
    assert sorted(row["request_id"] for row in centre.rows()) == asked
    # One ask to both at once is taken once.
    token = callers[0].adapter.token(new_request(adapter_id="adapter-0"))
    async with httpx.AsyncClient(verify=NO_ROOTS, timeout=30) as client:
        responses = await asyncio.gather(
            *(client.post(f"{address}/v1/messages", content=token) for address in addresses)
        )
    assert sorted(response.status_code for response in responses) == [200, 409]


def test_it_stops_gracefully(centre: Centre, adapter: Adapter, start: Start) -> None:
    process, address = start()
    assert adapter.ask(address, new_request()).status == 200
    process.send_signal(signal.SIGTERM)
    logged, _ = process.communicate(timeout=10)
    assert process.returncode in (0, -signal.SIGTERM)
    assert "trace request" in logged
    assert "5555550123" not in logged
    assert adapter.key.hex() not in logged
    assert not (centre.folder / "star57.sqlite-wal").exists()  # all is in the one file


@on_sqlite
def test_it_may_open_as_many_files_as_the_machine_allows(centre: Centre, start: Start) -> None:
    process, address = start()
    assert httpx.get(f"{address}/health", verify=NO_ROOTS).status_code == 200
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard


@on_sqlite
def test_a_full_disk_is_unavailable_and_stores_nothing_by_halves(
    centre: Centre, adapter: Adapter, start: Start
) -> None:
    process, address = start()
    first, second = new_request(), new_request()
    answer(adapter, address, first)
    full = (centre.folder / "star57.sqlite-wal").stat().st_size + 100
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (full, hard))
    for ask in (second, new_heartbeat(), first):
        reply = adapter.ask(address, ask)
        assert (reply.status, reply.message["reason"], reply.is_signed) == (503, "unavailable", True)
    assert len(centre.rows()) == 1
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    # None of the numbers was taken with the disk full.
    assert adapter.ask(address, second, 1).message["trace_id"] == "T-00000002"
    assert answer(adapter, address, first)["trace_id"] == "T-00000001"
    assert len(centre.rows()) == 2
