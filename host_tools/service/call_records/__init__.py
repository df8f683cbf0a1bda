"""The exchange's call records through one interface, wherever the exchange keeps them: docs/call_records.md."""

from __future__ import annotations

from host_tools.service.call_records.asterisk_csv import AsteriskCsv
from host_tools.service.call_records.asterisk_sql import AsteriskTable
from host_tools.service.call_records.record import CallRecord
from host_tools.service.call_records.source import (
    CallRecords,
    CallRecordsUnreadable,
    CallRecordUnreadable,
    Wanted,
)
from host_tools.service.foreign_database import open_foreign_database

__all__ = [
    "CallRecord",
    "CallRecordUnreadable",
    "CallRecords",
    "CallRecordsUnreadable",
    "Wanted",
    "open_call_records",
]


def open_call_records(url_or_path: str, *, connections: int = 2) -> CallRecords:
    """Asterisk's call records, which are only ever read. Nothing is opened before it is needed.

    Args:
        url_or_path: of a database with a table `cdr`, `sqlite:///...` or `postgresql+asyncpg://...`; or the path of a
            `Master.csv`, which ends in `.csv`.
        connections: to a database, at most; one answers hundreds of questions a second.
    """
    if url_or_path.endswith(".csv"):
        return AsteriskCsv(url_or_path)
    return AsteriskTable(open_foreign_database(url_or_path, connections))
