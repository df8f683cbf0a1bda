"""An NCID client as the NCID API (ncid.sourceforge.io/doc/NCID-API.html) describes one, of none of the server's code.

Field pairs may come in any order, and a line or a pair that is not known is passed by.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

CALLTYPES = ("CID", "HUP", "OUT", "BLK", "WID")


class NcidClient:
    """A client that has connected, says `hello` lines behind 210, and keeps every line that it is sent."""

    def __init__(self, port: int, *hello: str) -> None:
        self._port = port
        self._hello = hello
        self.lines: list[str] = []

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        await self.line_of("210 ")
        for line in self._hello:
            self.say(line)
        await self.line_of("300 ")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    def say(self, line: str) -> None:
        """Sends a line."""
        self._writer.write(f"{line}\n".encode())

    async def line_of(self, label: str) -> str:
        """The next line that begins with `label`. Raises TimeoutError when none comes, EOFError at the end."""
        async with asyncio.timeout(10):
            while True:
                read = await self._reader.readline()
                if not read:
                    raise EOFError
                line = read.decode().rstrip("\n")
                self.lines.append(line)
                if line.startswith(label):
                    return line


def fields(line: str) -> dict[str, str]:
    """The field pairs of a line: each label and its data between asterisks."""
    _, _, pairs = line.partition(" *")
    parts = pairs.lstrip("*").removesuffix("*").split("*")
    return dict(zip(parts[::2], parts[1::2], strict=True))
