"""Asterisk's call records in SQLite, in PostgreSQL and as CSV, all through one interface; read and never written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from host_tools.exchange import call_records as exchange
from host_tools.service.call_records import (
    CallRecord,
    CallRecords,
    CallRecordsUnreadable,
    Wanted,
    open_call_records,
)
from host_tools.service.call_records.asterisk_csv import AsteriskCsv
from tests.host.service.conftest import CALLED_AT, LINE

JANE = "5555550123"
JOHN = "5555550144"
NEIGHBOUR = "5555550101"


class Exchange(Protocol):
    """An exchange whose call records are at `url`."""

    url: str

    async def write(self, *records: CallRecord) -> None:
        """Records legs that have ended."""


class _ByTheEmulatedExchange:
    """The SQLite file or the CSV that the emulated exchange writes."""

    def __init__(self, recorder: exchange.CallRecords | exchange.CsvCallRecords, url: str) -> None:
        self._recorder = recorder
        self.url = url

    async def write(self, *records: CallRecord) -> None:
        for record in records:
            self._recorder.write(_as_written(record))


class _Postgresql:
    """A table as Asterisk's contrib/realtime/postgresql makes it, with indices."""

    def __init__(self, url: str, time: str = "calldate", kind: str = "timestamp") -> None:
        self.url = url
        self._time = time
        self._kind = kind
        self._is_made = False

    async def write(self, *records: CallRecord) -> None:
        async with connected(self.url) as connection:
            if not self._is_made:
                await connection.execute(_MAKE_TABLE.format(time=self._time, kind=self._kind))
                self._is_made = True
            aware = [datetime.fromtimestamp(record.called_at, UTC) for record in records]
            times = aware if self._kind == "timestamptz" else [at.replace(tzinfo=None) for at in aware]
            await connection.executemany(
                "INSERT INTO cdr VALUES ($1, $2, $3, $4, 'in', 'c', 'd', $5, '', $6, $7, $8, 3, '', $9, '', $10, $11)",
                [(at, *_columns(record)) for at, record in zip(times, records, strict=True)],
            )


_MAKE_TABLE = """
CREATE TABLE cdr (
    {time} {kind} NOT NULL, clid varchar(80), src varchar(80), dst varchar(80), dcontext varchar(80),
    channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), duration integer,
    billsec integer, disposition varchar(45), amaflags integer, accountcode varchar(20), uniqueid varchar(150),
    userfield varchar(255), linkedid varchar(150), sequence integer
);
CREATE INDEX ON cdr (dst, {time});
CREATE INDEX ON cdr (linkedid);
"""


def _columns(record: CallRecord) -> tuple[object, ...]:
    return (
        record.caller_id,
        record.source,
        record.destination,
        record.application,
        record.duration_s,
        record.billable_s,
        record.disposition,
        record.unique_id,
        record.linked_id,
        record.sequence,
    )


def _as_written(record: CallRecord) -> exchange.CallRecord:
    disposition: Any = record.disposition
    return exchange.CallRecord(
        calldate=_written(record.called_at),
        clid=record.caller_id,
        src=record.source,
        dst=record.destination,
        dcontext="in",
        channel="c",
        dstchannel="d",
        lastapp=record.application,
        lastdata="",
        duration=record.duration_s,
        billsec=record.billable_s,
        disposition=disposition,
        amaflags=3,
        accountcode="",
        uniqueid=record.unique_id,
        userfield="",
        linkedid=record.linked_id,
        sequence=record.sequence,
        end=_written(record.ended_at),
    )


def _written(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """A connection of the exchange's own."""
    connection = await asyncpg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[CallRecords]:
    records = open_call_records(url)
    try:
        yield records
    finally:
        await records.close()


def in_sqlite(folder: Path) -> _ByTheEmulatedExchange:
    path = folder / "cdr.sqlite"
    return _ByTheEmulatedExchange(exchange.CallRecords(path), f"sqlite:///{path}")


def in_csv(folder: Path) -> _ByTheEmulatedExchange:
    path = folder / "Master.csv"
    return _ByTheEmulatedExchange(exchange.CsvCallRecords(path), str(path))


@pytest.fixture(params=["sqlite", "csv", "postgresql", "postgresql with time zone", "postgresql with start"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Exchange:
    """An exchange that keeps its call records in each of the ways that there are."""
    if request.param == "sqlite":
        return in_sqlite(tmp_path)
    if request.param == "csv":
        return in_csv(tmp_path)
    url: str = request.getfixturevalue("postgresql_url")
    kind = "timestamptz" if "zone" in request.param else "timestamp"
    return _Postgresql(url, "start" if "start" in request.param else "calldate", kind)


def leg(after_s: int, number: int, destination: str = LINE, first: int | None = None) -> CallRecord:
    """The leg of that number, of the call that began with the leg `first`."""
    called_at = CALLED_AT + after_s
    return CallRecord(
        called_at,
        JANE,
        destination,
        caller_id=f'"DOE, ""JANE"" é" <{JANE}>',
        disposition="ANSWERED",
        duration_s=7,
        billable_s=4,
        application="Dial",
        unique_id=f"{CALLED_AT}.{number}",
        linked_id=f"{CALLED_AT}.{number if first is None else first}",
        sequence=number,
    )


def by_number(records: Iterable[CallRecord]) -> list[CallRecord]:
    return sorted(records, key=lambda record: record.sequence)


async def test_the_calls_of_a_line_between_two_times(there: Exchange) -> None:
    legs = [leg(after_s, number) for number, after_s in enumerate([-11, -10, 0, 10, 11], start=1)]
    await there.write(*legs, leg(0, 6, NEIGHBOUR))
    async with opened(there.url) as records:
        assert by_number(await records.calls(LINE, CALLED_AT - 10, CALLED_AT + 10)) == legs[1:4]
        assert await records.calls("5555550199", CALLED_AT - 10, CALLED_AT + 10) == []
        assert len(await records.calls(LINE, 0, 2**32)) == 5
        assert await records.check() == []


async def test_the_other_legs_of_a_call_come_with_it(there: Exchange) -> None:
    legs = [leg(-90, 1, NEIGHBOUR), leg(0, 2, LINE, first=1), leg(300, 3, JOHN, first=1)]
    await there.write(*legs, leg(-90, 4, NEIGHBOUR), leg(0, 5, JOHN))
    async with opened(there.url) as records:
        assert by_number(await records.calls(LINE, CALLED_AT, CALLED_AT)) == legs


async def test_many_are_answered_in_their_order(there: Exchange) -> None:
    legs = [leg(0, 1), leg(5, 2, NEIGHBOUR), leg(50, 3)]
    await there.write(*legs)
    async with opened(there.url) as records:
        wanted = [
            Wanted(NEIGHBOUR, CALLED_AT, CALLED_AT + 9),
            Wanted(LINE, CALLED_AT + 40, CALLED_AT + 60),
            Wanted(JOHN, 0, 2**32),
            Wanted(LINE, CALLED_AT, CALLED_AT + 60),
            Wanted(LINE, CALLED_AT, CALLED_AT + 60),
        ]
        found = [by_number(calls) for calls in await records.calls_of_many(wanted)]
        assert found == [[legs[1]], [legs[2]], [], [legs[0], legs[2]], [legs[0], legs[2]]]
        assert await records.calls_of_many([]) == []


async def test_a_call_is_found_as_soon_as_it_is_written(there: Exchange) -> None:
    await there.write(leg(0, 1))
    async with opened(there.url) as records:
        for number in range(2, 5):
            await there.write(leg(number, number))
            assert len(await records.calls(LINE, CALLED_AT, CALLED_AT + 60)) == number


async def test_what_is_asked_for_is_never_a_statement(there: Exchange) -> None:
    await there.write(leg(0, 1))
    async with opened(there.url) as records:
        for line in ("' OR ''='", '"] OR 1=1 --', "5555550100; DROP TABLE cdr", "%", "\\", "é"):
            assert await records.calls(line, 0, 2**32) == []
        assert len(await records.calls(LINE, 0, 2**32)) == 1


@pytest.mark.parametrize("where", ["/nowhere/cdr.sqlite", "/nowhere/Master.csv"])
async def test_what_is_not_there_is_unreadable(where: str, tmp_path: Path) -> None:
    url = where if where.endswith(".csv") else f"sqlite:///{where}"
    async with opened(url) as records:
        for reading in (records.calls(LINE, 0, 1), records.calls_of_many([]), records.check()):
            with pytest.raises(CallRecordsUnreadable):
                await reading
    assert not _exists("/nowhere")


class TestSqlite:
    @pytest.mark.parametrize(
        "change",
        [
            lambda path: path.unlink(),
            lambda path: path.write_bytes(b"no database" * 100),
            lambda path: _sql(path, "DROP TABLE cdr"),
            lambda path: _sql(path, "ALTER TABLE cdr RENAME COLUMN src TO origin"),
            lambda path: _sql(path, "ALTER TABLE cdr RENAME COLUMN calldate TO began"),
            lambda path: _sql(path, "UPDATE cdr SET calldate = '2026-01-01 12:00 PM'"),
        ],
    )
    async def test_what_cannot_be_read_is_an_error(
        self, tmp_path: Path, change: Callable[[Path], object]
    ) -> None:
        there = in_sqlite(tmp_path)
        await there.write(leg(0, 1))
        change(tmp_path / "cdr.sqlite")
        async with opened(there.url) as records:
            with pytest.raises(CallRecordsUnreadable):
                await records.calls(LINE, CALLED_AT - 60, CALLED_AT + 60)
            with pytest.raises(CallRecordsUnreadable):
                await records.check()

    async def test_a_file_that_was_put_aside_or_changed_is_opened_anew(self, tmp_path: Path) -> None:
        there = in_sqlite(tmp_path)
        await there.write(leg(0, 1))
        path = tmp_path / "cdr.sqlite"
        async with opened(there.url) as records:
            assert len(await records.calls(LINE, 0, 2**32)) == 1
            path.rename(tmp_path / "cdr.1")
            with pytest.raises(CallRecordsUnreadable):
                await records.calls(LINE, 0, 2**32)
            in_sqlite(tmp_path)
            assert await records.calls(LINE, 0, 2**32) == []
            _sql(path, "ALTER TABLE cdr RENAME COLUMN calldate TO start")
            with pytest.raises(CallRecordsUnreadable):
                await records.calls(LINE, 0, 2**32)
            assert await records.calls(LINE, 0, 2**32) == []

    async def test_the_least_that_must_be_there(self, tmp_path: Path) -> None:
        path = tmp_path / "cdr.sqlite"
        _sql(path, "CREATE TABLE cdr (start TEXT, src TEXT, dst TEXT)")
        _sql(path, "INSERT INTO cdr VALUES (?, NULL, ?)", _written(CALLED_AT), LINE)
        async with opened(f"sqlite:///{path}") as records:
            assert await records.calls(LINE, CALLED_AT, CALLED_AT) == [CallRecord(CALLED_AT, "", LINE)]
            assert await records.check() == [
                "No index of cdr begins with dst: each trace reads the whole table.",
                "cdr has neither linkedid nor uniqueid: nobody knows who made a forwarded call.",
            ]

    async def test_without_linkedid_the_unique_id_joins_the_legs(self, tmp_path: Path) -> None:
        path = tmp_path / "cdr.sqlite"
        _sql(path, "CREATE TABLE cdr (calldate TEXT, src TEXT, dst TEXT, uniqueid TEXT)")
        for after_s, destination, unique_id in ((-60, NEIGHBOUR, "1.1"), (0, LINE, "1.1"), (0, JOHN, "1.2")):
            values = (_written(CALLED_AT + after_s), JANE, destination, unique_id)
            _sql(path, "INSERT INTO cdr VALUES (?, ?, ?, ?)", *values)
        async with opened(f"sqlite:///{path}") as records:
            found = await records.calls(LINE, CALLED_AT, CALLED_AT)
            assert {(record.called_at, record.destination) for record in found} == {
                (CALLED_AT - 60, NEIGHBOUR),
                (CALLED_AT, LINE),
            }

    async def test_a_name_in_another_encoding_does_not_hide_its_call(self, tmp_path: Path) -> None:
        there = in_sqlite(tmp_path)
        await there.write(leg(0, 1))
        _sql(tmp_path / "cdr.sqlite", "UPDATE cdr SET clid = CAST(x'22ff22' AS TEXT)")
        async with opened(there.url) as records:
            (call,) = await records.calls(LINE, CALLED_AT, CALLED_AT)
            assert (call.source, call.caller_id) == (JANE, '"\ufffd"')

    async def test_it_is_never_written(self, tmp_path: Path) -> None:
        there = in_sqlite(tmp_path)
        await there.write(leg(0, 1))
        before = (tmp_path / "cdr.sqlite").read_bytes()
        async with opened(there.url) as records:
            await records.check()
            await records.calls(LINE, 0, 2**32)
        assert (tmp_path / "cdr.sqlite").read_bytes() == before
        assert os.listdir(tmp_path) == ["cdr.sqlite"]


class TestPostgresql:
    async def test_no_server_is_unreadable(self) -> None:
        async with opened("postgresql+asyncpg://star57@127.0.0.1:1/asterisk") as records:
            with pytest.raises(CallRecordsUnreadable):
                await records.calls(LINE, 0, 1)

    @pytest.mark.parametrize(
        "change",
        [
            "DROP TABLE cdr",
            "ALTER TABLE cdr RENAME COLUMN dst TO callee",
            "ALTER TABLE cdr ALTER COLUMN calldate TYPE varchar(80)",
        ],
    )
    async def test_what_cannot_be_read_is_an_error(self, postgresql_url: str, change: str) -> None:
        await _Postgresql(postgresql_url).write(leg(0, 1))
        async with connected(postgresql_url) as connection:
            await connection.execute(change)
        async with opened(postgresql_url) as records:
            with pytest.raises(CallRecordsUnreadable):
                await records.calls(LINE, 0, 1)
            with pytest.raises(CallRecordsUnreadable):
                await records.check()

    async def test_a_table_that_is_changed_is_looked_at_anew(self, postgresql_url: str) -> None:
        await _Postgresql(postgresql_url).write(leg(0, 1))
        async with opened(postgresql_url) as records, connected(postgresql_url) as connection:
            assert len(await records.calls(LINE, 0, 2**32)) == 1
            await connection.execute("ALTER TABLE cdr RENAME COLUMN calldate TO start")
            with pytest.raises(CallRecordsUnreadable):
                await records.calls(LINE, 0, 2**32)
            assert len(await records.calls(LINE, 0, 2**32)) == 1

    async def test_missing_indices_are_told(self, postgresql_url: str) -> None:
        async with connected(postgresql_url) as connection:
            await connection.execute(
                "CREATE TABLE cdr (calldate timestamp, src text, dst text, linkedid text, duration numeric)"
            )
        async with opened(postgresql_url) as records:
            assert await records.check() == [
                "No index of cdr begins with dst: each trace reads the whole table.",
                "No index of cdr begins with linkedid: each trace reads the whole table.",
            ]


class TestCsv:
    @pytest.mark.parametrize(
        ("added", "unique_id", "linked_id", "sequence"),
        [
            ("", "", "", 0),
            (',"1767268800.7"', "1767268800.7", "", 0),
            (',"exchange-1767268800.7"', "exchange-1767268800.7", "", 0),
            (',"of the user"', "", "", 0),
            (',"1767268800.7","of the user"', "1767268800.7", "", 0),
            (',"","1767268790.6",7', "", "1767268790.6", 7),
            (',"1767268800.7","","1767268790.6",7', "1767268800.7", "1767268790.6", 7),
            (',"1767268800.7","of the user","peer","1767268790.6",7', "1767268800.7", "1767268790.6", 7),
        ],
    )
    async def test_the_columns_that_cdr_conf_adds(
        self, tmp_path: Path, added: str, unique_id: str, linked_id: str, sequence: int
    ) -> None:
        path = tmp_path / "Master.csv"
        path.write_text(csv_line(added=added))
        async with opened(str(path)) as records:
            (call,) = await records.calls(LINE, CALLED_AT, CALLED_AT)
            assert (call.unique_id, call.linked_id, call.sequence) == (unique_id, linked_id, sequence)
            assert bool(await records.check()) == (not unique_id and not linked_id)

    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"hello",
            b"\x00\xff\xfe" * 100,
            b",".join([b""] * 18),
            b",".join([b""] * 40),
            b'"' * 7,
            b"x" * 200_000,
            b"=cmd|' /C calc'!A0",
        ],
    )
    async def test_what_is_no_record_is_passed_by_and_counted(self, tmp_path: Path, line: bytes) -> None:
        path = tmp_path / "Master.csv"
        good = csv_line().encode()
        # A quote that nobody closes takes some lines with it.
        path.write_bytes(good + line + b"\n" + b"\n" * 8 + good)
        async with opened(str(path)) as records:
            assert len(await records.calls(LINE, CALLED_AT, CALLED_AT)) == 1
            assert isinstance(records, AsteriskCsv)
            assert records.skipped >= 1
            passed_by = f"Lines of the CSV that are no call records, and were passed by: {records.skipped}."
            assert passed_by in await records.check()

    @pytest.mark.parametrize(
        ("start", "duration"),
        [
            ("01/01/2026 12:00", "5"),
            ("2026-01-01 12:00 PM", "5"),
            ("2026-13-01 12:00:00", "5"),
            ("2026-01-01T12:00:00", "5"),
            ("", "5"),
            ("2026-01-01 12:00:00", ""),
            ("2026-01-01 12:00:00", "five"),
            ("2026-01-01 12:00:00", "9" * 5000),
        ],
    )
    async def test_times_and_durations_are_what_asterisk_writes(
        self, tmp_path: Path, start: str, duration: str
    ) -> None:
        path = tmp_path / "Master.csv"
        path.write_text(csv_line(start=start, duration=duration))
        async with opened(str(path)) as records:
            assert await records.calls(LINE, 0, 2**32) == []
            passed_by = "Lines of the CSV that are no call records, and were passed by: 1."
            assert await records.check() == [passed_by]

    async def test_nobody_writes_a_record_by_the_name_that_he_calls_himself(self, tmp_path: Path) -> None:
        path = tmp_path / "Master.csv"
        forged = csv_line(src="5555550199")
        path.write_text(csv_line(clid=f'"X\n{forged}\nY" <{JANE}>'))
        async with opened(str(path)) as records:
            (call,) = await records.calls(LINE, CALLED_AT, CALLED_AT)
            assert call.source == JANE

    async def test_a_record_that_is_half_written_waits_for_its_end(self, tmp_path: Path) -> None:
        path = tmp_path / "Master.csv"
        line = csv_line(clid='"JANE\nDOE"', added=',"1.1"').encode()
        path.write_bytes(b"")
        async with opened(str(path)) as records:
            for begin, end in ((0, 30), (30, 80), (80, len(line) - 1)):
                with path.open("ab") as file:
                    file.write(line[begin:end])
                assert await records.calls(LINE, CALLED_AT, CALLED_AT) == []
            with path.open("ab") as file:
                file.write(line[-1:])
            assert len(await records.calls(LINE, CALLED_AT, CALLED_AT)) == 1
            assert await records.check() == []

    async def test_the_calls_of_files_that_were_put_aside_are_known_on(self, tmp_path: Path) -> None:
        path = tmp_path / "Master.csv"
        path.write_text(csv_line(added=',"1.1"'))
        async with opened(str(path)) as records:
            assert len(await records.calls(LINE, CALLED_AT, CALLED_AT)) == 1
            path.rename(tmp_path / "Master.csv.1")
            path.write_text(csv_line(added=',"1.2"'))
            assert len(await records.calls(LINE, CALLED_AT, CALLED_AT)) == 2

    async def test_only_the_newest_are_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "Master.csv"
        path.write_text("".join(csv_line(added=f',"1.{number}"') for number in range(10)))
        records = AsteriskCsv(str(path), most_records=4)
        kept = await records.calls(LINE, CALLED_AT, CALLED_AT)
        assert {call.unique_id for call in kept} == {"1.6", "1.7", "1.8", "1.9"}
        assert await records.check() == ["Records of the CSV that are too many to be kept, the oldest: 6."]
        await records.close()

    @given(st.binary(max_size=400), st.integers(1, 50))
    async def test_whatever_the_bytes_nothing_but_records_comes_of_them(
        self, tmp_path_factory: pytest.TempPathFactory, noise: bytes, cut: int
    ) -> None:
        path = tmp_path_factory.mktemp("csv") / "Master.csv"
        good = csv_line().encode()
        path.write_bytes(noise + good[:cut] + b"\n" * 8 + good + noise)
        async with opened(str(path)) as records:
            found = await records.calls(LINE, 0, 2**33)
            assert {call.source for call in found} <= {JANE}
            if b'"' not in noise:
                assert len(found) == 1


def csv_line(
    *,
    src: str = JANE,
    clid: str = f'"JANE DOE" <{JANE}>',
    start: str = "2026-01-01 12:00:00",
    duration: str = "5",
    added: str = "",
) -> str:
    """A line of a Master.csv; `added` is what follows its 16 columns."""
    clid = clid.replace('"', '""')
    return (
        f'"","{src}","{LINE}","in","{clid}","c","d","Dial","","{start}","{start}","{start}",{duration},3,'
        f'"ANSWERED","DOCUMENTATION"{added}\n'
    )


def _exists(path: str) -> bool:
    return Path(path).exists()


def _sql(path: Path, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, parameters)
