"""Many cheap boards, each at a USB port of its own: for what is done to fifty at once.

Each is a process of MicroPython (boards/emulated/usb_board.py), which speaks MicroPython's prompts and has a flash with
a real LittleFS, but neither a telephone line nor the firmware. The emulated Pico (pico_on_usb.py) has both.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from host_tools.rig.boot_loader_drive import BootLoaderDrive
from host_tools.rig.flash_image import FLASH_BYTES, uf2
from host_tools.rig.micropython import ROOT, interpreter_command
from host_tools.rig.pico_flash import Files, file_system_bytes, flash_of
from host_tools.rig.usb_port import UsbPort

_PROGRAM = ROOT / "boards" / "emulated" / "usb_board.py"
_FACTS_OFFSET = 4096
_RESET, _BOOT_LOADER, _CUT = 3, 4, 5
_LOOKS_EACH_S = 0.02
_PATIENCE_S = 60.0


def simulated_image(
    version: str,
    commit: str,
    hashes: Sequence[tuple[str, str]] = (),
    size: int = 32_768,
    storage_bytes: int | None = None,
) -> bytes:
    """The UF2 of a firmware that a simulated board can begin: it says these facts.

    Args:
        hashes: module and first 8 hexadecimal digits of its source's SHA-256, as in an image's `HASHES`.
        size: of all of it, in bytes; multiples of 4096.
        storage_bytes: what it keeps for files, when that is not what a Pico's image keeps.
    """
    facts = {
        "version": version,
        "commit": commit,
        "board": "pico",
        "hashes": [list(row) for row in hashes],
        "storage_bytes": storage_bytes,
    }
    body = b"\0" * _FACTS_OFFSET + json.dumps(facts).encode() + b"\xff"
    filler = commit.encode() or b"-"
    body += (filler * (size // len(filler) + 1))[: max(0, size - len(body))]
    return uf2({0: body})


class SimulatedBoard:
    """One of them.

    Attributes:
        serial_number: as its USB descriptor has it.
        name: of its port.
        drive: the folder of its boot loader's drive.
        starts: how often its firmware, or what is left of it, has been begun.
    """

    def __init__(
        self, folder: Path, flash_folder: Path, serial_number: str, flash: bytes, modules: Path | None
    ) -> None:
        self.serial_number = serial_number
        self._modules = modules
        self._flash_file = flash_folder / f"{serial_number}.flash"
        self._flash_file.write_bytes(flash)
        self._port = UsbPort(folder, serial_number)
        self._drive = BootLoaderDrive(folder / f"{serial_number}-drive" / "RPI-RP2")
        self.name = self._port.name
        self.drive = self._drive.folder
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._limits: tuple[int | None, int | None] = (None, None)
        self._cut_after_blocks: int | None = None
        self._in_boot_loader = False

    @property
    def is_on(self) -> bool:
        """Whether anything runs on it."""
        return self._process is not None or self._in_boot_loader

    def flash(self) -> bytes:
        """All of its flash, as it is now."""
        return self._flash_file.read_bytes()

    def write_flash(self, flash: bytes) -> None:
        """Puts another flash in, while it is off."""
        self._flash_file.write_bytes(flash)

    def files(self) -> Files:
        """What is on its file system now."""
        return Files(bytearray(self.flash()))

    def limit(
        self,
        cut_after_bytes: int | None = None,
        cut_after_writes: int | None = None,
        cut_after_blocks: int | None = None,
    ) -> None:
        """When it is plugged in next, the cable is pulled after so much.

        Args:
            cut_after_bytes: on its port, until it begins anew.
            cut_after_writes: of the flash that its files are on, until it begins anew.
            cut_after_blocks: of a UF2 on its boot loader's drive.
        """
        self._limits = (cut_after_bytes, cut_after_writes)
        self._cut_after_blocks = cut_after_blocks

    def power_on(self, *, boot_button: bool = False) -> None:
        """Plugs it in."""
        if boot_button:
            self._begin_boot_loader()
        else:
            self._begin()

    def cut(self) -> None:
        """Pulls the cable."""
        self._in_boot_loader = False
        self._drive.pull_out()
        self._port.pull_out()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def look(self) -> None:
        """Does what is due: a process has ended, or a UF2 comes."""
        if self._in_boot_loader:
            self._load()
        elif self._process is not None and self._process.poll() is not None:
            code = self._process.returncode
            self._process = None
            self._port.pull_out()
            if code == _RESET:
                self._begin()
            elif code == _BOOT_LOADER:
                self._begin_boot_loader()

    def _begin(self) -> None:
        self.starts += 1
        self._port.plug_in()
        limits = ["" if limit is None else str(limit) for limit in self._limits]
        self._limits = (None, None)
        with self._port.lent() as cable:
            self._process = subprocess.Popen(
                [
                    *interpreter_command(),
                    "-X",
                    "heapsize=512k",
                    str(_PROGRAM),
                    str(self._flash_file),
                    self.serial_number,
                    str(file_system_bytes()),
                    str(self._modules or ""),
                    *limits,
                ],
                stdin=cable,
                stdout=cable,
                stderr=subprocess.DEVNULL,
            )

    def _begin_boot_loader(self) -> None:
        self._in_boot_loader = True
        self._drive.plug_in()

    def _load(self) -> None:
        flash = bytearray(self.flash())
        before = self._drive.blocks
        is_whole = self._drive.take(flash, self._cut_after_blocks)
        if self._drive.blocks != before:
            self._flash_file.write_bytes(flash)
        if self._cut_after_blocks is not None and self._drive.blocks >= self._cut_after_blocks:
            self._cut_after_blocks = None
            self.cut()
        elif is_whole:
            self._in_boot_loader = False
            self._drive.pull_out()
            self._begin()


class SimulatedBoards:
    """So many of them, with one thread that looks after all; a context manager.

    Args:
        image: the UF2 that is in their flash, see `simulated_image`.
        files: on the file system of each, by name.
        modules: a folder with what stands for the modules that are frozen into the image.
        folder: where their ports and drives stand, as in /dev/serial/by-id; without one, one that is removed.
    """

    def __init__(
        self,
        count: int,
        image: bytes,
        files: Mapping[str, bytes] | None = None,
        modules: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="star57-boards-")
        self.folder = folder or Path(self._scratch.name) / "by-id"
        self.folder.mkdir(exist_ok=True)
        flash = flash_of(image)
        flash += b"\xff" * (FLASH_BYTES - len(flash))
        system = Files(flash)
        for name, data in (files or {}).items():
            system.write(name, data)
        self.boards = [
            SimulatedBoard(
                self.folder, Path(self._scratch.name), f"E66141{number:010X}", bytes(flash), modules
            )
            for number in range(count)
        ]
        self._looked = threading.Condition()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> SimulatedBoards:
        for board in self.boards:
            board.power_on()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        for board in self.boards:
            board.cut()
        self._scratch.cleanup()

    def cut(self, number: int) -> None:
        """Pulls the cable of one."""
        with self._looked:
            self.boards[number].cut()

    def power_on(self, number: int, *, boot_button: bool = False) -> None:
        """Plugs one in again."""
        with self._looked:
            self.boards[number].power_on(boot_button=boot_button)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Comes back when something has become true of them.

        Raises:
            TimeoutError: it does not.
        """
        with self._looked:
            if not self._looked.wait_for(is_so, _PATIENCE_S):
                raise TimeoutError(f"it has not become so within {_PATIENCE_S:g} s")

    def _run(self) -> None:
        while not self._ended.wait(_LOOKS_EACH_S):
            with self._looked:
                self._looked.notify_all()
                for board in self.boards:
                    board.look()
