"""Notices at the door: the vectors of docs/protocol.md, and whatever else comes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.house.notices import NoticeError, press, read
from tests.host.house.telling import VECTORS, call

VALID = [vector["notice"] for vector in VECTORS["calls"] + VECTORS["lines"] + VECTORS["traced"]]


@pytest.mark.parametrize("notice", [*VALID, VECTORS["alive"]["notice"]])
def test_every_notice_of_the_vectors_is_read_as_it_is(notice: dict[str, Any]) -> None:
    assert read(json.dumps(notice).encode()).model_dump(exclude_none=True) == {
        name: value for name, value in notice.items() if value is not None
    }


@pytest.mark.parametrize("payload", VECTORS["invalid"])
def test_what_is_no_notice_is_refused_without_repeating_it(payload: str) -> None:
    with pytest.raises(NoticeError) as refused:
        read(payload.encode())
    assert refused.value.__cause__ is None
    assert str(refused.value) in ("no notice", "too long")


def test_what_a_later_adapter_tells_beside_is_passed_by() -> None:
    assert read(call("ringing", mood="cheerful")) == read(call("ringing"))


def test_a_notice_is_no_longer_than_a_frame() -> None:
    with pytest.raises(NoticeError, match="too long"):
        read(call("ringing", number="5" * 529))


def test_a_press_is_that_of_the_vectors() -> None:
    assert press(VECTORS["press"]["call_id"]) == VECTORS["press"]["payload"].encode()


def test_who_called_stands_in_no_text_of_a_notice_error() -> None:
    with pytest.raises(NoticeError) as refused:
        read(call("ringing", number="5555550123", rings=-1))
    assert "5555550123" not in repr(refused.value)


@given(st.binary(max_size=600))
def test_any_bytes_are_a_notice_or_none(payload: bytes) -> None:
    try:
        read(payload)
    except NoticeError:
        return


@given(
    st.dictionaries(
        st.sampled_from(["notice", "adapter_id", "state", "call_id", "at", "rings", "outcome", "hello"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())),
    )
)
def test_any_document_is_a_notice_or_none(document: dict[str, Any]) -> None:
    try:
        read(json.dumps(document).encode())
    except NoticeError:
        return
