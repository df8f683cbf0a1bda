"""The image: a UF2 that the boot ROM takes, firmware and prompts at their places, and what it tells of itself."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("rp2040py", reason="rp2040py is not installed: make setup")

from host_tools.rig.emulated_pico import FLASH_START, IMAGE, EmulatedPico
from host_tools.rig.flash_image import (
    BLOCK_BYTES,
    FLASH_BYTES,
    PAGE_BYTES,
    SECTOR_BYTES,
    DoesNotFit,
    Layout,
    flash_parts,
    romfs,
    uf2,
)
from host_tools.rig.micropython import ROOT

needs_image = pytest.mark.skipif(not IMAGE.exists(), reason="no image has been built: make image")

BOARD = ROOT / "boards" / "pico"
PROMPTS = ROOT / "firmware" / "prompts"
LAYOUT = Layout.of_board(BOARD / "mpconfigboard.h")
BOARDS = sorted(path.parent for path in (ROOT / "boards").glob("*/mpconfigboard.h"))
RP2040_FAMILY = 0xE48BFF56
LEAST_FILE_SYSTEM_BYTES = 768 << 10


@pytest.fixture(scope="module")
def image() -> bytes:
    return IMAGE.read_bytes()


@pytest.fixture(scope="module")
def pico() -> EmulatedPico:
    """Booted, and its adapter interrupted as a technician does it."""
    pico = EmulatedPico()
    pico.boot()
    return pico


def _flash(image: bytes) -> dict[int, bytes]:
    """The pages of a UF2 by their offsets in flash; every block is looked at as the boot ROM does."""
    assert len(image) % BLOCK_BYTES == 0
    count = len(image) // BLOCK_BYTES
    pages: dict[int, bytes] = {}
    for number in range(count):
        block = image[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
        first, second, flags, address, size, told_number, told_count, family = struct.unpack(
            "<8I", block[:32]
        )
        assert (first, second, block[-4:]) == (0x0A324655, 0x9E5D5157, struct.pack("<I", 0x0AB16F30))
        assert (flags, size, family) == (0x2000, PAGE_BYTES, RP2040_FAMILY)
        assert (told_number, told_count) == (number, count)
        assert address % PAGE_BYTES == 0
        pages[address - FLASH_START] = block[32 : 32 + PAGE_BYTES]
    assert len(pages) == count, "two blocks for one place"
    return pages


def _part(pages: dict[int, bytes], start: int, size: int) -> bytes:
    offsets = range(start, start + size + (-size % PAGE_BYTES), PAGE_BYTES)
    return b"".join(pages[offset] for offset in offsets)[:size]


@needs_image
def test_it_is_well_formed_and_within_the_flash(image: bytes) -> None:
    pages = _flash(image)
    assert min(pages) == 0
    assert max(pages) + PAGE_BYTES <= FLASH_BYTES - LAYOUT.storage_bytes, "the file system is left as it is"


@needs_image
def test_it_fills_whole_sectors(image: bytes) -> None:
    """RP2040 erratum E14: a sector that is there in part may be erased wrongly."""
    pages = _flash(image)
    for sector in {offset // SECTOR_BYTES for offset in pages}:
        assert all(sector * SECTOR_BYTES + at in pages for at in range(0, SECTOR_BYTES, PAGE_BYTES))


@needs_image
def test_it_is_what_is_told_beside_it(image: bytes) -> None:
    facts = json.loads(IMAGE.with_suffix(".json").read_text())
    assert facts["board"] == "pico"
    assert facts["sha256"] == hashlib.sha256(image).hexdigest()
    assert facts["firmware_bytes"] <= LAYOUT.firmware_bytes
    assert facts["romfs_bytes"] <= LAYOUT.romfs_bytes


@needs_image
def test_the_prompts_lie_behind_the_firmware(image: bytes) -> None:
    prompts = romfs(PROMPTS)
    assert _part(_flash(image), LAYOUT.firmware_bytes, len(prompts)) == prompts


@needs_image
def test_the_pico_has_every_prompt_byte_for_byte(image: bytes, pico: EmulatedPico) -> None:
    """MicroPython's own file system says where in flash each file lies, and there it is in one piece."""
    code = (
        "import os, uctypes\n"
        "for name in os.listdir('/rom/prompts/en-US'):\n"
        "    with open('/rom/prompts/en-US/' + name, 'rb') as file:\n"
        "        mapped = memoryview(file)\n"
        "        print(name, uctypes.addressof(mapped), len(mapped), bytes(mapped[:4]) == file.read(4) == b'RIFF')\n"
    )
    pages = _flash(image)
    base = LAYOUT.firmware_bytes
    rom = _part(pages, base, max(pages) + PAGE_BYTES - base)
    found = {}
    for line in pico.execute(code).splitlines():
        name, address, size, is_read_there = line.split()
        assert is_read_there == "True", name
        start = int(address) - FLASH_START - base
        found[name] = rom[start : start + int(size)]
    assert found == {path.name: path.read_bytes() for path in (PROMPTS / "en-US").glob("*.wav")}


@needs_image
def test_it_tells_what_it_was_built_from(pico: EmulatedPico) -> None:
    version, commit, board = pico.execute(
        "import image; print(image.VERSION, image.COMMIT, image.BOARD)"
    ).split()
    facts = json.loads(IMAGE.with_suffix(".json").read_text())
    assert (version, commit, board) == (facts["version"], facts["commit"], "pico")
    assert re.fullmatch(r"[0-9a-f]{10,}\+?|unknown", commit)
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


@needs_image
def test_micropython_tells_its_own_version_and_the_board(pico: EmulatedPico) -> None:
    """It would take the version from the git repository that it lies in, which is this one."""
    told = pico.execute("import sys; print(sys.version); print(sys.implementation._machine)").splitlines()
    assert told == ["3.4.0; MicroPython v1.25.0 on 2025-01-01", "Star57 on Raspberry Pi Pico with RP2040"]


@needs_image
def test_its_file_system_has_the_room_that_is_meant_for_it(pico: EmulatedPico) -> None:
    size, blocks = map(int, pico.execute("import os; s = os.statvfs('/'); print(s[1], s[2])").split())
    assert size * blocks == LAYOUT.storage_bytes


@needs_image
def test_most_of_the_heap_is_free_when_the_console_is_there(pico: EmulatedPico) -> None:
    assert int(pico.execute("import gc; gc.collect(); print(gc.mem_free())")) > 128 << 10


@pytest.mark.parametrize("board", ["pico_w", "w5500_evb_pico"])
def test_the_image_of_another_board_boots_with_the_prompts(board: str) -> None:
    image = IMAGE.with_name(f"{board}.uf2")
    if not image.exists():
        pytest.skip(f"no image has been built: make image BOARD={board}")
    _flash(image.read_bytes())
    pico = EmulatedPico(image)
    pico.boot()
    told = pico.execute("import image, os; print(image.BOARD, len(os.listdir('/rom/prompts/en-US')))").split()
    assert told == [board, str(len(list((PROMPTS / "en-US").glob("*.wav"))))]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_every_board_leaves_its_file_system_room(board: Path) -> None:
    layout = Layout.of_board(board / "mpconfigboard.h")
    assert layout.storage_bytes >= LEAST_FILE_SYSTEM_BYTES
    assert layout.firmware_bytes % SECTOR_BYTES == 0
    assert layout.romfs_bytes == 0 or len(romfs(PROMPTS)) <= layout.romfs_bytes


def test_prompts_are_kept_as_they_are() -> None:
    pack = romfs(PROMPTS)
    for path in (PROMPTS / "en-US").glob("*.wav"):
        assert path.read_bytes() in pack


def test_what_does_not_fit_is_told() -> None:
    layout = Layout(romfs_bytes=4096, storage_bytes=FLASH_BYTES - 3 * 4096)
    assert flash_parts(bytes(8192), bytes(4096), layout) == {0: bytes(8192), 8192: bytes(4096)}
    with pytest.raises(DoesNotFit, match="firmware of 8193 bytes is more than the 8192 bytes of flash"):
        flash_parts(bytes(8193), b"", layout)
    with pytest.raises(DoesNotFit, match="prompts of 4097 bytes is more than the 4096 bytes of flash"):
        flash_parts(b"", bytes(4097), layout)


def test_two_parts_are_one_uf2() -> None:
    pages = _flash(uf2({0: b"firmware", 3 * SECTOR_BYTES: b"prompts"}))
    assert sorted({offset // SECTOR_BYTES for offset in pages}) == [0, 3]
    assert (pages[0][:9], pages[3 * SECTOR_BYTES][:8]) == (b"firmware\xff", b"prompts\xff")


def test_the_version_is_the_project_s() -> None:
    """The build reads it with sed: the one line of its kind."""
    text = (ROOT / "pyproject.toml").read_text()
    assert re.findall(r'(?m)^version = "(.*)"', text) == [tomllib.loads(text)["project"]["version"]]
