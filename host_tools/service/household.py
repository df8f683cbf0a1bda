"""What a household sees of its own line: when and how its traces went, what they cost, and what to do next.

Nothing here reads who called: of the traces only times, outcomes and public numbers are asked for. Traces of one origin
are counted by its keyed hash, and only the count leaves this room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from host_tools.service.cases import Case, Cases, CaseState, OpenedFor
from host_tools.service.messages import Outcome
from host_tools.service.reasons import Reason
from host_tools.service.tables import TRACED, TRACES

MOST_TRACES = 1000
"""So many of a line are shown, the newest."""

OUTCOMES = {
    Outcome.TRACED: "Traced",
    Outcome.NOT_TRACEABLE: "Could not be traced",
    Outcome.ALREADY_TRACED: "Had been traced already",
    Outcome.NOT_OFFERED: "Not offered on this line",
}

# What an adapter of somebody else asked for on this line was not dialled here.
_BY_OWN_ADAPTER = func.coalesce(TRACES.c.reason, "") != Reason.LINE_OF_ANOTHER_ADAPTER.value


class NextStep(StrEnum):
    """What a household does next; the one that matters most."""

    NOTHING_YET = "nothing_yet"
    MORE_TRACES = "more_traces"
    ACTION_POSSIBLE = "action_possible"
    WITH_POLICE = "with_police"
    IMMEDIATE_DANGER = "immediate_danger"


@dataclass(frozen=True)
class HouseholdTrace:
    """One use of *57; times in Unix seconds.

    Attributes:
        called_at: of the call's first ring; None when nobody knows.
        traced_at: when the service had the request.
        outcome: in words.
        trace_id: the public number, of a trace and of one that repeats it.
        charge_cents: what was charged.
        case_ids: the cases that the trace is in.
    """

    called_at: int | None
    traced_at: int
    outcome: str
    trace_id: str | None
    charge_cents: int
    case_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class HouseholdCase:
    """A case of the line at the trace centre: its number, since when (Unix seconds), why and how far."""

    case_id: str
    opened_at: int
    opened_for: OpenedFor
    state: CaseState


@dataclass(frozen=True)
class HouseholdLine:
    """All of it; the newest first.

    Attributes:
        next_step: what to do next.
        traces_needed: how many more successful traces of the same caller make action possible; 0 when it is.
    """

    line: str
    next_step: NextStep
    traces_needed: int
    traces: tuple[HouseholdTrace, ...]
    cases: tuple[HouseholdCase, ...]


def household_line(connection: Connection, line: str, traces_for_action: int) -> HouseholdLine:
    """What the household of `line` sees; `traces_for_action` of one origin make action possible."""
    cases = Cases(connection).of_line(line)
    step, needed = _next(cases, _most_of_one_origin(connection, line), traces_for_action)
    return HouseholdLine(
        line,
        step,
        needed,
        traces=_traces(connection, line, cases_by_trace(cases)),
        cases=tuple(
            HouseholdCase(case.case_id, case.opened_at, case.opened_for, case.state) for case in cases
        ),
    )


def _next(cases: Sequence[Case], most_of_one_origin: int, traces_for_action: int) -> tuple[NextStep, int]:
    open_cases = [case for case in cases if case.is_open]
    if any(case.is_danger for case in open_cases):
        return NextStep.IMMEDIATE_DANGER, 0
    if any(case.state is CaseState.READY for case in open_cases):
        return NextStep.ACTION_POSSIBLE, 0
    if open_cases:
        return NextStep.WITH_POLICE, 0
    if most_of_one_origin:
        # With its case closed, one more trace of that caller opens a new one.
        return NextStep.MORE_TRACES, max(1, traces_for_action - most_of_one_origin)
    return NextStep.NOTHING_YET, traces_for_action


def _most_of_one_origin(connection: Connection, line: str) -> int:
    counts = (
        select(func.count().label("traces"))
        .where(TRACES.c.line == line, TRACED, TRACES.c.origin_tag.is_not(None))
        .group_by(TRACES.c.origin_tag)
        .subquery()
    )
    return connection.scalar(select(func.max(counts.c.traces))) or 0


def cases_by_trace(cases: Sequence[Case]) -> dict[str, tuple[str, ...]]:
    """The numbers of the cases that each trace is in."""
    of_trace: defaultdict[str, list[str]] = defaultdict(list)
    for case in reversed(cases):
        for trace_id in case.trace_ids:
            of_trace[trace_id].append(case.case_id)
    return {trace_id: tuple(case_ids) for trace_id, case_ids in of_trace.items()}


def _traces(
    connection: Connection, line: str, cases: Mapping[str, tuple[str, ...]]
) -> tuple[HouseholdTrace, ...]:
    of_line = (
        select(
            TRACES.c.called_at,
            TRACES.c.received_at,
            TRACES.c.outcome,
            TRACES.c.trace_id,
            TRACES.c.charge_cents,
        )
        .where(TRACES.c.line == line, _BY_OWN_ADAPTER)
        .order_by(
            TRACES.c.received_at.desc(),
            func.coalesce(TRACES.c.called_at, TRACES.c.requested_at).desc(),
            TRACES.c.request_id,
        )
        .limit(MOST_TRACES)
    )
    return tuple(
        HouseholdTrace(
            row.called_at,
            row.received_at,
            OUTCOMES[Outcome(row.outcome)],
            row.trace_id,
            row.charge_cents,
            cases.get(row.trace_id, ()),
        )
        for row in connection.execute(of_line)
    )
