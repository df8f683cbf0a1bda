"""What is at this computer's USB: serial ports, by their devices' serial numbers, and drives of boot loaders."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

USB_FOLDER = "STAR57_USB"
"""An environment variable: a folder that stands for the USB, as emulated boards make one."""

INFO_FILE = "INFO_UF2.TXT"

_BY_ID = re.compile(r"usb-(?P<product>MicroPython_.*)_(?P<serial_number>[0-9A-Za-z]+)-if00")
_BOARD_ID = re.compile(r"^Board-ID:\s*(\S+)", re.MULTILINE)
_USB_LOCATION = re.compile(r"/(\d+-[\d.]+):\d")
_RASPBERRY_PI = 0x2E8A
_MICROPYTHON = 0xF055
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Port:
    """A serial port.

    Attributes:
        name: its path.
        serial_number: of the USB device; "" when it has none.
        location: the socket that it is plugged into ("1-1.4"); its boot loader's drive has the same.
        is_micropython: whether the device is one that MicroPython makes; others are not typed to.
    """

    name: str
    serial_number: str
    location: str
    is_micropython: bool


@dataclass(frozen=True)
class Drive:
    """A boot loader's drive, which is mounted.

    Attributes:
        board_id: as its INFO_UF2.TXT has it, "RPI-RP2" for an RP2040.
        location: as a port's; "" when it is not known.
    """

    folder: Path
    board_id: str
    location: str


class Usb(Protocol):
    """Where boards are plugged in."""

    def ports(self) -> list[Port]:
        """The ports that are there now, by name."""

    def drives(self) -> list[Drive]:
        """The drives that are there now, by folder."""


class ComputerUsb:
    """This computer's.

    Args:
        root: of its file system.
        listed: its serial ports.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        listed: Callable[[], Iterable[ListPortInfo]] = list_ports.comports,
    ) -> None:
        self._root = root
        self._listed = listed

    def ports(self) -> list[Port]:
        """The USB ports that are there now, by name."""
        try:
            listed = [port for port in self._listed() if port.vid is not None]
        except (OSError, TypeError, ValueError):
            return []  # one was unplugged while it was read; the next look sees what is left
        return sorted((_port(port) for port in listed), key=lambda port: port.name)

    def drives(self) -> list[Drive]:
        """The drives that are mounted now, by folder."""
        drives = []
        with suppress(OSError):
            for line in (self._root / "proc/mounts").read_text().splitlines():
                device, folder, *_ = line.split(" ")
                mounted = self._root / _unescaped(folder).lstrip("/")
                drive = drive_in(mounted, self._location_of(device)) if device.startswith("/dev/") else None
                if drive is not None:
                    drives.append(drive)
        return sorted(drives, key=lambda drive: drive.folder)

    def _location_of(self, device: str) -> str:
        block = self._root / "sys/class/block" / Path(device).name
        found = _USB_LOCATION.findall(os.path.realpath(block))
        return found[-1] if found else ""


class FolderUsb:
    """Emulated boards': a folder with a link for each port, as /dev/serial/by-id has them, and one for each drive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ports(self) -> list[Port]:
        """The ports that are there now, by name."""
        found = ((path, _BY_ID.fullmatch(path.name)) for path in sorted(self._folder.iterdir()))
        return [
            Port(str(path), match["serial_number"], match["serial_number"], is_micropython=True)
            for path, match in found
            if match is not None
        ]

    def drives(self) -> list[Drive]:
        """The drives that are there now, by folder."""
        folders = sorted(self._folder.glob("*-drive/*"))
        found = (drive_in(folder, folder.parent.name.removesuffix("-drive")) for folder in folders)
        return [drive for drive in found if drive is not None]


def usb_here() -> Usb:
    """This computer's USB, or the folder that stands for it."""
    folder = os.environ.get(USB_FOLDER)
    return FolderUsb(Path(folder)) if folder else ComputerUsb()


def drive_in(folder: Path, location: str = "") -> Drive | None:
    """The drive that is mounted there; None when it is none of a boot loader's."""
    try:
        board_id = _BOARD_ID.search((folder / INFO_FILE).read_text(errors="replace"))
    except OSError:
        return None
    return None if board_id is None else Drive(folder, board_id[1], location)


def _port(port: ListPortInfo) -> Port:
    # "1-1.4:1.0": the interface is behind the colon.
    location = (port.location or "").partition(":")[0]
    is_micropython = port.vid in (_RASPBERRY_PI, _MICROPYTHON)
    return Port(port.device, port.serial_number or "", location, is_micropython)


def _unescaped(text: str) -> str:
    """Of a path in /proc/mounts, where blanks are written in octal."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
