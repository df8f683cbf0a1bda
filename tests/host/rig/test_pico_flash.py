"""The flash of a Pico from outside: images, and files on its file system."""

from __future__ import annotations

import struct

import pytest
from littlefs import LittleFSError

from host_tools.rig.flash_image import FLASH_BYTES
from host_tools.rig.pico_flash import Files, NotAnImage, file_system_bytes, flash_of


def uf2(address: int, data: bytes) -> bytes:
    """One block of a UF2."""
    head = struct.pack("<IIIIIIII", 0x0A324655, 0x9E5D5157, 0x2000, address, 256, 0, 1, 0xE48BFF56)
    return head + data.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)


def test_an_image_lies_where_its_blocks_say() -> None:
    flash = flash_of(uf2(0x10000100, b"\x57" * 256) + uf2(0x100A0000, b"\x39" * 256))
    assert len(flash) == FLASH_BYTES
    assert flash[0x100:0x200] == b"\x57" * 256
    assert flash[0xA0000:0xA0100] == b"\x39" * 256
    assert flash[:0x100] == b"\xff" * 256


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (uf2(0x10000000, b"")[:511], "ends within"),
        (b"\0" * 512, "does not begin"),
        (uf2(0x0FFFFF00, b""), "goes to"),
        (uf2(0x10000000 + FLASH_BYTES - file_system_bytes(), b""), "goes to"),
    ],
)
def test_what_is_no_image_is_refused(image: bytes, reason: str) -> None:
    with pytest.raises(NotAnImage, match=reason):
        flash_of(image)


def test_files_are_there_after_the_flash_was_taken_out_and_put_back() -> None:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    files = Files(flash)
    files.write("settings.json", b"{}")
    files.write("calls.a", b"\x57" * 10_000)
    files.write("settings.json", b'{"line":"5555550101"}')
    again = Files(bytearray(flash))
    assert again.names() == ["calls.a", "settings.json"]
    assert again.read("settings.json") == b'{"line":"5555550101"}'
    assert again.read("calls.a") == b"\x57" * 10_000
    assert again.read("none") is None
    assert flash[: FLASH_BYTES - file_system_bytes()] == b"\xff" * (FLASH_BYTES - file_system_bytes())


def test_a_broken_file_system_is_not_taken_for_an_empty_one() -> None:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    Files(flash).write("calls.a", b"57")
    flash[-file_system_bytes() : -file_system_bytes() + 8192] = b"\x55" * 8192
    with pytest.raises(LittleFSError):
        Files(flash)
