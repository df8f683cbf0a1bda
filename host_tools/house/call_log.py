"""The call log: the lines that an NCID client is sent when it connects, as `ncidd` keeps them in its cidcall.log."""

from __future__ import annotations

import logging
import os
import tempfile
from collections import deque
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

_MAX_FILE_BYTES = 1 << 20


class CallLog:
    """The newest lines, the oldest first.

    Args:
        most: how many are kept.
        file: where they are kept, readable by its owner alone; None: they are gone when the program ends.
    """

    def __init__(self, most: int, file: Path | None = None) -> None:
        self._lines: deque[str] = deque(maxlen=most)
        self._file = file
        self._is_kept = True
        if file is not None:
            self._read(file)

    @property
    def lines(self) -> list[str]:
        """All of them."""
        return list(self._lines)

    def add(self, line: str) -> None:
        """Adds a line; one that cannot be written is kept until the program ends, and the program's log says so."""
        self._lines.append(line)
        if self._file is None:
            return
        try:
            _write(self._file, "".join(f"{kept}\n" for kept in self._lines))
        except OSError as error:
            if self._is_kept:
                logger.warning("call log: not kept: %s", error.strerror)
            self._is_kept = False
        else:
            self._is_kept = True

    def _read(self, file: Path) -> None:
        try:
            with file.open("rb") as opened:
                text = opened.read(_MAX_FILE_BYTES).decode(errors="replace")
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning("call log: cannot be read: %s", error.strerror)
            return
        self._lines.extend(line for line in text.splitlines() if line)


def _write(file: Path, text: str) -> None:
    descriptor, beside = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(beside).replace(file)
    except OSError:
        with suppress(OSError):
            Path(beside).unlink()
        raise
