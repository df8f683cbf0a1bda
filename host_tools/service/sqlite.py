"""SQLite files under SQLAlchemy's engine."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url


def sqlite_engine(url: str, *, read_only: bool = False, patience_s: float = 5.0) -> Engine:
    """An engine for the SQLite file that `url` names; errors, and so logs, do not repeat parameters.

    Args:
        url: as `settings.DatabaseUrl`.
        read_only: a missing file is an error, and never an empty new database.
        patience_s: how long a file is waited for that somebody else has locked.
    """
    file = Path(make_url(url).database or "").absolute().as_uri() + ("?mode=ro" if read_only else "")

    def connect() -> sqlite3.Connection:
        # A pooled connection is used by one thread at a time, but not always by the same.
        return sqlite3.connect(file, timeout=patience_s, uri=True, check_same_thread=False)

    return create_engine(url, creator=connect, hide_parameters=True)
