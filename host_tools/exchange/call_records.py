"""The office's call records, as Asterisk writes them: a table `cdr` of an SQLite file, or a `Master.csv`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

Disposition = Literal["NO ANSWER", "ANSWERED", "BUSY"]


@dataclass(frozen=True)
class CallRecord:
    """One leg of a call; a field a column, as Asterisk names them.

    Attributes:
        calldate: when the leg began, UTC, `YYYY-MM-DD HH:MM:SS`; `start` in the CSV.
        clid: the caller's name and number, `"name" <number>`.
        src: the true origin, also of a caller whose number is not presented; empty when it is not known.
        dst: the number that was called.
        duration: seconds from the beginning to the end; 0 while the leg lasts.
        billsec: seconds from the answer to the end; 0 while the leg lasts.
        disposition: ANSWERED as soon as it is.
        amaflags: 3, documentation.
        uniqueid: Unix seconds of the beginning, a dot, and the number of the leg in this office.
        linkedid: the `uniqueid` of the leg that the call began with.
        sequence: the number of the record in this office.
        answer, end: when it was answered and ended, as `calldate`; empty until then. In the CSV alone.
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
    peeraccount: str = ""
    linkedid: str = ""
    sequence: int = 0
    answer: str = ""
    end: str = ""


_CREATE = """
CREATE TABLE IF NOT EXISTS cdr (
    calldate TEXT NOT NULL, clid TEXT NOT NULL, src TEXT NOT NULL, dst TEXT NOT NULL, dcontext TEXT NOT NULL,
    channel TEXT NOT NULL, dstchannel TEXT NOT NULL, lastapp TEXT NOT NULL, lastdata TEXT NOT NULL,
    duration INTEGER NOT NULL, billsec INTEGER NOT NULL, disposition TEXT NOT NULL, amaflags INTEGER NOT NULL,
    accountcode TEXT NOT NULL, uniqueid TEXT NOT NULL PRIMARY KEY, userfield TEXT NOT NULL,
    peeraccount TEXT NOT NULL DEFAULT '', linkedid TEXT NOT NULL DEFAULT '', sequence INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS cdr_of_line ON cdr (dst, calldate);
CREATE INDEX IF NOT EXISTS cdr_of_call ON cdr (linkedid);
"""

_WRITE = """
INSERT OR REPLACE INTO cdr VALUES (
    :calldate, :clid, :src, :dst, :dcontext, :channel, :dstchannel, :lastapp, :lastdata,
    :duration, :billsec, :disposition, :amaflags, :accountcode, :uniqueid, :userfield,
    :peeraccount, :linkedid, :sequence
)
"""

_AMA_FLAGS = {1: "OMIT", 2: "BILLING", 3: "DOCUMENTATION"}


class Recorder(Protocol):
    """Where the office records its calls."""

    def write(self, record: CallRecord) -> None:
        """Takes a leg as it is now; the same one again in its later states."""


class CallRecords:
    """A file of call records. Nothing stays open between calls, so that others may read it at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(_CREATE)

    def write(self, record: CallRecord) -> None:
        """Writes a record; one with the same `uniqueid` is replaced."""
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute(_WRITE, asdict(record))


class CsvCallRecords:
    """A `Master.csv`, as cdr_csv.c writes it with `loguniqueid`, `loguserfield`, `newcdrcolumns` and `usegmtime`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def write(self, record: CallRecord) -> None:
        """Appends a record of a leg that has ended; before, there is none."""
        if record.end:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_csv_line(record))


def _csv_line(record: CallRecord) -> str:
    """As cdr_csv.c writes it: text in quotes, a quote doubled; numbers, and times that have not come, bare."""
    call = (record.accountcode, record.src, record.dst, record.dcontext, record.clid)
    channels = (record.channel, record.dstchannel, record.lastapp, record.lastdata, record.calldate)
    fields = [
        *(_quoted(text) for text in (*call, *channels)),
        _quoted(record.answer) if record.answer else "",
        _quoted(record.end),
        str(record.duration),
        str(record.billsec),
        *(_quoted(text) for text in (record.disposition, _AMA_FLAGS[record.amaflags], record.uniqueid)),
        *(_quoted(text) for text in (record.userfield, record.peeraccount, record.linkedid)),
        str(record.sequence),
    ]
    return ",".join(fields) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
