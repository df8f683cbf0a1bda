"""What `star57 line` and `star57 area` share: the options that say where trace is offered and what it costs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from host_tools.cli.database import stopped
from host_tools.service.dollars import NotDollars, cents, dollars

DEFAULT = "default"
"""The value that takes a setting back."""
OfferedOption = Annotated[
    str | None, typer.Option("--offered", help="Whether trace is offered: yes, no or default.")
]
PriceOption = Annotated[
    str | None, typer.Option(metavar="DOLLARS", help="Of a successful trace, 10.00 at most, or default.")
]
CapOption = Annotated[
    str | None, typer.Option(metavar="DOLLARS", help="The most that is charged in a month, or default.")
]

_OFFERED = {"yes": True, "no": False, DEFAULT: None}
_WRONG = {
    "line": "a line has 1 to 15 digits",
    "prefix": "a prefix has 1 to 15 digits",
    "name": "--name is 1 to 64 characters that can be seen",
    "adapter_id": "--adapter is an ID, 1 to 32 letters, digits and hyphens, or default",
    "is_offered": "--offered is yes or no",
    "price_cents": "--price is $10.00 at most",
    "monthly_cap_cents": "--cap is $10000.00 at most",
}


def terms(command: str, offered: str | None, price: str | None, cap: str | None) -> dict[str, Any]:
    """The fields that are named, by their names in a policy; None is the default.

    Raises:
        typer.Exit: a value is none of an option's; said on stderr.
    """
    named: dict[str, Any] = {}
    if offered is not None:
        if offered not in _OFFERED:
            raise stopped(command, 2, "--offered is yes, no or default")
        named["is_offered"] = _OFFERED[offered]
    for option, field, text in (("--price", "price_cents", price), ("--cap", "monthly_cap_cents", cap)):
        if text is not None:
            named[field] = _amount(command, option, text)
    return named


def wrong(command: str, error: ValidationError) -> typer.Exit:
    """Says on stderr which value is wrong."""
    return stopped(command, 2, _WRONG[str(error.errors()[0]["loc"][0])])


def offered_in_words(is_offered: bool | None) -> str:
    """yes, no or default."""
    return next(word for word, value in _OFFERED.items() if value is is_offered)


def amount_in_words(of_cents: int | None) -> str:
    """$5.00 or default."""
    return DEFAULT if of_cents is None else dollars(of_cents)


def _amount(command: str, option: str, text: str) -> int | None:
    if text == DEFAULT:
        return None
    try:
        return cents(text)
    except NotDollars as error:
        raise stopped(command, 2, f"{option} is dollars, such as 5.00, or default") from error
