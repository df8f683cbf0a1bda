"""Notices at the gateway: handed on as they come, between questions; and presses of the trace button, sent back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from host_tools.gateway.daemon import Daemon
from host_tools.gateway.frames import Frame, FrameReader, build
from host_tools.gateway.ports import PortFinder
from host_tools.gateway.questions import MAX_NOTICES, AdapterEnd
from host_tools.gateway.served_port import Noticed
from tests.host.gateway.adapter_on_pty import AdapterOnPty
from tests.host.gateway.waiting import until

NOTICE = b'{"notice":"line","adapter_id":"adapter-1","state":"idle"}'
PRESS = b'{"trace":"00112233445566aa"}'


def test_notices_are_taken_once_in_their_order_and_nobody_is_answered() -> None:
    end = AdapterEnd()
    assert end.receive(build(Frame("e", 0, b"first")) + build(Frame("e", 1, b"second"))) == b""
    assert end.take_notices() == [b"first", b"second"]
    assert end.take_notices() == []


def test_of_notices_that_nobody_takes_the_newest_are_kept() -> None:
    end = AdapterEnd()
    for number in range(MAX_NOTICES + 3):
        end.receive(build(Frame("e", number, b"%d" % number)))
    assert end.take_notices() == [b"%d" % number for number in range(3, MAX_NOTICES + 3)]


def test_a_notice_within_a_question_changes_nothing_of_it() -> None:
    end = AdapterEnd()
    end.receive(
        build(Frame("q", 7, b"0 8 half")) + build(Frame("e", 7, NOTICE)) + build(Frame("q", 7, b"4 8 half"))
    )
    question = end.take_question()
    assert question is not None
    assert question.body == b"halfhalf"
    assert end.take_notices() == [NOTICE]


async def answered(body: bytes) -> tuple[int, bytes]:
    return 200, b"answer to " + body


@asynccontextmanager
async def serving(adapter: AdapterOnPty, noticed: Noticed | None) -> AsyncIterator[Daemon]:
    daemon = Daemon(PortFinder([str(adapter.port)]), answered, noticed=noticed)
    running = asyncio.create_task(daemon.run())
    adapter.plug_in()
    try:
        await until(lambda: any(state.connected for state in daemon.states.values()))
        yield daemon
    finally:
        running.cancel()
        await asyncio.wait([running])
        adapter.unplug()


async def test_a_notice_is_handed_on_with_its_ports_name(tmp_path: Path) -> None:
    adapter = AdapterOnPty(tmp_path / "adapter")
    heard: list[tuple[str, bytes]] = []
    async with serving(adapter, lambda name, payload: heard.append((name, payload))):
        adapter.send(build(Frame("e", 0, NOTICE)))
        assert await adapter.ask(b"a question") == (200, b"answer to a question")
        assert heard == [(str(adapter.port), NOTICE)]


async def test_where_nobody_wants_to_know_questions_are_answered_all_the_same(tmp_path: Path) -> None:
    adapter = AdapterOnPty(tmp_path / "adapter")
    async with serving(adapter, None):
        adapter.send(build(Frame("e", 0, NOTICE)))
        assert await adapter.ask(b"a question") == (200, b"answer to a question")


async def test_a_press_is_sent_as_one_frame(tmp_path: Path) -> None:
    adapter = AdapterOnPty(tmp_path / "adapter")
    async with serving(adapter, None) as daemon:
        daemon.press(str(adapter.port), PRESS)
        await until(lambda: b"\n" in adapter.received[1:])
        assert FrameReader().feed(adapter.received) == [Frame("t", 0, PRESS)]
