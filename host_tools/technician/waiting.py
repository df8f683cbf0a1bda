"""Waits for a board that goes and comes back: its port, its boot loader's drive, its report that it is well."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from host_tools.technician.boards import Board, Kind, look
from host_tools.technician.faults import BoardGone, NoAnswer, NoDrive, NotHealthy
from host_tools.technician.ports import Drive, Port, Usb
from host_tools.technician.prompt import Prompt

_LOOKS_EACH_S = 0.05

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Patience:
    """How long each thing may take, in seconds."""

    drive_s: float = 20.0
    port_s: float = 30.0
    well_s: float = 60.0
    answer_s: float = 3.0


PATIENCE = Patience()


def wait_for_drive(usb: Usb, board: Board, patience: Patience) -> Drive:
    """The drive of the board's boot loader.

    Raises:
        NoDrive: it does not appear, or it cannot be told whose it is.
    """

    def drive() -> Drive | None:
        drives = usb.drives()
        own = [each for each in drives if _is_drive_of(each, board)]
        return own[0] if own else _only_one(drives, board)

    found = _wait(drive, patience.drive_s)
    if found is None:
        raise NoDrive(
            f"the boot loader's drive of {board.serial_number} did not appear within {patience.drive_s:g} s: "
            "mount RPI-RP2 and name it with --drive; star57 doctor says what this computer mounts"
        )
    return found


def wait_for_port(usb: Usb, board: Board, patience: Patience, known: frozenset[str] = frozenset()) -> Port:
    """The board's port, by its serial number, or by the socket that it is plugged into.

    Args:
        known: for a board of which neither is known: the ports that are others'.

    Raises:
        BoardGone: it does not come back.
    """

    def port() -> Port | None:
        return next((each for each in usb.ports() if _is_of(each, board, known)), None)

    found = _wait(port, patience.port_s)
    if found is None:
        raise BoardGone(
            f"the board {board.serial_number} did not come back within {patience.port_s:g} s: "
            "plug it in anew, and flash it again, with BOOTSEL held if need be"
        )
    return found


def wait_for_prompt(
    usb: Usb, board: Board, patience: Patience, known: frozenset[str] = frozenset()
) -> tuple[Port, Prompt]:
    """The board's port and MicroPython's prompt there, once both are back. A port that has just come may not open yet.

    Raises:
        BenchFault: they do not come back.
    """
    end_s = time.monotonic() + patience.port_s
    while True:
        port = wait_for_port(usb, board, patience, known)
        try:
            return port, Prompt(port.name)
        except (BoardGone, NoAnswer):
            if time.monotonic() > end_s:
                raise
        time.sleep(_LOOKS_EACH_S)


def wait_until_well(usb: Usb, board: Board, expected: tuple[str, str] | None, patience: Patience) -> Board:
    """The board, when it has begun and says that it is well, with its line at rest.

    Args:
        expected: the version and commit that must run.

    Raises:
        NotHealthy: it does not say so in time; the text has what it says.
        BoardGone: it does not come back.
    """
    end_s = time.monotonic() + patience.well_s
    while True:
        seen = look(wait_for_port(usb, board, patience), [], patience.answer_s)
        fault = _what_is_wrong(seen, expected)
        if not fault:
            return seen
        if time.monotonic() > end_s:
            raise NotHealthy(f"the board {board.serial_number} {fault}")
        time.sleep(_LOOKS_EACH_S)


def _what_is_wrong(seen: Board, expected: tuple[str, str] | None) -> str:
    if seen.kind is not Kind.STAR57:
        return f"does not answer: {seen.told}"
    if expected is not None and (seen.version, seen.commit) != expected:
        return f"runs {seen.version}, commit {seen.commit}, and not {expected[0]}, commit {expected[1]}"
    if not seen.is_well:
        return f"is not well: {seen.health}"
    return "has its relay energised" if seen.relay else ""


def _is_drive_of(drive: Drive, board: Board) -> bool:
    # A socket that is not known is no board's: two of them would be taken for one.
    return str(drive.folder) == board.port or (bool(drive.location) and drive.location == board.location)


def _only_one(drives: list[Drive], board: Board) -> Drive | None:
    """The one drive that is there, where nobody knows which socket anything is in."""
    alone = len(drives) == 1 and not (drives[0].location and board.location)
    return drives[0] if alone else None


def _is_of(port: Port, board: Board, known: frozenset[str]) -> bool:
    if board.serial_number or board.location:
        same_number = bool(board.serial_number) and port.serial_number == board.serial_number
        return same_number or (bool(board.location) and port.location == board.location)
    return port.is_micropython and port.name not in known


def _wait(look_for: Callable[[], _Found | None], timeout_s: float) -> _Found | None:
    end_s = time.monotonic() + timeout_s
    while True:
        found = look_for()
        if found is not None or time.monotonic() > end_s:
            return found
        time.sleep(_LOOKS_EACH_S)
