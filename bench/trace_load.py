"""Asks a trace service as fast as it answers: signed requests, made before, over kept connections.

    python -m bench.trace_load PLAN OUT

PLAN is a JSON object: `host`, `port`, `connections` (a list of lists of tokens, a connection each), `warm_up` (so many
answers are not measured). Each connection asks its next when its last is answered. OUT gets a JSON object: `began_s`
and `ended_s`, of which clock only the difference counts, `answers` that were measured, `took_ms` of each, and `signed`,
the bodies of all.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvloop

_HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: star57\r\nContent-Type: application/jose\r\nContent-Length: %d\r\n\r\n"


class WrongAnswer(Exception):
    """An answer without status 200, or a connection that was closed."""


class _Measured:
    """What is measured of all connections."""

    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up
        self.began_s = 0.0
        self.ended_s = 0.0
        self.took_ms: list[float] = []
        self.bodies: list[str] = []

    def answered(self, body: bytes, took_s: float) -> None:
        self.bodies.append(body.decode())
        now = time.monotonic()
        if len(self.bodies) == self.warm_up:
            self.began_s = now
        elif len(self.bodies) > self.warm_up:
            self.took_ms.append(took_s * 1000)
            self.ended_s = now


class _Asker(asyncio.Protocol):
    def __init__(self, tokens: Iterator[str], measured: _Measured, done: asyncio.Future[None]) -> None:
        self._tokens = tokens
        self._measured = measured
        self._done = done
        self._received = bytearray()
        self._asked_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # as uvloop's is no subclass
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            self._fail(f"{head!r} {bytes(rest)!r}")
            return
        self._measured.answered(bytes(rest), time.monotonic() - self._asked_s)
        self._received.clear()
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"a connection was closed: {exc}")

    def _ask(self) -> None:
        token = next(self._tokens, None)
        if token is None:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.abort()
            return
        self._asked_s = time.monotonic()
        self._transport.write(_HEAD % len(token) + token.encode())

    def _fail(self, what: str) -> None:
        if not self._done.done():
            self._done.set_exception(WrongAnswer(what))


async def _load(plan: dict[str, Any], measured: _Measured) -> None:
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Future[None]] = []
    for tokens in plan["connections"]:
        ends.append(loop.create_future())
        asker = partial(_Asker, iter(tokens), measured, ends[-1])
        await loop.create_connection(asker, plan["host"], plan["port"])
    await asyncio.gather(*ends)


def main() -> None:
    """Reads the plan, asks, and writes what was measured."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    measured = _Measured(plan["warm_up"])
    uvloop.run(_load(plan, measured))
    result = {
        "began_s": measured.began_s,
        "ended_s": measured.ended_s,
        "answers": len(measured.took_ms),
        "took_ms": measured.took_ms,
        "signed": measured.bodies,
    }
    Path(sys.argv[2]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
