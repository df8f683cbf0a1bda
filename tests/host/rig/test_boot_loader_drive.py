"""The drive of a boot loader: what has come of a UF2 is in the flash, and no more."""

from __future__ import annotations

from pathlib import Path

from host_tools.rig.boot_loader_drive import BootLoaderDrive
from host_tools.rig.flash_image import BLOCK_BYTES, FLASH_BYTES, SECTOR_BYTES, uf2

DATA = bytes(range(256)) * 32  # two sectors
BLOCKS = len(DATA) // 256


def _drive(folder: Path) -> BootLoaderDrive:
    drive = BootLoaderDrive(folder / "RPI-RP2")
    drive.plug_in()
    return drive


def test_a_whole_image_is_written_and_what_lies_beside_it_is_left(tmp_path: Path) -> None:
    drive = _drive(tmp_path)
    flash = bytearray(b"\x11" * FLASH_BYTES)
    assert "Board-ID: RPI-RP2" in (drive.folder / "INFO_UF2.TXT").read_text()
    assert not drive.take(flash)
    (drive.folder / "image.uf2").write_bytes(uf2({SECTOR_BYTES: DATA}))
    assert drive.take(flash)
    assert bytes(flash[SECTOR_BYTES:][: len(DATA)]) == DATA
    assert set(flash[:SECTOR_BYTES]) == set(flash[SECTOR_BYTES + len(DATA) :]) == {0x11}
    drive.pull_out()
    assert not drive.folder.exists()


def test_an_image_that_comes_in_pieces_is_written_block_by_block(tmp_path: Path) -> None:
    drive = _drive(tmp_path)
    flash = bytearray(b"\x11" * FLASH_BYTES)
    image = uf2({SECTOR_BYTES: DATA})
    with (drive.folder / "image.uf2").open("wb") as file:
        for at in range(0, len(image), 700):
            file.write(image[at : at + 700])
            file.flush()
            whole = drive.take(flash)
            assert drive.blocks == min(at + 700, len(image)) // BLOCK_BYTES
            assert whole == (drive.blocks == BLOCKS)
    assert bytes(flash[SECTOR_BYTES:][: len(DATA)]) == DATA


def test_it_stops_where_it_is_told(tmp_path: Path) -> None:
    drive = _drive(tmp_path)
    flash = bytearray(b"\x11" * FLASH_BYTES)
    (drive.folder / "image.uf2").write_bytes(uf2({SECTOR_BYTES: DATA}))
    assert not drive.take(flash, 3)
    assert drive.blocks == 3
    first = flash[SECTOR_BYTES : 2 * SECTOR_BYTES]
    # The sector that was begun is erased, as far as it is not written; the next one is as it was.
    assert (bytes(first[:768]), set(first[768:])) == (DATA[:768], {0xFF})
    assert set(flash[2 * SECTOR_BYTES :]) == {0x11}


def test_what_is_no_uf2_is_passed_by(tmp_path: Path) -> None:
    drive = _drive(tmp_path)
    flash = bytearray(b"\x11" * FLASH_BYTES)
    (drive.folder / "image.uf2").write_bytes(b"MZ" + bytes(BLOCK_BYTES * 4))
    assert not drive.take(flash)
    assert set(flash) == {0x11}
