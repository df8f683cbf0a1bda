"""Reads what firmware has kept on the flash of an emulated board: `star57.storage.DurableRecord`, from outside."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
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

    def read(name: str) -> bytes | None:
        slot = path.with_name(name)
        return slot.read_bytes() if slot.exists() else None

    return record_among(read, path.name)


def record_among(read: Callable[[str], bytes | None], name: str) -> Any:
    """As `read_record`, for files that `read` gives by their names; None is no such file."""
    whole = [slot for end in (".a", ".b") if (slot := _slot(read(name + end) or b""))]
    if not whole:
        return None
    if len(whole) == 2 and ((whole[1][0] - whole[0][0]) & SEQUENCE_MASK) < SEQUENCE_MASK // 2:
        whole.reverse()
    return json.loads(whole[0][1])


def _slot(data: bytes) -> tuple[int, bytes] | None:
    """Sequence number and payload of one slot; None when it is not whole."""
    if len(data) < HEADER.size:
        return None
    magic, sequence, length, checksum = HEADER.unpack_from(data)
    payload = data[HEADER.size :]
    if magic != MAGIC or len(payload) != length or zlib.crc32(data[4:12] + payload) != checksum:
        return None
    return sequence, payload
