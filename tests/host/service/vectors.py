"""The vectors of `docs/vectors/trace.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "vectors" / "trace.json").read_text()
)


def body_of(vector: dict[str, Any]) -> bytes:
    """The vector's message, byte for byte."""
    body = bytes.fromhex(vector["body_hex"]) if "body_hex" in vector else vector["body"].encode()
    return body.ljust(vector.get("pad_to", 0))


def name_of(vector: dict[str, Any]) -> str:
    """The vector's name, for pytest."""
    return str(vector["name"])
