"""What is a message, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from host_tools.service.messages import Refusal, RefusalReason, Refused, TraceAnswer, parse_request
from tests.host.service.vectors import VECTORS, body_of, name_of

VALID = VECTORS["requests"]["valid"][0]["body"]
ANSWERS = VECTORS["answers"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("vector", VECTORS["requests"]["valid"], ids=name_of)
def test_a_valid_request_is_read_as_it_is(vector: dict[str, Any]) -> None:
    assert parse_request(body_of(vector)).model_dump() == json.loads(body_of(vector))


@pytest.mark.parametrize("vector", VECTORS["requests"]["invalid"], ids=name_of)
def test_an_invalid_request_is_refused_with_its_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        parse_request(body_of(vector))
    assert refused.value.reason == vector["reason"]


@pytest.mark.parametrize("vector", ANSWERS["valid"], ids=name_of)
def test_a_valid_answer_is_written_byte_for_byte(vector: dict[str, Any]) -> None:
    answer = TraceAnswer.model_validate_json(body_of(vector))
    assert answer.request_id == vector["request_id"]
    assert answer.model_dump_json().encode() == body_of(vector)


@pytest.mark.parametrize(
    "vector", [vector for vector in ANSWERS["invalid"] if vector["error"] == "malformed"], ids=name_of
)
def test_an_invalid_answer_cannot_be_made(vector: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TraceAnswer.model_validate_json(body_of(vector))


@pytest.mark.parametrize("vector", VECTORS["refusals"], ids=name_of)
def test_every_refusal_has_its_vector(vector: dict[str, Any]) -> None:
    refusal = Refusal(message="refusal", reason=RefusalReason(vector["reason"]))
    assert refusal.model_dump_json().encode() == body_of(vector)


@given(st.binary(max_size=3000))
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        parse_request(body)


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
        parsed = parse_request(json.dumps(request).encode())
    except Refused:
        return
    assert parsed.model_dump() == request


@given(position=st.integers(0, len(VALID) - 1), byte=st.integers(0, 255))
def test_a_damaged_request_is_a_request_or_refused(position: int, byte: int) -> None:
    body = bytearray(VALID.encode())
    body[position] = byte
    try:
        parse_request(bytes(body))
    except Refused as refused:
        assert refused.reason is RefusalReason.MALFORMED  # noqa: PT017 (most are refused, not all)


def test_an_error_repeats_nothing_of_who_called() -> None:
    body = VALID.replace('"rings":2', '"rings":"5555550123"').encode()
    with pytest.raises(Refused) as refused:
        parse_request(body)
    assert "5555550123" not in f"{refused.value} {refused.value.__cause__}"
