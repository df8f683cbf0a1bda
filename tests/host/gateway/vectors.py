"""The vectors of `docs/vectors/serial.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "vectors" / "serial.json").read_text()
)


def name_of(vector: dict[str, Any]) -> str:
    """The vector's name, for pytest."""
    return str(vector["name"])
