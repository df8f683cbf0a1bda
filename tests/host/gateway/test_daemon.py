"""The gateway at many ports that come and go, and a service that does."""

from __future__ import annotations

import asyncio
import logging
import os
import termios
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import serial
from serial.tools.list_ports_common import ListPortInfo

from host_tools.gateway import daemon as daemon_module
from host_tools.gateway.daemon import Daemon
from host_tools.gateway.forward import ServiceForward
from host_tools.gateway.frames import Frame, build
from host_tools.gateway.messages import UNAVAILABLE
from host_tools.gateway.ports import PortFinder
from host_tools.gateway.served_port import PortState
from tests.host.gateway.adapter_on_pty import AdapterOnPty
from tests.host.gateway.http_service import HttpService, answer_to
from tests.host.gateway.waiting import until

BODY = b"eyJhbGciOiJIUzI1NiJ9." + b"x" * 1500 + b".c2ln"
SERIAL_NUMBER = "E6614C311B7A2F29"


class Bench:
    """A service, a gateway that runs, and adapters in a folder, in which the gateway serves all."""

    def __init__(self, folder: Path, service: HttpService) -> None:
        self.folder = folder
        self.service = service
        self.listed: list[ListPortInfo] = []
        self._forward = ServiceForward([service.url], timeout_s=5.0)
        finder = PortFinder([f"{folder}/tty*"], listed=lambda: self.listed)
        self.daemon = Daemon(finder, self._forward, log_every_s=0.0)
        self._adapters: list[AdapterOnPty] = []
        self._running = asyncio.create_task(self.daemon.run())

    def adapter(self, name: str = "ttyACM0") -> AdapterOnPty:
        """An adapter that is plugged in."""
        adapter = AdapterOnPty(self.folder / name)
        adapter.plug_in()
        self._adapters.append(adapter)
        return adapter

    def state(self, adapter: AdapterOnPty) -> PortState:
        """How its port is."""
        return self.daemon.states.get(str(adapter.port), PortState())

    async def connected(self, *adapters: AdapterOnPty) -> None:
        """Waits until their ports are open."""
        await until(lambda: all(self.state(adapter).connected for adapter in adapters))

    async def disconnected(self, adapter: AdapterOnPty) -> None:
        """Waits until its port is closed."""
        await until(lambda: not self.state(adapter).connected)

    async def stop(self) -> None:
        """Stops the gateway. Raises what it has raised."""
        self._running.cancel()
        await asyncio.wait([self._running], timeout=10.0)
        await self._forward.close()
        for adapter in self._adapters:
            adapter.unplug()
        if not self._running.cancelled():
            self._running.result()


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(daemon_module, "_LOOK_EVERY_S", 0.05)
    async with HttpService() as service:
        bench = Bench(tmp_path, service)
        yield bench
        await bench.stop()


async def test_a_question_is_forwarded_and_answered(bench: Bench) -> None:
    adapter = bench.adapter()
    assert await adapter.ask(BODY) == (200, answer_to(BODY))
    assert bench.service.bodies == [BODY]
    assert bench.state(adapter) == PortState(connected=True, questions=1, answered=1)


async def test_fifty_ports_at_once(bench: Bench) -> None:
    adapters = [bench.adapter(f"ttyACM{number}") for number in range(50)]
    bodies = [b"%d." % number + BODY for number in range(50)]
    bench.service.open.clear()
    asked = [asyncio.create_task(adapter.ask(body)) for adapter, body in zip(adapters, bodies, strict=True)]
    await until(lambda: len(bench.service.bodies) == 50)  # none waits for another
    bench.service.open.set()
    async with asyncio.timeout(15):
        assert await asyncio.gather(*asked) == [(200, answer_to(body)) for body in bodies]
    assert {bench.state(adapter).answered for adapter in adapters} == {1}


async def test_questions_of_one_port_are_forwarded_in_order(bench: Bench) -> None:
    adapter = bench.adapter()
    bench.service.open.clear()
    first = asyncio.create_task(adapter.ask(b"first"))
    await until(lambda: bench.service.bodies == [b"first"])
    first.cancel()  # given up by the adapter
    second = asyncio.create_task(adapter.ask(b"second"))
    await until(lambda: b"*57 w 0 " in adapter.received)
    assert bench.service.bodies == [b"first"]
    bench.service.open.set()
    assert await second == (200, answer_to(b"second"))
    assert bench.service.bodies == [b"first", b"second"]


async def test_a_silent_service_holds_up_no_other_port(bench: Bench) -> None:
    waiting, other = bench.adapter("ttyACM0"), bench.adapter("ttyACM1")
    bench.service.open.clear()
    asked = asyncio.create_task(waiting.ask(BODY))
    await until(lambda: len(bench.service.bodies) == 1)
    await other.put(b"also asked")
    await until(lambda: len(bench.service.bodies) == 2)
    bench.service.open.set()
    assert await asked == (200, answer_to(BODY))


async def test_a_port_that_appears_later_is_served(bench: Bench) -> None:
    await until(lambda: bench.daemon.states == {})
    adapter = bench.adapter("ttyACM9")
    assert await adapter.ask(BODY) == (200, answer_to(BODY))


async def test_an_adapter_that_is_unplugged_comes_back(bench: Bench) -> None:
    adapter, other = bench.adapter("ttyACM0"), bench.adapter("ttyACM1")
    for times in range(3):
        assert await adapter.ask(BODY) == (200, answer_to(BODY))
        assert bench.state(adapter).reconnects == times
        adapter.unplug()
        await bench.disconnected(adapter)
        assert await other.ask(BODY) == (200, answer_to(BODY))
        adapter.plug_in()
    await bench.connected(adapter)
    assert bench.state(other).reconnects == 0


async def test_an_answer_is_kept_while_the_adapter_is_unplugged(bench: Bench) -> None:
    adapter = bench.adapter()
    bench.service.open.clear()
    asked = asyncio.create_task(adapter.ask(BODY))
    await until(lambda: bench.service.bodies == [BODY])
    adapter.unplug()
    await bench.disconnected(adapter)
    bench.service.open.set()
    await until(lambda: bench.state(adapter).answered == 1)
    adapter.plug_in()
    assert await asked == (200, answer_to(BODY))
    assert bench.service.bodies == [BODY]


async def test_a_device_under_another_path_is_found_by_its_usb_serial_number(bench: Bench) -> None:
    adapter = bench.adapter("ttyACM0")
    name = f"usb:{SERIAL_NUMBER}"

    def list_it() -> None:
        port = ListPortInfo(adapter.device)
        port.serial_number = SERIAL_NUMBER
        bench.listed = [port]

    list_it()
    await until(lambda: bench.daemon.states.get(name, PortState()).connected)
    adapter.unplug()
    adapter.port = bench.folder / "beyond the glob"
    adapter.plug_in()
    list_it()
    assert await adapter.ask(BODY) == (200, answer_to(BODY))
    assert bench.daemon.states[name].reconnects == 1


async def test_a_service_that_is_down_is_unavailable_until_it_is_back(bench: Bench) -> None:
    adapter = bench.adapter()
    await bench.service.stop()
    assert await adapter.ask(BODY) == UNAVAILABLE
    await bench.service.start()
    assert await adapter.ask(BODY) == (200, answer_to(BODY))
    assert bench.state(adapter) == PortState(connected=True, questions=2, answered=1, unavailable=1)


async def test_nothing_is_sent_unasked(bench: Bench) -> None:
    adapter, other = bench.adapter("ttyACM0"), bench.adapter("ttyACM1")
    await bench.connected(adapter, other)
    adapter.send(b"star57: line 12 of a log\r\n*57 q 1 00000000 0 5 wrong\n>>> ")
    await until(lambda: bench.state(adapter).damaged_frames == 1)
    assert await other.ask(BODY) == (200, answer_to(BODY))
    assert adapter.received == b""


async def test_the_port_is_opened_for_one_program_at_115200_baud_and_raw(bench: Bench) -> None:
    adapter = bench.adapter()
    await bench.connected(adapter)
    descriptor = os.open(adapter.device, os.O_RDWR | os.O_NOCTTY)
    try:
        _, output, control, local, baud_in, baud_out, _ = termios.tcgetattr(descriptor)
    finally:
        os.close(descriptor)
    assert (baud_in, baud_out) == (termios.B115200, termios.B115200)
    assert control & (termios.CSIZE | termios.PARENB | termios.CSTOPB) == termios.CS8
    assert not output & termios.OPOST
    assert not local & (termios.ECHO | termios.ICANON | termios.ISIG)
    with pytest.raises(serial.SerialException, match="lock"):
        serial.Serial(adapter.device, exclusive=True)


async def test_a_port_that_another_program_has_is_waited_for(bench: Bench) -> None:
    adapter = AdapterOnPty(bench.folder / "elsewhere")
    adapter.plug_in()
    technician = serial.Serial(adapter.device, exclusive=True)
    adapter.port = adapter.port.rename(bench.folder / "ttyACM0")
    await until(lambda: bench.state(adapter).fault == "another program has it open")
    technician.close()
    assert await adapter.ask(BODY) == (200, answer_to(BODY))
    assert bench.state(adapter).fault == ""
    adapter.unplug()


async def test_what_is_no_serial_port_is_told(bench: Bench) -> None:
    (bench.folder / "ttyS0").touch()
    name = str(bench.folder / "ttyS0")
    await until(lambda: name in bench.daemon.states and bench.daemon.states[name].fault != "")
    assert bench.daemon.states[name] == PortState(fault="it is no serial port")


async def test_an_adapter_that_takes_nothing_costs_no_memory_and_no_time(bench: Bench) -> None:
    deaf, other = bench.adapter("ttyACM0"), bench.adapter("ttyACM1")
    assert await deaf.ask(BODY) == (200, answer_to(BODY))
    assert await other.ask(BODY) == (200, answer_to(BODY))
    deaf.stop_reading()
    flood = build(Frame("m", 999, b"0 512")) * 10
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(200):
            try:
                deaf.send(flood)
            except BlockingIOError:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)
        assert await other.ask(BODY) == (200, answer_to(BODY))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 200_000


async def test_counts_are_logged_and_nothing_of_the_content(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    adapter = bench.adapter()
    await adapter.ask(BODY)
    last = (
        f"port {adapter.port}: connected=yes questions=1 answered=1 unavailable=0 "
        "damaged_frames=0 reconnects=0"
    )
    await until(lambda: last in caplog.messages)
    assert len(set(caplog.messages)) == len(caplog.messages)
    assert "eyJ" not in caplog.text
    assert "xxx" not in caplog.text


async def test_counts_are_logged_once_a_minute_and_at_the_end(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=daemon_module.__name__)
    folder = bench.folder / "of another gateway"
    folder.mkdir()
    adapter = AdapterOnPty(folder / "ttyACM0")
    adapter.plug_in()
    async with ServiceForward([bench.service.url]) as forward:
        daemon = Daemon(PortFinder([str(adapter.port)]), forward)
        running = asyncio.create_task(daemon.run())
        await until(lambda: bool(caplog.messages))
        for _ in range(3):
            await adapter.ask(BODY)
        assert len(caplog.messages) == 1
        running.cancel()
        await asyncio.wait([running])
    adapter.unplug()
    assert len(caplog.messages) == 2
    assert "questions=3 answered=3" in caplog.messages[1]


async def test_it_stops_at_once_while_a_question_is_under_way(bench: Bench) -> None:
    adapter = bench.adapter()
    bench.service.open.clear()
    await adapter.put(BODY)
    await until(lambda: bench.service.bodies == [BODY])
    started = time.monotonic()
    await bench.stop()
    assert time.monotonic() - started < 1.0
