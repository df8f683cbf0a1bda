"""The cdr table."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

from host_tools.exchange.call_records import CallRecord, CallRecords

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
)


def rows(path: Path) -> list[dict[str, object]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM cdr ORDER BY calldate, uniqueid")]


def test_a_record_has_asterisks_columns_in_their_order(tmp_path: Path) -> None:
    CallRecords(tmp_path / "cdr.sqlite").write(RECORD)
    (row,) = rows(tmp_path / "cdr.sqlite")
    assert row == asdict(RECORD)
    assert " ".join(row) == (
        "calldate clid src dst dcontext channel dstchannel lastapp lastdata duration billsec disposition "
        "amaflags accountcode uniqueid userfield"
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
