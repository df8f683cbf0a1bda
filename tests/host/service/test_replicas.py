"""Replicas: three processes on one PostgreSQL and one address, one killed and one stopped, and nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from host_tools.service.accounts import Accounts
from host_tools.service.audit import verify
from host_tools.service.audit.export import exported
from host_tools.service.passwords import Passwords
from host_tools.service.roles import Role
from host_tools.service.store import Store, run_once
from host_tools.service.tables import AUDIT, CHARGES
from tests.host.service.conftest import CALLED_AT, LINE, NO_ROOTS, Adapter, Centre, new_heartbeat, new_request
from tests.host.service.console.conftest import PASSWORD
from tests.host.service.test_command import environment

COMMAND = [sys.executable, "-c", "from host_tools.cli.main import app; app()", "service", "--shares-port"]
ADAPTERS = 24
REPLICAS = 3
Replica = subprocess.Popen[str]

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@contextmanager
def replica(centre: Centre, port: int, **settings: str) -> Iterator[Replica]:
    """A replica that listens at `port`, and is killed at the end when it still runs."""
    process = subprocess.Popen(
        COMMAND,
        env=environment(
            STAR57_CENTRE_PUBLIC_KEY=centre.public_key,
            STAR57_DATABASE=centre.url,
            STAR57_PORT=str(port),
            STAR57_TOO_OLD_DAYS="36500",  # its clock is the real one
            STAR57_TOTP_ROLES="auditor",
            PYTHONUNBUFFERED="1",
            **settings,
        ),
        cwd=centre.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        assert "listening on http://" in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def port() -> Iterator[int]:
    """A port that replicas share, and nobody else takes meanwhile."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def replicas(centre: Centre, port: int) -> Iterator[list[Replica]]:
    with ExitStack() as stack:
        yield [stack.enter_context(replica(centre, port)) for _ in range(REPLICAS)]


class Caller:
    """An adapter in the field: it asks on a connection, at another when that is gone, until it is answered."""

    def __init__(self, adapter: Adapter, address: str) -> None:
        self.adapter = adapter
        self.address = address
        self.answered: dict[str, dict[str, Any]] = {}
        self.retries = 0

    async def call(self, times: int) -> None:
        """Has so many traces, with a heartbeat after each."""
        for _ in range(times):
            request = new_request(adapter_id=self.adapter.adapter_id, requested_at=CALLED_AT + 60)
            self.answered[request["request_id"]] = await self._ask(request)
            await self._ask(new_heartbeat(adapter_id=self.adapter.adapter_id))

    async def again(self) -> None:
        """Asks for all once more: each is answered as it was."""
        for request_id, answer in list(self.answered.items()):
            request = new_request(adapter_id=self.adapter.adapter_id, request_id=request_id)
            assert await self._ask(request) == answer

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        for _ in range(100):
            try:
                async with httpx.AsyncClient(verify=NO_ROOTS, base_url=self.address, timeout=30) as client:
                    response = await client.post("/v1/messages", content=self.adapter.token(message))
            except httpx.TransportError:
                self.retries += 1
                await asyncio.sleep(0.02)  # as an adapter waits before it tries again
                continue
            reply = self.adapter.reply(response)
            assert reply.status == 200, reply
            return reply.message
        raise AssertionError("nobody answers")


async def test_nothing_is_lost_twice_or_wrong_while_replicas_end(
    centre: Centre, port: int, replicas: list[Replica]
) -> None:
    address = f"http://127.0.0.1:{port}"
    callers = [Caller(centre.add_adapter(f"adapter-{n}"), address) for n in range(ADAPTERS)]
    killed, stopped, stays = replicas
    running = asyncio.gather(*(caller.call(6) for caller in callers))
    await answered(callers, ADAPTERS)
    killed.kill()
    await answered(callers, 3 * ADAPTERS)
    stopped.send_signal(signal.SIGTERM)
    await running
    assert await asyncio.to_thread(stopped.wait, 30) in (0, -signal.SIGTERM)
    assert stays.poll() is None

    replies = {request_id: answer for caller in callers for request_id, answer in caller.answered.items()}
    assert len(replies) == 6 * ADAPTERS
    rows = {row["request_id"]: row for row in centre.rows()}
    assert rows.keys() == replies.keys()
    assert all(rows[request_id]["trace_id"] == answer["trace_id"] for request_id, answer in replies.items())
    # Numbers are given once each, and none is left out.
    assert sorted(row["trace_id"] for row in rows.values()) == [f"T-{n:08}" for n in range(1, len(rows) + 1)]
    assert run_once(centre.url, charges) == (len(rows), len(rows))
    assert run_once(centre.url, decisions) == len(rows)
    await asyncio.gather(*(caller.again() for caller in callers))
    assert len(centre.rows()) == len(rows)
    assert await is_proven(centre.url)


async def answered(callers: list[Caller], times: int) -> None:
    """Returns when so many traces were answered."""
    async with asyncio.timeout(120):
        while sum(len(caller.answered) for caller in callers) < times:  # noqa: ASYNC110 - adapters go on meanwhile
            await asyncio.sleep(0.01)


def charges(connection: Connection) -> tuple[int, int]:
    """How many charges there are, and of how many traces."""
    query = select(func.count(), func.count(CHARGES.c.trace_id.distinct())).select_from(CHARGES)
    one, other = connection.execute(query).one()
    return one, other


def decisions(connection: Connection) -> int:
    """How many traces the audit log says were decided."""
    query = select(func.count()).select_from(AUDIT).where(AUDIT.c.action == "trace.decided")
    return connection.execute(query).scalar_one()


async def is_proven(url: str) -> bool:
    store, verification = Store(url), verify.Verification()
    async for some in exported(store):
        for line in some:
            verification.take(line)
    await store.close()
    report = verification.report()
    assert report.rows > 0
    return report.is_proven


async def test_one_request_to_several_at_once_is_taken_once(
    centre: Centre, replicas: list[Replica], port: int, adapter: Adapter
) -> None:
    async with httpx.AsyncClient(
        verify=NO_ROOTS, timeout=30, limits=httpx.Limits(max_keepalive_connections=0)
    ) as client:
        for _ in range(5):
            request = new_request()
            tokens = [adapter.token(request) for _ in range(8)]
            responses = await asyncio.gather(
                *(client.post(f"http://127.0.0.1:{port}/v1/messages", content=token) for token in tokens)
            )
            # Under a number greater than this one, another has been taken first: that adapter asks again.
            replies = [adapter.reply(response) for response in responses]
            assert {reply.status for reply in replies} <= {200, 409}
            taken = [reply.message for reply in replies if reply.status == 200]
            assert taken
            assert all(answer == taken[0] for answer in taken)
    assert [row["trace_id"] for row in centre.rows()] == [f"T-{n:08}" for n in range(1, 6)]


def test_who_has_signed_in_at_one_is_signed_in_at_all(centre: Centre, port: int) -> None:
    add_household(centre)
    with ExitStack() as stack:
        for other in (port, free_port()):
            stack.enter_context(replica(centre, other))
            stack.enter_context(httpx.Client(verify=NO_ROOTS, base_url=f"http://127.0.0.1:{other}"))
        first, second = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"
        browser = stack.enter_context(httpx.Client(verify=NO_ROOTS, follow_redirects=True, timeout=30))
        page = browser.get(f"{first}/sign-in")
        form = {"csrf_token": csrf_of(page), "name": "anna", "password": PASSWORD}
        # A form of one goes to the other, too: they share the secret.
        page = browser.post(f"{second}/sign-in", data=form, headers={"origin": second})
        assert page.url.path == "/line"
        assert browser.get(f"{first}/line").status_code == 200
        signed_out = browser.post(
            f"{first}/sign-out",
            data={"csrf_token": csrf_of(browser.get(f"{first}/line"))},
            headers={"origin": first},
        )
        assert signed_out.url.path == "/sign-in"
        assert browser.get(f"{second}/line").url.path == "/sign-in"


def add_household(centre: Centre) -> None:
    password_hash = Passwords().hash(PASSWORD)
    run_once(
        centre.url,
        lambda connection: Accounts(connection).add(
            "anna", Role.HOUSEHOLD, 0.0, line=LINE, password_hash=password_hash
        ),
    )


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]*)"', page.text)
    assert found
    return found[1]


def free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        return port


def test_before_it_stops_it_says_so_and_answers_what_comes(
    centre: Centre, adapter: Adapter, port: int
) -> None:
    address = f"http://127.0.0.1:{port}"
    with replica(centre, port, STAR57_LEAVE_AFTER_S="1") as process:
        assert httpx.get(f"{address}/health/ready", verify=NO_ROOTS).status_code == 200
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: httpx.get(f"{address}/health/ready", verify=NO_ROOTS).status_code == 503)
        assert httpx.get(f"{address}/health/ready", verify=NO_ROOTS).json() == {
            "status": "stopping",
            "lacks": [],
        }
        assert adapter.ask(address, new_request()).status == 200
        assert process.wait(30) in (0, -signal.SIGTERM)
    assert len(centre.rows()) == 1


def wait_until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 30
    for _ in itertools.count():
        if condition():
            return
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


async def test_what_has_come_is_answered_before_it_ends(centre: Centre, port: int) -> None:
    adapters = [centre.add_adapter(f"adapter-{n}") for n in range(3)]
    messages = [
        message(adapter_id=f"adapter-{n}")
        for n, message in enumerate((new_request, new_request, new_heartbeat))
    ]
    with replica(centre, port) as process:
        async with httpx.AsyncClient(
            verify=NO_ROOTS, base_url=f"http://127.0.0.1:{port}", timeout=30
        ) as client:
            with centre.locked():
                tokens = [adapter.token(message) for adapter, message in zip(adapters, messages, strict=True)]
                asked = [asyncio.create_task(client.post("/v1/messages", content=token)) for token in tokens]
                await until_waiting(centre.url)
                process.send_signal(signal.SIGTERM)
            assert [response.status_code for response in await asyncio.gather(*asked)] == [200] * 3
        assert await asyncio.to_thread(process.wait, 30) in (0, -signal.SIGTERM)
    assert len(centre.rows()) == 2


async def until_waiting(url: str) -> None:
    """Returns when somebody waits for a lock of the database."""
    store = Store(url)
    async with asyncio.timeout(30):
        while not await store.read(is_somebody_waiting):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.01)
    await store.close()


def is_somebody_waiting(connection: Connection) -> bool:
    waiting = connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one()
    return bool(waiting)
