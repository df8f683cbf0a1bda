"""A firmware of three small modules, for what is done to many boards: its sources, and images of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from host_tools.rig.image_facts import HASH_DIGITS
from host_tools.rig.simulated_boards import simulated_image
from host_tools.technician.firmware_image import Image, image_for
from host_tools.technician.overlay import sources

SETTINGS = json.dumps({"adapter_id": "bench-01", "line": "5555550101"}).encode()
CALLS = b"S57R of the calls"
FILES = {"settings.json": SETTINGS, "calls.a": CALLS}
MODULES = {
    "star57/__init__.py": "",
    "star57/low.py": "LOW = 1\n",
    "star57/high.py": "from star57.low import LOW\n\nHIGH = LOW + 100\n",
    "star57/other.py": "OTHER = 7\n",
}


class SmallFirmware:
    """Its sources as a repository has them, and what is frozen into boards' images, both in a folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.frozen = folder / "frozen"
        for name, text in MODULES.items():
            self.write(name, text)
        (self.root / "boards" / "pico").mkdir(parents=True)
        self.freeze()

    def write(self, name: str, text: str) -> None:
        """Changes a module's source."""
        path = self.root / "firmware" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def freeze(self) -> None:
        """Images hold the sources as they are now."""
        shutil.rmtree(self.frozen, ignore_errors=True)
        shutil.copytree(self.root / "firmware", self.frozen)

    @property
    def modules(self) -> dict[str, Path]:
        """As `sources` finds them."""
        return sources("pico", self.root)

    def uf2(self, version: str, commit: str, size: int = 65_536) -> bytes:
        """An image of what is frozen."""
        hashes = [
            (name, hashlib.sha256((self.frozen / name).read_bytes()).hexdigest()[:HASH_DIGITS])
            for name in MODULES
        ]
        return simulated_image(version, commit, hashes, size)

    def image(self, version: str, commit: str, size: int = 65_536) -> Image:
        """The same, as files of this commit's name."""
        path = self.root / f"{commit}.uf2"
        write_image(path, self.uf2(version, commit, size), version, commit)
        return image_for("pico", path)


def write_image(path: Path, uf2: bytes, version: str, commit: str, board: str = "pico") -> None:
    """An image's two files."""
    path.write_bytes(uf2)
    facts = {"version": version, "commit": commit, "board": board, "sha256": hashlib.sha256(uf2).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(facts))
