"""Adapters on the network: who is believed, over real TCP, with the lines of docs/vectors/notices.json and others."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import pytest
from jwt import PyJWS

from host_tools.house import adapter_server, signed
from host_tools.house.adapter_server import AdapterServer
from host_tools.house.household import Source
from tests.host.gateway.waiting import until
from tests.host.house.telling import VECTORS, alive, call, line

NETWORK = VECTORS["network"]
KEY = bytes.fromhex(NETWORK["key"])
KEYS = {"adapter-1": KEY}


@dataclass
class Heard:
    """Keeps what was believed."""

    payloads: list[bytes] = field(default_factory=list)
    source: Source | None = None

    def __call__(self, source: Source, payload: bytes) -> None:
        self.source = source
        self.payloads.append(payload)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


class AdapterOnNetwork:
    """An adapter's end of a connection; it signs with PyJWT, and counts from 57."""

    def __init__(self, port: int, key: bytes = KEY, adapter_id: str = "adapter-1") -> None:
        self._port = port
        self._key = key
        self._adapter_id = adapter_id
        self.sequence = 57
        self.hello = ""

    async def __aenter__(self) -> Self:
        self.reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.hello = json.loads(await self.reader.readline())["hello"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await closed(self._writer)

    def signed(self, payload: bytes, sequence: int | None = None, typ: str = "ask") -> bytes:
        self.sequence += 1
        number = self.sequence - 1 if sequence is None else sequence
        headers = {"typ": typ, "kid": self._adapter_id, "seq": number}
        return PyJWS().encode(payload, self._key, "HS256", headers).encode()

    def send(self, *lines: bytes) -> None:
        self._writer.write(b"".join(each + b"\n" for each in lines))

    def begin(self, **fields: object) -> None:
        self.send(self.signed(alive(hello=self.hello, **fields)))

    async def ended(self) -> bool:
        async with asyncio.timeout(10):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def listening(*, takes_unsigned: bool = False) -> AsyncIterator[tuple[Heard, int]]:
    heard = Heard()
    server = AdapterServer(heard, KEYS, takes_unsigned=takes_unsigned)
    async with server.listening("127.0.0.1", 0) as port:
        yield heard, port


async def test_what_an_adapter_has_signed_is_heard_in_order() -> None:
    async with listening() as (heard, port), AdapterOnNetwork(port) as adapter:
        adapter.begin()
        adapter.send(adapter.signed(line("ringing")), adapter.signed(call("ringing")))
        await until(lambda: len(heard.payloads) == 3)
        assert heard.payloads[1:] == [line("ringing"), call("ringing")]
        assert heard.source is not None
        assert heard.source.may_press


async def test_the_lines_of_the_vectors_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda count: NETWORK["hello"])
    async with listening() as (heard, port), AdapterOnNetwork(port) as adapter:
        adapter.send(*(vector["line"].encode() for vector in NETWORK["adapter"]))
        await until(lambda: len(heard.payloads) == 2)
        assert heard.payloads == [vector["payload"].encode() for vector in NETWORK["adapter"]]
        assert heard.source is not None
        heard.source.press(NETWORK["house"][0]["payload"].encode())
        pressed = await adapter.reader.readline()
        # PyJWT writes its members in another order than the vectors do.
        assert PyJWS().decode_complete(pressed.strip(), KEY, algorithms=["HS256"])["header"] == {
            "alg": "HS256",
            "typ": "answer",
            "kid": "adapter-1",
            "seq": 57,
        }


async def test_a_press_is_signed_for_the_connection() -> None:
    async with listening() as (heard, port), AdapterOnNetwork(port) as adapter:
        adapter.begin()
        await until(lambda: heard.source is not None)
        adapter.send(adapter.signed(line("idle")))
        await until(lambda: len(heard.payloads) == 2)
        assert heard.source is not None
        heard.source.press(b'{"trace":"00112233445566aa"}')
        pressed = PyJWS().decode_complete(
            (await adapter.reader.readline()).strip(), KEY, algorithms=["HS256"]
        )
        assert pressed["payload"] == b'{"trace":"00112233445566aa"}'
        assert pressed["header"]["seq"] == 57


@pytest.mark.parametrize(
    "forged",
    [
        lambda adapter: [adapter.signed(alive(hello="0" * 32))],
        lambda adapter: [adapter.signed(alive())],
        lambda adapter: [adapter.signed(line("idle"))],
        lambda adapter: [adapter.signed(alive(hello=adapter.hello, adapter_id="adapter-2"))],
        lambda adapter: [adapter.signed(alive(hello=adapter.hello), typ="answer")],
        lambda adapter: [alive(hello=adapter.hello)],
        lambda adapter: [b"garbage"],
        lambda adapter: [b"a.b.c"],
        lambda adapter: [b"{}"],
        lambda adapter: [b"x" * 5000],
        lambda adapter: [b""],
        lambda adapter: [NETWORK["adapter"][0]["line"].encode()],
    ],
)
async def test_what_is_not_the_adapters_of_this_connection_is_not_heard(forged) -> None:  # type: ignore[no-untyped-def]
    async with listening() as (heard, port), AdapterOnNetwork(port) as adapter:
        adapter.send(*forged(adapter))
        assert await adapter.ended()
        assert heard.payloads == []


async def test_another_key_and_an_unknown_adapter_are_not_heard() -> None:
    async with listening() as (heard, port):
        for stranger in (AdapterOnNetwork(port, bytes(32)), AdapterOnNetwork(port, KEY, "adapter-2")):
            async with stranger as adapter:
                adapter.begin()
                assert await adapter.ended()
        assert heard.payloads == []


async def test_what_was_told_before_is_not_heard_again() -> None:
    async with listening() as (heard, port), AdapterOnNetwork(port) as adapter:
        adapter.begin()
        adapter.send(adapter.signed(call("ringing"), sequence=60), adapter.signed(call("ended"), sequence=60))
        assert await adapter.ended()
        assert heard.payloads[1:] == [call("ringing")]


async def test_without_a_key_an_adapter_is_believed_only_where_that_is_wanted() -> None:
    async with listening(takes_unsigned=True) as (heard, port), AdapterOnNetwork(port) as adapter:
        adapter.send(alive(adapter_id="adapter-2"), line("ringing", "adapter-2"))
        await until(lambda: len(heard.payloads) == 2)
        assert heard.source is not None
        assert not heard.source.may_press
        heard.source.press(b"{}")
        # And never for an adapter that has one.
        adapter.send(line("idle"))
        assert await adapter.ended()
        assert len(heard.payloads) == 2


async def test_who_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_server, "_FIRST_WITHIN_S", 0.02)
    async with listening() as (_, port), AdapterOnNetwork(port) as adapter:
        assert await adapter.ended()


async def test_of_a_forger_the_log_says_no_more_than_where_it_is(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "host_tools"):
        async with listening() as (_, port), AdapterOnNetwork(port, bytes(32)) as adapter:
            adapter.begin()
            assert await adapter.ended()
    assert "127.0.0.1: not believed: the signature is wrong" in caplog.text


async def test_no_more_connections_than_a_household_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_server, "MOST_CONNECTIONS", 0)
    async with listening() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        await closed(writer)


def test_a_sequence_number_is_a_count() -> None:
    for sequence in (True, -1, 2**53, "57", None, 1.5):
        token = PyJWS().encode(b"{}", KEY, "HS256", {"typ": "ask", "kid": "adapter-1", "seq": sequence})
        with pytest.raises(signed.SignatureError):
            signed.read(token.encode(), KEYS)
