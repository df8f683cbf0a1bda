"""TCP for a home: so many connections at once and no more, each a task that ends before its server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(
    talk: Talk, host: str, port: int, *, most: int, longest_line_bytes: int
) -> AsyncIterator[int]:
    """Takes connections while it is entered; gives the port, which for a `port` of 0 is a free one.

    Args:
        talk: is awaited with each connection, which is closed behind it. It may raise OSError, TimeoutError, and
            ValueError for a line that is too long: the other end is gone, is silent, or keeps to nothing.
        most: connections at once; one too many is closed at once.

    Raises:
        OSError: the address is another program's, or none of this computer's.
    """
    writers: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(writers) >= most:
            writer.close()
            return
        writers[writer] = asyncio.current_task()
        try:
            with suppress(OSError, TimeoutError, ValueError):
                await talk(reader, writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        finally:
            del writers[writer]
            writer.close()

    server = await asyncio.start_server(serve, host, port, limit=longest_line_bytes)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        tasks = [task for task in writers.values() if task is not None]
        for writer in writers:
            writer.transport.abort()
        if tasks:
            await asyncio.wait(tasks)
