"""Connections of the service: who says nothing is hung up on, and who asks is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from uvicorn.server import ServerState

from host_tools.service import serve
from host_tools.service.api import create_app
from tests.host.service.conftest import Centre


@pytest.fixture
async def port(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(serve, "HEAD_WITHIN_S", 0.1)
    config = uvicorn.Config(create_app(centre.settings()), log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: serve.Connection(config, state, {}), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize("said", [b"", b"POST /v1/mess"])
async def test_who_says_no_more_is_hung_up_on(port: int, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_who_has_asked_may_rest(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
        await asyncio.sleep(2 * serve.HEAD_WITHIN_S)
    writer.close()
