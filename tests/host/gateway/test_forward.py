"""Forwarding against real services: some that work, some that are away, and some that keep no promise."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import chain, repeat
from pathlib import Path

import pytest
import trustme

from host_tools.gateway.forward import ServiceForward, blocking_forward
from host_tools.gateway.messages import UNAVAILABLE
from tests.host.gateway.http_service import HttpService, Listener, answer_to, response
from tests.host.gateway.waiting import until

BODY = b"eyJhbGciOiJIUzI1NiJ9.e30.c2ln"
ANSWER = b"eyJ0eXAiOiJhbnN3ZXIifQ.e30.c2ln"
REFUSAL = b'{"message":"refusal","reason":"unknown_adapter","newest_sequence":null}'


@asynccontextmanager
async def serving(parts: Iterator[bytes], pause_s: float = 0.0) -> AsyncIterator[str]:
    """A server that sends `parts` to whoever asks, `pause_s` before each, and hangs up; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        for part in parts:
            await asyncio.sleep(pause_s)
            writer.write(part)
            await writer.drain()

    async with Listener(serve) as listener:
        yield listener.url


async def forwarded(*urls: str, timeout_s: float = 2.0, ca_file: Path | None = None) -> tuple[int, bytes]:
    async with ServiceForward(urls, timeout_s, ca_file) as forward:
        return await forward(BODY)


async def answer_from(*parts: bytes) -> tuple[int, bytes]:
    async with serving(iter(parts)) as url:
        return await forwarded(url)


def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


async def test_a_message_is_posted_as_it_is() -> None:
    async with HttpService() as service:
        assert await forwarded(service.url) == (200, answer_to(BODY))
    assert service.bodies == [BODY]
    [head] = service.heads
    assert head.startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert b"Content-Type: application/jose\r\n" in head


async def test_another_path_is_taken_as_it_is_given() -> None:
    async with HttpService() as service:
        await forwarded(f"{service.url}/trace/v1/messages")
    assert service.heads[0].startswith(b"POST /trace/v1/messages HTTP/1.1\r\n")


async def test_a_connection_is_kept_for_the_next_question() -> None:
    async with HttpService() as service, ServiceForward([service.url]) as forward:
        assert [await forward(BODY) for _ in range(3)] == [(200, answer_to(BODY))] * 3
        assert service.connections == 1


async def test_questions_are_forwarded_side_by_side() -> None:
    async with HttpService() as service, ServiceForward([service.url], 10.0) as forward:
        service.open.clear()
        bodies = [b"question %d" % number for number in range(200)]
        asked = [asyncio.create_task(forward(body)) for body in bodies]
        await until(lambda: len(service.bodies) == len(bodies))
        service.open.set()
        assert await asyncio.gather(*asked) == [(200, answer_to(body)) for body in bodies]


async def test_a_refusal_is_answered_with_its_status() -> None:
    assert await answer_from(response(REFUSAL, 403)) == (403, REFUSAL)
    assert await answer_from(response(REFUSAL, 503)) == (503, REFUSAL)


async def test_another_address_is_not_gone_to() -> None:
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    assert await answer_from(moved) == (307, b"")


async def test_an_answer_in_chunks_or_without_a_length() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    assert await answer_from(chunked % (len(ANSWER), ANSWER)) == (200, ANSWER)
    assert await answer_from(b"HTTP/1.0 200 OK\r\n\r\n", ANSWER) == (200, ANSWER)


async def test_the_longest_answer() -> None:
    assert await answer_from(response(b"x" * 3000)) == (200, b"x" * 3000)


async def test_a_cookie_is_not_kept() -> None:
    async with HttpService() as service, ServiceForward([service.url]) as forward:
        assert await forward(BODY) == await forward(BODY)
    assert not any(b"\r\ncookie:" in head.lower() for head in service.heads)


NO_WHOLE_ANSWERS = {
    "hung up": b"",
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "noise": b"\x00\xff" * 100,
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "a header too long": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    "cut short": response(ANSWER, length=len(ANSWER) + 1),
    "too long": response(b"x" * 3001),
    "too long, and no length": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3001,
    "a chunk cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + ANSWER,
    "a chunk without a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n?\r\n" + ANSWER,
}


@pytest.mark.parametrize("name", NO_WHOLE_ANSWERS)
async def test_what_is_no_whole_answer_is_unavailable(name: str) -> None:
    assert await answer_from(NO_WHOLE_ANSWERS[name]) == UNAVAILABLE


async def test_nobody_listens() -> None:
    assert await forwarded(nobody()) == UNAVAILABLE


async def test_a_host_that_nobody_knows() -> None:
    assert await forwarded("http://no-such-host.invalid") == UNAVAILABLE
    assert await forwarded(f"http://{'x' * 70}.invalid") == UNAVAILABLE


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:5757",
        "ftp://127.0.0.1/",
        "http:///v1/messages",
        "http://host:port/",
        "http://user:password@127.0.0.1/",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="address") as error:
        ServiceForward([url])
    assert "password@" not in str(error.value)


def test_no_address_at_all() -> None:
    with pytest.raises(ValueError, match="no address"):
        ServiceForward([])


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n", response(b"", length=2000)]
)
async def test_an_answer_that_trickles_is_cut_off_in_time(head: bytes) -> None:
    async with serving(chain([head], repeat(b"x")), pause_s=0.05) as url:
        started = time.monotonic()
        assert await forwarded(url, timeout_s=0.4) == UNAVAILABLE
        assert time.monotonic() - started < 2.0


async def test_a_service_that_says_nothing() -> None:
    async with HttpService() as service:
        service.open.clear()
        started = time.monotonic()
        assert await forwarded(service.url, timeout_s=0.2) == UNAVAILABLE
        assert time.monotonic() - started < 2.0


async def test_the_next_address_is_asked_and_remembered() -> None:
    async with HttpService() as silent, HttpService() as service:
        silent.open.clear()
        async with ServiceForward([nobody(), silent.url, service.url], 0.3) as forward:
            assert await forward(BODY) == (200, answer_to(BODY))
            assert await forward(BODY) == (200, answer_to(BODY))
            assert (len(silent.bodies), len(service.bodies)) == (1, 2)
            silent.open.set()
            await service.stop()
            assert await forward(BODY) == (200, answer_to(BODY))
            await silent.stop()
            assert await forward(BODY) == UNAVAILABLE


async def test_a_service_in_need_is_believed_only_when_no_other_does_better() -> None:
    async with HttpService() as ill, HttpService() as service:
        ill.status = 502
        assert await forwarded(ill.url, service.url) == (200, answer_to(BODY))
        assert await forwarded(ill.url, nobody()) == (502, answer_to(BODY))


@pytest.mark.parametrize("status", [307, 404, 405, 429])
async def test_who_is_no_service_is_asked_but_once(status: int) -> None:
    async with HttpService() as another, HttpService() as service:
        another.status = status
        async with ServiceForward([another.url, service.url]) as forward:
            assert [await forward(BODY) for _ in range(2)] == [(200, answer_to(BODY))] * 2
        assert (len(another.bodies), len(service.bodies)) == (1, 2)


async def test_a_page_is_no_answer() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>"
    async with serving(iter([page])) as portal, HttpService() as service:
        assert await forwarded(portal, service.url) == (200, answer_to(BODY))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_a_certificate_of_the_pinned_authority(authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with HttpService(certified(authority, "localhost")) as service:
        assert await forwarded(service.url, ca_file=tmp_path / "ca.pem") == (200, answer_to(BODY))
        assert await forwarded(service.url) == UNAVAILABLE  # no authority that this system knows


@pytest.mark.parametrize(("same_authority", "name"), [(False, "localhost"), (True, "another.example")])
async def test_a_wrong_certificate(
    authority: trustme.CA, tmp_path: Path, same_authority: bool, name: str
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with HttpService(certified(authority if same_authority else trustme.CA(), name)) as service:
        assert await forwarded(service.url, ca_file=tmp_path / "ca.pem") == UNAVAILABLE
        assert service.bodies == []


async def test_with_an_authority_pinned_the_systems_count_for_nothing(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "system.pem"))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    async with HttpService(certified(authority, "localhost")) as service:
        assert await forwarded(service.url) == (200, answer_to(BODY))
        assert await forwarded(service.url, ca_file=tmp_path / "ca.pem") == UNAVAILABLE


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(OSError, match=r"X509|No such file"):
            ServiceForward(["https://localhost"], ca_file=tmp_path / name)


async def test_a_caller_without_a_loop_waits_for_the_answer() -> None:
    async with HttpService() as service:
        forward = blocking_forward(service.url)
        assert await asyncio.to_thread(forward, BODY) == (200, answer_to(BODY))
        await service.stop()
        assert await asyncio.to_thread(forward, BODY) == UNAVAILABLE
    with pytest.raises(ValueError, match="address"):
        blocking_forward("127.0.0.1:5757")
