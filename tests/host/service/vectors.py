"""The vectors of `docs/vectors/`: `trace.json`, `heartbeat.json`, `call_report.json` and `signed.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[3] / "docs" / "vectors"

VECTORS: dict[str, Any] = json.loads((_FOLDER / "trace.json").read_text())
HEARTBEAT: dict[str, Any] = json.loads((_FOLDER / "heartbeat.json").read_text())
CALL_REPORT: dict[str, Any] = json.loads((_FOLDER / "call_report.json").read_text())
SIGNED: dict[str, Any] = json.loads((_FOLDER / "signed.json").read_text())


def body_of(vector: dict[str, Any]) -> bytes:
    """The vector's message, byte for byte."""
    body = bytes.fromhex(vector["body_hex"]) if "body_hex" in vector else vector["body"].encode()
    return body.ljust(vector.get("pad_to", 0))


def key_of(adapter_id: str) -> bytes:
    """The key of an adapter of `signed.json`."""
    return bytes.fromhex(SIGNED["keys"][adapter_id])


def name_of(vector: dict[str, Any]) -> str:
    """The vector's name, for pytest."""
    return str(vector["name"])
