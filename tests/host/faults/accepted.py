"""What the trace service has accepted, read from its store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def accepted(database: Path, adapter_id: str) -> list[sqlite3.Row]:
    """The traces of an adapter, in the order of their acceptance."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(
            "SELECT * FROM traces WHERE adapter_id = ? ORDER BY rowid", [adapter_id]
        ).fetchall()


def last_heartbeat(database: Path, adapter_id: str) -> str:
    """The adapter's newest heartbeat, in JSON."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (heartbeat,) = connection.execute(
            "SELECT heartbeat FROM adapters WHERE adapter_id = ?", [adapter_id]
        ).fetchone()
    return str(heartbeat)
