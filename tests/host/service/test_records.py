"""The database: what it guarantees by itself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from host_tools.service import records as records_module
from host_tools.service.messages import RefusalReason, Refused
from host_tools.service.records import Adapter, AdapterExists, Ledger, Records, Trace, TraceIdsExhausted
from tests.host.service.conftest import Centre

KEY = bytes(range(32))
TRACE = Trace(
    request_id="0" * 32,
    line="5555550100",
    call_id="0" * 16,
    adapter_id="adapter-1",
    requested_at=1,
    received_at=2,
    outcome="traced",
    reason=None,
    trace_id="T-00000001",
    charge_cents=500,
    sealed=b"",
)


def trace(**fields: Any) -> Trace:
    return replace(TRACE, **{"request_id": uuid4().hex, **fields})


@pytest.fixture
def records(centre: Centre) -> Iterator[Records]:
    records = Records(centre.settings().database)
    records.prepare()
    records.prepare()
    yield records
    records.close()


def test_the_keys_are_for_the_owner_alone(centre: Centre, records: Records) -> None:
    with records.writing() as ledger:
        ledger.add_adapter("adapter-1", KEY)
        files = list(centre.folder.glob("star57.sqlite*"))
        assert len(files) == 3
        assert [file.stat().st_mode & 0o077 for file in files] == [0] * 3


def test_a_store_of_before_there_were_keys_is_shut_to_others(centre: Centre) -> None:
    """It was made with what the umask left, and had traces alone."""
    records = Records(centre.settings().database)
    records.prepare()
    with records.writing() as ledger:
        ledger.add_trace(TRACE)
    records.close()
    with sqlite3.connect(centre.database) as connection:
        connection.execute("DROP TABLE adapters")
    connection.close()
    centre.database.chmod(0o644)
    records = Records(centre.settings().database)
    records.prepare()
    with records.writing() as ledger:
        ledger.add_adapter("adapter-1", KEY)
        assert ledger.find(TRACE.adapter_id, TRACE.request_id) == TRACE
    records.close()
    assert centre.database.stat().st_mode & 0o007 == 0


def test_a_row_is_found_by_its_request(records: Records) -> None:
    row = trace()
    with records.writing() as ledger:
        ledger.add_trace(row)
    with records.reading() as ledger:
        assert ledger.find(row.adapter_id, row.request_id) == row
        assert ledger.find(row.adapter_id, "f" * 32) is None


@pytest.mark.parametrize(
    "second",
    [
        {"request_id": "0" * 32, "call_id": "1" * 16, "trace_id": "T-00000002"},
        {"trace_id": "T-00000002"},
        {"call_id": "1" * 16},
    ],
    ids=["one row a request", "one trace a call", "one trace a trace_id"],
)
def test_nothing_is_stored_twice(records: Records, second: dict[str, Any]) -> None:
    with records.writing() as ledger:
        ledger.add_trace(TRACE)
    with pytest.raises(IntegrityError), records.writing() as ledger:
        ledger.add_trace(trace(**second))


def test_a_call_may_be_asked_for_again(records: Records) -> None:
    with records.writing() as ledger:
        ledger.add_trace(trace(outcome="not_traceable", trace_id=None))
        ledger.add_trace(trace())
        ledger.add_trace(trace(outcome="already_traced"))
        assert ledger.trace_id_of_call("5555550100", "0" * 16) == "T-00000001"
        assert ledger.trace_id_of_call("5555550101", "0" * 16) is None


def test_trace_ids_follow_one_another_to_the_last(records: Records) -> None:
    with records.writing() as ledger:
        assert ledger.next_trace_id() == "T-00000001"
        ledger.add_trace(trace(trace_id="T-00000009"))
        assert ledger.next_trace_id() == "T-00000010"
        ledger.add_trace(trace(trace_id="T-99999999", call_id="1" * 16))
        with pytest.raises(TraceIdsExhausted):
            ledger.next_trace_id()


def test_what_every_trace_asks_is_answered_by_an_index(records: Records) -> None:
    with records.transaction() as connection:
        for query in (records_module._LAST, records_module._TRACE_OF_CALL):
            sql = str(query.compile(connection))
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("", "")[: sql.count("?")]).all()
            assert "USING" in plan[-1][3]
            assert "INDEX one_trace_per_" in plan[-1][3]


def test_an_exception_undoes_the_transaction(records: Records) -> None:
    row = trace()

    def add_and_fail() -> None:
        with records.writing() as ledger:
            ledger.add_trace(row)
            ledger.next_trace_id()
            raise KeyError

    with pytest.raises(KeyError):
        add_and_fail()
    with records.reading() as ledger:
        assert ledger.find(row.adapter_id, row.request_id) is None


def test_a_commit_is_on_the_disk(records: Records) -> None:
    with records.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_an_adapter_is_known_from_when_it_is_added_until_it_is_removed(records: Records) -> None:
    with records.writing() as ledger:
        assert ledger.key("adapter-1") is None
        assert ledger.adapter("adapter-1") is None
        ledger.add_adapter("adapter-2", bytes(32))
        ledger.add_adapter("adapter-1", KEY)
        assert ledger.key("adapter-1") == KEY
        assert ledger.adapter("adapter-1") == Adapter("adapter-1")
        assert [adapter.adapter_id for adapter in ledger.adapters()] == ["adapter-1", "adapter-2"]
        with pytest.raises(AdapterExists):
            ledger.add_adapter("adapter-1", bytes(32))
        assert ledger.key("adapter-1") == KEY
        ledger.change_adapter("adapter-1", settings_revision=3, log_wanted=True)
        assert ledger.adapter("adapter-1") == Adapter("adapter-1", settings_revision=3, log_wanted=True)
        assert ledger.adapter("adapter-2") == Adapter("adapter-2")
        assert ledger.remove_adapter("adapter-1")
        assert not ledger.remove_adapter("adapter-1")
        assert ledger.key("adapter-1") is None


def taken(ledger: Ledger, sequence: int, key: bytes = KEY) -> int | RefusalReason | None:
    """None when the number is taken, or else the newest one, or why not."""
    try:
        ledger.take("adapter-1", key, sequence)
    except Refused as refused:
        return refused.reason if refused.newest_sequence is None else refused.newest_sequence
    return None


def test_sequence_numbers_rise(records: Records) -> None:
    with records.writing() as ledger:
        assert taken(ledger, 0) == RefusalReason.UNKNOWN_ADAPTER
        ledger.add_adapter("adapter-1", KEY)
        asked = [0, 0, 1, 5, 4, 5, 2**53 - 1, 6]
        assert [taken(ledger, number) for number in asked] == [None, 0, None, None, 5, 5, None, 2**53 - 1]


def test_a_number_is_taken_for_the_key_that_signed_it(records: Records) -> None:
    with records.writing() as ledger:
        ledger.add_adapter("adapter-1", KEY)
        assert taken(ledger, 1, bytes(32)) == RefusalReason.UNKNOWN_ADAPTER
        assert taken(ledger, 1) is None


def test_who_writes_waits_for_another_to_end(records: Records, centre: Centre) -> None:
    other = sqlite3.connect(centre.database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    ending = threading.Timer(0.2, other.execute, ["ROLLBACK"])
    ending.start()
    with records.writing() as ledger:
        ledger.add_trace(TRACE)
    ending.join()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), records.writing():
        pass
    with records.reading() as ledger:
        assert ledger.find(TRACE.adapter_id, TRACE.request_id) == TRACE
    other.close()
