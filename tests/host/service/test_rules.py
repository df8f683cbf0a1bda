"""The rules as a table of cases."""

from __future__ import annotations

import json

import pytest

from host_tools.service.call_records import CallRecord
from host_tools.service.messages import Outcome, TraceRequest
from host_tools.service.rules import Decision, Reason, Search, decide, match, search
from tests.host.service.conftest import CALLED_AT, new_request

KNOWN = CallRecord(CALLED_AT, "5555550123")
TRACED = Decision(Outcome.TRACED, 500, "5555550123")


def request(**fields: object) -> TraceRequest:
    return TraceRequest.model_validate_json(json.dumps(new_request(**fields)))  # type: ignore[arg-type]


def not_traceable(reason: Reason) -> Decision:
    return Decision(Outcome.NOT_TRACEABLE, reason=reason)


@pytest.mark.parametrize(
    ("call", "caller", "decision"),
    [
        (KNOWN, "5555550123", TRACED),
        (KNOWN, None, TRACED),  # a private caller, in the call records all the same
        (KNOWN, "5555550199", TRACED),  # a spoofed caller ID: the call records know better
        (CallRecord(CALLED_AT, "+15555550123"), None, Decision(Outcome.TRACED, 500, "+15555550123")),
        (CallRecord(CALLED_AT, ""), "5555550123", not_traceable(Reason.ORIGIN_UNKNOWN)),  # out of area
        (CallRecord(CALLED_AT, "anonymous"), None, not_traceable(Reason.ORIGIN_UNKNOWN)),
        (CallRecord(CALLED_AT, "٥٥٥٥٥٥٠١٢٣"), None, not_traceable(Reason.ORIGIN_UNKNOWN)),
        (Reason.NO_CALL_RECORD, "5555550123", not_traceable(Reason.NO_CALL_RECORD)),
        (Reason.SEVERAL_CALLS, "5555550123", not_traceable(Reason.SEVERAL_CALLS)),
        (None, "5555550123", TRACED),  # no call records: what was presented
        (None, None, not_traceable(Reason.ORIGIN_UNKNOWN)),
        (None, "", not_traceable(Reason.ORIGIN_UNKNOWN)),
        (None, "OUT OF AREA", not_traceable(Reason.ORIGIN_UNKNOWN)),
    ],
)
def test_what_is_traceable(call: CallRecord | Reason | None, caller: str | None, decision: Decision) -> None:
    asked = request(caller=caller)
    assert decide(asked, call, offered=True, already_traced=False, price_cents=500) == decision


@pytest.mark.parametrize(
    ("offered", "already_traced", "outcome"),
    [
        (False, False, Outcome.NOT_OFFERED),
        (False, True, Outcome.NOT_OFFERED),
        (True, True, Outcome.ALREADY_TRACED),
    ],
)
def test_what_is_not_asked_further(offered: bool, already_traced: bool, outcome: Outcome) -> None:
    decision = decide(request(), KNOWN, offered=offered, already_traced=already_traced, price_cents=500)
    assert decision == Decision(outcome)


@pytest.mark.parametrize(("answered", "rings", "call_waiting"), [(False, 1, False), (True, 0, True)])
def test_any_call_is_traced_however_short(answered: bool, rings: int, call_waiting: bool) -> None:
    asked = request(answered=answered, rings=rings, call_waiting=call_waiting)
    assert decide(asked, KNOWN, offered=True, already_traced=False, price_cents=500) == TRACED


@pytest.mark.parametrize(
    ("time_source", "requested_after_s", "received_after_s", "where"),
    [
        ("network", 60, 9999, (-10, 10, 10)),
        ("caller_id", 60, 9999, (-10, 69, 69)),
        ("none", 60, 60, (-10, 10, 60)),
        ("none", 60, 3660, (3590, 3610, 3660)),  # delivered an hour late: finds no call of that time
        ("none", 0, 0, (-10, 10, 10)),
    ],
)
def test_where_a_call_is_looked_for(
    time_source: str, requested_after_s: int, received_after_s: int, where: tuple[int, int, int]
) -> None:
    asked = request(time_source=time_source, requested_at=CALLED_AT + requested_after_s)
    assert search(asked, CALLED_AT + received_after_s, 10) == Search(*(CALLED_AT + after for after in where))


def test_a_call_after_its_request_is_not_looked_for_without_a_clock() -> None:
    assert (
        search(request(time_source="none", requested_at=5, at=6), CALLED_AT, 10) is Reason.CALL_TIME_UNKNOWN
    )


@pytest.mark.parametrize(
    ("called_after_s", "found"),
    [
        ([], Reason.NO_CALL_RECORD),
        ([0], 0),
        ([10], 10),
        ([11], Reason.NO_CALL_RECORD),  # a newer call
        ([0, 3], Reason.SEVERAL_CALLS),
        ([0, 50], Reason.SEVERAL_CALLS),  # the call is not the line's last
    ],
)
def test_one_call_or_none(called_after_s: list[int], found: int | Reason) -> None:
    calls = [CallRecord(CALLED_AT + after, "5555550123") for after in called_after_s]
    expected = found if isinstance(found, Reason) else CallRecord(CALLED_AT + found, "5555550123")
    assert match(calls, Search(CALLED_AT - 10, CALLED_AT + 10, CALLED_AT + 60)) == expected


@pytest.mark.parametrize(
    ("caller", "decision"),
    [
        ("5555550123", TRACED),
        (None, not_traceable(Reason.ORIGIN_DISAGREES)),
        ("5555550199", not_traceable(Reason.ORIGIN_DISAGREES)),
    ],
)
def test_without_a_clock_the_presented_number_must_agree(caller: str | None, decision: Decision) -> None:
    asked = request(caller=caller, time_source="none")
    assert decide(asked, KNOWN, offered=True, already_traced=False, price_cents=500) == decision
