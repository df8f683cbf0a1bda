"""Backs up a store in an SQLite file, while the service runs, and restores it. PostgreSQL has pg_dump for that."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_SUFFIX = ".partial"
_JOURNALS = ("-wal", "-shm", "-journal")


class NotASqliteStore(Exception):
    """A file that is no SQLite database, is damaged, or is none of the service's."""


def back_up(store: Path, to: Path) -> None:
    """Copies `store` as it is at one moment to `to`, which appears when it is whole and on the disk.

    Whoever writes the store is not kept waiting: what is written meanwhile is in the next backup.

    Raises:
        FileExistsError: there is something at `to`, and it stays.
        NotASqliteStore: `store` is none.
        sqlite3.Error, OSError: it could not be done; there is nothing at `to`.
    """
    _copy(store, to)


def restore(backup: Path, to: Path) -> None:
    """Copies a backup to `to`, where the service's store is to be; the backup is looked through before.

    Raises:
        As `back_up`.
    """
    for suffix in _JOURNALS:
        # The journal of another database would be taken for this one's.
        if to.with_name(to.name + suffix).exists():
            raise FileExistsError(17, "File exists", f"{to}{suffix}")
    _copy(backup, to)


def _copy(source: Path, to: Path) -> None:
    if to.exists():
        raise FileExistsError(17, "File exists", str(to))
    partial = to.with_name(to.name + _SUFFIX)
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL, 0o600))  # it holds keys
        with _opened(source, "ro") as read, _opened(partial, "rw") as written:
            # In one step, within one snapshot: in more it would begin anew with every write to the source.
            read.backup(written, pages=-1)
            _look_through(written)
            written.execute("PRAGMA journal_mode = DELETE")  # a backup is one file
        _sync(partial)
        os.link(partial, to)  # unlike a rename it fails when somebody has put a file there meanwhile
        _sync(to.parent)
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the text of an error has what is damaged
        raise NotASqliteStore("it is damaged, or no SQLite database") from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    with closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=30)
    ) as connection:
        yield connection


def _look_through(copy: sqlite3.Connection) -> None:
    if copy.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise NotASqliteStore("it is damaged")
    tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables >= {"alembic_version", "adapters", "traces"}:
        raise NotASqliteStore("it is no store of the trace service")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
