"""Joins what a board's flash holds into one UF2, and makes the binaries of its firmware slots (docs/slots.md).

From the bottom: a boot selector, its records and two slots for firmware, or one firmware alone; the prompts as a
read-only file system (ROMFS).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import struct
import zlib
from collections.abc import Iterable
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

SLOTS = ("a", "b")
RECORDS_BYTES = 2 * SECTOR_BYTES
SLOT_HEADER_BYTES = 256
"""In front of a slot's firmware."""

# struct slot_header and struct record of boards/rp2040/selector.
_SLOT_MAGIC = b"S57F"
_RECORD_MAGIC = b"S57R"
_SLOT_HEADER_TOLD_AT = 8
_RECORD = struct.Struct("<4sI4B")
_NO_TRIAL, _NOT_RETURNED = 0, 0


class DoesNotFit(Exception):
    """A part of the flash is too small for what belongs there; the text says which and by how much."""


class NoSuchLanguage(Exception):
    """There is no prompt pack of that language; the text names it."""


@dataclass(frozen=True)
class Layout:
    """The parts of a board's flash, from the bottom: selector and slots, or one firmware; ROMFS; file system."""

    romfs_bytes: int
    storage_bytes: int
    slot_bytes: int = 0

    @classmethod
    def of_board(cls, header: Path) -> Layout:
        """Reads a board's mpconfigboard.h, which MicroPython's own code goes by; it may have no ROMFS, no slots."""
        sizes = dict(re.findall(r"#define MICROPY_HW_(\w+)_BYTES\s+\((\d+) \* 1024\)", header.read_text()))
        return cls(
            romfs_bytes=int(sizes.get("ROMFS", 0)) << 10,
            storage_bytes=int(sizes["FLASH_STORAGE"]) << 10,
            slot_bytes=int(sizes.get("SLOT", 0)) << 10,
        )

    @property
    def romfs_offset(self) -> int:
        """Where the prompts are."""
        return FLASH_BYTES - self.storage_bytes - self.romfs_bytes

    @property
    def records_offset(self) -> int:
        """Where the records of the slots are."""
        return SECTOR_BYTES

    @property
    def firmware_bytes(self) -> int:
        """The room for one firmware, with the header of its slot."""
        return self.slot_bytes or self.romfs_offset

    def slot_offset(self, slot: str) -> int:
        """Where a slot is, "a" or "b"."""
        return self.records_offset + RECORDS_BYTES + SLOTS.index(slot) * self.slot_bytes


def romfs(prompts: Path, languages: Iterable[str]) -> bytes:
    """The file system that is mounted at /rom: prompts/LANGUAGE/NAME.wav and texts.txt, each as it is, in one piece.

    Raises:
        NoSuchLanguage: `prompts` has no such folder.
    """
    writer = VfsRomWriter()
    writer.opendir("prompts")
    for language in sorted(set(languages)):
        pack = prompts / language
        if not pack.is_dir():
            raise NoSuchLanguage(f"There is no prompt pack {language} in {prompts}.")
        writer.opendir(language)
        for file in sorted([*pack.glob("*.wav"), *pack.glob("texts.txt")]):
            writer.mkfile(file.name, file.read_bytes())
        writer.closedir()
    writer.closedir()
    return bytes(writer.finalise())


def slot_binary(linked: bytes, slot: str, layout: Layout) -> bytes:
    """A slot's bytes, of a firmware that was linked for it; its first 256, which are for the header, get it.

    Raises:
        DoesNotFit: it is too big.
    """
    body = linked[SLOT_HEADER_BYTES:] + b"\xff" * (-len(linked) % 4)
    _check_room(f"firmware for slot {slot}", SLOT_HEADER_BYTES + len(body), layout.slot_bytes)
    address = FLASH_START + layout.slot_offset(slot)
    told = struct.pack("<II", SLOT_HEADER_BYTES + len(body), address)
    rest = told.ljust(SLOT_HEADER_BYTES - _SLOT_HEADER_TOLD_AT, b"\xff") + body
    return _SLOT_MAGIC + struct.pack("<I", zlib.crc32(rest)) + rest


def first_records() -> bytes:
    """Both sectors of records as a UF2 leaves them: slot a is the good one, and nothing is on trial."""
    record = _RECORD.pack(_RECORD_MAGIC, 0, SLOTS.index("a"), _NO_TRIAL, _NOT_RETURNED, 0)
    return (record + struct.pack("<I", zlib.crc32(record))).ljust(RECORDS_BYTES, b"\xff")


def uf2(parts: dict[int, bytes]) -> bytes:
    """One UF2 of several parts of flash, by their offsets.

    Each part is filled up to whole sectors: the RP2040's boot ROM may erase a sector wrongly that is written in part
    and is not the last (erratum E14). The first sector comes last and its first page, without which the boot ROM starts
    nothing, at the very end: a flash that is interrupted leaves a drive again.
    """
    pages = []
    for offset, data in sorted(parts.items()):
        whole = data + b"\xff" * (-len(data) % SECTOR_BYTES)
        pages += [(offset + at, whole[at : at + PAGE_BYTES]) for at in range(0, len(whole), PAGE_BYTES)]
    first_sector = [page for page in pages if page[0] < SECTOR_BYTES]
    pages = pages[len(first_sector) :] + first_sector[::-1]
    blocks = (_block(number, len(pages), offset, page) for number, (offset, page) in enumerate(pages))
    return b"".join(blocks)


def _block(number: int, count: int, offset: int, page: bytes) -> bytes:
    address = FLASH_START + offset
    head = struct.pack("<8I", *UF2_MAGIC, _HAS_FAMILY, address, PAGE_BYTES, number, count, _RP2040)
    return (head + page).ljust(BLOCK_BYTES - 4, b"\0") + struct.pack("<I", _END_MAGIC)


def flash_parts(firmware: bytes, prompts: bytes, layout: Layout) -> dict[int, bytes]:
    """What lies where in the flash of a board without slots, by offset.

    Raises:
        DoesNotFit: one of them is too big.
    """
    _check_room("firmware", len(firmware), layout.firmware_bytes)
    _check_room("prompts", len(prompts), layout.romfs_bytes)
    return {0: firmware, layout.romfs_offset: prompts}


def slots_parts(selector: bytes, firmware: bytes, prompts: bytes, layout: Layout) -> dict[int, bytes]:
    """What lies where in the flash of a board with slots, by offset; slot b is left as it is.

    Args:
        firmware: slot a's, see slot_binary.

    Raises:
        DoesNotFit: one of them is too big.
    """
    _check_room("boot selector", len(selector), SECTOR_BYTES)
    _check_room("prompts", len(prompts), layout.romfs_bytes)
    return {
        0: selector,
        layout.records_offset: first_records(),
        layout.slot_offset("a"): firmware,
        layout.romfs_offset: prompts,
    }


def _check_room(name: str, size: int, room: int) -> None:
    if size > room:
        raise DoesNotFit(f"The image's {name} of {size} bytes is more than the {room} bytes of flash for it.")


def main() -> None:
    """Writes IMAGE.uf2; the slots' IMAGE.a.bin and IMAGE.b.bin; and IMAGE.json, which tells what they are."""
    options = argparse.ArgumentParser()
    options.add_argument("--firmware", type=Path, nargs="+", required=True, help="one, or one for each slot")
    options.add_argument("--selector", type=Path, help="with slots")
    options.add_argument("--board", type=Path, required=True, help="folder")
    options.add_argument("--prompts", type=Path, required=True, help="folder")
    options.add_argument("--languages", nargs="*", default=[], help="which of its packs")
    options.add_argument("--version", required=True)
    options.add_argument("--commit", required=True)
    options.add_argument("image", type=Path)
    try:
        _write_image(options.parse_args())
    except (DoesNotFit, NoSuchLanguage) as told:
        raise SystemExit(f"star57: {told}") from None


def _write_image(asked: argparse.Namespace) -> None:
    layout = Layout.of_board(asked.board / "mpconfigboard.h")
    linked = [path.read_bytes() for path in asked.firmware]
    prompts = romfs(asked.prompts, asked.languages) if layout.romfs_bytes else b""
    binaries = {}
    if layout.slot_bytes:
        binaries = {slot: slot_binary(data, slot, layout) for slot, data in zip(SLOTS, linked, strict=True)}
        parts = slots_parts(asked.selector.read_bytes(), binaries["a"], prompts, layout)
    else:
        parts = flash_parts(linked[0], prompts, layout)
    image = uf2(parts)
    facts = {
        "version": asked.version,
        "commit": asked.commit,
        "board": asked.board.name,
        "languages": sorted(set(asked.languages)) if prompts else [],
        "sha256": hashlib.sha256(image).hexdigest(),
        "firmware_bytes": len(binaries.get("a", linked[0])),
        "romfs_bytes": len(prompts),
        "slots": {slot: _slot_facts(asked.image, slot, data) for slot, data in binaries.items()},
    }
    for slot, data in binaries.items():
        asked.image.with_name(_slot_name(asked.image, slot)).write_bytes(data)
    asked.image.with_suffix(".json").write_text(json.dumps(facts, indent=4) + "\n")
    asked.image.write_bytes(image)


def _slot_name(image: Path, slot: str) -> str:
    return f"{image.stem}.{slot}.bin"


def _slot_facts(image: Path, slot: str, data: bytes) -> dict[str, object]:
    return {
        "name": _slot_name(image, slot),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


if __name__ == "__main__":
    main()
