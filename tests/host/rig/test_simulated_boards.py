"""Cheap boards on pseudo terminals: MicroPython's prompts as the real mpremote finds them, and a real file system."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import serial

from host_tools.rig.simulated_boards import SimulatedBoard, SimulatedBoards, simulated_image

BANNER = b"raw REPL; CTRL-B to exit\r\n>"
FILES = {"settings.json": b"{}"}


@pytest.fixture
def boards() -> Iterator[SimulatedBoards]:
    with SimulatedBoards(2, simulated_image("0.1.0", "aaa1111111"), FILES) as boards:
        yield boards


def mpremote(board: SimulatedBoard, *words: str) -> str:
    command = [sys.executable, "-m", "mpremote", "connect", board.name, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _read_until(port: serial.Serial, end: bytes) -> bytes:
    data = bytes(port.read_until(end))
    assert data.endswith(end)
    return data


def test_the_real_mpremote_finds_a_board(boards: SimulatedBoards) -> None:
    first, second = boards.boards
    assert first.serial_number != second.serial_number
    listing = mpremote(first, "exec", "import os\nopen('new', 'w').write('57')\nprint(os.listdir('/'))")
    assert listing.strip() == "['new', 'settings.json']"
    # With mpremote's soft reset in between.
    assert mpremote(first, "exec", "print(open('new').read())").strip() == "57"
    boards.cut(0)
    assert first.files().read("new") == b"57"
    assert second.files().names() == ["settings.json"]


def test_the_raw_prompt_speaks_as_micropythons_does(boards: SimulatedBoards) -> None:
    with serial.Serial(boards.boards[0].name, timeout=20) as port:
        port.write(b"\x03\r\x01")
        _read_until(port, BANNER)
        port.write(b"print('a')\x04")
        assert _read_until(port, b"\x04>") == b"OKa\n\x04\x04>"
        port.write(b"1/0\x04")
        assert b"ZeroDivisionError" in _read_until(port, b"\x04>")
        port.write(b"\x05A\x01")
        assert port.read(5) == b"R\x01\x80\x00\x01"
        program = b"print(len('" + b"x" * 140 + b"'))"
        port.write(program[:128])
        assert port.read(1) == b"\x01"
        port.write(program[128:] + b"\x04")
        assert _read_until(port, b"\x04>") == b"\x04140\n\x04\x04>"
        port.write(b"kept = 1\x04")
        _read_until(port, b"\x04>")
        port.write(b"\x04")
        assert _read_until(port, BANNER) == b"OK\r\nMPY: soft reboot\r\n" + BANNER
        port.write(b"print(kept)\x04")
        assert b"NameError" in _read_until(port, b"\x04>")
        port.write(b"\x02")
        _read_until(port, b">>> ")
        port.write(b"6*7\r")
        assert _read_until(port, b">>> ") == b"6*7\r\n42\n>>> "


def test_its_firmware_says_what_image_it_is(boards: SimulatedBoards) -> None:
    with serial.Serial(boards.boards[0].name, timeout=20) as port:
        port.write(b"board.version, board.commit\r")
        assert b"('0.1.0', 'aaa1111111')" in _read_until(port, b")\r\n")


def test_it_is_unplugged_where_it_is_told(boards: SimulatedBoards) -> None:
    board = boards.boards[0]
    boards.cut(0)
    assert not board.is_on
    board.limit(cut_after_bytes=5)
    boards.power_on(0)
    with serial.Serial(board.name, timeout=20) as port:
        port.write(b"board")
        assert _read_until(port, b"board") == b"board"
        with pytest.raises((serial.SerialException, OSError)):  # noqa: PT012 - either of them finds it
            port.write(b".version\r")
            port.read(100)
    boards.wait_until(lambda: not board.is_on)
    assert board.starts == 2


def test_an_image_that_is_not_whole_begins_nothing(boards: SimulatedBoards) -> None:
    board = boards.boards[0]
    boards.cut(0)
    board.write_flash(b"\xff" * len(board.flash()))
    boards.power_on(0)
    boards.wait_until(lambda: not board.is_on)
    boards.power_on(0, boot_button=True)
    assert board.is_on
    (board.drive / "image.uf2").write_bytes(simulated_image("0.2.0", "bbb2222222"))
    starts = board.starts
    boards.wait_until(lambda: board.starts > starts)
    assert board.is_on
