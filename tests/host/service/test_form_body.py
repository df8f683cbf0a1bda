"""Bodies of forms, as browsers send them and as nobody does."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.service.form_body import URLENCODED, FormUnreadable, fields_of

PAIRS = st.lists(st.tuples(st.text(min_size=1, max_size=20), st.text(max_size=50)), max_size=20)


@given(PAIRS)
def test_what_a_browser_sends_is_read(pairs: list[tuple[str, str]]) -> None:
    encodable = [pair for pair in pairs if "\ud800" not in "".join(pair)]
    try:
        body = urlencode(encodable).encode()
    except UnicodeEncodeError:
        return  # a lone surrogate: no browser sends one
    assert fields_of(URLENCODED, body) == encodable


@given(st.binary(max_size=500))
def test_whatever_comes_is_fields_or_refused(body: bytes) -> None:
    try:
        fields = fields_of(f"{URLENCODED}; charset=utf-8", body)
    except FormUnreadable:
        return
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in fields)


@pytest.mark.parametrize(
    "kind", ["", "multipart/form-data; boundary=x", "application/json", "text/plain", "x" * 1000]
)
def test_another_kind_is_no_form(kind: str) -> None:
    with pytest.raises(FormUnreadable):
        fields_of(kind, b"name=jane")


def test_empty_fields_and_their_order_are_kept() -> None:
    assert fields_of(URLENCODED.upper(), b"b=&a=1&b=2+3") == [("b", ""), ("a", "1"), ("b", "2 3")]
    assert fields_of(URLENCODED, b"") == []
