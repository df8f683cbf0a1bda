"""A board that goes and comes back, by its serial number or by the socket that it is in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from host_tools.technician.boards import Board, Kind
from host_tools.technician.faults import BoardGone, NoDrive
from host_tools.technician.ports import Drive, Port
from host_tools.technician.waiting import Patience, wait_for_drive, wait_for_port

BOARD = Board("E1", "/dev/ttyACM0", Kind.STAR57, "1-1")
SHORT = Patience(drive_s=0.0, port_s=0.0)


@dataclass
class Sockets:
    """What is in them."""

    there: list[Port] = field(default_factory=list)
    mounted: list[Drive] = field(default_factory=list)

    def ports(self) -> list[Port]:
        return self.there

    def drives(self) -> list[Drive]:
        return self.mounted


def _port(number: int, serial_number: str, location: str) -> Port:
    return Port(f"/dev/ttyACM{number}", serial_number, location, is_micropython=True)


def _drive(name: str, location: str) -> Drive:
    return Drive(Path("/media") / name, "RPI-RP2", location)


def test_a_port_is_the_boards_by_number_or_by_socket() -> None:
    other, own = _port(0, "E2", "1-2"), _port(1, "E1", "1-3")
    assert wait_for_port(Sockets([other, own]), BOARD, SHORT) is own
    by_socket = _port(2, "E9", "1-1")
    assert wait_for_port(Sockets([other, by_socket]), BOARD, SHORT) is by_socket
    with pytest.raises(BoardGone, match="BOOTSEL"):
        wait_for_port(Sockets([other]), BOARD, SHORT)


def test_of_a_board_that_nothing_is_known_of_the_new_port_is_its_own() -> None:
    unknown = Board("", "/media/RPI-RP2", Kind.BOOT_LOADER)
    other, new = _port(0, "E2", "1-2"), _port(1, "E3", "")
    modem = Port("/dev/ttyUSB0", "A1", "1-4", is_micropython=False)
    known = frozenset({other.name})
    assert wait_for_port(Sockets([modem, other, new]), unknown, SHORT, known) is new
    with pytest.raises(BoardGone):
        wait_for_port(Sockets([modem, other]), unknown, SHORT, known)


def test_a_drive_is_the_boards_by_its_socket_and_never_by_chance() -> None:
    own = _drive("RPI-RP2", "1-1")
    assert wait_for_drive(Sockets(mounted=[_drive("RPI-RP21", "1-2"), own]), BOARD, SHORT) is own
    for mounted in ([], [_drive("a", "1-2")], [_drive("a", ""), _drive("b", "")]):
        with pytest.raises(NoDrive, match="--drive"):
            wait_for_drive(Sockets(mounted=mounted), BOARD, SHORT)


def test_where_no_socket_is_known_the_only_drive_is_taken() -> None:
    only = _drive("RPI-RP2", "")
    assert wait_for_drive(Sockets(mounted=[only]), BOARD, SHORT) is only


def test_of_drives_in_sockets_that_are_not_known_each_board_has_its_own() -> None:
    drives = [_drive("a", ""), _drive("b", "")]
    waits = Board("", str(drives[1].folder), Kind.BOOT_LOADER)
    assert wait_for_drive(Sockets(mounted=drives), waits, SHORT) is drives[1]
    with pytest.raises(NoDrive, match="--drive"):
        wait_for_drive(Sockets(mounted=drives), Board("E1", "/dev/ttyACM0", Kind.STAR57), SHORT)
