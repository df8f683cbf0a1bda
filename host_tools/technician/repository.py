"""Where the firmware's sources and the images built from them are."""

from __future__ import annotations

from pathlib import Path


def repository() -> Path:
    """The repository that this program runs from; installed elsewhere, the folder that the user is in."""
    own = Path(__file__).resolve().parents[2]
    return own if (own / "firmware").is_dir() else Path.cwd()
