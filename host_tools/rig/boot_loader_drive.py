"""The drive that an RP2040's boot loader shows: a folder in its place, whose UF2 goes into a flash block by block."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from host_tools.rig.flash_image import BLOCK_BYTES, FLASH_START, SECTOR_BYTES, UF2_MAGIC

# What the boot ROM's own file says (RP2040 data sheet 2.8.4.1).
INFO = "UF2 Bootloader v2.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"

_HEAD = struct.Struct("<8I")


class BootLoaderDrive:
    """One drive.

    As on the chip a block is written as soon as it has come, with its sector erased before the first of it, and the
    board starts anew when all have: a UF2 whose copying is cut off has been written as far as it came.

    Args:
        folder: is there while the drive is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._forget()

    def plug_in(self) -> None:
        """Shows the drive, with what the boot loader has on it."""
        self._forget()
        self.folder.mkdir(parents=True)
        (self.folder / "INFO_UF2.TXT").write_bytes(INFO.encode())
        (self.folder / "INDEX.HTM").write_text("<html></html>")

    def pull_out(self) -> None:
        """Takes the drive away, with all that is on it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def take(self, flash: bytearray, most_blocks: int | None = None) -> bool:
        """Writes the blocks that have come into `flash`; answers whether they are all.

        Args:
            most_blocks: stops when so many have been written in all.
        """
        for file in sorted(self.folder.glob("*.[uU][fF]2")):
            with file.open("rb") as image:
                image.seek(self._read_bytes)
                while most_blocks is None or self.blocks < most_blocks:
                    block = image.read(BLOCK_BYTES)
                    if len(block) < BLOCK_BYTES:
                        break
                    self._read_bytes += BLOCK_BYTES
                    self._write(block, flash)
        return 0 < self._count == self.blocks

    def _forget(self) -> None:
        self.blocks = 0
        self._count = 0
        self._read_bytes = 0
        self._erased: set[int] = set()

    def _write(self, block: bytes, flash: bytearray) -> None:
        first, second, _, address, size, _, count, _ = _HEAD.unpack_from(block)
        if (first, second) != UF2_MAGIC:
            return
        self._count = count
        self.blocks += 1
        at = address - FLASH_START
        sector = at - at % SECTOR_BYTES
        if sector not in self._erased:
            self._erased.add(sector)
            flash[sector : sector + SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
        flash[at : at + size] = block[_HEAD.size : _HEAD.size + size]
