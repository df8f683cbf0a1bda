"""A network that fails as networks do: a proxy in front of a service, with faults that follow from a seed.

    with FaultyProxy(("127.0.0.1", 5757), seed=57, faults={Fault.RESET: 0.1, Fault.ANSWER_LOST: 0.1}) as proxy:
        ...  # an adapter posts to port proxy.port; proxy.happened counts what it met

It speaks plain HTTP/1.1, in requests and answers that have a Content-Length, and runs in a thread of its own, so code
that waits and code of asyncio may use it alike. Chance is drawn once a request, in the order in which they come.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from enum import StrEnum
from random import Random
from types import TracebackType
from typing import Any, NamedTuple, Self

_LENGTH = re.compile(rb"^content-length: *([0-9]{1,9})\r$", re.IGNORECASE | re.MULTILINE)
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: closing the socket resets the connection


class Fault(StrEnum):
    """What may befall a request."""

    REFUSED = "refused"
    """The connection is reset, the request lost, and for `refused_s` nobody takes connections."""
    RESET = "reset"
    """The connection is reset, the request lost."""
    HALF_OPEN = "half-open"
    """The request is lost, and the connection stays open without a word."""
    SLOW = "slow"
    """The answer comes at `slow_bytes_per_s`."""
    ANSWER_LOST = "answer lost"
    """The service has answered, and the connection is reset before any of it has come back."""
    SENT_TWICE = "sent twice"
    """The service gets the request twice, one after the other; its first answer comes back."""
    ANSWER_TWICE = "answer twice"
    """The answer comes back twice, in one piece."""
    EARLIER_ANSWER = "earlier answer"
    """The service answers, and what comes back is the answer to the request before (all is well with the first)."""
    OUT_OF_ORDER = "out of order"
    """The answer to the request before comes back once more, and the right one behind it."""


class _Visit(NamedTuple):
    """A request that has come, and the way back."""

    request: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class FaultyProxy:
    """A proxy on 127.0.0.1 in front of `target`.

    Args:
        target: host and port of the service.
        seed: what chance follows from.
        faults: how likely each fault is, 0 to 1, at most 1 in all; may be set anew at any time.
        slow_bytes_per_s: how fast a slow answer comes.
        refused_s: for how long nobody takes connections, in real time.

    Attributes:
        port: where it listens, from `with` on.
        requests: how many have come.
        happened: how many requests met each fault.
    """

    def __init__(
        self,
        target: tuple[str, int],
        seed: int,
        faults: Mapping[Fault, float],
        *,
        slow_bytes_per_s: float = 1.0,
        refused_s: float = 1.0,
    ) -> None:
        self.target = target
        self.faults = faults
        self.slow_bytes_per_s = slow_bytes_per_s
        self.refused_s = refused_s
        self.port = 0
        self.requests = 0
        self.happened: Counter[Fault] = Counter()
        self._random = Random(seed)
        self._next: deque[Fault | None] = deque()
        self._earlier: bytes | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._again: asyncio.TimerHandle | None = None
        self._acts: dict[Fault, Callable[[_Visit], Awaitable[None]]] = {
            Fault.REFUSED: self._refused,
            Fault.RESET: self._connection_reset,
            Fault.HALF_OPEN: self._half_open,
            Fault.SLOW: self._slow,
            Fault.ANSWER_LOST: self._answer_lost,
            Fault.SENT_TWICE: self._sent_twice,
            Fault.ANSWER_TWICE: self._answer_twice,
            Fault.EARLIER_ANSWER: self._earlier_answer,
            Fault.OUT_OF_ORDER: self._out_of_order,
        }

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def will_meet(self, *faults: Fault | None) -> None:
        """The next requests meet these faults, None for none; after them chance goes on."""
        self._next.extend(faults)

    def refuse(self) -> None:
        """From now on nobody takes connections, and those that are open are reset."""
        self._run(self._stop_listening())

    def accept(self) -> None:
        """Connections are taken again."""
        self._run(self._listen())

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _listen(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._server is None:
            self._server = await self._start_listening()
            self.port = self._server.sockets[0].getsockname()[1]

    async def _start_listening(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in list(self._clients):
            _reset(client)

    async def _close(self) -> None:
        await self._stop_listening()
        if self._again is not None:
            self._again.cancel()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while True:
                visit = _Visit(await _read_message(reader), reader, writer)
                self.requests += 1
                fault = self._draw()
                if fault is None:
                    await self._pass(visit)
                else:
                    self.happened[fault] += 1
                    await self._acts[fault](visit)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            # Either end has gone, so has the other; or the proxy ends.
            _reset(writer)
        finally:
            self._clients.discard(writer)
            writer.close()

    def _draw(self) -> Fault | None:
        if self._next:
            return self._next.popleft()
        place = self._random.random()
        for fault in Fault:
            place -= self.faults.get(fault, 0.0)
            if place < 0:
                return fault
        return None

    async def _ask(self, request: bytes) -> bytes:
        """What the service answers to `request`, over a connection of its own."""
        reader, writer = await asyncio.open_connection(*self.target)
        try:
            writer.write(request)
            answer = await _read_message(reader)
        finally:
            writer.transport.abort()
        self._earlier = answer
        return answer

    async def _pass(self, visit: _Visit) -> None:
        visit.writer.write(await self._ask(visit.request))
        await visit.writer.drain()

    async def _refused(self, _visit: _Visit) -> None:
        await self._stop_listening()
        self._again = self._loop.call_later(self.refused_s, self._listen_again)

    def _listen_again(self) -> None:
        self._again = None
        self._listening = self._loop.create_task(self._listen())

    async def _connection_reset(self, _visit: _Visit) -> None:
        raise ConnectionResetError

    async def _half_open(self, visit: _Visit) -> None:
        while await visit.reader.read(4096):
            continue
        raise ConnectionResetError

    async def _slow(self, visit: _Visit) -> None:
        answer = await self._ask(visit.request)
        for place in range(len(answer)):
            visit.writer.write(answer[place : place + 1])
            await visit.writer.drain()
            await asyncio.sleep(1 / self.slow_bytes_per_s)

    async def _answer_lost(self, visit: _Visit) -> None:
        await self._ask(visit.request)
        raise ConnectionResetError

    async def _sent_twice(self, visit: _Visit) -> None:
        answer = await self._ask(visit.request)
        await self._ask(visit.request)
        visit.writer.write(answer)
        await visit.writer.drain()

    async def _answer_twice(self, visit: _Visit) -> None:
        visit.writer.write(2 * await self._ask(visit.request))
        await visit.writer.drain()

    async def _earlier_answer(self, visit: _Visit) -> None:
        earlier = self._earlier
        answer = await self._ask(visit.request)
        visit.writer.write(earlier or answer)
        await visit.writer.drain()

    async def _out_of_order(self, visit: _Visit) -> None:
        earlier = self._earlier or b""
        visit.writer.write(earlier + await self._ask(visit.request))
        await visit.writer.drain()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """A whole request or answer; one without a Content-Length has no body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
