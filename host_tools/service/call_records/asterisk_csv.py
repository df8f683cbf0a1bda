"""Asterisk's `Master.csv` (cdr_csv), followed while it grows.

A record a line, its fields in the order of Asterisk's cdr_csv.c: accountcode, src, dst, dcontext, clid, channel,
dstchannel, lastapp, lastdata, start, answer, end, duration, billsec, disposition, amaflags; then uniqueid
(`loguniqueid`), userfield (`loguserfield`), and peeraccount, linkedid and sequence (`newcdrcolumns`), where cdr.conf
has them. Times are UTC (`usegmtime=yes`).
"""

from __future__ import annotations

import asyncio
import csv
import re
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from sys import intern

from host_tools.service.call_records.growing_file import LONGEST_LINE_BYTES, GrowingFile
from host_tools.service.call_records.record import CallRecord
from host_tools.service.call_records.source import CallRecordsUnreadable, Wanted

MOST_RECORDS = 500_000
_FIELDS_AT_LEAST = 16
_FIELDS_AT_MOST = 21
_FIELDS_OF_NEWCDRCOLUMNS = 3
_MOST_LINES_OF_ONE = 8
_UNIQUE_ID = re.compile(r"(.*-)?[0-9]+\.[0-9]+", re.ASCII)

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)

_began = attrgetter("called_at")


class AsteriskCsv:
    """Follows a `Master.csv`: at each look what has come since is read, and an index by line and by call kept.

    Files that were put aside (logrotate) are known on, until the newest `most_records` are others. What is no record is
    passed by, and counted in `skipped`.
    """

    def __init__(self, path: str, most_records: int = MOST_RECORDS) -> None:
        self._file = GrowingFile(Path(path))
        self._joiner = _Joiner()
        self._index = _Index(most_records)
        self._looking = asyncio.Lock()
        self.skipped = 0

    async def calls(self, line: str, earliest: int, latest: int) -> list[CallRecord]:
        """As the protocol says."""
        return (await self.calls_of_many([Wanted(line, earliest, latest)]))[0]

    async def calls_of_many(self, wanted: Sequence[Wanted]) -> list[list[CallRecord]]:
        """As the protocol says."""
        async with self._looking:
            try:
                if self._file.has_changed():
                    await asyncio.to_thread(self._read)
            except OSError as error:
                raise CallRecordsUnreadable(f"the CSV of call records: {error.strerror}") from error
            return [self._index.find(each) for each in wanted]

    async def check(self) -> list[str]:
        """As the protocol says."""
        await self.calls_of_many([])
        remarks = []
        if self.skipped:
            remarks.append(f"Lines of the CSV that are no call records, and were passed by: {self.skipped}.")
        if self._index.has_loose_records:
            remarks.append("Records have no uniqueid (loguniqueid): nobody knows who made a forwarded call.")
        if self._index.forgotten:
            remarks.append(
                f"Records of the CSV that are too many to be kept, the oldest: {self._index.forgotten}."
            )
        return remarks

    async def close(self) -> None:
        """As the protocol says."""
        async with self._looking:
            self._file.close()

    def _read(self) -> None:
        for text in self._joiner.texts(self._file.new_lines()):
            record = _record(text)
            if record is not None:
                self._index.add(record)
            else:
                self.skipped += 1


class _Index:
    """The newest records, by line and time, and by call."""

    def __init__(self, most_records: int) -> None:
        self._most_records = most_records
        self._in_order: deque[CallRecord] = deque()
        self._by_line: dict[str, list[CallRecord]] = {}
        self._by_call: dict[str, list[CallRecord]] = {}
        self.has_loose_records = False
        self.forgotten = 0

    def add(self, record: CallRecord) -> None:
        self._in_order.append(record)
        insort(self._by_line.setdefault(record.destination, []), record, key=_began)
        if record.call_key:
            self._by_call.setdefault(record.call_key, []).append(record)
        self.has_loose_records = self.has_loose_records or not record.call_key
        if len(self._in_order) > self._most_records:
            self._forget(self._in_order.popleft())

    def find(self, wanted: Wanted) -> list[CallRecord]:
        to_line = self._by_line.get(wanted.line, [])
        begin = bisect_left(to_line, wanted.earliest, key=_began)
        end = bisect_right(to_line, wanted.latest, key=_began)
        own = to_line[begin:end]
        others = (leg for record in own for leg in self._by_call.get(record.call_key, []))
        return list(dict.fromkeys([*own, *others]))

    def _forget(self, record: CallRecord) -> None:
        self.forgotten += 1
        for index, key in ((self._by_line, record.destination), (self._by_call, record.call_key)):
            if key in index:
                index[key].remove(record)
                if not index[key]:
                    del index[key]


class _Joiner:
    """Makes records' texts of lines: of one line, or of several where a line ends within quotes.

    Otherwise whoever gets an end of line into a caller's name writes call records. A quote that nobody closes ends with
    the 8th line, and all of these are no record.
    """

    def __init__(self) -> None:
        self._open: list[bytes] = []

    def texts(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The texts that are whole; what is not waits for the lines that come next."""
        for line in lines:
            has_odd_quotes = line.count(b'"') % 2 == 1
            is_whole = has_odd_quotes == bool(self._open) or len(self._open) == _MOST_LINES_OF_ONE - 1
            self._open.append(line)
            if is_whole:
                yield b"\n".join(self._open).rstrip(b"\r")
                self._open = []


def _record(text: bytes) -> CallRecord | None:
    """The record in a line; None when it is none."""
    if len(text) > LONGEST_LINE_BYTES:
        return None
    try:
        # A caller's name in another encoding is no reason to lose the call.
        rows = list(csv.reader([text.decode(errors="replace")], strict=True))
        return _of_fields(rows[0]) if len(rows) == 1 else None
    except (csv.Error, ValueError):
        return None


def _of_fields(fields: Sequence[str]) -> CallRecord | None:
    if not _FIELDS_AT_LEAST <= len(fields) <= _FIELDS_AT_MOST:
        return None
    _, src, dst, _, clid, _, _, lastapp, _, start, _, _, duration, billsec, disposition, _, *added = fields
    newer = added[-_FIELDS_OF_NEWCDRCOLUMNS:] if len(added) >= _FIELDS_OF_NEWCDRCOLUMNS else ["", "", "0"]
    identity = added[0] if added and _UNIQUE_ID.fullmatch(added[0]) else ""
    return CallRecord(
        called_at=_unix_seconds(start),
        # Interned: the same texts are in many records.
        source=intern(src),
        destination=intern(dst),
        caller_id=intern(clid),
        disposition=intern(disposition),
        duration_s=int(duration),
        billable_s=int(billsec),
        application=intern(lastapp),
        unique_id=intern(identity),
        linked_id=intern(newer[1]),
        sequence=int(newer[2]),
    )


def _unix_seconds(start: str) -> int:
    if not _TIME.fullmatch(start):
        raise ValueError("no time")
    return int(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp())
