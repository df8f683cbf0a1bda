"""The board that a verb works on: the one at `--port`, or the only one that is plugged in."""

from __future__ import annotations

from host_tools.cli.answer import stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician.boards import Board, Kind, choose, survey
from host_tools.technician.faults import NoSuchBoard, SeveralBoards
from host_tools.technician.ports import Usb

_REACHABLE = (Kind.STAR57, Kind.MICROPYTHON)
_TO_DO = {
    Kind.BOOT_LOADER: "it waits in its boot loader: star57 flash",
    Kind.BUSY: "end that program",
    Kind.SILENT: "plug it in anew; if it stays silent, hold BOOTSEL while plugging it in, and star57 flash",
    Kind.OTHER: "it does not say that it is a board: see star57 boards",
}


def chosen_board(usb: Usb, port: str | None) -> Board:
    """The board, by the path of its port or by its serial number.

    Raises:
        typer.Exit: there is none, or there are several; said on stderr.
    """
    found = survey(usb)
    reachable = [board for board in found if board.kind in _REACHABLE]
    try:
        board = choose(found if port or not reachable else reachable, port)
    except NoSuchBoard as fault:
        raise stopped(ExitCode.NOTHING_THERE, str(fault)) from fault
    except SeveralBoards as fault:
        raise stopped(ExitCode.USAGE, str(fault)) from fault
    if board.kind not in _REACHABLE:
        told = [words for words in (board.told, _TO_DO.get(board.kind)) if words]
        raise stopped(ExitCode.FAILED, f"{board.port}: {': '.join(told)}")
    return board
