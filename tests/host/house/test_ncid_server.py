"""The NCID server over real TCP, to a client written by the NCID API's words, and to clients that keep to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from host_tools.house import ncid_server
from host_tools.house.call_log import CallLog
from host_tools.house.household import Household
from host_tools.house.ncid_server import NcidServer
from tests.host.house.ncid_client import NcidClient, fields
from tests.host.house.telling import JOHN, Wire, call, line, traced

NOON = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


@dataclass
class Served:
    """A household with an NCID server at `port`."""

    household: Household
    port: int

    def hear(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.household.heard(Wire(), payload)


@asynccontextmanager
async def serving(log: CallLog | None = None) -> AsyncIterator[Served]:
    server = NcidServer(log or CallLog(100), {"adapter-1": "POTS"}, "1.0", UTC, lambda: NOON)
    async with server.listening("127.0.0.1", 0) as port:
        yield Served(Household([server]), port)


async def test_a_connection_starts_as_published() -> None:
    # "A typical client connection start-up", with a log that is empty.
    async with (
        serving() as served,
        NcidClient(served.port, "HELLO: IDENT: client ncid (NCID) 1.10") as client,
    ):
        assert client.lines == [
            "200 Server: Star57 (NCID) 1.0",
            "210 API: 1.10 Feature Set 1 4",
            "252 Call log empty",
            "300 End of connection startup",
        ]


async def test_an_answered_call_is_told_from_its_first_ring_to_its_end() -> None:
    async with serving() as served, NcidClient(served.port) as client:
        served.hear(
            call("ringing"),
            call("caller", rings=1, **JOHN),
            call("ringing", rings=1, **JOHN),
            call("answered", rings=1, answered=True, **JOHN),
            call("ended", rings=1, answered=True, **JOHN),
        )
        await client.line_of("END:")
        assert client.lines[4:] == [
            "CIDINFO: *LINE*POTS*RING*1*TIME*12:00:30*",
            "CID: *DATE*01012026*TIME*1200*LINE*POTS*NMBR*5555550123*MESG*NONE*NAME*JOHN DOE*",
            "CIDINFO: *LINE*POTS*RING*2*TIME*12:00:30*",
            "CIDINFO: *LINE*POTS*RING*0*TIME*12:00:30*",
            "CIDINFO: *LINE*POTS*RING*-2*TIME*12:00:30*",
            (
                "END: *HTYPE*BYE*DATE*01012026*TIME*1200*SCALL*01/01/2026 12:00:00*ECALL*01/01/2026 12:00:30"
                "*CTYPE*IN*LINE*POTS*NMBR*5555550123*NAME*JOHN DOE*"
            ),
        ]


async def test_a_call_that_presents_nobody_is_shown_once_all_the_same() -> None:
    async with serving() as served, NcidClient(served.port) as client:
        served.hear(*(call("ringing", rings=rings) for rings in range(4)), call("ended", rings=4))
        await client.line_of("END:")
        shown = [fields(line) for line in client.lines if line.startswith("CID:")]
        assert [(pairs["NMBR"], pairs["NAME"]) for pairs in shown] == [("NO-NUMBER", "NO NAME")]
        rings = [fields(line)["RING"] for line in client.lines if line.startswith("CIDINFO:")]
        assert rings == ["1", "2", "3", "4", "-1"]


async def test_a_call_that_waits_is_shown_to_clients_that_know_calls_alone() -> None:
    async with serving() as served, NcidClient(served.port) as client:
        served.hear(call("waiting", call_waiting=True), call("caller", call_waiting=True, **JOHN))
        assert fields(await client.line_of("CID:"))["NMBR"] == "5555550123"


async def test_what_became_of_a_trace_is_a_message_without_who_called() -> None:
    async with serving() as served, NcidClient(served.port) as client:
        served.hear(call("caller", **JOHN), traced("traced"))
        assert await client.line_of("MSG:") == (
            "MSG: Trace of the last call is done. "
            "***DATE*01012026*TIME*1200*LINE*POTS*NMBR*-*MTYPE*SYS*NAME*-*"
        )


async def test_of_the_line_alone_nothing_is_told() -> None:
    async with serving() as served, NcidClient(served.port) as client:
        served.hear(line("in_call"), call("ringing"))
        await client.line_of("CIDINFO:")
        assert len(client.lines) == 5


async def test_who_connects_later_is_sent_the_log() -> None:
    async with serving() as served:
        served.hear(call("caller", **JOHN), call("ended", rings=2, **JOHN), traced("stored"))
        async with NcidClient(served.port) as client:
            labels = [line.split()[0] for line in client.lines[2:]]
            assert labels == ["254", "CIDLOG:", "ENDLOG:", "MSGLOG:", "250", "300"]
            assert fields(client.lines[3])["NAME"] == "JOHN DOE"


@pytest.mark.parametrize(
    ("hello", "third"),
    [
        (("HELLO: IDENT: client x 1", "HELLO: CMD: no_log"), "251 Call log not sent"),
        (("HELLO: CMD: send_log",), "254 Start of call log"),
    ],
)
async def test_a_client_says_whether_it_wants_the_log(hello: tuple[str, ...], third: str) -> None:
    async with serving() as served:
        served.hear(call("caller", **JOHN))
        async with NcidClient(served.port, *hello) as client:
            assert client.lines[2] == third
        # "It is critical that the server clears this temporary override".
        async with NcidClient(served.port) as client:
            assert client.lines[2] == "254 Start of call log"


async def test_requests_of_feature_set_4_are_acknowledged() -> None:
    async with serving() as served, NcidClient(served.port) as client:
        client.say("")
        client.say("REQ: YO")
        assert await client.line_of("ACK:") == "ACK: REQ YO"
        client.say("REQ: ACK OUT")
        assert await client.line_of("ACK:") == "ACK: REQ ACK OUT"
        client.say("HELLO: CMD: no_log")
        client.say("SOMETHING: unheard of")
        client.say("GOODBYE")
        with pytest.raises(EOFError):
            await client.line_of("anything")


async def test_a_message_of_one_client_reaches_all() -> None:
    async with serving() as served, NcidClient(served.port) as one, NcidClient(served.port) as other:
        one.say("MSG: dinner * is ready ###DATE*01012026*TIME*1200*NAME*KITCHEN*")
        for client in (one, other):
            told = await client.line_of("MSG:")
            assert told.startswith("MSG: dinner   is ready ***DATE*01012026*TIME*1200*LINE*-*")
            assert fields(told.replace(" ***", " *"))["MTYPE"] == "USER"


async def test_a_client_that_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as served, NcidClient(served.port) as client:
        monkeypatch.setattr(ncid_server, "_MOST_UNSENT_BYTES", -1)  # as if so much waited for it
        served.hear(call("ringing"))
        with pytest.raises((EOFError, ConnectionError)):
            await client.line_of("CIDINFO:")


async def test_a_line_without_end_is_let_go() -> None:
    async with serving() as served, NcidClient(served.port) as client:
        client.say("x" * 5000)
        with pytest.raises((EOFError, ConnectionError)):
            await client.line_of("anything")


async def test_a_client_too_many_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ncid_server, "MOST_CLIENTS", 0)
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
