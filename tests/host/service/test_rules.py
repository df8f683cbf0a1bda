"""The rules as tables of cases."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.service.matching import FoundCall
from host_tools.service.messages import MAX_CHARGE_CENTS, Outcome, TraceRequest
from host_tools.service.reasons import Reason
from host_tools.service.rules import (
    Decision,
    Policy,
    charge,
    decide,
    is_actionable,
    is_of_another_adapter,
    policy,
)
from tests.host.service.conftest import CALLED_AT, LINE, new_request

DAY_S = 86400
KNOWN = FoundCall("5555550123", LINE, CALLED_AT, None, is_answered=False)
OFFERED = Policy(is_offered=True, price_cents=500, monthly_cap_cents=None)
TRACED = Decision(Outcome.TRACED, 500, 500)


def request(**fields: object) -> TraceRequest:
    return TraceRequest.model_validate_json(json.dumps(new_request(**fields)))  # type: ignore[arg-type]


def decided(asked: TraceRequest, call: FoundCall | Reason = KNOWN, **terms: Any) -> Decision:
    return decide(
        asked,
        call,
        **{
            "policy": OFFERED,
            "is_of_another": False,
            "already_traced": False,
            "spent_cents": 0,
            "rings_needed": 1,
            "too_old_days": 30,
            **terms,
        },
    )


def not_traceable(reason: Reason) -> Decision:
    return Decision(Outcome.NOT_TRACEABLE, reason=reason)


NO_CONNECTION = not_traceable(Reason.NO_CONNECTION)


@pytest.mark.parametrize(
    ("rings", "answered", "call_waiting", "with_one_ring", "with_two_rings"),
    [
        # Answered or not, however short, provided that a connection was made: one complete ring, two by setting.
        (0, False, False, NO_CONNECTION, NO_CONNECTION),
        (1, False, False, TRACED, NO_CONNECTION),
        (2, False, False, TRACED, TRACED),
        (9, False, False, TRACED, TRACED),
        # Whoever answers has a connection, also before the first ring is complete.
        (0, True, False, TRACED, TRACED),
        (1, True, False, TRACED, TRACED),
        # A call that call waiting put through counts as the last call.
        (0, False, True, TRACED, TRACED),
        (0, True, True, TRACED, TRACED),
    ],
)
def test_a_call_is_traced_that_had_a_connection(
    rings: int, answered: bool, call_waiting: bool, with_one_ring: Decision, with_two_rings: Decision
) -> None:
    asked = request(rings=rings, answered=answered, call_waiting=call_waiting)
    assert decided(asked, rings_needed=1) == with_one_ring
    assert decided(asked, rings_needed=2) == with_two_rings


@pytest.mark.parametrize(
    ("call", "decision"),
    [
        (KNOWN, TRACED),
        # Forwarded to the line.
        (FoundCall("5555550123", LINE, CALLED_AT, "5555550101", is_answered=True), TRACED),
        # Presented, and nobody knows when.
        (FoundCall("5555550123", LINE, None, None, is_answered=True), TRACED),
        *(
            (reason, not_traceable(reason))
            for reason in Reason
            if reason not in (Reason.NOT_OFFERED, Reason.LINE_OF_ANOTHER_ADAPTER)
        ),
    ],
)
def test_a_call_whose_origin_is_known_is_traced(call: FoundCall | Reason, decision: Decision) -> None:
    assert decided(request(), call) == decision


@pytest.mark.parametrize(
    ("age_s", "too_old_days", "decision"),
    [
        (30 * DAY_S, 30, TRACED),
        (30 * DAY_S + 1, 30, not_traceable(Reason.TOO_OLD)),
        (DAY_S, 1, TRACED),
        (DAY_S + 1, 1, not_traceable(Reason.TOO_OLD)),
        (-1, 30, TRACED),
    ],
)
@pytest.mark.parametrize("time_source", ["network", "caller_id", "none"])
def test_a_call_that_came_too_long_ago_is_not_traced(
    time_source: str, age_s: int, too_old_days: int, decision: Decision
) -> None:
    asked = request(time_source=time_source, requested_at=CALLED_AT + age_s)
    assert decided(asked, too_old_days=too_old_days) == decision


@pytest.mark.parametrize(
    ("terms", "decision"),
    [
        ({"policy": Policy(False, 500, None)}, Decision(Outcome.NOT_OFFERED, reason=Reason.NOT_OFFERED)),
        ({"is_of_another": True}, Decision(Outcome.NOT_OFFERED, reason=Reason.LINE_OF_ANOTHER_ADAPTER)),
        ({"already_traced": True}, Decision(Outcome.ALREADY_TRACED)),
        # What is not offered is not said to have been traced either.
        (
            {"already_traced": True, "is_of_another": True},
            Decision(Outcome.NOT_OFFERED, reason=Reason.LINE_OF_ANOTHER_ADAPTER),
        ),
    ],
)
@pytest.mark.parametrize("call", [KNOWN, Reason.NO_CALL_RECORD])
def test_what_is_decided_before_the_call_is_looked_at(
    call: FoundCall | Reason, terms: dict[str, Any], decision: Decision
) -> None:
    assert decided(request(), call, **terms) == decision


@pytest.mark.parametrize(
    ("owner", "own_lines", "is_of_another"),
    [
        (None, [], False),  # nothing is bound
        ("adapter-1", [LINE], False),
        ("adapter-1", [LINE, "5555550101"], False),
        ("adapter-2", [], True),
        ("adapter-2", ["5555550101"], True),
        (None, ["5555550101"], True),  # an adapter that has a line traces for no other
    ],
)
def test_a_line_and_its_adapter(owner: str | None, own_lines: list[str], is_of_another: bool) -> None:
    assert is_of_another_adapter(LINE, "adapter-1", owner, own_lines) == is_of_another


@pytest.mark.parametrize(
    ("price_cents", "cap_cents", "spent_cents", "charged_cents"),
    [
        (500, None, 0, 500),
        (500, None, 100_000, 500),
        (0, None, 0, 0),
        (500, 1200, 0, 500),
        (500, 1200, 700, 500),
        (500, 1200, 1000, 200),  # what is left of the cap
        (500, 1200, 1200, 0),
        (500, 1200, 1300, 0),  # the cap was lowered in the month
        (500, 0, 0, 0),
    ],
)
def test_a_price_is_charged_up_to_the_months_cap(
    price_cents: int, cap_cents: int | None, spent_cents: int, charged_cents: int
) -> None:
    assert charge(price_cents, cap_cents, spent_cents) == charged_cents
    decision = decided(request(), policy=Policy(True, price_cents, cap_cents), spent_cents=spent_cents)
    assert decision == Decision(Outcome.TRACED, price_cents, charged_cents)


def test_no_trace_costs_more_than_ten_dollars() -> None:
    assert decided(request(), policy=Policy(True, 99_999, None)) == Decision(Outcome.TRACED, 1000, 1000)


@given(
    st.lists(st.integers(0, MAX_CHARGE_CENTS), max_size=30),
    st.none() | st.integers(0, 3000),
)
def test_a_month_is_never_charged_more_than_its_cap(prices: list[int], cap_cents: int | None) -> None:
    spent = 0
    for price in prices:
        charged = charge(price, cap_cents, spent)
        assert 0 <= charged <= price
        spent += charged
    assert spent == (sum(prices) if cap_cents is None else min(sum(prices), cap_cents))


def terms(
    is_offered: bool | None = None, price_cents: int | None = None, monthly_cap_cents: int | None = None
) -> SimpleNamespace:
    return SimpleNamespace(
        is_offered=is_offered, price_cents=price_cents, monthly_cap_cents=monthly_cap_cents
    )


TOWN = {"5555": terms(True, 100, 1000)}
COUNTY_AND_TOWN = {"555": terms(False, 200, 2000), "5555": terms(True, None, None)}
OPERATOR = Policy(is_offered=False, price_cents=500, monthly_cap_cents=3000)


@pytest.mark.parametrize(
    ("own", "areas", "expected"),
    [
        (None, {}, OPERATOR),
        (None, TOWN, Policy(True, 100, 1000)),
        (None, {"5556": terms(True, 1, 1)}, OPERATOR),  # another area
        # The longest prefix alone: what it does not say is the operator's, not the county's.
        (None, COUNTY_AND_TOWN, Policy(True, 500, 3000)),
        (None, {LINE: terms(True, 7, 70)}, Policy(True, 7, 70)),
        (terms(), TOWN, Policy(True, 100, 1000)),
        (terms(False), TOWN, Policy(False, 100, 1000)),
        (terms(None, 0), TOWN, Policy(True, 0, 1000)),
        (terms(None, None, 0), TOWN, Policy(True, 100, 0)),
        (terms(True, 900, 9000), {}, Policy(True, 900, 9000)),
        (terms(True), {}, Policy(True, 500, 3000)),
    ],
)
def test_a_line_then_its_area_then_the_operator(own: Any, areas: dict[str, Any], expected: Policy) -> None:
    assert policy(own, areas, line=LINE, operator=OPERATOR) == expected


@pytest.mark.parametrize(
    ("traces_before", "needed", "immediate_danger", "opens"),
    [
        (0, 3, False, False),
        (1, 3, False, False),
        (2, 3, False, True),
        (3, 3, False, True),
        (0, 3, True, True),
        (0, 1, False, True),
    ],
)
def test_three_traces_of_one_origin_or_danger_open_the_way_to_action(
    traces_before: int, needed: int, immediate_danger: bool, opens: bool
) -> None:
    assert is_actionable(traces_before, needed, immediate_danger=immediate_danger) == opens


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_is_a_sentence_and_fits_its_column(reason: Reason) -> None:
    assert len(reason) <= 32
    assert reason.sentence.endswith(".")
    assert len({each.sentence for each in Reason}) == len(Reason)
