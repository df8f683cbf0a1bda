"""What is a message, and what is refused."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from host_tools.service.messages import (
    CallReport,
    CallReportAnswer,
    Heartbeat,
    HeartbeatAnswer,
    HeartbeatAnswerOfBefore,
    Log,
    LogAnswer,
    Message,
    PromptPart,
    Refusal,
    RefusalReason,
    Refused,
    TraceAnswer,
    TraceRequest,
    parse_ask,
)
from tests.host.service.vectors import CALL_REPORT, HEARTBEAT, VECTORS, body_of, name_of

VALID = VECTORS["requests"]["valid"][0]["body"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


ASKS = [
    ("requests", TraceRequest),
    ("heartbeats", Heartbeat),
    ("logs", Log),
    ("call_reports", CallReport),
]
ALL = {**VECTORS, **HEARTBEAT, **CALL_REPORT}
OF_BEFORE = HEARTBEAT["heartbeats_of_before"]["valid"]
VALID_ASKS = [(kind, vector) for name, kind in ASKS for vector in ALL[name]["valid"]]
INVALID_ASKS = [vector for name, _ in ASKS for vector in ALL[name]["invalid"]]
KINDS_OF_ANSWER: list[tuple[str, type[Message]]] = [
    ("answers", TraceAnswer),
    ("heartbeat_answers", HeartbeatAnswer),
    ("log_answers", LogAnswer),
    ("call_report_answers", CallReportAnswer),
]
VALID_ANSWERS = [(kind, vector) for name, kind in KINDS_OF_ANSWER for vector in ALL[name]["valid"]]
INVALID_ANSWERS = [(kind, vector) for name, kind in KINDS_OF_ANSWER for vector in ALL[name]["invalid"]]


@pytest.mark.parametrize(("kind", "vector"), VALID_ASKS)
def test_a_valid_ask_is_read_as_it_is(kind: type[Message], vector: dict[str, Any]) -> None:
    sent = json.loads(body_of(vector))
    ask = parse_ask(body_of(vector), sent["adapter_id"])
    assert isinstance(ask, kind)
    assert ask.model_dump() == sent


@pytest.mark.parametrize("vector", OF_BEFORE, ids=name_of)
def test_a_heartbeat_of_before_there_were_updates_is_read(vector: dict[str, Any]) -> None:
    ask = parse_ask(body_of(vector), "adapter-1")
    assert isinstance(ask, Heartbeat)
    assert ask.model_dump() == {**json.loads(body_of(vector)), "slot": None, "update": None}
    assert not ask.knows_updates
    assert HeartbeatAnswerOfBefore(unix_seconds=1).model_dump().keys() == (
        HeartbeatAnswer(unix_seconds=1).model_dump().keys() - {"update"}
    )


@pytest.mark.parametrize("vector", INVALID_ASKS, ids=name_of)
def test_an_invalid_ask_is_refused_with_its_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        parse_ask(body_of(vector), "adapter-1")
    assert refused.value.reason == vector["reason"]


def test_an_ask_in_the_name_of_another_adapter_is_refused() -> None:
    for body in (VALID, HEARTBEAT["heartbeats"]["valid"][0]["body"], HEARTBEAT["logs"]["valid"][0]["body"]):
        parse_ask(body.encode(), "adapter-1")
        with pytest.raises(Refused, match="malformed"):
            parse_ask(body.encode(), "adapter-2")


@pytest.mark.parametrize(("kind", "vector"), VALID_ANSWERS)
def test_a_valid_answer_is_written_byte_for_byte(kind: type[Message], vector: dict[str, Any]) -> None:
    answer = kind.model_validate_json(body_of(vector))
    assert answer.model_dump_json().encode().ljust(vector.get("pad_to", 0)) == body_of(vector)


@pytest.mark.parametrize(
    ("kind", "vector"), [(kind, vector) for kind, vector in INVALID_ANSWERS if vector["error"] == "malformed"]
)
def test_an_invalid_answer_cannot_be_made(kind: type[Message], vector: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate_json(body_of(vector))


@pytest.mark.parametrize("data", ["a", "====", "YQ", "Y Q==", "-_-_"])
def test_what_is_no_base64_is_no_part_of_a_prompt(data: str) -> None:
    with pytest.raises(ValidationError):
        PromptPart(name="traced", size=100, sha256="0" * 64, offset=0, data=data)


def test_the_largest_answer_to_a_heartbeat_fits() -> None:
    part = PromptPart(
        name="_" * 32, size=65536, sha256="f" * 64, offset=65535 - 960, data=b64encode(bytes(960)).decode()
    )
    settings = {"revision": 2**53 - 1, "values": {"two_stage": False, "trace_offered": False}}
    settings["values"] |= {"price_cents": 1000, "answer_timeout_ms": 60000}  # type: ignore[operator]
    answer = {**json.loads(HEARTBEAT["heartbeat_answers"]["valid"][0]["body"]), "settings": settings}
    whole = HeartbeatAnswer.model_validate({**answer, "prompt": part, "log_from": 2**53 - 1})
    assert len(whole.model_dump_json()) <= 2048


@pytest.mark.parametrize("vector", VECTORS["refusals"], ids=name_of)
def test_every_refusal_has_its_vector(vector: dict[str, Any]) -> None:
    refusal = Refusal(reason=RefusalReason(vector["reason"]), newest_sequence=vector["newest_sequence"])
    assert refusal.model_dump_json().encode() == body_of(vector)


def test_only_an_old_sequence_has_a_newest_one() -> None:
    assert {vector["reason"] for vector in VECTORS["refusals"]} == set(RefusalReason)
    for reason in RefusalReason:
        with pytest.raises(ValidationError):
            Refusal(reason=reason, newest_sequence=None if reason is RefusalReason.OLD_SEQUENCE else 1)


@given(st.binary(max_size=3000))
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        parse_ask(body, "adapter-1")


@given(
    field=st.sampled_from(sorted(json.loads(VALID))),
    in_call=st.sampled_from(["", *sorted(json.loads(VALID)["call"])]),
    value=JSON,
)
def test_any_value_in_any_field_is_read_alike_or_refused(field: str, in_call: str, value: Any) -> None:
    request = json.loads(VALID)
    if in_call:
        request["call"][in_call] = value
    else:
        request[field] = value
    try:
        parsed = parse_ask(json.dumps(request).encode(), "adapter-1")
    except Refused:
        return
    assert parsed.model_dump() == request


@given(position=st.integers(0, len(VALID) - 1), byte=st.integers(0, 255))
def test_a_damaged_request_is_a_request_or_refused(position: int, byte: int) -> None:
    body = bytearray(VALID.encode())
    body[position] = byte
    try:
        parse_ask(bytes(body), "adapter-1")
    except Refused as refused:
        assert refused.reason is RefusalReason.MALFORMED  # noqa: PT017 (most are refused, not all)


def test_an_error_repeats_nothing_of_who_called() -> None:
    body = VALID.replace('"rings":2', '"rings":"5555550123"').encode()
    with pytest.raises(Refused) as refused:
        parse_ask(body, "adapter-1")
    assert "5555550123" not in f"{refused.value} {refused.value.__cause__}"


def test_an_error_does_not_repeat_the_kind_of_message() -> None:
    with pytest.raises(Refused) as refused:
        parse_ask(VALID.replace("trace_request", "5555550123").encode(), "adapter-1")
    assert refused.value.__cause__ is None
