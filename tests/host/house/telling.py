"""An adapter that tells the house things, without being one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "vectors" / "notices.json").read_text()
)
CALL_ID = "00112233445566aa"
AT = 1_767_268_800
"""2026-01-01 12:00:00 UTC."""


@dataclass
class Wire:
    """What notices come over; it keeps the presses that are sent back."""

    name: str = "wire"
    may_press: bool = True
    pressed: list[bytes] = field(default_factory=list)

    def press(self, payload: bytes) -> None:
        self.pressed.append(payload)


def alive(**fields: Any) -> bytes:
    return json.dumps({**VECTORS["alive"]["notice"], **fields}).encode()


def line(state: str, adapter_id: str = "adapter-1") -> bytes:
    return json.dumps({"notice": "line", "adapter_id": adapter_id, "state": state}).encode()


def traced(outcome: str, call_id: str = CALL_ID) -> bytes:
    return json.dumps(
        {"notice": "traced", "adapter_id": "adapter-1", "call_id": call_id, "outcome": outcome}
    ).encode()


def call(kind: str, **fields: Any) -> bytes:
    """A notice of a call: `kind` is its name; unless `fields` say otherwise, nobody has presented anything."""
    notice = {
        "notice": kind,
        "adapter_id": "adapter-1",
        "call_id": CALL_ID,
        "at": AT,
        "time_source": "network",
        "rings": 0,
        "answered": False,
        "call_waiting": False,
        "number": None,
        "name": None,
        "reason": None,
        "name_reason": None,
    }
    return json.dumps({**notice, **fields}).encode()


JOHN = {"number": "5555550123", "name": "JOHN DOE"}
