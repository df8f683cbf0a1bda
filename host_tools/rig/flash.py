"""Reads what firmware has kept on the flash of an emulated board: `star57.storage.DurableRecord`, from outside."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

MAGIC = b"S57R"
HEADER = struct.Struct("<4sIII")
SEQUENCE_MASK = 0x3FFFFFFF


def read_record(path: Path) -> Any:
    """The newest whole payload of a record, parsed as JSON; None when there is none.

    Args:
        path: the record, without the ".a" or ".b" of its two slots.
    """
    slots = [slot for end in (".a", ".b") if (slot := _slot(path.with_name(path.name + end)))]
    if not slots:
        return None
    if len(slots) == 2 and ((slots[1][0] - slots[0][0]) & SEQUENCE_MASK) < SEQUENCE_MASK // 2:
        slots.reverse()
    return json.loads(slots[0][1])


def _slot(path: Path) -> tuple[int, bytes] | None:
    """Sequence number and payload of one slot; None when it is not whole."""
    data = path.read_bytes() if path.exists() else b""
    if len(data) < HEADER.size:
        return None
    magic, sequence, length, checksum = HEADER.unpack_from(data)
    payload = data[HEADER.size :]
    if magic != MAGIC or len(payload) != length or zlib.crc32(data[4:12] + payload) != checksum:
        return None
    return sequence, payload
