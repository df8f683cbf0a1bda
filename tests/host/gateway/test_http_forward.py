"""Forwarding against real services: one that works, one that is away, and some that keep no promise."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import repeat
from threading import Thread

import pytest

from host_tools.gateway.http_forward import ServiceForward
from host_tools.gateway.messages import UNAVAILABLE

BODY = b'{"message":"trace_request"}'
ANSWER = b'{"message":"trace_answer"}'


class Server:
    """Takes one connection, reads the request, and sends `parts`; `pause_s` lies before each."""

    def __init__(self, parts: Iterator[bytes], pause_s: float) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._parts = parts
        self._pause_s = pause_s
        self.request = b""
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1/traces"
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, suppress(OSError):
            while not self.request.endswith(BODY):
                self.request += connection.recv(4096)
            for part in self._parts:
                time.sleep(self._pause_s)
                connection.sendall(part)

    def close(self) -> None:
        self._listener.close()
        self._thread.join()


@contextmanager
def serving(*parts: bytes, pause_s: float = 0.0, for_ever: bytes = b"") -> Iterator[Server]:
    def all_parts() -> Iterator[bytes]:
        yield from parts
        if for_ever:
            yield from repeat(for_ever)

    server = Server(all_parts(), pause_s)
    try:
        yield server
    finally:
        server.close()


def response(body: bytes, status: bytes = b"200 OK", length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        length,
        body,
    )


def forwarded(*parts: bytes) -> tuple[int, bytes]:
    with serving(*parts) as server:
        return ServiceForward(server.url)(BODY)


def test_a_request_is_posted_as_it_is() -> None:
    with serving(response(ANSWER)) as server:
        assert ServiceForward(server.url)(BODY) == (200, ANSWER)
        head, _, body = server.request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/traces HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert b"Content-Length: %d" % len(BODY) in head
    assert body == BODY


def test_a_refusal_is_answered_with_its_status() -> None:
    refusal = b'{"message":"refusal","reason":"unknown_adapter"}'
    assert forwarded(response(refusal, b"403 Forbidden")) == (403, refusal)


def test_another_address_is_not_gone_to() -> None:
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    assert forwarded(moved) == (307, b"")


def test_an_answer_in_chunks_or_without_a_length() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        len(ANSWER),
        ANSWER,
    )
    assert forwarded(chunked) == (200, ANSWER)
    assert forwarded(b"HTTP/1.0 200 OK\r\n\r\n", ANSWER) == (200, ANSWER)


def test_the_longest_answer() -> None:
    assert forwarded(response(b"x" * 2048)) == (200, b"x" * 2048)


NO_WHOLE_ANSWERS = {
    "hung up": b"",
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "noise": b"\x00\xff" * 100,
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200,
    "a header too long": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    "cut short": response(ANSWER, length=len(ANSWER) + 1),
    "too long": response(b"x" * 2049),
    "too long, and no length": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2049,
    "a chunk cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + ANSWER,
    "a chunk without a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n?\r\n" + ANSWER,
}


@pytest.mark.parametrize("name", NO_WHOLE_ANSWERS)
def test_what_is_no_whole_answer_is_unavailable(name: str) -> None:
    assert forwarded(NO_WHOLE_ANSWERS[name]) == UNAVAILABLE


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert ServiceForward(f"http://127.0.0.1:{port}/")(BODY) == UNAVAILABLE


def test_a_host_and_a_path_that_no_request_can_carry() -> None:
    assert ServiceForward(f"http://{'x' * 70}.invalid/")(BODY) == UNAVAILABLE
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert ServiceForward(f"{address}/\u00f6")(BODY) == UNAVAILABLE
        assert ServiceForward(f"{address}/a b")(BODY) == UNAVAILABLE


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:5757", "ftp://127.0.0.1/", "http:///v1/traces", "http://host:port/"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"port|address"):
        ServiceForward(url)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n", response(b"", length=2000)]
)
def test_an_answer_that_trickles_is_cut_off_in_time(head: bytes) -> None:
    with serving(head, pause_s=0.05, for_ever=b"x") as server:
        started = time.monotonic()
        assert ServiceForward(server.url, timeout_s=0.4)(BODY) == UNAVAILABLE
        assert time.monotonic() - started < 2.0


def test_a_service_that_says_nothing() -> None:
    with serving(response(ANSWER), pause_s=1.0) as server:
        started = time.monotonic()
        assert ServiceForward(server.url, timeout_s=0.2)(BODY) == UNAVAILABLE
        assert time.monotonic() - started < 0.9
