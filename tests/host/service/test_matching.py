"""Which call is meant, and who made it, as tables of cases; and, whatever the records say, never one of two."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.service.call_records import CallRecord
from host_tools.service.matching import FoundCall, Search, comparable, match, presented_call, search
from host_tools.service.messages import TraceRequest
from host_tools.service.reasons import Reason
from tests.host.service.conftest import CALLED_AT, LINE, new_request

JANE = "5555550123"
JOHN = "5555550144"
SPOOFED = "5555550199"
NEIGHBOUR = "5555550101"  # the other line of the household, or whoever forwards
WHERE = Search(CALLED_AT - 10, CALLED_AT + 10, CALLED_AT + 10)


def request(**fields: object) -> TraceRequest:
    return TraceRequest.model_validate_json(json.dumps(new_request(**fields)))  # type: ignore[arg-type]


def leg(
    after_s: int = 0,
    source: str = JANE,
    destination: str = LINE,
    *,
    call: str = "",
    disposition: str = "NO ANSWER",
    lasted_s: int = 0,
    rang_s: int = 0,
    **fields: object,
) -> CallRecord:
    """A leg that began `after_s` after CALLED_AT; of the call `call` where one is named, else of one of its own."""
    answered = disposition == "ANSWERED"
    return CallRecord(
        CALLED_AT + after_s,
        source,
        destination,
        disposition=disposition,
        duration_s=rang_s + lasted_s,
        billable_s=lasted_s if answered else 0,
        application="Dial",
        unique_id=f"{CALLED_AT + after_s}.{source}",
        linked_id=call,
        **fields,  # type: ignore[arg-type]
    )


def found(
    source: str = JANE,
    after_s: int = 0,
    forwarded_from: str | None = None,
    is_answered: bool = False,
) -> FoundCall:
    return FoundCall(source, LINE, CALLED_AT + after_s, forwarded_from, is_answered)


def answered(after_s: int = 0, source: str = JANE, **fields: object) -> CallRecord:
    """A leg that rang for 2 s and was talked on for 60 s."""
    return leg(after_s, source, disposition="ANSWERED", rang_s=2, lasted_s=60, **fields)  # type: ignore[arg-type]


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
    asked = request(time_source="none", requested_at=5, at=6)
    assert search(asked, CALLED_AT, 10) is Reason.CALL_TIME_UNKNOWN


@pytest.mark.parametrize(
    ("records", "caller", "expected"),
    [
        # Any call with a known origin.
        ([leg()], JANE, found()),
        ([leg()], None, found()),  # a private caller, in the call records all the same
        ([leg()], SPOOFED, found()),  # a spoofed caller ID: the call records know better
        ([leg(source="+15555550123")], JANE, found("+15555550123")),
        ([answered()], JANE, found(is_answered=True)),
        ([leg(disposition="")], JANE, found()),  # an exchange that does not say what became of it
        # Nobody knows who called.
        ([], JANE, Reason.NO_CALL_RECORD),
        ([leg(source="")], None, Reason.ORIGIN_UNKNOWN),
        ([leg(source="")], JANE, Reason.ORIGIN_UNKNOWN),  # a number that was presented is not known by that
        ([leg(source="anonymous")], None, Reason.ORIGIN_UNKNOWN),
        ([leg(source="unavailable")], None, Reason.ORIGIN_UNKNOWN),
        ([leg(source="٥٥٥٥٥٥٠١٢٣")], None, Reason.ORIGIN_UNKNOWN),
        ([leg(source="5555550123; DROP TABLE cdr")], None, Reason.ORIGIN_UNKNOWN),
        ([leg(source="1" * 16)], None, Reason.ORIGIN_UNKNOWN),
        # Clocks: within 10 s, and only then.
        ([leg(-10)], JANE, found(after_s=-10)),
        ([leg(10)], JANE, found(after_s=10)),
        ([leg(-11)], JANE, Reason.NO_CALL_RECORD),
        ([leg(11)], JANE, Reason.NO_CALL_RECORD),
        # A call that never rang was not what the household heard.
        ([leg(disposition="BUSY")], JANE, Reason.NEVER_RANG),
        ([leg(disposition="FAILED")], JANE, Reason.NEVER_RANG),
        ([leg(disposition="CONGESTION")], JANE, Reason.NEVER_RANG),
        ([leg(0, JANE), leg(3, JOHN, disposition="BUSY")], None, found()),
        ([leg(0, JANE, disposition="CONGESTION"), leg(3, JOHN)], None, found(JOHN, 3)),
        # Two calls: the number that was presented, when it is exactly one's.
        ([leg(0, JANE), leg(5, JOHN)], JANE, found()),
        ([leg(0, JANE), leg(5, JOHN)], "1" + JOHN, found(JOHN, 5)),
        ([leg(0, JANE), leg(5, JOHN)], None, Reason.SEVERAL_CALLS),
        ([leg(0, JANE), leg(5, JOHN)], SPOOFED, Reason.SEVERAL_CALLS),
        ([leg(0, JANE), leg(5, JANE)], JANE, Reason.SEVERAL_CALLS),
        # One of the two presents the other's number: then it is both of them's.
        ([leg(0, JANE, caller_id=f'"X" <{JOHN}>'), leg(5, JOHN)], JOHN, Reason.SEVERAL_CALLS),
        ([leg(0, "", caller_id=f'"X" <{JOHN}>'), leg(5, JANE)], JOHN, Reason.ORIGIN_UNKNOWN),
    ],
)
def test_which_call_is_meant(
    records: list[CallRecord], caller: str | None, expected: FoundCall | Reason
) -> None:
    assert match(request(caller=caller), records, WHERE) == expected


@pytest.mark.parametrize(
    ("records", "call_waiting", "expected"),
    [
        # JANE is talked to from the 2nd second on, so JOHN can only have come by call waiting.
        ([answered(0, JANE), leg(6, JOHN)], True, found(JOHN, 6)),
        ([answered(0, JANE), leg(6, JOHN)], False, found(JANE, is_answered=True)),
        # Not certainly: JANE had hung up, was about to be answered, or was in the hands of a machine or another line.
        (
            [leg(0, JANE, disposition="ANSWERED", rang_s=2, lasted_s=3), leg(6, JOHN)],
            True,
            Reason.SEVERAL_CALLS,
        ),
        ([answered(0, JANE), leg(2, JOHN)], True, Reason.SEVERAL_CALLS),
        ([replace(answered(0, JANE), application="VoiceMail"), leg(6, JOHN)], True, Reason.SEVERAL_CALLS),
        (
            [
                answered(0, JANE, call="A"),
                leg(1, JANE, NEIGHBOUR, disposition="ANSWERED", lasted_s=60, call="A"),
                leg(6, JOHN),
            ],
            True,
            Reason.SEVERAL_CALLS,
        ),
        # The call that it interrupts may have begun long ago: there is one call of this time, and it is meant.
        ([leg(0, JOHN)], True, found(JOHN)),
    ],
)
def test_call_waiting_needs_a_call_that_it_interrupts(
    records: list[CallRecord], call_waiting: bool, expected: FoundCall | Reason
) -> None:
    assert match(request(caller=None, call_waiting=call_waiting), records, WHERE) == expected


@pytest.mark.parametrize(
    ("caller", "call_waiting", "expected"),
    [
        (JOHN, True, found(JOHN, 6)),
        (JANE, False, found(JANE, is_answered=True)),
        (JANE, True, Reason.SEVERAL_CALLS),
        (JOHN, False, Reason.SEVERAL_CALLS),
    ],
)
def test_evidence_that_disagrees_is_none(
    caller: str, call_waiting: bool, expected: FoundCall | Reason
) -> None:
    records = [answered(0, JANE), leg(6, JOHN)]
    assert match(request(caller=caller, call_waiting=call_waiting), records, WHERE) == expected


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        # Rung first at the neighbour's, then forwarded to the line; the leg to the line may name either.
        ([leg(-20, JANE, NEIGHBOUR, call="A"), leg(0, JANE, call="A")], found(forwarded_from=NEIGHBOUR)),
        ([leg(-20, JANE, NEIGHBOUR, call="A"), leg(0, NEIGHBOUR, call="A")], found(forwarded_from=NEIGHBOUR)),
        ([leg(-20, JANE, NEIGHBOUR, call="A"), leg(0, "", call="A")], found(forwarded_from=NEIGHBOUR)),
        (
            [leg(-1, JANE, NEIGHBOUR, disposition="BUSY", call="A"), leg(0, NEIGHBOUR, call="A")],
            found(forwarded_from=NEIGHBOUR),
        ),
        # Asterisk answers the first leg when the one that it was forwarded to is answered.
        (
            [
                leg(-20, JANE, NEIGHBOUR, disposition="ANSWERED", rang_s=25, lasted_s=60, call="A"),
                leg(0, NEIGHBOUR, disposition="ANSWERED", rang_s=5, lasted_s=60, call="A"),
            ],
            found(forwarded_from=NEIGHBOUR, is_answered=True),
        ),
        # The line itself, when it was busy at first, has forwarded nothing.
        ([leg(-8, JANE, disposition="BUSY", call="A"), leg(0, JANE, call="A")], found()),
        # Twice: who forwarded last.
        (
            [
                leg(-40, JANE, JOHN, call="A"),
                leg(-20, JOHN, NEIGHBOUR, call="A"),
                leg(0, NEIGHBOUR, call="A"),
            ],
            found(forwarded_from=NEIGHBOUR),
        ),
        # In one second: the order of the records tells, or the leg that the call is called after.
        (
            [leg(0, JANE, NEIGHBOUR, call="A", sequence=7), leg(0, NEIGHBOUR, call="A", sequence=8)],
            found(forwarded_from=NEIGHBOUR),
        ),
        (
            [
                leg(0, JANE, NEIGHBOUR, call=f"{CALLED_AT}.{JANE}"),
                leg(0, NEIGHBOUR, call=f"{CALLED_AT}.{JANE}"),
            ],
            found(forwarded_from=NEIGHBOUR),
        ),
        ([leg(0, JANE, NEIGHBOUR, call="A"), leg(0, NEIGHBOUR, call="A")], Reason.LEGS_DISAGREE),
        (
            [leg(0, JANE, NEIGHBOUR, call="A"), leg(0, JANE, call="A")],
            found(),
        ),  # who forwarded is not certain
        # The first leg was recorded without a linked id: it is the one that the other names.
        (
            [leg(-20, JANE, NEIGHBOUR), leg(0, NEIGHBOUR, call=f"{CALLED_AT - 20}.{JANE}")],
            found(forwarded_from=NEIGHBOUR),
        ),
        # The line forwards elsewhere: the call came to it all the same.
        ([leg(0, JANE, call="A"), leg(20, LINE, NEIGHBOUR, call="A")], found()),
        # An unknown caller is not the one who forwarded.
        ([leg(-20, "", NEIGHBOUR, call="A"), leg(0, NEIGHBOUR, call="A")], Reason.ORIGIN_UNKNOWN),
        # The neighbour talks to JANE and then calls the line: who of both called, the records do not say.
        (
            [
                leg(-20, JANE, NEIGHBOUR, disposition="ANSWERED", rang_s=2, lasted_s=60, call="A"),
                leg(0, NEIGHBOUR, call="A"),
            ],
            Reason.LEGS_DISAGREE,
        ),
        ([leg(-20, JANE, NEIGHBOUR, call="A"), leg(0, JOHN, call="A")], Reason.LEGS_DISAGREE),
        ([leg(-20, "", NEIGHBOUR, call="A"), leg(0, JOHN, call="A")], Reason.LEGS_DISAGREE),
        # Two records of one beginning with two callers.
        (
            [replace(leg(0, JANE), unique_id="1.1"), replace(leg(0, JOHN), unique_id="1.1")],
            Reason.LEGS_DISAGREE,
        ),
    ],
)
def test_who_made_a_forwarded_call(records: list[CallRecord], expected: FoundCall | Reason) -> None:
    assert match(request(caller=None), records, WHERE) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (NEIGHBOUR, Reason.NEVER_RANG),
        (LINE, FoundCall(JANE, LINE, CALLED_AT, NEIGHBOUR, is_answered=False)),
    ],
)
def test_a_call_that_hunts_over_two_lines_belongs_to_the_one_that_rang(
    line: str, expected: FoundCall | Reason
) -> None:
    records = [
        leg(0, JANE, NEIGHBOUR, disposition="BUSY", call="A", sequence=1),
        leg(0, JANE, call="A", sequence=2),
    ]
    assert match(request(line=line), records, WHERE) == expected


@pytest.mark.parametrize("line", [NEIGHBOUR, LINE])
def test_a_call_that_rang_two_lines_in_turn_is_each_ones(line: str) -> None:
    records = [leg(-8, JANE, NEIGHBOUR, call="A"), leg(8, JANE, call="A")]
    call = match(request(line=line), records, WHERE)
    assert isinstance(call, FoundCall)
    assert (call.calling_number, call.called_line) == (JANE, line)


def test_several_records_of_one_call_are_one_call() -> None:
    rung = leg(0, JANE, call="A")
    records = [rung, rung, replace(rung, sequence=2, disposition="ANSWERED"), leg(4, JANE, call="A")]
    assert match(request(caller=None), records, WHERE) == found(is_answered=True)


def test_records_that_say_nothing_of_their_call_are_calls_of_their_own() -> None:
    records = [CallRecord(CALLED_AT, JANE, LINE), CallRecord(CALLED_AT + 1, JANE, LINE)]
    assert match(request(caller=None), records, WHERE) is Reason.SEVERAL_CALLS
    assert match(request(caller=None), records[:1] * 2, WHERE) == found()


@pytest.mark.parametrize(
    ("called_after_s", "expected"),
    [
        ([], Reason.NO_CALL_RECORD),
        ([0], found()),
        ([10], found(after_s=10)),
        ([11], Reason.NO_CALL_RECORD),  # a newer call
        ([0, 3], Reason.SEVERAL_CALLS),
        ([0, 50], Reason.SEVERAL_CALLS),  # the call is not the line's last
    ],
)
def test_without_a_clock_only_the_lines_last_call(
    called_after_s: Sequence[int], expected: FoundCall | Reason
) -> None:
    where = Search(CALLED_AT - 10, CALLED_AT + 10, CALLED_AT + 60)
    assert match(request(time_source="none"), [leg(after_s) for after_s in called_after_s], where) == expected


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (JANE, found()),
        ("+1" + JANE, found()),
        (None, Reason.ORIGIN_DISAGREES),
        (SPOOFED, Reason.ORIGIN_DISAGREES),
    ],
)
def test_without_a_clock_the_presented_number_must_agree(
    caller: str | None, expected: FoundCall | Reason
) -> None:
    assert match(request(caller=caller, time_source="none"), [leg()], WHERE) == expected


def _absent(reason: str | None) -> dict[str, str | None]:
    return {"number": None, "name": None, "reason": reason, "date_time": None}


def test_why_nobody_knows_the_number() -> None:
    out_of_area = request(caller_id=_absent("O"))
    assert match(out_of_area, [leg(source="")], WHERE) is Reason.OUT_OF_AREA
    assert match(out_of_area, [leg()], WHERE) == found()  # the exchange knows more than it passes on
    assert presented_call(out_of_area, CALLED_AT) is Reason.OUT_OF_AREA
    assert presented_call(request(caller_id=_absent("P")), CALLED_AT) is Reason.ORIGIN_WITHHELD


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, found(is_answered=True)),
        ({"answered": False}, found()),
        ({"caller": None}, Reason.ORIGIN_UNKNOWN),
        ({"caller": ""}, Reason.ORIGIN_UNKNOWN),
        ({"caller": "OUT OF AREA"}, Reason.ORIGIN_UNKNOWN),
        ({"time_source": "none", "at": 7, "requested_at": 67}, found(is_answered=True)),
        ({"time_source": "none", "at": 7, "requested_at": 6}, FoundCall(JANE, LINE, None, None, True)),
    ],
)
def test_without_call_records_the_presented_number(
    fields: dict[str, object], expected: FoundCall | Reason
) -> None:
    assert presented_call(request(**fields), CALLED_AT + 60) == expected


@pytest.mark.parametrize(
    ("number", "same"),
    [
        (JANE, "+15555550123"),
        ("1" + JANE, "+15555550123"),
        ("+1" + JANE, "+15555550123"),
        ("493012345678", "+493012345678"),
        ("+493012345678", "+493012345678"),
        ("+4930123456", "+4930123456"),  # ten digits, but with a plus they are not North American
        ("911", "911"),
        ("anonymous", "anonymous"),
        ("", ""),
    ],
)
def test_a_number_has_one_form_to_compare(number: str, same: str) -> None:
    assert comparable(number) == same
    assert comparable(same) == same


_NUMBERS = st.sampled_from([JANE, JOHN, NEIGHBOUR, LINE, "+1" + JANE, "", "anonymous"])
_RECORDS = st.lists(
    st.builds(
        CallRecord,
        called_at=st.integers(CALLED_AT - 15, CALLED_AT + 15),
        source=_NUMBERS,
        destination=st.sampled_from([LINE, NEIGHBOUR, JOHN]),
        caller_id=st.sampled_from(["", f'"A" <{JANE}>', f'"B" <{JOHN}>', "<", '"<>" <>']),
        disposition=st.sampled_from(["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "", "?"]),
        duration_s=st.integers(-5, 30),
        billable_s=st.integers(-5, 30),
        application=st.sampled_from(["Dial", "VoiceMail", ""]),
        unique_id=st.sampled_from(["", "1.1", "1.2", "1.3", "x"]),
        linked_id=st.sampled_from(["", "1.1", "1.2", "x"]),
        sequence=st.integers(0, 3),
    ),
    max_size=6,
)
_REQUESTS = st.builds(
    request,
    caller=st.sampled_from([None, JANE, JOHN, SPOOFED, ""]),
    call_waiting=st.booleans(),
    time_source=st.sampled_from(["network", "caller_id", "none"]),
)


@given(_REQUESTS, _RECORDS, st.randoms(use_true_random=False))
def test_whatever_the_records_a_match_is_of_exactly_one_call(
    asked: TraceRequest, records: list[CallRecord], random: Random
) -> None:
    where = search(asked, CALLED_AT + 60, 10)
    assert isinstance(where, Search)
    call = match(asked, records, where)
    shuffled = records * 2
    random.shuffle(shuffled)
    assert match(asked, shuffled, where) == call
    if isinstance(call, Reason):
        return
    # It is one that rang here at that time, and its first leg has the caller.
    by_call: dict[object, list[CallRecord]] = {}
    for record in records:
        by_call.setdefault(record.call_key or record, []).append(record)
    rang = [legs for legs in by_call.values() if any(_rang_here(record, where) for record in legs)]
    meant = [
        legs
        for legs in rang
        if call.called_at == min(record.called_at for record in legs if _rang_here(record, where))
        and call.calling_number in _first_sources(legs)
    ]
    assert meant
    # Without evidence it is the only one.
    if asked.time_source == "none" or (_is_without_number(asked, rang) and not _someone_talks(rang)):
        assert len(rang) == 1


def _rang_here(record: CallRecord, where: Search) -> bool:
    return (
        record.destination == LINE
        and where.earliest <= record.called_at <= where.latest
        and record.disposition not in {"BUSY", "FAILED", "CONGESTION"}
    )


def _first_sources(legs: list[CallRecord]) -> set[str]:
    began = min(record.called_at for record in legs)
    return {record.source for record in legs if record.called_at == began}


def _is_without_number(asked: TraceRequest, rang: list[list[CallRecord]]) -> bool:
    presented = asked.call.caller_id.number if asked.call.caller_id else None
    if not presented:
        return True
    return not any(presented in f"{record.source} {record.caller_id}" for legs in rang for record in legs)


def _someone_talks(rang: list[list[CallRecord]]) -> bool:
    return any(record.is_answered for legs in rang for record in legs)
