"""The selector's C, compiled for this machine, on a flash of RAM with small slots."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from host_tools.rig.flash_image import FLASH_BYTES, SECTOR_BYTES, SLOTS, Layout, first_records, slot_binary
from host_tools.rig.micropython import ROOT

SELECTOR = ROOT / "boards" / "rp2040" / "selector"
HEADER = "#define MICROPY_HW_SLOT_BYTES (8 * 1024)\n"
LAYOUT = Layout(romfs_bytes=0, storage_bytes=FLASH_BYTES // 2, slot_bytes=8 << 10)
NONE = -1
POWER_LOST = -2
DONE, REFUSED, WORN_OUT = range(3)
FOREVER = -1

_VECTORS = 256
_STACK_TOP = 0x20042000


class Do(IntEnum):
    """What can be done; flash_in_memory.c has the numbers."""

    BOOT = 0
    EMPTY = 1
    WRITE = 2
    WANT = 3
    CONFIRM = 4


def compiler() -> str | None:
    """This machine's, if it has one."""
    return shutil.which("cc")


def firmware(slot: str, fill: int, size: int = 6000) -> bytes:
    """A slot's binary that the selector takes for whole, and that `fill` tells from others."""
    address = 0x10000000 + LAYOUT.slot_offset(slot)
    vectors = _STACK_TOP.to_bytes(4, "little") + (address + 0x201).to_bytes(4, "little")
    return slot_binary((bytes(_VECTORS) + vectors).ljust(size, bytes([fill])), slot, LAYOUT)


def compile_library(folder: Path) -> Path:
    """The selector's decisions and records, on a flash in memory; the library is made in `folder`."""
    (folder / "mpconfigboard.h").write_text(HEADER)
    here = Path(__file__).with_name("flash_in_memory.c")
    return compile_sources(
        folder, here, *(SELECTOR / name for name in ("slots.c", "trial.c", "crc_by_halves.c"))
    )


def compile_sources(folder: Path, *sources: Path) -> Path:
    """A library of C sources; it is made in `folder`, whose headers they may include."""
    library = folder / f"{sources[-1].stem}.so"
    command = ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    includes = [f"-I{folder}", f"-I{SELECTOR}"]
    subprocess.run([*command, *includes, *map(str, sources), "-o", str(library)], check=True, timeout=60)
    return library


@dataclass
class FlashInMemory:
    """The flash and what is done with it; every call may lose the power that `power` gives."""

    library: ctypes.CDLL

    @classmethod
    def of(cls, library: Path) -> FlashInMemory:
        """With what `compile_library` made."""
        loaded = ctypes.CDLL(str(library))
        loaded.test_memory.restype = ctypes.POINTER(ctypes.c_uint8)
        loaded.test_memory_bytes.restype = ctypes.c_uint32
        return cls(loaded)

    @property
    def content(self) -> bytes:
        """All of the flash."""
        return ctypes.string_at(self.library.test_memory(), self.library.test_memory_bytes())

    @content.setter
    def content(self, content: bytes) -> None:
        ctypes.memmove(self.library.test_memory(), content, len(content))

    def fresh(self, slot_a: bytes) -> None:
        """As a UF2 leaves it on a board that was empty."""
        self.content = b"\xff" * self.library.test_memory_bytes()
        self.put(LAYOUT.records_offset, first_records())
        self.put(LAYOUT.slot_offset("a"), slot_a)
        self.power(FOREVER)

    def put(self, offset: int, data: bytes) -> None:
        """Changes the flash from outside."""
        content = self.content
        self.content = content[:offset] + data + content[offset + len(data) :]

    def slot(self, slot: str, size: int) -> bytes:
        """The first bytes of a slot."""
        start = LAYOUT.slot_offset(slot)
        return self.content[start : start + size]

    def power(self, writes: int, bytes_of_last: int = 0) -> None:
        """Power for so many writes and a part of the next one; FOREVER for all."""
        self.library.test_power(writes, bytes_of_last)

    @property
    def writes(self) -> int:
        """Since `power`."""
        return int(self.library.test_writes())

    def do(self, what: Do, running: int = 0, offset: int = 0, data: bytes = b"") -> int:
        """Its answer, NONE or POWER_LOST."""
        return int(self.library.test_do(int(what), running, offset, data, len(data)))

    def boot(self) -> int:
        """The slot that begins, 0 or 1."""
        return self.do(Do.BOOT)

    def install(self, running: int, binary: bytes) -> int:
        """Writes the idle slot and wants it tried; the first answer that is not DONE, else DONE."""
        answer = self.do(Do.EMPTY, running)
        for start in range(0, len(binary), SECTOR_BYTES):
            if answer != DONE:
                return answer
            answer = self.do(Do.WRITE, running, start, binary[start : start + SECTOR_BYTES])
        return self.do(Do.WANT, running) if answer == DONE else answer

    @property
    def returned(self) -> bool:
        """Whether the last trial came back."""
        return bool(self.library.test_returned())

    def is_whole(self, slot: str) -> bool:
        """Whether the selector takes what is in the slot for a firmware."""
        return bool(self.library.test_whole(SLOTS.index(slot)))
