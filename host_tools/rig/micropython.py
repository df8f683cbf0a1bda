"""Where the MicroPython interpreter is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class InterpreterMissing(Exception):
    """No MicroPython is here; the text says what to do."""


def interpreter_command() -> list[str]:
    """The command that starts MicroPython with viper.

    `STAR57_MICROPYTHON` names one; else the project's own (`make setup`), else the one on PATH.

    Raises:
        InterpreterMissing: there is none.
    """
    named = os.environ.get("STAR57_MICROPYTHON")
    if named:
        return [named]
    own = ROOT / ".cache" / "bin" / "micropython"
    if own.exists():
        return [str(own)]
    found = shutil.which("micropython")
    if found is None:
        raise InterpreterMissing("no MicroPython: run `make setup`, or install micropython 1.24 or newer")
    return [found]
