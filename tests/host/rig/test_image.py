"""The image: a UF2 that the boot ROM takes, firmware and prompts at their places, and what it tells of itself."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import struct
import tomllib
import zlib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rp2040py", reason="rp2040py is not installed: make setup")

from host_tools.rig.emulated_pico import FLASH_START, IMAGE, EmulatedPico
from host_tools.rig.flash_image import (
    BLOCK_BYTES,
    FLASH_BYTES,
    PAGE_BYTES,
    SECTOR_BYTES,
    SLOTS,
    DoesNotFit,
    Layout,
    NoSuchLanguage,
    first_records,
    flash_parts,
    romfs,
    slot_binary,
    slots_parts,
    uf2,
)
from host_tools.rig.micropython import ROOT

needs_image = pytest.mark.skipif(not IMAGE.exists(), reason="no image has been built: make image")

BOARD = ROOT / "boards" / "pico"
PROMPTS = ROOT / "firmware" / "prompts"
LAYOUT = Layout.of_board(BOARD / "mpconfigboard.h")
BOARDS = sorted(path.parent for path in (ROOT / "boards").glob("*/mpconfigboard.h"))
RP2040_FAMILY = 0xE48BFF56
LEAST_FILE_SYSTEM_BYTES = 192 << 10
LANGUAGES = ["en-US"]


@pytest.fixture(scope="module")
def image() -> bytes:
    return IMAGE.read_bytes()


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(IMAGE.with_suffix(".json").read_text())
    return told


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


def _pack() -> list[Path]:
    """What the image has of the prompts."""
    return [*(PROMPTS / "en-US").glob("*.wav"), *(PROMPTS / "en-US").glob("texts.txt")]


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
def test_what_the_boot_rom_starts_with_comes_last(image: bytes) -> None:
    """Until then a flash that is interrupted shows itself as a drive again."""
    addresses = [
        struct.unpack_from("<I", image, at + 12)[0] - FLASH_START for at in range(0, len(image), BLOCK_BYTES)
    ]
    assert addresses[-16:] == list(range(SECTOR_BYTES - PAGE_BYTES, -1, -PAGE_BYTES))
    assert addresses[:-16] == sorted(addresses[:-16])


@needs_image
def test_it_is_what_is_told_beside_it(image: bytes, facts: dict[str, Any]) -> None:
    assert facts["board"] == "pico"
    assert facts["languages"] == LANGUAGES
    assert facts["sha256"] == hashlib.sha256(image).hexdigest()
    assert facts["firmware_bytes"] <= LAYOUT.firmware_bytes
    assert facts["romfs_bytes"] <= LAYOUT.romfs_bytes


@needs_image
def test_the_slots_binaries_are_what_is_told_of_them(image: bytes, facts: dict[str, Any]) -> None:
    assert sorted(facts["slots"]) == list(SLOTS)
    for slot, told in facts["slots"].items():
        binary = IMAGE.with_name(told["name"]).read_bytes()
        assert (len(binary), hashlib.sha256(binary).hexdigest()) == (told["bytes"], told["sha256"])
        magic, crc, size, address = struct.unpack_from("<4sIII", binary)
        assert (magic, size, address) == (b"S57F", len(binary), FLASH_START + LAYOUT.slot_offset(slot))
        assert crc == zlib.crc32(binary[8:])
    slot_a = IMAGE.with_name(facts["slots"]["a"]["name"]).read_bytes()
    assert _part(_flash(image), LAYOUT.slot_offset("a"), len(slot_a)) == slot_a


@needs_image
def test_it_leaves_slot_b_alone_and_clears_the_records(image: bytes) -> None:
    pages = _flash(image)
    assert not any(
        LAYOUT.slot_offset("b") <= page < LAYOUT.slot_offset("b") + LAYOUT.slot_bytes for page in pages
    )
    assert _part(pages, LAYOUT.records_offset, 2 * SECTOR_BYTES) == first_records()


@needs_image
def test_the_prompts_lie_behind_the_slots(image: bytes) -> None:
    prompts = romfs(PROMPTS, LANGUAGES)
    assert _part(_flash(image), LAYOUT.romfs_offset, len(prompts)) == prompts


@needs_image
def test_the_pico_has_every_prompt_byte_for_byte(image: bytes, pico: EmulatedPico) -> None:
    """MicroPython's own file system says where in flash each file lies, and there it is in one piece."""
    code = (
        "import os, uctypes\n"
        "for name in os.listdir('/rom/prompts/en-US'):\n"
        "    with open('/rom/prompts/en-US/' + name, 'rb') as file:\n"
        "        mapped = memoryview(file)\n"
        "        print(name, uctypes.addressof(mapped), len(mapped), bytes(mapped[:4]) == file.read(4))\n"
    )
    pages = _flash(image)
    base = LAYOUT.romfs_offset
    rom = _part(pages, base, max(pages) + PAGE_BYTES - base)
    found = {}
    for line in pico.execute(code).splitlines():
        name, address, size, is_read_there = line.split()
        assert is_read_there == "True", name
        start = int(address) - FLASH_START - base
        found[name] = rom[start : start + int(size)]
    assert found == {path.name: path.read_bytes() for path in _pack()}


@needs_image
def test_it_tells_what_it_was_built_from(pico: EmulatedPico, facts: dict[str, Any]) -> None:
    version, commit, board = pico.execute(
        "import image; print(image.VERSION, image.COMMIT, image.BOARD)"
    ).split()
    assert (version, commit, board) == (facts["version"], facts["commit"], "pico")
    assert re.fullmatch(r"[0-9a-f]{10,}\+?|unknown", commit)
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


@needs_image
def test_it_tells_the_sources_of_its_modules(pico: EmulatedPico) -> None:
    """Its sources may have changed since: looked at are the names of some, and the kind of digest."""
    wanted = ("main.py", "board.py", "rp2040/line_board.py", "star57/adapter.py", "asyncio/core.py")
    code = f"import image; print([row for row in image.HASHES if row[0] in {wanted}])"
    hashes = dict(ast.literal_eval(pico.execute(code)))
    assert set(hashes) == set(wanted) - {"asyncio/core.py"}, "MicroPython's own are not this project's"
    assert all(re.fullmatch(r"[0-9a-f]{8}", digest) for digest in hashes.values())


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
    assert told == [board, str(len(_pack()))]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_every_board_leaves_its_file_system_room(board: Path) -> None:
    layout = Layout.of_board(board / "mpconfigboard.h")
    assert layout.storage_bytes >= LEAST_FILE_SYSTEM_BYTES
    assert layout.firmware_bytes % SECTOR_BYTES == 0
    assert layout.romfs_bytes == 0 or len(romfs(PROMPTS, LANGUAGES)) <= layout.romfs_bytes
    if layout.slot_bytes:
        assert layout.slot_offset("b") + layout.slot_bytes == layout.romfs_offset, "no flash is left over"


def test_prompts_are_kept_as_they_are() -> None:
    pack = romfs(PROMPTS, LANGUAGES)
    for path in _pack():
        assert path.read_bytes() in pack


def test_only_the_languages_that_are_asked_for_go_in(tmp_path: Path) -> None:
    for language in ("en-US", "es-US"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "yes.wav").write_bytes(language.encode() * 9)
        (tmp_path / language / "texts.txt").write_text(f"yes\t{language}\n")
        (tmp_path / language / "notes.md").write_text("not for the board")
    one, both = romfs(tmp_path, ["es-US"]), romfs(tmp_path, ["es-US", "en-US"])
    assert b"es-US" * 9 in one
    assert b"yes\tes-US\n" in one
    assert b"en-US" not in one
    assert b"en-US" * 9 in both
    assert b"not for the board" not in both
    with pytest.raises(NoSuchLanguage, match="fr-CA"):
        romfs(tmp_path, ["fr-CA"])


def test_what_does_not_fit_is_told() -> None:
    layout = Layout(romfs_bytes=4096, storage_bytes=FLASH_BYTES - 3 * 4096)
    assert flash_parts(bytes(8192), bytes(4096), layout) == {0: bytes(8192), 8192: bytes(4096)}
    with pytest.raises(DoesNotFit, match="firmware of 8193 bytes is more than the 8192 bytes of flash"):
        flash_parts(bytes(8193), b"", layout)
    with pytest.raises(DoesNotFit, match="prompts of 4097 bytes is more than the 4096 bytes of flash"):
        flash_parts(b"", bytes(4097), layout)


def test_what_does_not_fit_a_slot_is_told() -> None:
    layout = Layout(romfs_bytes=0, storage_bytes=4096, slot_bytes=4096)
    assert len(slot_binary(bytes(4093), "b", layout)) == 4096
    with pytest.raises(DoesNotFit, match="firmware for slot b of 4100 bytes is more than the 4096"):
        slot_binary(bytes(4097), "b", layout)
    with pytest.raises(DoesNotFit, match="selector of 4097 bytes is more than the 4096"):
        slots_parts(bytes(4097), b"", b"", layout)


def test_two_parts_are_one_uf2() -> None:
    pages = _flash(uf2({0: b"firmware", 3 * SECTOR_BYTES: b"prompts"}))
    assert sorted({offset // SECTOR_BYTES for offset in pages}) == [0, 3]
    assert (pages[0][:9], pages[3 * SECTOR_BYTES][:8]) == (b"firmware\xff", b"prompts\xff")


def test_the_version_is_the_project_s() -> None:
    """The build reads it with sed: the one line of its kind."""
    text = (ROOT / "pyproject.toml").read_text()
    assert re.findall(r'(?m)^version = "(.*)"', text) == [tomllib.loads(text)["project"]["version"]]
