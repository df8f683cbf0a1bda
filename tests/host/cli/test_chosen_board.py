"""The board that a verb works on: which it is, and what is said when there is none to work on."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from host_tools.cli import chosen_board as module
from host_tools.cli.chosen_board import chosen_board
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician.boards import Board, Kind
from host_tools.technician.ports import FolderUsb

WELL = Board("E66141000000000A", "/dev/ttyACM0", Kind.STAR57)
OTHER_WELL = Board("E66141000000000B", "/dev/ttyACM1", Kind.MICROPYTHON)
BUSY = Board("E66141000000000C", "/dev/ttyACM2", Kind.BUSY, told="star57 gateway (process 57) has it open")
SILENT = Board("E66141000000000D", "/dev/ttyACM3", Kind.SILENT, told="nothing answers behind this port")
WAITS = Board("", "/media/RPI-RP2", Kind.BOOT_LOADER)


@pytest.fixture
def plugged_in(monkeypatch: pytest.MonkeyPatch) -> list[Board]:
    boards: list[Board] = []
    monkeypatch.setattr(module, "survey", lambda _usb: boards)
    return boards


def chosen(port: str | None = None) -> Board:
    return chosen_board(FolderUsb(Path()), port)


def test_the_only_one_that_answers_is_taken(plugged_in: list[Board]) -> None:
    plugged_in += [SILENT, WELL, WAITS]
    assert chosen() == WELL


@pytest.mark.parametrize("name", [OTHER_WELL.port, OTHER_WELL.serial_number])
def test_one_is_named(plugged_in: list[Board], name: str) -> None:
    plugged_in += [WELL, OTHER_WELL]
    assert chosen(name) == OTHER_WELL


@pytest.mark.parametrize(
    ("boards", "port", "code", "told"),
    [
        ([], None, ExitCode.NOTHING_THERE, "no board is plugged in; star57 doctor says"),
        ([WELL], "COM7", ExitCode.NOTHING_THERE, "there is no board COM7: star57 boards shows"),
        ([WELL, OTHER_WELL], None, ExitCode.USAGE, "name one with --port"),
        ([BUSY], None, ExitCode.FAILED, "star57 gateway (process 57) has it open: end that program"),
        ([WELL, BUSY], BUSY.port, ExitCode.FAILED, "end that program"),
        ([SILENT], None, ExitCode.FAILED, "plug it in anew"),
        ([WAITS], None, ExitCode.FAILED, "/media/RPI-RP2: it waits in its boot loader: star57 flash"),
    ],
)
def test_what_hinders_is_said_with_what_to_do(
    plugged_in: list[Board],
    capsys: pytest.CaptureFixture[str],
    boards: list[Board],
    port: str | None,
    code: ExitCode,
    told: str,
) -> None:
    plugged_in += boards
    with pytest.raises(typer.Exit) as ended:
        chosen(port)
    assert ended.value.exit_code == code
    assert told in capsys.readouterr().err
