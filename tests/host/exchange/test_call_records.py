"""The cdr table and the Master.csv."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

from host_tools.exchange.call_records import CallRecord, CallRecords, CsvCallRecords
from tests.host.exchange.lines import NUMBER, SMITH, Line

RECORD = CallRecord(
    calldate="2026-01-01 12:00:00",
    clid='"SMITH JOHN" <5555550123>',
    src="5555550123",
    dst="5555550100",
    dcontext="from-pstn",
    channel="DAHDI/i1/5555550123-1",
    dstchannel="DAHDI/1-1",
    lastapp="Dial",
    lastdata="DAHDI/1",
    duration=0,
    billsec=0,
    disposition="NO ANSWER",
    amaflags=3,
    accountcode="",
    uniqueid="1767268800.1",
    userfield="",
    linkedid="1767268799.0",
    sequence=1,
)
_IN_CSV_ALONE = {"answer", "end"}


def rows(path: Path) -> list[dict[str, object]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM cdr ORDER BY calldate, uniqueid")]


def test_a_record_has_asterisks_columns_in_their_order(tmp_path: Path) -> None:
    CallRecords(tmp_path / "cdr.sqlite").write(RECORD)
    (row,) = rows(tmp_path / "cdr.sqlite")
    assert row == {name: value for name, value in asdict(RECORD).items() if name not in _IN_CSV_ALONE}
    assert " ".join(row) == (
        "calldate clid src dst dcontext channel dstchannel lastapp lastdata duration billsec disposition "
        "amaflags accountcode uniqueid userfield peeraccount linkedid sequence"
    )


def test_a_record_is_replaced_by_its_later_state_and_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "cdr.sqlite"
    CallRecords(path).write(RECORD)
    CallRecords(path).write(replace(RECORD, duration=5, billsec=3, disposition="ANSWERED"))
    CallRecords(path).write(replace(RECORD, uniqueid="1767268900.2", calldate="2026-01-01 12:01:40"))
    assert [(row["uniqueid"], row["duration"]) for row in rows(path)] == [
        ("1767268800.1", 5),
        ("1767268900.2", 0),
    ]


def test_the_csv_has_a_line_for_each_leg_that_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    records = CsvCallRecords(path)
    assert path.read_text() == ""
    records.write(RECORD)
    assert path.read_text() == ""
    missed = replace(RECORD, duration=20, end="2026-01-01 12:00:20")
    records.write(missed)
    CsvCallRecords(path).write(
        replace(missed, billsec=17, disposition="ANSWERED", answer="2026-01-01 12:00:03")
    )
    first, second = path.read_text().splitlines()
    assert first == (
        '"","5555550123","5555550100","from-pstn","""SMITH JOHN"" <5555550123>","DAHDI/i1/5555550123-1",'
        '"DAHDI/1-1","Dial","DAHDI/1","2026-01-01 12:00:00",,"2026-01-01 12:00:20",20,0,"NO ANSWER",'
        '"DOCUMENTATION","1767268800.1","","","1767268799.0",1'
    )
    assert next(csv.reader([second]))[9:15] == [
        "2026-01-01 12:00:00",
        "2026-01-01 12:00:03",
        "2026-01-01 12:00:20",
        "20",
        "17",
        "ANSWERED",
    ]


def test_a_forwarded_call_has_two_legs_of_one_call(tmp_path: Path) -> None:
    path = tmp_path / "cdr.sqlite"
    line = Line(records=path)
    line.office.incoming_call(replace(SMITH, rings=1, forwarded_from="5555550101"))
    line.run(3000)
    line.office.caller_clears()
    line.office.incoming_call(SMITH)
    names = ("src", "dst", "uniqueid", "linkedid", "sequence", "duration", "disposition")
    assert [tuple(row[name] for name in names) for row in rows(path)] == [
        (NUMBER, "5555550101", "1767268800.1", "1767268800.1", 1, 3, "NO ANSWER"),
        (NUMBER, "5555550100", "1767268800.2", "1767268800.1", 2, 3, "NO ANSWER"),
        (NUMBER, "5555550100", "1767268803.3", "1767268803.3", 3, 0, "NO ANSWER"),
    ]
