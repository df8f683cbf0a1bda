"""The network carrier over TLS, in a MicroPython that has it: who is trusted, and what becomes of everybody else."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import trustme

from host_tools.rig.micropython import ROOT

MICROPYTHON = ROOT / ".cache" / "tls" / "micropython"
PROGRAM = ROOT / "tests" / "firmware" / "programs" / "post_over_tls.py"
ANSWER = b"header.answer.signature"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
ANSWERED = f"200 {ANSWER.decode()}"
RING_MS = 1024  # what a Pico's ring of samples holds

pytestmark = pytest.mark.skipif(
    not MICROPYTHON.exists(), reason="no MicroPython with TLS has been built: make tls"
)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@dataclass
class Post:
    """What one post came to."""

    outcome: str
    longest_turn_ms: int


class Service:
    """Answers every request; counts connections whose handshake was whole, and requests."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while await self._request(reader):
            self.requests += 1
            writer.write(RESPONSE)
            await writer.drain()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            return head + await reader.readexactly(len(b"header.payload.signature"))
        except asyncio.IncompleteReadError:
            return b""


def der(authority: trustme.CA) -> bytes:
    return ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


@asynccontextmanager
async def serving(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a port of its own; the port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def post(
    pinned: bytes,
    flash: Path,
    port: int,
    *,
    host: str = "127.0.0.1",
    posts: int = 1,
    timeout_ms: int = 10_000,
    name_server: str | None = None,
) -> Sequence[Post]:
    """What the firmware's posts to `host` came to, with `pinned` on its flash."""
    (flash / "ca.der").write_bytes(pinned)
    plan = {
        "hosts": host,
        "port": port,
        "ca": "ca.der",
        "flash": str(flash),
        "name_server": name_server,
        "timeout_ms": timeout_ms,
        "posts": posts,
    }
    process = await asyncio.create_subprocess_exec(
        MICROPYTHON,
        PROGRAM,
        json.dumps(plan),
        env={"MICROPYPATH": f"{ROOT / 'firmware'}{os.pathsep}.frozen"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return [Post(**json.loads(line)) for line in output.splitlines()]


async def test_whom_the_pinned_authority_has_signed(authority: trustme.CA, tmp_path: Path) -> None:
    service = Service()
    async with serving(service, context_of(authority.issue_cert("127.0.0.1"))) as port:
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == ANSWERED
    assert only.longest_turn_ms < RING_MS / 2


async def test_one_handshake_for_several_posts(authority: trustme.CA, tmp_path: Path) -> None:
    service = Service()
    async with serving(service, context_of(authority.issue_cert("127.0.0.1"))) as port:
        posts = await post(der(authority), tmp_path, port, posts=5)
    assert [each.outcome for each in posts] == [ANSWERED] * 5
    assert (service.connections, service.requests) == (1, 5)


@pytest.mark.parametrize("key_type", list(trustme.KeyType))
async def test_either_kind_of_key(key_type: trustme.KeyType, tmp_path: Path) -> None:
    authority = trustme.CA(key_type=key_type)
    certificate = authority.issue_cert("127.0.0.1", key_type=key_type)
    async with serving(Service(), context_of(certificate)) as port:
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == ANSWERED


async def test_a_name(authority: trustme.CA, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    names, _ = await loop.create_datagram_endpoint(LocalNames, local_addr=("127.0.0.1", 0))
    name_server = f"127.0.0.1:{names.get_extra_info('sockname')[1]}"
    outcomes = {}
    try:
        for name in ("trace.example", "*.example", "other.example", "127.0.0.1"):
            async with serving(Service(), context_of(authority.issue_cert(name))) as port:
                (only,) = await post(
                    der(authority), tmp_path, port, host="trace.example", name_server=name_server
                )
            outcomes[name] = only.outcome
    finally:
        names.close()
    assert outcomes == {
        "trace.example": ANSWERED,
        "*.example": ANSWERED,
        "other.example": "untrusted",
        "127.0.0.1": "untrusted",
    }


class LocalNames(asyncio.DatagramProtocol):
    """A name server to which every name is at 127.0.0.1."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        record = b"\xc0\x0c\0\1\0\1\0\0\1\0\0\4\x7f\0\0\1"
        self._transport.sendto(data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[12:] + record, addr)


@pytest.mark.parametrize("name", ["127.0.0.2", "trace.example"])
async def test_an_address_that_the_certificate_does_not_have(
    authority: trustme.CA, tmp_path: Path, name: str
) -> None:
    service = Service()
    async with serving(service, context_of(authority.issue_cert(name))) as port:
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == "untrusted"
    assert service.requests == 0


async def test_an_address_in_the_common_name_counts_for_nothing_beside_an_alternative_name(
    authority: trustme.CA, tmp_path: Path
) -> None:
    certificate = authority.issue_cert("trace.example", common_name="127.0.0.1")
    async with serving(Service(), context_of(certificate)) as port:
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == "untrusted"


async def test_whom_another_authority_has_signed(authority: trustme.CA, tmp_path: Path) -> None:
    service = Service()
    async with serving(service, context_of(trustme.CA().issue_cert("127.0.0.1"))) as port:
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == "untrusted"
    assert service.requests == 0


@pytest.mark.parametrize(("begins_days", "ends_days"), [(-2, -1), (1, 2)], ids=["expired", "not yet valid"])
async def test_dates_are_checked_by_the_clock_of_the_machine(
    authority: trustme.CA, tmp_path: Path, begins_days: int, ends_days: int
) -> None:
    now = datetime.now(UTC)
    certificate = authority.issue_cert(
        "127.0.0.1",
        not_before=now + timedelta(days=begins_days),
        not_after=now + timedelta(days=ends_days),
    )
    async with serving(Service(), context_of(certificate)) as port:
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == "untrusted"


async def test_a_server_that_speaks_plain(authority: trustme.CA, tmp_path: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(16)
        writer.write(RESPONSE)
        await writer.drain()
        await reader.read()

    async with serving(speak) as port:
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == "untrusted"


async def test_a_server_that_hangs_up(authority: trustme.CA, tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.close()
        await writer.wait_closed()

    async with serving(hang_up) as port:
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == "closed"


async def test_a_handshake_that_stalls(authority: trustme.CA, tmp_path: Path) -> None:
    async def stall(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(stall) as port:
        (only,) = await post(der(authority), tmp_path, port, timeout_ms=300)
    assert only.outcome == "timeout"
    assert only.longest_turn_ms < RING_MS / 2


async def test_a_handshake_byte_by_byte(authority: trustme.CA, tmp_path: Path) -> None:
    async with (
        serving(Service(), context_of(authority.issue_cert("127.0.0.1"))) as service_port,
        serving(dripping(service_port)) as port,
    ):
        (only,) = await post(der(authority), tmp_path, port)
    assert only.outcome == ANSWERED
    assert only.longest_turn_ms < RING_MS / 2


def dripping(port: int) -> Serve:
    """Passes bytes on to `port`, and what comes back one at a time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", port)

        async def pass_on() -> None:
            while data := await reader.read(4096):
                forth.write(data)

        passing = asyncio.create_task(pass_on())
        try:
            while data := await back.read(1):
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            passing.cancel()
            forth.transport.abort()

    return serve


async def test_a_certificate_file_that_is_none(tmp_path: Path) -> None:
    service = Service()
    async with serving(service) as port:
        (only,) = await post(b"no certificate", tmp_path, port)
    assert only.outcome == "untrusted"
    assert service.requests == 0
