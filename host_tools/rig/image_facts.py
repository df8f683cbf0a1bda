"""Writes the module `image`, in which an image tells what it was built from, and the manifest that freezes it too."""

from __future__ import annotations

import argparse
import hashlib
import importlib
from pathlib import Path

HASH_DIGITS = 8
"""Of a module's SHA-256, in hexadecimal."""


def frozen_modules(manifest: Path, micropython: Path, sources: tuple[Path, ...]) -> dict[str, Path]:
    """What a manifest freezes of `sources`: each module's path on a board's file system, and its file.

    Args:
        manifest: of a board.
        micropython: MicroPython's source tree, whose tools/manifestfile.py is to be on Python's path.
        sources: folders; what comes from elsewhere is not this project's.
    """
    manifestfile = importlib.import_module("manifestfile")
    variables = {
        "MPY_DIR": str(micropython),
        "MPY_LIB_DIR": "",
        "PORT_DIR": str(micropython / "ports" / "rp2"),
        "BOARD_DIR": str(manifest.parent),
    }
    read = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, variables)
    read.execute(str(manifest))
    files = {str(file.target_path): Path(file.full_path) for file in read.files()}
    return {
        name: path
        for name, path in sorted(files.items())
        if any(path.is_relative_to(folder) for folder in sources)
    }


def image_module(version: str, commit: str, board: str, modules: dict[str, Path]) -> str:
    """The text of image.py."""
    digests = {
        name: hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_DIGITS] for name, path in modules.items()
    }
    rows = "".join(f'    ("{name}", "{digest}"),\n' for name, digest in digests.items())
    return (
        '"""What this image was built from; HASHES has the sources of its modules."""\n\n'
        f'VERSION = "{version}"\nCOMMIT = "{commit}"\nBOARD = "{board}"\nHASHES = (\n{rows})\n'
    )


def main() -> None:
    """Writes image.py and manifest.py into a folder."""
    options = argparse.ArgumentParser()
    options.add_argument("--board", type=Path, required=True, help="folder")
    options.add_argument("--micropython", type=Path, required=True, help="folder")
    options.add_argument("--sources", type=Path, nargs="+", required=True, help="folders")
    options.add_argument("--version", required=True)
    options.add_argument("--commit", required=True)
    options.add_argument("folder", type=Path)
    asked = options.parse_args()
    manifest = asked.board / "manifest.py"
    modules = frozen_modules(manifest, asked.micropython, tuple(asked.sources))
    asked.folder.mkdir(parents=True, exist_ok=True)
    image = image_module(asked.version, asked.commit, asked.board.name, modules)
    (asked.folder / "image.py").write_text(image)
    lines = (f'include("{manifest}")', f'module("image.py", base_path="{asked.folder}")')
    (asked.folder / "manifest.py").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
