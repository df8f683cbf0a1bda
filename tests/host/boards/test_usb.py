"""USB of an emulated Pico: the link, a console beside it, and MicroPython's own prompt, one after the other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from host_tools.gateway.gateway import Gateway
from host_tools.rig.real_boards import SerialPort
from host_tools.stories.desk import Desk
from tests.host.rig.wired_on_ptys import WiredOnPtys, needs_wired_picos
from tests.host.stories.test_on_a_pico import BEATS_OFTEN

pytestmark = [needs_wired_picos, pytest.mark.hil]

KEY = bytes(range(32))
SETTINGS = json.dumps({"adapter_id": "usb-01", "adapter_key": KEY.hex(), "line": "5555550101"}).encode()
WITHIN_S = 240.0


class Terminal:
    """A host at the USB port: a gateway answers the frames, and a technician reads and types between them."""

    def __init__(self, port: SerialPort) -> None:
        self.desk = Desk("usb-01", KEY, now=lambda: 1_795_000_000.0)
        self.shown = b""
        self._port = port
        self._gateway = Gateway(self.desk)

    def types(self, text: bytes) -> None:
        self.shown = b""
        self._port.write(text)

    def until(self, condition: Callable[[], bool]) -> None:
        """Lets both go on until the condition is true."""
        end = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < end, self.shown[-500:]
            came = self._port.take()
            if not came:
                time.sleep(0.002)  # the emulated Pico is another thread's
                continue
            self.shown += came
            answer = self._gateway.receive(came)
            if answer:
                self._port.write(answer)

    def until_shown(self, text: bytes) -> None:
        self.until(lambda: text in self.shown)

    def until_heartbeats(self, count: int) -> None:
        """Until so many more have come."""
        until = len(self.desk.heartbeats) + count
        self.until(lambda: len(self.desk.heartbeats) >= until)


def test_a_technician_reads_and_types_while_the_link_goes_on_and_takes_the_prompt_and_gives_it_back() -> None:
    with WiredOnPtys({"settings.json": SETTINGS, "boot.py": BEATS_OFTEN}) as wired:
        terminal = Terminal(SerialPort(wired.board.name))
        terminal.until_heartbeats(1)
        assert b"star57 " in terminal.shown
        terminal.types(b"board.name, 6 * 7\r")
        terminal.until_shown(b"('pico', 42)\r\n")
        terminal.until_heartbeats(1)
        first = terminal.desk.last_heartbeat
        terminal.types(b"\x03")
        terminal.until_shown(b">>> ")
        terminal.types(b"40 + 2\r\n")
        terminal.until_shown(b"\r\n42\r\n>>> ")
        terminal.types(b"\x04")
        terminal.until_heartbeats(2)
        last = terminal.desk.last_heartbeat
        assert wired.fault is None
    assert last.uptime_s < first.uptime_s + 60
    assert (last.carrier, last.lost_samples) == ("serial", 0)
