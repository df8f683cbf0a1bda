"""An audit log in an SQLite file: a row of each action, checkpoints, a time stamp; and ways to tamper with it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from host_tools.service.audit import triggers, verify
from host_tools.service.audit.checkpoint import Checkpoints
from host_tools.service.audit.entry import Scalar
from host_tools.service.audit.log import AuditLog
from host_tools.service.audit.time_stamp import TimeStampAuthority
from host_tools.service.audit.verify import Report, Verification
from host_tools.service.tables import TABLES

BEGAN_AT = 1767268800  # 2026-01-01 12:00:00 UTC
ACTIONS = (
    "sign_in.done",
    "sign_in.refused",
    "access.refused",
    "trace.decided",
    "case.opened",
    "case.danger",
    "instrument.entered",
    "release.done",
    "release.refused",
    "record.opened",
    "hold.set",
    "hold.lifted",
    "account.added",
    "account.changed",
    "line.changed",
    "area.changed",
    "adapter.added",
    "adapter.changed",
    "adapter.removed",
    "key.rotated",
    "audit.read",
    "audit.exported",
    "audit.verified",
    "bill.read",
)
"""Those of every room; the last three kinds, of checkpoints and retention, come of what they tell of."""
PRUNED = ("bill.read",) * 6
PRUNED_AT = len(PRUNED)
STAMPED_AT = 12


def write_log(file: Path, authority: TimeStampAuthority) -> None:
    """Writes the log: its rows up to the first checkpoint are pruned; the second is time-stamped, the third not."""
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        TABLES.create_all(connection)
        triggers.install(connection)
        log, checkpoints = AuditLog(connection), Checkpoints(connection)
        for number, action in enumerate(PRUNED + ACTIONS):
            details: dict[str, Scalar] = {
                "number": number,
                "outcome": "traced",
                "was_first": not number,
                "nothing": None,
            }
            log.append(BEGAN_AT + number, f"person-{number}", action, f"C-{number:08}", **details)
            if number == 5:
                first = checkpoints.make(BEGAN_AT + number, "service")
            elif number == 10:
                second = checkpoints.make(BEGAN_AT + number, "service")
                stamp = asyncio.run(authority.stamp(second.data))
                checkpoints.keep_time_stamp(second.sequence, stamp, BEGAN_AT + number, "service")
            elif number == 20:
                checkpoints.make(BEGAN_AT + number, "service")
        assert (first.sequence, second.sequence) == (PRUNED_AT, STAMPED_AT)
        checkpoints.mark_pruned(first.sequence)
        log.append(
            BEGAN_AT + 100,
            "service",
            "retention.deleted",
            "audit",
            rows=first.sequence,
            sequence=first.sequence,
            hash=first.hash,
        )
        connection.exec_driver_sql("DELETE FROM audit WHERE sequence <= ?", (first.sequence,))
    engine.dispose()


def tamper(file: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """Does what whoever rules the file can do: takes the triggers away, and executes statements."""
    with closing(sqlite3.connect(file)) as database, database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement, values)


def rewrite(file: Path, begins_at: int = 0) -> None:
    """Makes all hashes from a row on anew, as a forger does after a change; and those of the checkpoints."""
    with closing(sqlite3.connect(file)) as database, database:
        database.row_factory = sqlite3.Row
        previous_hash = None
        for row in database.execute("SELECT * FROM audit ORDER BY sequence").fetchall():
            values = dict(row)
            if values["sequence"] >= begins_at:
                values["previous_hash"] = previous_hash or values["previous_hash"]
                values["details"] = _told_anew(database, values)
                said = {**values, "details": json.loads(values["details"])}
                del said["hash"]
                values["hash"] = hashlib.sha256(verify.canonical(said).encode()).hexdigest()
                database.execute(
                    "UPDATE audit SET previous_hash = :previous_hash, hash = :hash, details = :details "
                    "WHERE sequence = :sequence",
                    values,
                )
                database.execute("UPDATE checkpoints SET hash = :hash WHERE sequence = :sequence", values)
            previous_hash = values["hash"]


def _told_anew(database: sqlite3.Connection, row: dict[str, Any]) -> str:
    if row["action"] != "checkpoint.made":
        return str(row["details"])
    (told,) = database.execute(
        "SELECT hash FROM checkpoints WHERE sequence = ?", (row["subject"],)
    ).fetchone()
    return verify.canonical({"hash": told})


def verdict(file: Path, **options: Any) -> Report:
    """What a verification of the file finds; options as of `Verification`."""
    verification = Verification(**options)
    for line in verify.read_lines(file):
        verification.take(line)
    return verification.report()


def found(file: Path, **options: Any) -> list[str]:
    """What is wrong with the file, in words."""
    return [str(finding) for finding in verdict(file, **options).findings]
