"""What is plugged in, found on simulated boards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import serial

from host_tools.rig.simulated_boards import SimulatedBoards
from host_tools.technician.boards import Board, Kind, choose, firmware_status, look, survey
from host_tools.technician.console import Console
from host_tools.technician.faults import NoSuchBoard, SeveralBoards
from host_tools.technician.ports import FolderUsb, Port
from host_tools.technician.prompt import Prompt
from host_tools.technician.waiting import Patience, wait_for_drive
from tests.host.technician.small_firmware import FILES, SmallFirmware

PATIENCE_S = 20.0


def test_each_kind_is_told_apart(firmware: SmallFirmware) -> None:
    with SimulatedBoards(4, firmware.uf2("0.1.0", "abc1234567"), FILES) as boards:
        usb = FolderUsb(boards.folder)
        running, prompting, loading, busy = boards.boards
        Prompt(prompting.name).close()
        with Prompt(loading.name) as prompt:
            prompt.boot_loader()
        at_loader = Board(loading.serial_number, loading.name, Kind.STAR57, loading.serial_number)
        wait_for_drive(usb, at_loader, Patience())
        with serial.Serial(busy.name, exclusive=True):
            found = survey(usb, PATIENCE_S)
    # The boot loader does not tell the board's serial number, and comes first.
    assert [board.kind for board in found] == [Kind.BOOT_LOADER, Kind.STAR57, Kind.MICROPYTHON, Kind.BUSY]
    first = found[1]
    assert (first.serial_number, first.port) == (running.serial_number, running.name)
    assert (first.board, first.version, first.commit) == ("pico", "0.1.0", "abc1234567")
    assert (first.adapter_id, first.line, first.micropython) == ("bench-01", "5555550101", "1.25.0")
    assert (first.relay, first.health, first.is_well) == (False, "unknown", True)
    assert found[2].told == "MicroPython's prompt: no firmware runs"
    assert (found[0].chip, found[0].location) == ("RPI-RP2", loading.serial_number)
    assert "has" in found[3].told


def test_what_is_not_micropythons_is_not_typed_to(tmp_path: Path) -> None:
    modem = tmp_path / "ttyUSB0"
    modem.touch()
    board = look(Port(str(modem), "A1", "1-2", is_micropython=False), [])
    assert board.kind is Kind.OTHER
    assert modem.read_bytes() == b""


def test_asking_interrupts_nothing(firmware: SmallFirmware) -> None:
    with SimulatedBoards(1, firmware.uf2("0.1.0", "abc1234567"), FILES) as boards:
        usb = FolderUsb(boards.folder)
        kinds = [survey(usb, PATIENCE_S)[0].kind for _ in range(3)]
        assert kinds == [Kind.STAR57] * 3
        assert boards.boards[0].starts == 1


def test_a_firmware_with_a_bench_says_how_it_is(firmware: SmallFirmware) -> None:
    status = json.dumps(
        {"state": "ringing", "healthy": False, "reasons": ["heap_low"], "slot": "b", "outbox": 2}
    )
    with SimulatedBoards(1, firmware.uf2("0.1.0", "abc1234567"), FILES) as boards:
        with Console(boards.boards[0].name, PATIENCE_S) as console:
            assert firmware_status(console) == {}
            console.ask("globals().update(bench=type('Bench',(),{})())")
            console.ask(f"setattr(bench,'text',{status[:60]!r})")
            console.ask(f"setattr(bench,'text',bench.text+{status[60:]!r})")
            console.ask("setattr(bench,'status',lambda:bench.text)")
        (board,) = survey(FolderUsb(boards.folder), PATIENCE_S)
    assert (board.state, board.slot, board.outbox) == ("ringing", "b", 2)
    assert (board.health, board.is_well) == ("heap low", False)


def test_a_board_is_chosen_by_port_or_serial_number_or_because_it_is_alone() -> None:
    one = Board("E1", "/dev/ttyACM0", Kind.STAR57)
    two = Board("E2", "/dev/ttyACM1", Kind.SILENT)
    modem = Board("A1", "/dev/ttyUSB0", Kind.OTHER)
    assert choose([one, modem], None) is one
    assert choose([one, two], "E2") is two
    assert choose([one, two], "/dev/ttyACM0") is one
    with pytest.raises(SeveralBoards, match="2 boards"):
        choose([one, two], None)
    for found in ([], [modem]):
        with pytest.raises(NoSuchBoard):
            choose(found, None)
    with pytest.raises(NoSuchBoard, match="E3"):
        choose([one], "E3")


def test_only_the_service_may_be_missing_from_a_board_that_is_well() -> None:
    def board(*reasons: str) -> Board:
        return Board("E1", "/dev/ttyACM0", Kind.STAR57, healthy=not reasons, reasons=reasons)

    assert board().is_well
    assert board("link_silent").is_well
    assert not board("link_silent", "heap_low").is_well
    assert board("link_silent", "heap_low").health == "link silent, heap low"
