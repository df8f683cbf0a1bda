"""Real boards, as far as they can be tried without one: ports on pseudo terminals, and mpremote on an emulated Pico."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from host_tools.rig import real_boards
from host_tools.rig.board_on_line import BoardOnLine
from host_tools.rig.firmware import FirmwareFault
from host_tools.rig.real_boards import CannotBeDone, RealBoards, SerialPort
from tests.host.rig.test_board_on_line import silence
from tests.host.rig.wired_on_ptys import PtyPort, WiredOnPtys, needs_wired_picos

EVERY_BYTE = bytes(range(256))


@pytest.fixture
def pty() -> Iterator[PtyPort]:
    pty = PtyPort()
    yield pty
    pty.close()


@pytest.fixture
def port(pty: PtyPort) -> Iterator[SerialPort]:
    port = SerialPort(pty.name)
    yield port
    port.close()


def test_every_byte_goes_both_ways(pty: PtyPort, port: SerialPort) -> None:
    port.write(EVERY_BYTE)
    received = b""
    while len(received) < len(EVERY_BYTE):
        received += pty.received()
    pty.send(EVERY_BYTE)
    assert received == EVERY_BYTE
    assert port.read(256) == EVERY_BYTE


def test_what_comes_in_pieces_is_waited_for(pty: PtyPort, port: SerialPort) -> None:
    pty.send(b"one ")
    later = threading.Timer(0.1, pty.send, [b"two"])
    later.start()
    assert port.read(7) == b"one two"
    later.join()


def test_taking_does_not_wait(pty: PtyPort, port: SerialPort) -> None:
    assert port.take() == b""
    pty.send(b"log")
    time.sleep(0.05)
    assert port.take() == b"log"


def test_what_does_not_come_is_a_fault(pty: PtyPort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_boards, "_ANSWERS_WITHIN_S", 0.1)
    port = SerialPort(pty.name)
    pty.send(b"half")
    with pytest.raises(FirmwareFault, match=r"of 8 bytes 4 came in 0.1 s: b'half'"):
        port.read(8)
    port.close()


def test_a_port_that_is_not_there_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_boards, "_COMES_BACK_WITHIN_S", 0.2)
    with pytest.raises(FirmwareFault, match="cannot be opened"):
        SerialPort("/dev/no-such-port")


def test_nobody_cuts_the_power_of_a_real_board_or_reads_its_files_meanwhile(pty: PtyPort) -> None:
    boards = RealBoards("/dev/no-such-port", pty.name, {})
    with pytest.raises(CannotBeDone, match="power"):
        boards.power_cut()
    with pytest.raises(CannotBeDone, match="files"):
        boards.file("calls.a")
    with pytest.raises(FirmwareFault, match="has not been started"):
        boards.board.take()
    boards.end()


def test_a_board_without_a_prompt_is_a_fault(pty: PtyPort) -> None:
    boards = RealBoards("/dev/no-such-port", pty.name, {})
    with pytest.raises(FirmwareFault, match="mpremote"):
        boards.power_on()


@needs_wired_picos
def test_mpremote_provisions_a_board_and_its_files_come_back() -> None:
    settings = {"adapter_id": "test-01", "line": "5555550101"}
    with WiredOnPtys({"calls.a": b"of the story before"}) as wired:
        boards = RealBoards(wired.board.name, wired.line.name, settings)
        firmware = BoardOnLine(boards, lambda _data: b"")
        # A session of the line emulator that nobody has ended, in the middle of a frame.
        boards.line.write(b"stream\n")
        time.sleep(0.5)
        boards.line.write(b"\xa0\x00\x00")
        firmware.start()
        said = [firmware.exchange_block(silence()) for _ in range(20)]
        firmware.stop()
        assert wired.fault is None
        assert wired.resets >= 1
    assert not any(block.relay_energised for block in said)
    assert json.loads(boards.file("settings.json") or b"") == settings
    assert boards.file("calls.a") is None
