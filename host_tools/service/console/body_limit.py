"""How much of a body is read, and how long it is waited for."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 65536
WITHIN_S = 10.0


class BodyLimit:
    """ASGI middleware: a body of more than 64 KB is refused (413), and one that does not arrive within 10 s (408)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] == "http":
            receive = _Body(receive, int(Headers(scope=scope).get("content-length", "0"))).receive
        await self._app(scope, receive, send)


class _Body:
    """A body as it arrives; what is raised here is raised where the route reads it."""

    def __init__(self, receive: Receive, announced_bytes: int) -> None:
        self._receive = receive
        self._announced_bytes = announced_bytes
        self._bytes = 0
        self._until = asyncio.get_running_loop().time() + WITHIN_S
        self._is_whole = False

    async def receive(self) -> Message:
        """The next part of it; after the last, whatever else the browser does."""
        if self._is_whole:
            return await self._receive()
        if self._announced_bytes > MOST_BYTES:
            raise HTTPException(413)
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(408) from error
        self._bytes += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._bytes > MOST_BYTES:
            raise HTTPException(413)
        return message
