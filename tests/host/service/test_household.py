"""What a household sees of its own line, on SQLite and on PostgreSQL: never a number, nor anything of who called."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event, insert
from sqlalchemy.engine import Connection

from host_tools.service.cases import CaseState, OpenedFor
from host_tools.service.household import (
    OUTCOMES,
    HouseholdCase,
    HouseholdLine,
    HouseholdTrace,
    NextStep,
    household_line,
)
from host_tools.service.messages import Outcome
from host_tools.service.reasons import Reason
from host_tools.service.store import run_once
from host_tools.service.tables import CASE_TRACES, CASES
from host_tools.service.traces import Trace, Traces
from tests.host.service.conftest import CALLED_AT, LINE

OTHER_LINE = "5555550101"
TRACES_FOR_ACTION = 3


def trace(
    number: int, tag: str | None = "a", *, line: str = LINE, outcome: Outcome = Outcome.TRACED
) -> Trace:
    """The `number`th trace of a line, a minute after the one before; `tag` stands for its origin."""
    is_traced = outcome is Outcome.TRACED
    return Trace(
        request_id=f"{number:032}",
        adapter_id="adapter-1",
        line=line,
        call_id=f"{number:016}",
        called_at=CALLED_AT + 60 * number,
        requested_at=CALLED_AT + 60 * number + 20,
        received_at=CALLED_AT + 60 * number + 30,
        outcome=outcome.value,
        reason=None if is_traced else "origin_withheld",
        trace_id=f"T-{number:08}" if is_traced else None,
        charge_cents=500 if is_traced else 0,
        is_actionable=False,
        origin_tag=tag * 64 if tag and is_traced else None,
        origin_key="0123456789abcdef" if is_traced else None,
        sealed=b"sealed",
        sealed_to="0123456789abcdef",
    )


def add_case(
    connection: Connection,
    number: int,
    state: str,
    *trace_ids: str,
    opened_for: str = "three_traces",
    line: str = LINE,
) -> None:
    """The `number`th case, with these traces."""
    case_id = f"C-{number:08}"
    row = {"case_id": case_id, "line": line, "opened_for": opened_for, "opened_at": CALLED_AT + number}
    more = {"opened_by": "service", "state": state, "changed_at": CALLED_AT, "has_legal_hold": False}
    connection.execute(insert(CASES), {**row, **more})
    for trace_id in trace_ids:
        connection.execute(insert(CASE_TRACES), {"case_id": case_id, "trace_id": trace_id})


def seen(connection: Connection) -> HouseholdLine:
    return household_line(connection, LINE, TRACES_FOR_ACTION)


def test_a_line_without_traces(database_url: str) -> None:
    nothing = HouseholdLine(LINE, NextStep.NOTHING_YET, 3, (), ())
    assert run_once(database_url, seen) == nothing


def test_times_outcomes_and_charges_the_newest_first(database_url: str) -> None:
    repeated = replace(
        trace(3, outcome=Outcome.ALREADY_TRACED), trace_id="T-00000001", called_at=CALLED_AT + 60
    )

    def work(connection: Connection) -> None:
        Traces(connection).add_all(
            [
                trace(1),
                replace(trace(2, outcome=Outcome.NOT_TRACEABLE), called_at=None),
                repeated,
                trace(4, line=OTHER_LINE),
                trace(5, outcome=Outcome.NOT_OFFERED),
            ]
        )
        add_case(connection, 7, "ready", "T-00000001")
        assert seen(connection).traces == (
            HouseholdTrace(CALLED_AT + 300, CALLED_AT + 330, "Not offered on this line", None, 0),
            HouseholdTrace(
                CALLED_AT + 60, CALLED_AT + 210, "Had been traced already", "T-00000001", 0, ("C-00000007",)
            ),
            HouseholdTrace(None, CALLED_AT + 150, "Could not be traced", None, 0),
            HouseholdTrace(CALLED_AT + 60, CALLED_AT + 90, "Traced", "T-00000001", 500, ("C-00000007",)),
        )

    run_once(database_url, work)


def test_what_somebody_elses_adapter_asked_for_is_not_shown(database_url: str) -> None:
    def work(connection: Connection) -> None:
        refused = trace(1, outcome=Outcome.NOT_OFFERED)
        Traces(connection).add_all([replace(refused, reason=Reason.LINE_OF_ANOTHER_ADAPTER.value)])
        assert seen(connection).traces == ()

    run_once(database_url, work)


def test_every_outcome_has_words() -> None:
    assert OUTCOMES.keys() == set(Outcome)


@pytest.mark.parametrize(
    ("tags", "needed"),
    [(["a"], 2), (["a", "b"], 2), (["a", "b", "b"], 1), ([None], 3), (["a", "b", "c", "d", "e"], 2)],
)
def test_traces_of_one_caller_are_counted(database_url: str, tags: list[str | None], needed: int) -> None:
    def work(connection: Connection) -> None:
        Traces(connection).add_all([trace(number, tag) for number, tag in enumerate(tags)])
        Traces(connection).add_all([trace(20 + number, line=OTHER_LINE) for number in range(3)])
        step = NextStep.NOTHING_YET if needed == 3 else NextStep.MORE_TRACES
        assert (seen(connection).next_step, seen(connection).traces_needed) == (step, needed)

    run_once(database_url, work)


@pytest.mark.parametrize(
    ("states", "step", "needed"),
    [
        (["ready"], NextStep.ACTION_POSSIBLE, 0),
        (["instrument"], NextStep.WITH_POLICE, 0),
        (["released"], NextStep.WITH_POLICE, 0),
        (["released", "ready"], NextStep.ACTION_POSSIBLE, 0),
        (["closed"], NextStep.MORE_TRACES, 1),
        (["closed", "ready"], NextStep.ACTION_POSSIBLE, 0),
    ],
)
def test_cases_say_what_to_do_next(database_url: str, states: list[str], step: NextStep, needed: int) -> None:
    def work(connection: Connection) -> None:
        Traces(connection).add_all([trace(number) for number in range(1, 4)])
        for number, state in enumerate(states):
            add_case(connection, number, state, "T-00000001", "T-00000002", "T-00000003")
        add_case(connection, 9, "ready", line=OTHER_LINE)
        line = seen(connection)
        assert (line.next_step, line.traces_needed) == (step, needed)
        assert [case.case_id for case in line.cases] == [
            f"C-{number:08}" for number in reversed(range(len(states)))
        ]

    run_once(database_url, work)


@pytest.mark.parametrize("state", ["ready", "instrument", "released", "closed"])
def test_immediate_danger_comes_first_until_its_case_is_closed(database_url: str, state: str) -> None:
    def work(connection: Connection) -> None:
        add_case(connection, 1, "ready")
        add_case(connection, 2, state, opened_for="immediate_danger")
        step = NextStep.ACTION_POSSIBLE if state == "closed" else NextStep.IMMEDIATE_DANGER
        assert seen(connection).next_step is step
        assert seen(connection).cases[0] == HouseholdCase(
            "C-00000002", CALLED_AT + 2, OpenedFor.IMMEDIATE_DANGER, CaseState(state)
        )

    run_once(database_url, work)


def test_nothing_of_who_called_is_read(database_url: str) -> None:
    def work(connection: Connection) -> None:
        Traces(connection).add_all([trace(number) for number in range(1, 4)])
        Traces(connection).add_all([trace(4, outcome=Outcome.NOT_TRACEABLE)])
        statements: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *words: statements.append(words[2]))
        line = seen(connection)
        assert len(statements) == 4
        for column in ("sealed", "origin_key", "call_id", "adapter_id"):
            assert not any(column in statement for statement in statements)
        assert "a" * 64 not in repr(line)
        assert "origin_withheld" not in repr(line)

    run_once(database_url, work)


def test_a_line_with_very_many_traces_shows_the_newest(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host_tools.service.household.MOST_TRACES", 2)

    def work(connection: Connection) -> None:
        Traces(connection).add_all([trace(number) for number in range(1, 5)])
        assert [each.trace_id for each in seen(connection).traces] == ["T-00000004", "T-00000003"]

    run_once(database_url, work)
