"""Asterisk's cdr table, read and never written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from host_tools.service.call_records import CallRecord, CallRecords, CallRecordsUnreadable
from host_tools.service.settings import Settings
from tests.host.service.conftest import CALLED_AT, LINE, Centre


@contextmanager
def opened(settings: Settings) -> Iterator[CallRecords]:
    assert settings.call_records
    records = CallRecords(settings.call_records)
    try:
        yield records
    finally:
        records.close()


async def test_the_calls_of_a_line_between_two_times(centre: Centre) -> None:
    url = centre.call_records((-11, "1"), (-10, "2"), (0, "3"), (10, ""), (11, "5"))
    with opened(centre.settings(call_records=url)) as records:
        calls = await records.calls(LINE, CALLED_AT - 10, CALLED_AT + 10)
        assert calls == [
            CallRecord(CALLED_AT - 10, "2"),
            CallRecord(CALLED_AT, "3"),
            CallRecord(CALLED_AT + 10, ""),
        ]
        assert await records.calls("5555550101", CALLED_AT - 10, CALLED_AT + 10) == []
        assert len(await records.calls(LINE, -(2**32), 2**33)) == 5


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda path: path.unlink(), SQLAlchemyError),
        (lambda path: path.write_bytes(b"no database" * 100), SQLAlchemyError),
        (lambda path: _sql(path, "DROP TABLE cdr"), SQLAlchemyError),
        (lambda path: _sql(path, "UPDATE cdr SET calldate = '2026-01-01 12:00 PM'"), CallRecordsUnreadable),
    ],
)
async def test_what_cannot_be_read_is_an_error(
    centre: Centre, change: Callable[[Path], object], error: type[Exception]
) -> None:
    url = centre.call_records((0, "5555550123"))
    path = centre.folder / "cdr.sqlite"
    change(path)
    with opened(centre.settings(call_records=url)) as records, pytest.raises(error):
        await records.calls(LINE, CALLED_AT - 60, CALLED_AT + 60)


def _sql(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
