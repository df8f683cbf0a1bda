"""Requests as they are sent, and thousands of responses that are none."""

import random

from star57.link.error import LinkError
from star57.link.http import post, receive

REASONS = ("closed", "garbage", "too_large")
RESPONSE = (
    b"HTTP/1.1 200 OK\r\ndate: Mon, 05 Jan 2026 12:00:00 GMT\r\nserver: uvicorn\r\n"
    b"content-length: 23\r\ncontent-type: application/jose\r\n\r\nheader.answer.signature"
)


class Received:
    """A connection over which `parts` come, and then its end."""

    def __init__(self, parts):
        self._parts = parts

    async def read(self):
        return self._parts.pop(0) if self._parts else b""


async def outcome(*parts):
    try:
        return await receive(Received(list(parts)))
    except LinkError as fault:
        return fault.reason


def test_a_request():
    assert post("/v1/messages", "trace.example:5757", b"a.b.c") == (
        b"POST /v1/messages HTTP/1.1\r\nHost: trace.example:5757\r\nContent-Type: application/jose\r\n"
        b"Content-Length: 5\r\n\r\na.b.c"
    )


async def test_a_response_in_any_two_parts():
    for cut in range(1, len(RESPONSE)):
        assert await outcome(RESPONSE[:cut], RESPONSE[cut:]) == (200, b"header.answer.signature", True), cut


async def test_a_response_that_ends_too_early():
    for cut in range(len(RESPONSE)):
        assert await outcome(RESPONSE[:cut]) == "closed", cut


async def test_5000_responses_of_chance():
    random.seed(57)
    seen = set()
    for turn in range(5000):
        response = RESPONSE
        if turn % 3 == 0:
            response = response.replace(b"23", str(random.getrandbits(13)).encode())
        response = bytearray(response)
        for _ in range(turn % 4):
            response[random.getrandbits(9) % len(response)] = random.getrandbits(8)
        cut = random.getrandbits(8) % len(response)
        found = await outcome(bytes(response[:cut]), bytes(response[cut:]), bytes(random.getrandbits(8)))
        if isinstance(found, tuple):
            status, body, keeps = found
            assert 200 <= status <= 999
            assert len(body) <= 3000
            assert keeps in (False, True)
            found = "answer"
        seen.add(found)
    assert seen == set(REASONS) | {"answer"}
