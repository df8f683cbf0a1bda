"""The flash of a Pico from outside: its image (UF2) at the bottom, its file system (LittleFS) at the top."""

from __future__ import annotations

import struct
from functools import lru_cache

from littlefs import LittleFS, UserContext

from host_tools.rig.flash_image import (
    BLOCK_BYTES,
    FLASH_BYTES,
    FLASH_START,
    PAGE_BYTES,
    SECTOR_BYTES,
    UF2_MAGIC,
    Layout,
)
from host_tools.rig.micropython import ROOT

_UF2_HEAD = struct.Struct("<8I")


@lru_cache
def file_system_bytes() -> int:
    """What a Pico's flash keeps for files."""
    return Layout.of_board(ROOT / "boards" / "pico" / "mpconfigboard.h").storage_bytes


class NotAnImage(Exception):
    """The bytes are no UF2 for this flash; the text says why."""


def flash_of(uf2: bytes) -> bytearray:
    """A whole flash with the image in it; what the image leaves alone is erased.

    Raises:
        NotAnImage: `uf2` is none, or does not fit below the file system.
    """
    flash = bytearray(b"\xff" * FLASH_BYTES)
    for start in range(0, len(uf2), BLOCK_BYTES):
        block = uf2[start : start + BLOCK_BYTES]
        if len(block) < BLOCK_BYTES:
            raise NotAnImage("it ends within a block")
        first, second, _, address, size, *_ = _UF2_HEAD.unpack_from(block)
        if (first, second) != UF2_MAGIC:
            raise NotAnImage("a block does not begin as one")
        at = address - FLASH_START
        if not 0 <= at <= FLASH_BYTES - file_system_bytes() - size:
            raise NotAnImage(f"a block goes to {address:#x}")
        flash[at : at + size] = block[_UF2_HEAD.size : _UF2_HEAD.size + size]
    return flash


class Files:
    """The files on a flash; changes go into it at once.

    Args:
        flash: all of it. One that is erased gets a file system.

    Raises:
        LittleFSError: its file system is broken.
    """

    def __init__(self, flash: bytearray) -> None:
        context = _FlashContext(flash)
        self._system = LittleFS(
            context,
            block_size=SECTOR_BYTES,
            block_count=file_system_bytes() // SECTOR_BYTES,
            read_size=32,
            prog_size=PAGE_BYTES,
            cache_size=4 * PAGE_BYTES,
            lookahead_size=32,
            mount=False,
        )
        if not flash[-file_system_bytes() :].strip(b"\xff"):
            self._system.format()
        self._system.mount()

    def read(self, name: str) -> bytes | None:
        """What is in the file; None when there is none."""
        try:
            with self._system.open(name, "rb") as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Writes the file anew."""
        with self._system.open(name, "wb") as file:
            file.write(data)

    def names(self) -> list[str]:
        """Of the files and folders at the top."""
        return sorted(self._system.listdir("/"))


class _FlashContext(UserContext):
    """LittleFS's blocks at the top of a flash."""

    def __init__(self, flash: bytearray) -> None:
        super().__init__(file_system_bytes())
        self._flash = flash

    def read(self, _config: object, block: int, offset: int, size: int) -> bytearray:
        at = self._at(block) + offset
        return self._flash[at : at + size]

    def prog(self, _config: object, block: int, offset: int, data: bytes) -> int:
        at = self._at(block) + offset
        self._flash[at : at + len(data)] = data
        return 0

    def erase(self, _config: object, block: int) -> int:
        at = self._at(block)
        self._flash[at : at + SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
        return 0

    def sync(self, _config: object) -> int:
        return 0

    def _at(self, block: int) -> int:
        return FLASH_BYTES - file_system_bytes() + block * SECTOR_BYTES
