"""Amounts for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.service.dollars import NotDollars, amount, cents, dollars


@pytest.mark.parametrize(
    ("of_cents", "words"),
    [(0, "$0.00"), (5, "$0.05"), (50, "$0.50"), (500, "$5.00"), (1000, "$10.00"), (123456, "$1234.56")],
)
def test_an_amount_has_its_cents(of_cents: int, words: str) -> None:
    assert dollars(of_cents) == words


@given(st.integers(0, 99_999_999))
def test_what_is_shown_is_read_again(of_cents: int) -> None:
    assert cents(amount(of_cents)) == cents(dollars(of_cents)) == of_cents


@pytest.mark.parametrize(("text", "of_cents"), [("5", 500), (" 0.05 ", 5), ("$10", 1000), ("007.00", 700)])
def test_an_amount_is_read_as_people_write_it(text: str, of_cents: int) -> None:
    assert cents(text) == of_cents


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$",
        "5.",
        "5.5",
        "5.555",
        ".50",
        "-1",
        "+1",
        "1e3",
        "1,00",
        "1 000",
        "\u0665",
        "5.00 USD",
        "9" * 7,
        "NaN",
    ],
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(NotDollars):
        cents(text)
