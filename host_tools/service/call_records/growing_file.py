"""A text file that somebody else appends lines to, and puts aside now and then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

LONGEST_LINE_BYTES = 1 << 16
_READ_BYTES = 1 << 20
_HEAD_BYTES = 256


class GrowingFile:
    """Reads each line once. Every method but `close` raises OSError, when the file is not there or cannot be read.

    A file that was renamed is read to its end, and then the new one from its beginning (logrotate's `create`); one that
    was cut is read anew (`copytruncate`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part: _Part | None = None

    def has_changed(self) -> bool:
        """Whether there may be more to read; looks at identity and size alone."""
        return self._part is None or self._part.has_changed() or self._is_replaced(self._part)

    def new_lines(self) -> Iterator[bytes]:
        """The lines that have come since, without their ends; of a longer one than 65536 bytes so much and one more."""
        if self._part is None:
            self._part = _Part(self._path)
        yield from self._part.new_lines()
        if self._is_replaced(self._part):
            self.close()
            self._part = _Part(self._path)
            yield from self._part.new_lines()

    def close(self) -> None:
        """Closes the file; the next look begins at its beginning."""
        if self._part is not None:
            self._part.close()
            self._part = None

    def _is_replaced(self, part: _Part) -> bool:
        try:
            return not os.path.samestat(os.stat(self._path), part.status())
        except FileNotFoundError:
            return False  # whoever writes it makes a new one with its next line


class _Part:
    """One file under the name, from its beginning."""

    def __init__(self, path: Path) -> None:
        self._file = FileIO(os.fspath(path))
        self._read_bytes = 0
        self._head = b""
        self._unfinished = b""

    def status(self) -> os.stat_result:
        return os.fstat(self._file.fileno())

    def has_changed(self) -> bool:
        return self.status().st_size != self._read_bytes

    def new_lines(self) -> Iterator[bytes]:
        if self._is_cut():
            self._read_bytes, self._head, self._unfinished = 0, b"", b""
        while chunk := os.pread(self._file.fileno(), _READ_BYTES, self._read_bytes):
            if self._read_bytes < _HEAD_BYTES:
                self._head = (self._head + chunk)[:_HEAD_BYTES]
            self._read_bytes += len(chunk)
            *lines, unfinished = (self._unfinished + chunk).split(b"\n")
            self._unfinished = unfinished[: LONGEST_LINE_BYTES + 1]
            yield from lines

    def close(self) -> None:
        self._file.close()

    def _is_cut(self) -> bool:
        """Whether what was read is not there any more, even if as much and more has come since."""
        is_shorter = self.status().st_size < self._read_bytes
        return is_shorter or os.pread(self._file.fileno(), len(self._head), 0) != self._head
