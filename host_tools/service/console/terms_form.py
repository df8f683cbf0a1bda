"""What forms and calls that set lines and areas share: amounts, in dollars for people and in cents for programs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from host_tools.service.console.input import Input
from host_tools.service.dollars import NotDollars, amount, cents
from host_tools.service.lines import MAX_CAP_CENTS, Cap, Price
from host_tools.service.messages import MAX_CHARGE_CENTS


def _cents(text: object) -> int:
    try:
        return cents(str(text))
    except NotDollars as error:
        raise ValueError("Write dollars, such as 5 or 5.00.") from error


PriceInDollars = Annotated[
    int, BeforeValidator(_cents), Field(le=MAX_CHARGE_CENTS, description="$10.00 or less")
]
CapInDollars = Annotated[
    int, BeforeValidator(_cents), Field(le=MAX_CAP_CENTS, description="$10000.00 or less")
]


class TermsForm(Input):
    """Price and cap as a person writes them; what is left empty is not set."""

    price: PriceInDollars | None = None
    monthly_cap: CapInDollars | None = None


class Terms(Input):
    """Price and cap as a program sends them; null is not set."""

    price_cents: Price | None = None
    monthly_cap_cents: Cap | None = None


def in_dollars(of_cents: int | None) -> str | None:
    """What stands in a form's field for an amount."""
    return None if of_cents is None else amount(of_cents)
