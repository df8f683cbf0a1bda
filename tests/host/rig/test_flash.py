"""What firmware kept on flash, read from outside."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from host_tools.rig.flash import read_record


def slot(sequence: int, payload: bytes) -> bytes:
    checked = struct.pack("<II", sequence, len(payload)) + payload
    return struct.pack("<4sIII", b"S57R", sequence, len(payload), zlib.crc32(checked)) + payload


def test_nothing_kept_is_none(tmp_path: Path) -> None:
    assert read_record(tmp_path / "calls") is None


def test_the_newer_whole_slot_counts(tmp_path: Path) -> None:
    (tmp_path / "calls.a").write_bytes(slot(7, b"[7]"))
    (tmp_path / "calls.b").write_bytes(slot(8, b"[8]"))
    assert read_record(tmp_path / "calls") == [8]
    (tmp_path / "calls.b").write_bytes(slot(8, b"[8]")[:-1])
    assert read_record(tmp_path / "calls") == [7]


def test_the_sequence_number_wraps(tmp_path: Path) -> None:
    (tmp_path / "calls.a").write_bytes(slot(0x3FFFFFFF, b'"old"'))
    (tmp_path / "calls.b").write_bytes(slot(0, b'"new"'))
    assert read_record(tmp_path / "calls") == "new"
