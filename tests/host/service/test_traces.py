"""The traces in their table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from host_tools.service import traces as traces_module
from host_tools.service.store import run_once
from host_tools.service.tables import COUNTERS
from host_tools.service.traces import Trace, TraceIdsExhausted, Traces

TRACE = Trace(
    request_id="0" * 32,
    adapter_id="adapter-1",
    line="5555550100",
    call_id="0" * 16,
    called_at=1,
    requested_at=1,
    received_at=2,
    outcome="traced",
    reason=None,
    trace_id="T-00000001",
    charge_cents=500,
    is_actionable=False,
    origin_tag="a" * 64,
    origin_key="b" * 16,
    sealed=b"sealed",
    sealed_to="c" * 16,
)


def trace(**fields: Any) -> Trace:
    return replace(TRACE, **{"request_id": uuid4().hex, **fields})


def test_a_row_is_found_by_its_request(database_url: str) -> None:
    row = trace(is_actionable=True)

    def work(connection: Connection) -> None:
        traces = Traces(connection)
        traces.add_all([row])
        traces.add_all([])
        identity = row.adapter_id, row.request_id
        others = [("adapter-2", row.request_id), (row.adapter_id, "f" * 32)]
        assert traces.accepted([identity, *others]) == {identity: row}
        assert traces.accepted([]) == {}
        assert traces.of_line(row.line) == [row]
        assert traces.by_trace_id(["T-00000001", "T-00000002"]) == [row]

    run_once(database_url, work)


@pytest.mark.parametrize(
    "second",
    [
        {"request_id": "0" * 32, "call_id": "1" * 16, "trace_id": "T-00000002"},
        {"trace_id": "T-00000002"},
        {"call_id": "1" * 16},
    ],
    ids=["one row a request", "one trace a call", "one trace a trace_id"],
)
def test_nothing_is_stored_twice(database_url: str, second: dict[str, Any]) -> None:
    run_once(database_url, lambda connection: Traces(connection).add_all([TRACE]))
    with pytest.raises(IntegrityError):
        run_once(database_url, lambda connection: Traces(connection).add_all([trace(**second)]))


def test_a_call_may_be_asked_for_again(database_url: str) -> None:
    def work(connection: Connection) -> None:
        traces = Traces(connection)
        traces.add_all([trace(outcome="not_traceable", trace_id=None), trace()])
        traces.add_all([trace(outcome="already_traced")])
        calls = [("5555550100", "0" * 16), ("5555550101", "0" * 16)]
        assert traces.of_calls(calls) == {calls[0]: "T-00000001"}

    run_once(database_url, work)


def test_traces_of_one_origin_are_told_by_their_tags(database_url: str) -> None:
    def work(connection: Connection) -> None:
        traces = Traces(connection)
        rows = [(1, "x"), (2, "y"), (3, "x")]
        traces.add_all(
            trace(call_id=f"{n:016}", trace_id=f"T-{n:08}", origin_tag=tag * 64) for n, tag in rows
        )
        traces.add_all([trace(outcome="not_traceable", trace_id=None, origin_tag="x" * 64)])
        traces.add_all([trace(line="5555550101", call_id="4" * 16, trace_id="T-4", origin_tag="x" * 64)])
        found = traces.of_origins(["5555550100"], ["x" * 64, "z" * 64])
        assert found == {("5555550100", "x" * 64): [("T-00000001", 1), ("T-00000003", 1)]}

    run_once(database_url, work)


def test_trace_ids_follow_one_another_to_the_last(database_url: str) -> None:
    def work(connection: Connection) -> None:
        traces = Traces(connection)
        assert traces.next_trace_ids(1) == ["T-00000001"]
        assert traces.next_trace_ids(0) == []
        assert traces.next_trace_ids(3) == ["T-00000002", "T-00000003", "T-00000004"]
        connection.execute(update(COUNTERS).values(value=99_999_997))
        with pytest.raises(TraceIdsExhausted):
            traces.next_trace_ids(3)
        assert traces.next_trace_ids(2) == ["T-99999998", "T-99999999"]
        with pytest.raises(TraceIdsExhausted):
            traces.next_trace_ids(1)

    run_once(database_url, work)


def test_what_every_trace_asks_is_answered_by_an_index(database_url: str) -> None:
    """PostgreSQL is told not to read the whole of a small table; then it too says what it could use."""
    values: dict[str, dict[str, Any]] = {
        "_ACCEPTED": {"of": [("adapter-1", "0" * 32)]},
        "_OF_CALLS": {"of": [("5555550100", "0" * 16)]},
        "_OF_ORIGINS": {"of_lines": ["5555550100"], "of_tags": ["a" * 64]},
    }

    def work(connection: Connection) -> list[str]:
        is_sqlite = make_url(database_url).get_backend_name() == "sqlite"
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plans = []
        for name, bound in values.items():
            query = getattr(traces_module, name).params(**bound)
            sql = query.compile(
                connection, compile_kwargs={"literal_binds": True, "render_postcompile": True}
            )
            explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
            plans.append(" ".join(str(row) for row in connection.exec_driver_sql(f"{explain} {sql}").all()))
        return plans

    for plan in run_once(database_url, work):
        assert "INDEX" in plan.upper()
        assert "SCAN traces" not in plan
        assert "Seq Scan" not in plan
