"""An image for the boot loader (UF2), with what is known of it (JSON beside it)."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.rig.flash_image import BLOCK_BYTES, RECORDS_BYTES, SECTOR_BYTES, UF2_MAGIC
from host_tools.technician.faults import WrongImage
from host_tools.technician.repository import repository

_HEAD = struct.Struct("<8I")
_FLASH_START = 0x10000000
_RP2040 = 0xE48BFF56
_RECORDS = range(_FLASH_START + SECTOR_BYTES, _FLASH_START + SECTOR_BYTES + RECORDS_BYTES)


@dataclass(frozen=True)
class Image:
    """One image.

    Attributes:
        path: of the UF2.
        uf2: its bytes.
        version, commit, board: what it was built from, and for.
        regions: what it puts where in the flash: address and bytes, one for each piece without a gap.
    """

    path: Path
    uf2: bytes
    version: str
    commit: str
    board: str
    regions: tuple[tuple[int, bytes], ...]
    has_slots: bool

    def kept_regions(self) -> list[tuple[int, bytes]]:
        """The regions that nothing changes when the firmware runs: all but the records of its slots."""
        if not self.has_slots:
            return list(self.regions)
        kept = []
        for address, data in self.regions:
            before = data[: max(0, _RECORDS.start - address)]
            after_at = max(address, _RECORDS.stop)
            kept += [(address, before), (after_at, data[after_at - address :])]
        return [(address, data) for address, data in kept if data]

    @property
    def end(self) -> int:
        """Behind the last byte that it writes, from the start of the flash."""
        return max(address + len(data) for address, data in self.regions) - _FLASH_START


def image_for(board: str, path: Path | None = None) -> Image:
    """The image at `path`, or the one that was built for this kind of board.

    Raises:
        WrongImage: there is none, it is damaged, or it is for another board.
    """
    image = _read(path or repository() / ".cache" / "pico" / f"{board}.uf2", board)
    if image.board != board:
        raise WrongImage(
            f"{image.path.name} is for {image.board}, and the board is a {board}: name it with --image"
        )
    return image


def _read(path: Path, board: str) -> Image:
    try:
        uf2 = path.read_bytes()
        facts: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    except FileNotFoundError as missing:
        raise WrongImage(f"there is no {missing.filename}: make image BOARD={board} builds it") from missing
    except ValueError as error:
        raise WrongImage(f"{path.with_suffix('.json')} is damaged: build the image again") from error
    if facts.get("sha256") != hashlib.sha256(uf2).hexdigest():
        raise WrongImage(f"{path} is not what its JSON file says: build the image again")
    return Image(
        path,
        uf2,
        facts["version"],
        facts["commit"],
        facts["board"],
        _regions(uf2, path),
        has_slots=bool(facts.get("slots")),
    )


def _regions(uf2: bytes, path: Path) -> tuple[tuple[int, bytes], ...]:
    pages: dict[int, bytes] = {}
    for start in range(0, len(uf2), BLOCK_BYTES):
        block = uf2[start : start + BLOCK_BYTES]
        if len(block) < BLOCK_BYTES:
            raise WrongImage(f"{path} ends within a block: build the image again")
        first, second, _, address, size, _, _, family = _HEAD.unpack_from(block)
        if (first, second, family) != (*UF2_MAGIC, _RP2040):
            raise WrongImage(f"{path} is no image for an RP2040")
        pages[address] = block[_HEAD.size : _HEAD.size + size]
    regions: list[tuple[int, bytearray]] = []
    for address, page in sorted(pages.items()):
        if regions and regions[-1][0] + len(regions[-1][1]) == address:
            regions[-1][1].extend(page)
        else:
            regions.append((address, bytearray(page)))
    if not regions:
        raise WrongImage(f"{path} is empty: build the image again")
    return tuple((address, bytes(data)) for address, data in regions)
