"""The office's call records: Asterisk's cdr columns in a table `cdr` of an SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Disposition = Literal["NO ANSWER", "ANSWERED", "BUSY"]


@dataclass(frozen=True)
class CallRecord:
    """One call; a field a column, as Asterisk names them.

    Attributes:
        calldate: when the call began, UTC, `YYYY-MM-DD HH:MM:SS`.
        clid: the caller's name and number, `"name" <number>`.
        src: the true origin, also of a caller whose number is not presented; empty when it is not known.
        dst: the number that was called.
        duration: seconds from the beginning to the end; 0 while the call lasts.
        billsec: seconds from the answer to the end; 0 while the call lasts.
        disposition: ANSWERED as soon as it is.
        amaflags: 3, documentation.
        uniqueid: Unix seconds of the beginning, a dot, and the number of the call in this office.
    """

    calldate: str
    clid: str
    src: str
    dst: str
    dcontext: str
    channel: str
    dstchannel: str
    lastapp: str
    lastdata: str
    duration: int
    billsec: int
    disposition: Disposition
    amaflags: int
    accountcode: str
    uniqueid: str
    userfield: str


_CREATE = """
CREATE TABLE IF NOT EXISTS cdr (
    calldate TEXT NOT NULL, clid TEXT NOT NULL, src TEXT NOT NULL, dst TEXT NOT NULL, dcontext TEXT NOT NULL,
    channel TEXT NOT NULL, dstchannel TEXT NOT NULL, lastapp TEXT NOT NULL, lastdata TEXT NOT NULL,
    duration INTEGER NOT NULL, billsec INTEGER NOT NULL, disposition TEXT NOT NULL, amaflags INTEGER NOT NULL,
    accountcode TEXT NOT NULL, uniqueid TEXT NOT NULL PRIMARY KEY, userfield TEXT NOT NULL
)
"""

_WRITE = """
INSERT OR REPLACE INTO cdr VALUES (
    :calldate, :clid, :src, :dst, :dcontext, :channel, :dstchannel, :lastapp, :lastdata,
    :duration, :billsec, :disposition, :amaflags, :accountcode, :uniqueid, :userfield
)
"""


class CallRecords:
    """A file of call records. Nothing stays open between calls, so that others may read it at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(_CREATE)

    def write(self, record: CallRecord) -> None:
        """Writes a record; one with the same `uniqueid` is replaced."""
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute(_WRITE, asdict(record))
