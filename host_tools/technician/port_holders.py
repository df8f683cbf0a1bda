"""Which programs have a serial port open, as Linux tells of one's own processes."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """A program that has a port open."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


def holders(ports: list[str], root: Path = Path("/")) -> dict[str, list[Holder]]:
    """The programs that have each port open, this one aside. Other users' are seen by the superuser alone."""
    named = {os.path.realpath(port): port for port in ports}
    found: dict[str, list[Holder]] = {port: [] for port in ports}
    for process in sorted((root / "proc").glob("[0-9]*")):
        if int(process.name) == os.getpid():
            continue
        for path in sorted(_open_files(process) & named.keys()):
            found[named[path]].append(Holder(int(process.name), _name(process)))
    return found


def _open_files(process: Path) -> set[str]:
    files = set()
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                files.add(os.readlink(descriptor))
    return files


def _name(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "a program"
    # A Python program is known by what it runs.
    shown = [Path(word.decode(errors="replace")).name for word in words if word][:3]
    return " ".join(shown) or "a program"
