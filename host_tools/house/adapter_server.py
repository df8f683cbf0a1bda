"""Where adapters on the network tell what happens: lines over TCP, as `docs/protocol.md` has them under "Notices"."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from host_tools.house import signed
from host_tools.house.household import Source
from host_tools.house.listening import listening
from host_tools.house.notices import Alive, NoticeError, read
from host_tools.house.signed import SignatureError, Told

MOST_CONNECTIONS = 64
LONGEST_LINE_BYTES = 1100

_HELLO_BYTES = 16
# An adapter says every 30 s that it is alive.
_SILENT_FOR_S = 90.0
_FIRST_WITHIN_S = 10.0

logger = logging.getLogger(__name__)

Heard = Callable[[Source, bytes], None]


class _Connection:
    """One adapter's connection: what it tells is taken only as the very adapter's, new, and in order."""

    def __init__(self, writer: asyncio.StreamWriter, keys: dict[str, bytes], *, takes_unsigned: bool) -> None:
        self._writer = writer
        self._keys = keys
        self._takes_unsigned = takes_unsigned
        self._adapter_id = ""
        self._first = self._newest = -1
        self._hello = secrets.token_hex(_HELLO_BYTES)
        address = writer.get_extra_info("peername")
        self.name = str(address[0]) if address else "the network"

    @property
    def may_press(self) -> bool:
        return self._first >= 0

    def greet(self) -> None:
        """Says what the adapter must repeat, so that nobody can play a connection that was recorded."""
        self._writer.write(f'{{"hello":"{self._hello}"}}\n'.encode())

    def press(self, payload: bytes) -> None:
        if self.may_press:
            key = self._keys[self._adapter_id]
            self._writer.write(signed.sign(payload, key, self._adapter_id, self._first) + b"\n")

    def payload(self, line: bytes) -> bytes:
        """What `line` tells. Raises SignatureError when it is not what this connection's adapter may tell."""
        if line.startswith(b"{"):
            return self._unsigned(line)
        told = signed.read(line, self._keys)
        if self._first < 0:
            self._begin(told)
        elif told.adapter_id != self._adapter_id or told.sequence <= self._newest:
            raise SignatureError("it was told before, or is another adapter's")
        self._newest = told.sequence
        return told.payload

    def _unsigned(self, line: bytes) -> bytes:
        notice = read(line)
        if not self._takes_unsigned or notice.adapter_id in self._keys or self.may_press:
            raise SignatureError("it is not signed")
        return line

    def _begin(self, told: Told) -> None:
        first = read(told.payload)
        if not isinstance(first, Alive) or first.hello != self._hello:
            raise SignatureError("it is of another connection")
        if first.adapter_id != told.adapter_id:
            raise SignatureError("it is another adapter's")
        self._adapter_id = told.adapter_id
        self._first = told.sequence


class AdapterServer:
    """Takes what adapters on the network tell.

    Args:
        heard: is given what was told, and by whom.
        keys: house keys of 32 bytes, by adapter id.
        takes_unsigned: whether an adapter without a key is believed: then whoever is in the network can tell of calls.
    """

    def __init__(self, heard: Heard, keys: dict[str, bytes], *, takes_unsigned: bool = False) -> None:
        self._heard = heard
        self._keys = keys
        self._takes_unsigned = takes_unsigned

    def listening(self, host: str, port: int) -> AbstractAsyncContextManager[int]:
        """Takes adapters while it is entered; gives the port. Raises OSError when the address is another's."""
        return listening(
            self._serve, host, port, most=MOST_CONNECTIONS, longest_line_bytes=LONGEST_LINE_BYTES
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer, self._keys, takes_unsigned=self._takes_unsigned)
        try:
            await self._listen_to(connection, reader)
        except SignatureError as error:
            logger.warning("%s: not believed: %s", connection.name, error)
        except NoticeError:
            logger.warning("%s: it tells what is no notice", connection.name)

    async def _listen_to(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        connection.greet()
        within_s = _FIRST_WITHIN_S
        while True:
            async with asyncio.timeout(within_s):
                line = await reader.readline()
            if not line.endswith(b"\n"):
                return
            self._heard(connection, connection.payload(line.rstrip(b"\r\n")))
            within_s = _SILENT_FOR_S
