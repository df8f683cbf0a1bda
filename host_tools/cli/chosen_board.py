"""The board that a verb works on: the one at `--port`, or the only one that is plugged in."""

from __future__ import annotations

from host_tools.cli.answer import stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician.boards import Board, Kind, survey
from host_tools.technician.ports import Usb

_REACHABLE = (Kind.STAR57, Kind.MICROPYTHON)


def chosen_board(usb: Usb, port: str | None) -> Board:
    """The board, by the path of its port or by its serial number.

    Raises:
        typer.Exit: there is none, or there are several; said on stderr.
    """
    boards = survey(usb)
    found = [board for board in boards if port in (board.port, board.serial_number)]
    if port is None:
        found = [board for board in boards if board.kind in _REACHABLE]
    if not found:
        told = f"there is no board at {port}" if port else "no board is plugged in"
        raise stopped(ExitCode.NOTHING_THERE, f"{told}: see star57 boards")
    if len(found) > 1:
        raise stopped(ExitCode.USAGE, "several boards are plugged in: say which with --port")
    if found[0].kind not in _REACHABLE:
        raise stopped(ExitCode.FAILED, f"{found[0].port}: {found[0].told or found[0].kind.value}")
    return found[0]
