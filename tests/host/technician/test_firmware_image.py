"""Images, as they are read from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from host_tools.rig.flash_image import FLASH_START, SECTOR_BYTES, uf2
from host_tools.technician.faults import WrongImage
from host_tools.technician.firmware_image import image_for
from tests.host.technician.small_firmware import write_image

PARTS = {0: b"selector", SECTOR_BYTES: b"records" * 1000, 0x10000: bytes(range(256)) * 40}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "pico.uf2"
    write_image(path, uf2(PARTS), "0.1.0", "abc1234567")
    return path


def test_its_regions_are_what_it_puts_into_the_flash(path: Path) -> None:
    image = image_for("pico", path)
    assert (image.version, image.commit, image.board) == ("0.1.0", "abc1234567", "pico")
    (first, bottom), (second, top) = image.regions
    assert (first, second) == (FLASH_START, FLASH_START + 0x10000)
    assert bottom.startswith(b"selector")
    assert bottom[SECTOR_BYTES:].startswith(b"records")
    assert top.startswith(PARTS[0x10000])
    assert image.end == 0x10000 + len(top)
    assert image.kept_regions() == list(image.regions)


def test_the_records_of_slots_may_change(path: Path) -> None:
    facts = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(facts | {"slots": {"a": {}}}))
    image = image_for("pico", path)
    whole = dict(image.regions)
    assert image.kept_regions() == [
        (FLASH_START, whole[FLASH_START][:SECTOR_BYTES]),
        (FLASH_START + 0x10000, whole[FLASH_START + 0x10000]),
    ]


def test_what_cannot_be_flashed_is_told(path: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongImage, match="is for pico, and the board is a pico_w"):
        image_for("pico_w", path)
    with pytest.raises(WrongImage, match="make image BOARD=pico"):
        image_for("pico", tmp_path / "none.uf2")
    for uf2_bytes, told in (
        (b"MZ" + bytes(510), "no image for an RP2040"),
        (path.read_bytes()[:-100], "ends within a block"),
        (b"", "empty"),
    ):
        write_image(tmp_path / "bad.uf2", uf2_bytes, "0.1.0", "abc")
        with pytest.raises(WrongImage, match=told):
            image_for("pico", tmp_path / "bad.uf2")
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(WrongImage, match="not what its JSON file says"):
        image_for("pico", path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(WrongImage, match="damaged"):
        image_for("pico", path)
