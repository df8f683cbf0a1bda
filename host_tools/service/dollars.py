"""Amounts: cents in every table, dollars for people."""

from __future__ import annotations

import re

_DOLLARS = re.compile(r"\$?([0-9]{1,6})(?:\.([0-9]{2}))?", re.ASCII)


class NotDollars(ValueError):
    """A text is not an amount such as 5 or 5.00."""


def amount(cents: int) -> str:
    """5.00 of 500."""
    return f"{cents // 100}.{cents % 100:02}"


def dollars(cents: int) -> str:
    """$5.00 of 500."""
    return f"${amount(cents)}"


def cents(text: str) -> int:
    """500 of 5, 5.00 or $5.00.

    Raises:
        NotDollars: it is nothing of the kind.
    """
    parts = _DOLLARS.fullmatch(text.strip())
    if parts is None:
        raise NotDollars("an amount is dollars, such as 5 or 5.00")
    return int(parts[1]) * 100 + int(parts[2] or 0)
