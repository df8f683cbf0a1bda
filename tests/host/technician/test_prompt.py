"""MicroPython's prompt on a simulated board, by the real mpremote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools.rig.simulated_boards import SimulatedBoards
from host_tools.technician.boards import Board, Kind
from host_tools.technician.faults import BoardGone, BoardRefuses
from host_tools.technician.ports import FolderUsb
from host_tools.technician.prompt import Prompt
from host_tools.technician.waiting import PATIENCE, wait_for_drive, wait_for_prompt
from tests.host.technician.small_firmware import FILES, SETTINGS, SmallFirmware


@pytest.fixture
def boards(firmware: SmallFirmware) -> Iterator[SimulatedBoards]:
    with SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards:
        yield boards


def _board(boards: SimulatedBoards) -> Board:
    (board,) = boards.boards
    return Board(board.serial_number, board.name, Kind.STAR57, board.serial_number)


def test_programs_run_one_after_the_other(boards: SimulatedBoards) -> None:
    with Prompt(boards.boards[0].name) as prompt:
        prompt.run("five = 5")
        assert prompt.run("print(five)\nprint(five + 52)") == "5\n57\n"
        with pytest.raises(BoardRefuses, match="ZeroDivisionError"):
            prompt.run("1 / 0")


def test_files_come_and_go(boards: SimulatedBoards) -> None:
    data = bytes(range(256)) * 5
    with Prompt(boards.boards[0].name) as prompt:
        assert prompt.read_file("settings.json") == SETTINGS
        prompt.write_file("new.bin", data)
        assert prompt.read_file("new.bin") == data
        assert prompt.sha256("new.bin") == hashlib.sha256(data).hexdigest()
        with pytest.raises(BoardRefuses, match="file system"):
            prompt.read_file("none")


def test_a_board_begins_anew_or_goes_into_its_boot_loader(boards: SimulatedBoards) -> None:
    usb = FolderUsb(boards.folder)
    with Prompt(boards.boards[0].name) as prompt:
        prompt.run("five = 5")
        prompt.reset()
    _, prompt = wait_for_prompt(usb, _board(boards), PATIENCE)
    with prompt:
        with pytest.raises(BoardRefuses, match="NameError"):
            prompt.run("print(five)")
        prompt.boot_loader()
    assert boards.boards[0].starts == 2
    assert wait_for_drive(usb, _board(boards), PATIENCE).folder == boards.boards[0].drive


def test_a_board_that_is_pulled_out_is_gone(boards: SimulatedBoards, tmp_path: Path) -> None:
    with Prompt(boards.boards[0].name) as prompt:
        boards.cut(0)
        with pytest.raises(BoardGone):
            prompt.run("print(5)")
    with pytest.raises(BoardGone):
        Prompt(boards.boards[0].name)


def test_a_board_that_stays_where_it_is_is_told(boards: SimulatedBoards) -> None:
    with Prompt(boards.boards[0].name) as prompt:
        prompt.run("import machine\nmachine.__class__.reset = lambda self: None")
        with pytest.raises(BoardRefuses, match="stays where it is"):
            prompt.reset()
