"""The NCID server: every NCID client in the home shows the calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime, tzinfo

from host_tools.house import ncid
from host_tools.house.call_log import CallLog
from host_tools.house.household import Adapter, Call
from host_tools.house.listening import listening
from host_tools.house.notices import CallNotice, Notice, Traced

MOST_CLIENTS = 64

# NCID API, HELLO: "the server delays on connect after sending a 210 line".
_HELLO_WITHIN_S = 0.25
_LONGEST_LINE_BYTES = 1024
_MOST_UNSENT_BYTES = 65536
# A line that presents no caller: after so many rings none is waited for any more.
_RINGS_WITHOUT_CALLER = 2

_OUTCOMES = {
    "stored": "is asked for, and not answered yet",
    "traced": "is done",
    "not_traceable": "was not possible",
    "already_traced": "was done before",
    "not_offered": "is not available on this line",
    "no_call": "was not possible: there is no call",
    "store_full": "was not possible: too many wait for an answer",
    "store_failed": "was not possible: it could not be kept",
    "switched_off": "was not asked for: the button is switched off",
    "not_last": "was not asked for: another call has come",
}


class NcidServer:
    """Serves NCID clients, and tells them what the household hears.

    Args:
        log: of calls and messages.
        names: of lines, by adapter id; an adapter without one has its id.
        version: of this server.
        zone: that of the clients; None: that of this computer.
        clock: the time now.
    """

    def __init__(
        self,
        log: CallLog,
        names: dict[str, str],
        version: str,
        zone: tzinfo | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._names = names
        self._version = version
        self._zone = zone
        self._clock = clock
        self._clients: set[asyncio.StreamWriter] = set()
        self._shown: dict[str, str] = {}

    def listening(self, host: str, port: int) -> AbstractAsyncContextManager[int]:
        """Takes clients while it is entered; gives the port. Raises OSError when the address is another's."""
        return listening(self._serve, host, port, most=MOST_CLIENTS, longest_line_bytes=_LONGEST_LINE_BYTES)

    def heard(self, adapter: Adapter, notice: Notice, call: Call | None) -> None:
        """Tells the clients of a call, and of what has become of a trace."""
        line_id = self._names.get(adapter.adapter_id, adapter.adapter_id)
        if isinstance(notice, Traced):
            text = f"Trace of the last call {_OUTCOMES[notice.outcome]}."
            self._tell(ncid.message(text, line_id, self._now()), is_kept=True)
        elif isinstance(notice, CallNotice) and call is not None:
            self._tell_call(adapter.adapter_id, line_id, notice, call)

    def online_changed(self, adapter: Adapter) -> None:
        """NCID has no word for it."""

    def _tell_call(self, adapter_id: str, line_id: str, notice: CallNotice, call: Call) -> None:
        if notice.notice == "ringing":
            self._tell(ncid.ring(line_id, call.rings + 1, self._now()))
            if call.rings >= _RINGS_WITHOUT_CALLER:
                self._show_once(adapter_id, line_id, call)
        elif notice.notice == "caller":
            self._show(adapter_id, line_id, call)
        elif notice.notice == "answered":
            self._tell(ncid.ring(line_id, ncid.STOPPED, self._now()))
        elif notice.notice == "ended":
            self._show_once(adapter_id, line_id, call)
            how = ncid.HUNG_UP if call.answered else ncid.NOT_ANSWERED
            self._tell(ncid.ring(line_id, how, self._now()))
            self._tell(ncid.end(call, line_id, self._now(), self._zone), is_kept=True)

    def _show_once(self, adapter_id: str, line_id: str, call: Call) -> None:
        if self._shown.get(adapter_id) != call.call_id:
            self._show(adapter_id, line_id, call)

    def _show(self, adapter_id: str, line_id: str, call: Call) -> None:
        self._shown[adapter_id] = call.call_id
        self._tell(ncid.call(call, line_id, self._zone), is_kept=True)

    def _now(self) -> datetime:
        return self._clock().astimezone(self._zone)

    def _tell(self, line: str, *, is_kept: bool = False) -> None:
        if is_kept:
            self._log.add(line)
        for client in list(self._clients):
            self._send(client, line)

    def _send(self, client: asyncio.StreamWriter, *lines: str) -> None:
        if client.transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
            # It has not read for long: it may come again, and is sent the log then.
            self._clients.discard(client)
            client.transport.abort()
            return
        client.write("".join(f"{line}\n" for line in lines).encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        finally:
            self._clients.discard(writer)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._send(writer, ncid.server(self._version), ncid.API)
        sends_log = await self._says_hello(reader)
        self._send(writer, *self._startup(sends_log=sends_log))
        self._clients.add(writer)
        while line := await reader.readline():
            word = line.decode(errors="replace").strip()
            if word == "GOODBYE":
                return
            self._answer(writer, word)
            await writer.drain()

    async def _says_hello(self, reader: asyncio.StreamReader) -> bool:
        """Reads what a client says of itself; whether it wants the call log."""
        sends_log = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_HELLO_WITHIN_S):
                while line := await reader.readline():
                    if line.strip() in (b"HELLO: CMD: no_log", b"HELLO: CMD: send_log"):
                        sends_log = line.strip().endswith(b"send_log")
        return sends_log

    def _startup(self, *, sends_log: bool) -> list[str]:
        lines = [ncid.of_log(line) for line in self._log.lines]
        if not sends_log:
            log = [ncid.LOG_NOT_SENT]
        elif not lines:
            log = [ncid.LOG_EMPTY]
        else:
            log = [ncid.START_OF_LOG, *lines, ncid.END_OF_LOG]
        return [*log, ncid.END_OF_STARTUP]

    def _answer(self, client: asyncio.StreamWriter, word: str) -> None:
        if word == "REQ: YO" or word.startswith("REQ: ACK"):
            self._send(client, f"ACK: REQ {word.removeprefix('REQ: ')}")
        elif word.startswith("MSG:"):
            text = word.removeprefix("MSG:").partition("###")[0]
            self._tell(ncid.message(text, "-", self._now(), "USER"), is_kept=True)
