"""The network carrier against real sockets, and services that keep no promise."""

import asyncio
import json
import socket
import time

from star57.link.network import LinkError, NetworkLink

BODY = b'{"message":"trace_request"}'
ANSWER = b'{"outcome":"traced"}'
_FIRST_PORT = 20_000
_PORTS = 20_000


class Service:
    """Answers each connection with `parts`, once the request has come; then closes it, or keeps it open."""

    def __init__(self, *parts, keeps_open=False, reads=True):
        self._parts = parts
        self._keeps_open = keeps_open
        self._reads = reads
        self._server = None
        self.port = 0
        self.requests = []
        self.closed_by_link = False

    async def __aenter__(self):
        self.port = _FIRST_PORT + time.ticks_us() % _PORTS
        while self._server is None:
            self.port += 1
            try:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            except OSError:
                continue
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        try:
            if self._reads:
                self.requests.append(await reader.read(4096))
            for part in self._parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep_ms(1)
            if self._keeps_open:
                self.closed_by_link = await reader.read(1) == b""
        except OSError:
            self.closed_by_link = True
        finally:
            await writer.wait_closed()


async def post_to(service, timeout_ms=1000):
    """What post() answers, or the reason of its LinkError."""
    link = NetworkLink("127.0.0.1", service.port, "/v1/traces", timeout_ms)
    try:
        return await link.post(BODY)
    except LinkError as fault:
        return fault.reason


async def answers(*parts, keeps_open=False, reads=True, timeout_ms=1000):
    async with Service(*parts, keeps_open=keeps_open, reads=reads) as service:
        return await post_to(service, timeout_ms)


def response(body, status=b"200 OK", length=None):
    length = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        status,
        length,
        body,
    )


async def test_a_request_and_its_answer():
    async with Service(response(ANSWER)) as service:
        assert await post_to(service) == (200, ANSWER)
        head, _, body = service.requests[0].partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0] == b"POST /v1/traces HTTP/1.1"
        assert b"Host: 127.0.0.1:%d" % service.port in lines
        assert b"Content-Length: %d" % len(BODY) in lines
        assert b"Connection: close" in lines
        assert body == BODY


async def test_the_answer_ends_the_exchange_though_the_service_stays():
    async with Service(response(ANSWER), keeps_open=True) as service:
        assert await post_to(service) == (200, ANSWER)
        await asyncio.sleep_ms(5)
        assert service.closed_by_link


async def test_an_answer_in_single_bytes():
    parts = [bytes([value]) for value in response(ANSWER)]
    assert await answers(*parts) == (200, ANSWER)


async def test_an_answer_that_ends_with_the_connection():
    assert await answers(b"HTTP/1.0 200 OK\r\n\r\n", ANSWER) == (200, ANSWER)


async def test_a_refusal_has_its_status():
    refusal = b'{"message":"refusal","reason":"unavailable"}'
    assert await answers(response(refusal, b"503 Service Unavailable")) == (503, refusal)


async def test_no_body():
    assert await answers(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", keeps_open=True) == (
        204,
        b"",
    )


async def test_the_longest_body():
    body = b"x" * 2048
    assert await answers(response(body)) == (200, body)
    assert await answers(b"HTTP/1.1 200 OK\r\n\r\n", body) == (200, body)


async def test_nobody_listens():
    async with Service() as service:
        pass
    assert await post_to(service) == "refused"


async def test_a_host_that_is_none():
    assert await post_to_host("") == "refused"


async def post_to_host(host):
    try:
        return await NetworkLink(host, 1, "/", 100).post(BODY)
    except LinkError as fault:
        return fault.reason


async def test_nothing_at_all():
    assert await answers() == "closed"
    assert await answers(reads=False) in ("closed", "refused")


async def test_silence():
    started = time.ticks_ms()
    async with Service(keeps_open=True) as service:
        assert await post_to(service, 60) == "timeout"
        assert 50 <= time.ticks_diff(time.ticks_ms(), started) < 500
        await asyncio.sleep_ms(5)
        assert service.closed_by_link


async def test_half_an_answer():
    whole = response(ANSWER)
    assert await answers(whole[:-5]) == "closed"
    assert await answers(whole[:30]) == "closed"
    assert await answers(whole[:-5], keeps_open=True, timeout_ms=60) == "timeout"


async def test_garbage():
    assert await answers(b"\x00\xff" * 500) == "garbage"
    assert await answers(b"<html></html>") == "garbage"
    assert await answers(b"HTTP/2 200 OK\r\n\r\n") == "garbage"
    assert await answers(b"HTTP/1.1 two hundred\r\n\r\n") == "garbage"
    assert await answers(b"HTTP/1.1\r\n\r\n") == "garbage"
    assert await answers(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n") == "garbage"
    assert await answers(b"\r\n\r\n") == "garbage"


async def test_wrong_lengths():
    assert await answers(response(ANSWER, length=len(ANSWER) + 1)) == "closed"
    assert await answers(response(ANSWER, length=5)) == (200, ANSWER[:5])
    assert await answers(response(ANSWER, length=2049)) == "too_large"
    assert await answers(response(ANSWER, length=10**30)) == "too_large"
    for length in (b"-1", b"", b"x", b"1.5", b"2, 2", b"2\r\nContent-Length: 3"):
        assert await answers(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nab") == "garbage", (
            length
        )


async def test_an_endless_head():
    assert await answers(b"HTTP/1.1 200 OK\r\n", *[b"X-More: and more\r\n" * 10] * 50) == "too_large"
    assert await answers(b"HTTP/1.1 200 OK", *[b" and more" * 20] * 50) == "too_large"


async def test_an_endless_body():
    assert await answers(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 200] * 50) == "too_large"


async def test_an_answer_that_drips_is_out_of_time():
    parts = [bytes([value]) for value in response(b"x" * 500)]
    assert await answers(*parts, timeout_ms=60) == "timeout"


async def test_many_failures_leave_no_socket_open():
    async with Service() as closed:
        pass
    async with Service(keeps_open=True) as silent:
        before = lowest_free_descriptor()
        for _ in range(10):
            assert await post_to(closed) == "refused"
            assert await post_to(silent, 5) == "timeout"
        await asyncio.sleep_ms(10)
        assert lowest_free_descriptor() == before


def lowest_free_descriptor():
    probe = socket.socket()
    try:
        return probe.fileno()
    finally:
        probe.close()


async def test_the_line_goes_on_while_the_service_is_silent():
    turns = 0
    async with Service(keeps_open=True) as service:
        posting = asyncio.create_task(post_to(service, 60))
        while not posting.done():
            turns += 1
            await asyncio.sleep_ms(1)
    assert turns > 5


async def test_a_body_of_2048_bytes_is_sent_whole():
    body = json.dumps({"name": "x" * 2030}).encode()
    async with Service(response(ANSWER)) as service:
        link = NetworkLink("127.0.0.1", service.port, "/", 500)
        assert await link.post(body) == (200, ANSWER)
        assert service.requests[0].endswith(body)
