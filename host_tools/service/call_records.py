"""The exchange's call records: Asterisk's `cdr` table in an SQLite file, which is only ever read.

Columns as Asterisk's CDR backends name them: `calldate` (start of the call, `YYYY-MM-DD HH:MM:SS`; UTC, which
Asterisk writes with `usegmtime=yes`), `src` (calling number, empty when unknown), `dst` (called line).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, MetaData, Row, Select, String, Table, select

from host_tools.service.sqlite import sqlite_engine

_CDR = Table("cdr", MetaData(), Column("calldate", String), Column("src", String), Column("dst", String))
_MAX_CALLS = 100
_PATIENCE_S = 1.0
# Of its own: while the exchange has its records locked, nothing else of the service waits.
_THREADS = 4


class CallRecordsUnreadable(Exception):
    """The call records hold something else than Asterisk writes."""


@dataclass(frozen=True)
class CallRecord:
    """One call as the exchange knows it."""

    called_at: int
    """Unix seconds."""
    source: str
    """The calling number; empty when the exchange has none."""


class CallRecords:
    """Reads the calls of one line."""

    def __init__(self, url: str) -> None:
        self._engine = sqlite_engine(url, read_only=True, patience_s=_PATIENCE_S)
        self._threads = ThreadPoolExecutor(_THREADS, "call-records")

    async def calls(self, line: str, earliest: int, latest: int) -> list[CallRecord]:
        """The calls to `line` that began from `earliest` to `latest` (Unix seconds, included), at most 100.

        Raises:
            CallRecordsUnreadable, SQLAlchemyError: they cannot be read now.
        """
        query = (
            select(_CDR.c.calldate, _CDR.c.src)
            .where(
                _CDR.c.dst == line, _CDR.c.calldate >= _text(earliest), _CDR.c.calldate < _text(latest + 1)
            )
            .order_by(_CDR.c.calldate)
            .limit(_MAX_CALLS)
        )
        rows = await asyncio.get_running_loop().run_in_executor(self._threads, self._rows, query)
        return [CallRecord(_unix_seconds(row.calldate), row.src or "") for row in rows]

    def close(self) -> None:
        """Closes every connection."""
        self._threads.shutdown(cancel_futures=True)
        self._engine.dispose()

    def _rows(self, query: Select[tuple[str, str]]) -> Sequence[Row[tuple[str, str]]]:
        with self._engine.connect() as connection:
            return connection.execute(query).all()


def _text(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _unix_seconds(calldate: str) -> int:
    try:
        return int(datetime.fromisoformat(calldate).replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise CallRecordsUnreadable("a calldate is not YYYY-MM-DD HH:MM:SS") from error
