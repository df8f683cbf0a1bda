"""A trace service on a real socket that knows its answers beforehand."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """Listens on 127.0.0.1, always on the same port, and leaves nothing open when it is stopped.

    Args:
        serve: speaks with one client; it may be cancelled.
        tls: for https.
    """

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self._port = 0
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"{'https' if self._tls else 'http'}://localhost:{self._port}"

    async def start(self) -> None:
        """Takes clients."""
        self._server = await asyncio.start_server(
            self._serve_client, "127.0.0.1", self._port, ssl=self._tls, backlog=1000
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hangs up on everybody, and listens no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.current_task()
        assert client
        self._clients.add(client)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self._clients.discard(client)


class HttpService(Listener):
    """Answers each POST with `answer_to` its body, over connections that are kept.

    Attributes:
        bodies: what it was asked, in order.
        heads: of these requests.
        connections: how many there were.
        open: an answer waits until it is set.
        status: of the answers.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._answer_all, tls)
        self.bodies: list[bytes] = []
        self.heads: list[bytes] = []
        self.connections = 0
        self.open = asyncio.Event()
        self.open.set()
        self.status = 200

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length
            body = await reader.readexactly(int(length[1]))
            self.heads.append(head)
            self.bodies.append(body)
            await self.open.wait()
            writer.write(response(answer_to(body), self.status))
            await writer.drain()


def answer_to(body: bytes) -> bytes:
    """What the service answers to `body`: nearly as long as an answer may be."""
    return b"answer to " + body + b"." * (2900 - len(body))


def response(body: bytes, status: int = 200, length: int | None = None) -> bytes:
    """An HTTP response, which says that it is `length` bytes long."""
    head = b"HTTP/1.1 %d X\r\nContent-Type: application/jose\r\nSet-Cookie: a=b\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body) if length is None else length) + body
