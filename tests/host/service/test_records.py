"""The store: what the database itself guarantees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from host_tools.service.records import Records, Trace, TraceIdsExhausted
from tests.host.service.conftest import Centre


def trace(**fields: Any) -> Trace:
    row: dict[str, Any] = {
        "request_id": uuid4().hex,
        "line": "5555550100",
        "call_id": "0" * 16,
        "adapter_id": "adapter-1",
        "requested_at": 1,
        "received_at": 2,
        "outcome": "traced",
        "trace_id": "T-00000001",
        "charge_cents": 500,
        "sealed": b"",
    }
    return Trace(**{**row, **fields})


@pytest.fixture
async def records(centre: Centre) -> AsyncIterator[Records]:
    records = Records(centre.settings().database)
    await records.prepare()
    await records.prepare()
    yield records
    await records.close()


async def test_a_row_is_found_by_its_request(records: Records) -> None:
    row = trace()
    async with records.writing() as ledger:
        ledger.add(row)
    found = await records.find(row.request_id)
    assert found is not None
    assert found.trace_id == "T-00000001"
    assert await records.find("f" * 32) is None


@pytest.mark.parametrize(
    "second",
    [
        {"request_id": "0" * 32, "call_id": "1" * 16, "trace_id": "T-00000002"},
        {"trace_id": "T-00000002"},
        {"call_id": "1" * 16},
    ],
    ids=["one row a request", "one trace a call", "one trace a trace_id"],
)
async def test_nothing_is_stored_twice(records: Records, second: dict[str, Any]) -> None:
    async with records.writing() as ledger:
        ledger.add(trace(request_id="0" * 32))
    with pytest.raises(IntegrityError):
        async with records.writing() as ledger:
            ledger.add(trace(**second))


async def test_a_call_may_be_asked_for_again(records: Records) -> None:
    async with records.writing() as ledger:
        ledger.add(trace(outcome="not_traceable", trace_id=None))
        ledger.add(trace())
        ledger.add(trace(outcome="already_traced"))
        assert await ledger.trace_id_of_call("5555550100", "0" * 16) == "T-00000001"
        assert await ledger.trace_id_of_call("5555550101", "0" * 16) is None


async def test_trace_ids_follow_one_another_to_the_last(records: Records) -> None:
    async with records.writing() as ledger:
        assert await ledger.next_trace_id() == "T-00000001"
        ledger.add(trace(trace_id="T-00000009"))
        assert await ledger.next_trace_id() == "T-00000010"
        ledger.add(trace(trace_id="T-99999999", call_id="1" * 16))
        with pytest.raises(TraceIdsExhausted):
            await ledger.next_trace_id()


async def test_an_exception_undoes_the_transaction(records: Records) -> None:
    row = trace()

    async def add_and_fail() -> None:
        async with records.writing() as ledger:
            ledger.add(row)
            await ledger.next_trace_id()
            raise KeyError

    with pytest.raises(KeyError):
        await add_and_fail()
    assert await records.find(row.request_id) is None


async def test_a_commit_is_on_the_disk(records: Records) -> None:
    async with records._engine.connect() as connection:
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
