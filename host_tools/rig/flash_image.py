"""Joins what a board's flash holds into one UF2: the firmware, and the prompts as a read-only file system (ROMFS)."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from mpremote.romfs import VfsRomWriter

FLASH_START = 0x10000000
FLASH_BYTES = 2 << 20
SECTOR_BYTES = 4096
"""What the flash erases at a time."""

BLOCK_BYTES = 512
PAGE_BYTES = 256
"""A UF2's block, and what it carries of the flash."""

UF2_MAGIC = (0x0A324655, 0x9E5D5157)
_END_MAGIC = 0x0AB16F30
_HAS_FAMILY = 0x2000
_RP2040 = 0xE48BFF56


class DoesNotFit(Exception):
    """A part of the flash is too small for what belongs there; the text says which and by how much."""


@dataclass(frozen=True)
class Layout:
    """The parts of a board's flash, from the bottom: firmware, ROMFS, file system."""

    romfs_bytes: int
    storage_bytes: int

    @classmethod
    def of_board(cls, header: Path) -> Layout:
        """Reads a board's mpconfigboard.h, which MicroPython's own code goes by; a board may have no ROMFS."""
        sizes = dict(re.findall(r"#define MICROPY_HW_(\w+)_BYTES\s+\((\d+) \* 1024\)", header.read_text()))
        return cls(int(sizes.get("ROMFS", 0)) << 10, int(sizes["FLASH_STORAGE"]) << 10)

    @property
    def firmware_bytes(self) -> int:
        """The room for firmware."""
        return FLASH_BYTES - self.storage_bytes - self.romfs_bytes


def romfs(prompts: Path) -> bytes:
    """The file system that is mounted at /rom: prompts/LANGUAGE/NAME.wav, each file in one piece as it is."""
    writer = VfsRomWriter()
    writer.opendir("prompts")
    for language in sorted(folder for folder in prompts.iterdir() if folder.is_dir()):
        writer.opendir(language.name)
        for prompt in sorted(language.glob("*.wav")):
            writer.mkfile(prompt.name, prompt.read_bytes())
        writer.closedir()
    writer.closedir()
    return bytes(writer.finalise())


def uf2(parts: dict[int, bytes]) -> bytes:
    """One UF2 of several parts of flash, by their offsets.

    Each part is filled up to whole sectors: the RP2040's boot ROM may erase a sector wrongly that is written in part
    and is not the last (erratum E14).
    """
    pages = []
    for offset, data in sorted(parts.items()):
        whole = data + b"\xff" * (-len(data) % SECTOR_BYTES)
        pages += [(offset + at, whole[at : at + PAGE_BYTES]) for at in range(0, len(whole), PAGE_BYTES)]
    blocks = (_block(number, len(pages), offset, page) for number, (offset, page) in enumerate(pages))
    return b"".join(blocks)


def _block(number: int, count: int, offset: int, page: bytes) -> bytes:
    address = FLASH_START + offset
    head = struct.pack("<8I", *UF2_MAGIC, _HAS_FAMILY, address, PAGE_BYTES, number, count, _RP2040)
    return (head + page).ljust(BLOCK_BYTES - 4, b"\0") + struct.pack("<I", _END_MAGIC)


def flash_parts(firmware: bytes, prompts: bytes, layout: Layout) -> dict[int, bytes]:
    """What lies where in the flash, by offset.

    Raises:
        DoesNotFit: one of them is too big.
    """
    for name, data, room in (
        ("firmware", firmware, layout.firmware_bytes),
        ("prompts", prompts, layout.romfs_bytes),
    ):
        if len(data) > room:
            told = f"The image's {name} of {len(data)} bytes is more than the {room} bytes of flash for it."
            raise DoesNotFit(told)
    return {0: firmware, layout.firmware_bytes: prompts}


def main() -> None:
    """Writes IMAGE.uf2 and, for whoever wants to know what it is, IMAGE.json."""
    options = argparse.ArgumentParser()
    options.add_argument("--firmware", type=Path, required=True)
    options.add_argument("--board", type=Path, required=True, help="folder")
    options.add_argument("--prompts", type=Path, required=True, help="folder")
    options.add_argument("--version", required=True)
    options.add_argument("--commit", required=True)
    options.add_argument("image", type=Path)
    asked = options.parse_args()
    layout = Layout.of_board(asked.board / "mpconfigboard.h")
    firmware, prompts = asked.firmware.read_bytes(), romfs(asked.prompts) if layout.romfs_bytes else b""
    try:
        parts = flash_parts(firmware, prompts, layout)
    except DoesNotFit as told:
        raise SystemExit(f"star57: {told}") from None
    image = uf2(parts)
    facts = {
        "version": asked.version,
        "commit": asked.commit,
        "board": asked.board.name,
        "sha256": hashlib.sha256(image).hexdigest(),
        "firmware_bytes": len(firmware),
        "romfs_bytes": len(prompts),
    }
    asked.image.with_suffix(".json").write_text(json.dumps(facts, indent=4) + "\n")
    asked.image.write_bytes(image)


if __name__ == "__main__":
    main()
