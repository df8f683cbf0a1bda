"""Whatever the exchange can send, the firmware reads as it was sent."""

from __future__ import annotations

from typing import Literal, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from host_tools.exchange.caller_id import (
    DTMF_SCHEMES,
    MDMF_CALL,
    CallerId,
    CallerIdError,
    ParameterType,
    Reason,
    dtmf_digits,
    mdmf,
    mdmf_message_waiting,
    multiple,
    ntt,
    ntt_frame,
    sdmf,
    sdmf_message_waiting,
)
from tests.host.callerid.reading import Fields, MessageReader, presented, seeded

DIGITS = "0123456789"
PRINTED = [chr(code) for code in range(0x20, 0x100) if not 0x7F <= code < 0xA0]
NttReason = Literal["P", "O", "C", "S"]
REASONS: st.SearchStrategy[Reason] = st.sampled_from(get_args(Reason))


def number(most: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=1, max_size=most)


def text(most: int) -> st.SearchStrategy[str]:
    return st.text(PRINTED, min_size=1, max_size=most)


# A letter alone in the place of a name is why there is none.
names = text(50).filter(lambda name: name.strip() not in ("P", "O"))
dates = st.tuples(st.integers(1, 12), st.integers(1, 31), st.integers(0, 23), st.integers(0, 59)).map(
    lambda parts: "".join(f"{part:02}" for part in parts)
)

# Parameters that neither table has: not in GR-30, not in EN 300 659-3.
unknown_parameters = st.tuples(
    st.integers(0, 255).filter(lambda kind: kind not in list(ParameterType)), st.binary(max_size=12)
)

Parameter = tuple[int, bytes, str, object]


def parameter(
    kind: ParameterType, field: str, content: st.SearchStrategy[str]
) -> st.SearchStrategy[Parameter]:
    return content.map(lambda value: (kind.value, value.encode("latin-1"), field, value))


def octets(kind: ParameterType, field: str, most: int) -> st.SearchStrategy[Parameter]:
    return st.binary(min_size=1, max_size=most).map(lambda value: (kind.value, value, field, value.hex()))


def byte(kind: ParameterType, field: str, meanings: dict[int, object]) -> st.SearchStrategy[Parameter]:
    return st.sampled_from(sorted(meanings)).map(
        lambda code: (kind.value, bytes([code]), field, meanings[code])
    )


COUNTS: dict[int, object] = {count: count for count in range(256)}
KNOWN_PARAMETERS = (
    parameter(ParameterType.DATE_TIME, "date_time", dates),
    parameter(ParameterType.NUMBER, "number", number(20)),
    parameter(ParameterType.NUMBER_ABSENT, "reason", REASONS),
    byte(ParameterType.REDIRECTION_REASON, "redirection_reason", {0: "unconditional", 0x31: "busy"}),
    parameter(ParameterType.CALL_QUALIFIER, "call_qualifier", st.just("L")),
    parameter(ParameterType.NAME, "name", names),
    parameter(ParameterType.NAME_ABSENT, "name_reason", REASONS),
    octets(ParameterType.ALTERNATE_ROUTE, "alternate_route", 9),
    octets(ParameterType.MESSAGE_ID, "message_id", 3),
    parameter(ParameterType.LAST_MESSAGE_NUMBER, "last_message_number", number(20)),
    parameter(ParameterType.COMPLEMENTARY_DATE_TIME, "complementary_date_time", dates),
    parameter(ParameterType.COMPLEMENTARY_NUMBER, "complementary_number", number(20)),
    byte(ParameterType.CALL_TYPE, "call_type", {0x01: "voice", 0x10: "external", 0x81: "message_waiting"}),
    parameter(ParameterType.FIRST_CALLED_NUMBER, "first_called_number", number(20)),
    byte(ParameterType.NUMBER_OF_MESSAGES, "number_of_messages", COUNTS),
    byte(ParameterType.FORWARDED_TYPE, "forwarded_type", {1: "busy", 6: "mobile_unreachable"}),
    byte(ParameterType.CALLER_TYPE, "caller_type", {0: "unknown", 15: "pay_phone"}),
    parameter(ParameterType.REDIRECTING_NUMBER, "forwarded_from", number(20)),
    parameter(ParameterType.CHARGE, "charge", text(14)),
    parameter(ParameterType.ADDITIONAL_CHARGE, "additional_charge", text(14)),
    parameter(ParameterType.DURATION, "duration", number(6)),
    parameter(ParameterType.NETWORK_PROVIDER, "network_provider", text(20)),
    parameter(ParameterType.CARRIER, "carrier", text(20)),
    octets(ParameterType.TERMINAL_FUNCTION, "terminal_function", 21),
    parameter(ParameterType.DISPLAY_INFORMATION, "display_information", text(60)),
    byte(ParameterType.SERVICE_INFORMATION, "service_information", COUNTS),
    octets(ParameterType.NETWORK_EXTENSION, "network_extension", 10),
)
some_parameters = st.lists(
    st.one_of(KNOWN_PARAMETERS), unique_by=(lambda row: row[0], lambda row: row[2]), max_size=10
)


def as_unknown(parameters: list[tuple[int, bytes]]) -> list[list[object]]:
    return [[kind, data.hex()] for kind, data in parameters]


@seeded
@given(
    who=st.builds(
        CallerId,
        number=st.none() | number(23),
        name=st.none() | names,
        reason=st.none() | REASONS,
        name_reason=st.none() | REASONS,
        date_time=st.none() | dates,
        others=st.lists(unknown_parameters, max_size=6).map(tuple),
    )
)
def test_mdmf(reader: MessageReader, who: CallerId) -> None:
    answer = reader.fsk(mdmf(who))
    fields: Fields = {
        "number": who.number,
        "name": who.name,
        "reason": who.reason if who.number is None else None,
        "name_reason": who.name_reason if who.name is None else None,
        "date_time": who.date_time,
        "unknown": as_unknown(list(who.others)) or None,
    }
    assert answer["framed"]
    assert answer["message"]["kind"] == "mdmf"
    assert presented(answer) == {field: content for field, content in fields.items() if content is not None}


@seeded
@given(known=some_parameters, unknown=st.lists(unknown_parameters, max_size=4), order=st.randoms())
def test_every_parameter_in_any_order(
    reader: MessageReader,
    known: list[Parameter],
    unknown: list[tuple[int, bytes]],
    order: st.DataObject,
) -> None:
    rows = [(kind, data) for kind, data, _, _ in known]
    mixed = [*rows, *unknown]
    order.shuffle(mixed)  # type: ignore[attr-defined]
    try:
        message = multiple(MDMF_CALL, mixed)
    except CallerIdError:
        assume(False)
    fields: Fields = {field: content for _, _, field, content in known}
    kept = as_unknown([row for row in mixed if row in unknown and row not in rows])
    if kept:
        fields["unknown"] = kept
    answer = reader.fsk(message)
    assert answer["framed"]
    assert presented(answer) == fields


@seeded
@given(date_time=dates, digits=number(23), reason=REASONS, is_absent=st.booleans())
def test_sdmf(reader: MessageReader, date_time: str, digits: str, reason: Reason, is_absent: bool) -> None:
    who = CallerId(None if is_absent else digits, reason=reason, date_time=date_time)
    answer = reader.fsk(sdmf(who))
    assert answer["framed"]
    assert answer["message"]["kind"] == "sdmf"
    assert presented(answer) == {
        "date_time": date_time,
        **({"reason": reason} if is_absent else {"number": digits}),
    }


@seeded
@given(waiting=st.booleans(), count=st.none() | st.integers(0, 255))
def test_message_waiting(reader: MessageReader, waiting: bool, count: int | None) -> None:
    assert presented(reader.fsk(sdmf_message_waiting(waiting))) == {"message_waiting": waiting}
    fields: Fields = {"message_waiting": waiting, "visual_indicator": waiting}
    if count is not None:
        fields["number_of_messages"] = count
    assert presented(reader.fsk(mdmf_message_waiting(waiting, count))) == fields


seven_bits = st.lists(st.integers(0, 127), min_size=1, max_size=16).map(bytes)


@seeded
@given(
    digits=st.none() | number(23),
    reason=st.none() | st.sampled_from(get_args(NttReason)),
    called=st.none() | number(23),
    plan=st.none() | seven_bits,
    called_plan=st.none() | seven_bits,
)
def test_ntt(
    reader: MessageReader,
    digits: str | None,
    reason: NttReason | None,
    called: str | None,
    plan: bytes | None,
    called_plan: bytes | None,
) -> None:
    fields = {
        "number": digits,
        "reason": reason,
        "called_number": called,
        "number_plan": plan and plan.hex(),
        "called_number_plan": called_plan and called_plan.hex(),
    }
    answer = reader.ntt(ntt(digits, reason, called, plan, called_plan))
    assert answer["framed"]
    assert answer["message"]["kind"] == "ntt"
    assert presented(answer) == {field: content for field, content in fields.items() if content is not None}


@seeded
@given(
    value=st.lists(st.sampled_from([0x10, 0x10, 0x03, 0x40, 0x7F]), max_size=60).map(bytes),
    twice=st.booleans(),
)
def test_ntt_bytes_that_are_sent_twice(reader: MessageReader, value: bytes, twice: bool) -> None:
    answer = reader.ntt(ntt_frame(bytes([0x33, len(value)]) + value, counts_doubled=twice))
    assert answer["framed"]
    assert presented(answer) == {"unknown": [[0x33, value.hex()]]}


dialled_numbers = st.text(DIGITS, min_size=3, max_size=20)


@seeded
@given(
    scheme=st.sampled_from(sorted(DTMF_SCHEMES)),
    digits=st.none() | dialled_numbers,
    reason=st.none() | REASONS,
    forwarded_from=st.none() | dialled_numbers,
)
def test_dtmf(
    reader: MessageReader, scheme: str, digits: str | None, reason: Reason | None, forwarded_from: str | None
) -> None:
    try:
        keys = dtmf_digits(scheme, digits, reason, forwarded_from)
    except CallerIdError:
        assume(False)
    fields = {"number": digits, "reason": reason, "forwarded_from": forwarded_from}
    if digits is not None and not digits.strip("0"):
        # A caller that is not known is sent as zeros (Teltone TLE manual p. 85).
        fields["number"] = None
        fields["reason"] = reason or "O"
    answer = reader.dtmf(keys, scheme)
    assert answer["message"]["schemes"] == [scheme]
    for field, content in fields.items():
        assert answer["message"][field] == content
    among_others = reader.dtmf(keys, *DTMF_SCHEMES)["message"]
    assert scheme in among_others["schemes"]
    # D5550123B10C is a number that is withheld, or a redirecting number of a caller who is: both schemes are named.
    if among_others["schemes"] == [scheme]:
        assert among_others == answer["message"]


@pytest.mark.parametrize(
    ("digits", "is_read"), [("5" * 2, False), ("5" * 3, True), ("5" * 20, True), ("5" * 21, False)]
)
def test_dtmf_lengths(reader: MessageReader, digits: str, is_read: bool) -> None:
    for scheme in DTMF_SCHEMES:
        answer = reader.dtmf(dtmf_digits(scheme, digits), scheme)
        assert ("message" in answer) == is_read
