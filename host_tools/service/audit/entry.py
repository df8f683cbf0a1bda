"""A row of the audit log: what may be in it, its one form, and its hash over that form and over the row before it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json import JSONEncoder
from json.encoder import encode_basestring as _quoted
from typing import Any

Scalar = str | int | bool | None

NAME_LENGTH = 64
"""Of an actor or a subject, in characters."""
DETAIL_LENGTH = 256
MOST_DETAILS = 16
GREATEST_INTEGER = 2**53 - 1
"""The greatest that every reader of JSON keeps exact (RFC 8785, appendix D)."""
NO_HASH = "0" * 64

_ACTION = re.compile(r"(?=.{1,48}\Z)[a-z_]+(\.[a-z_]+)+")
_DETAIL = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CUT = "…"
_FORM = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class EntryRefused(ValueError):
    """An entry that the log cannot hold; whoever made it is wrong."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is told to the log.

    Args:
        at: Unix seconds.
        actor: an account's name, "adapter:<id>", "service" or "command".
        action: dotted words, "case.opened".
        subject: what it was done to; "" for nothing of its own.
        details: JSON scalars by name; never a caller's number, name or address, a password or a key.

    What a person or an adapter may have chosen never hinders a row: in `actor`, `subject` and the strings of `details`
    whatever does not print becomes "?", and what is too long is cut.
    """

    at: float
    actor: str
    action: str
    subject: str
    details: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of the log; 0 and `NO_HASH` before the first."""

    sequence: int = 0
    hash: str = NO_HASH


def chained(entries: Iterable[Entry], head: Head) -> list[dict[str, Any]]:
    """The rows of entries that follow `head`, by the columns of `tables.AUDIT`.

    Raises:
        EntryRefused: one of them cannot be held; none may be stored.
    """
    rows = []
    sequence, previous_hash = head.sequence, head.hash
    for entry in entries:
        sequence += 1
        row = _row(entry, sequence, previous_hash)
        previous_hash = row["hash"]
        rows.append(row)
    return rows


def _row(entry: Entry, sequence: int, previous_hash: str) -> dict[str, Any]:
    if not _ACTION.fullmatch(entry.action):
        raise EntryRefused(f"not an action of dotted words: {entry.action!r}")
    at = int(entry.at)
    if not 0 <= at <= GREATEST_INTEGER:
        raise EntryRefused("a time that is none")
    actor, subject = _cleaned(entry.actor, NAME_LENGTH), _cleaned(entry.subject, NAME_LENGTH)
    details = _FORM(_checked(entry.details)) if entry.details else "{}"
    # As canonical JSON (RFC 8785): members in the order of their names, and nothing between.
    form = (
        f'{{"action":"{entry.action}","actor":{_quoted(actor)},"at":{at},"details":{details},'
        f'"previous_hash":"{previous_hash}","sequence":{sequence},"subject":{_quoted(subject)}}}'
    )
    return {
        "sequence": sequence,
        "at": at,
        "actor": actor,
        "action": entry.action,
        "subject": subject,
        "details": details,
        "previous_hash": previous_hash,
        "hash": hashlib.sha256(form.encode()).hexdigest(),
    }


def _checked(details: Mapping[str, Scalar]) -> dict[str, Scalar]:
    if len(details) > MOST_DETAILS:
        raise EntryRefused(f"more than {MOST_DETAILS} details")
    return {name: _detail(name, value) for name, value in details.items()}


def _detail(name: str, value: Scalar) -> Scalar:
    if not _DETAIL.fullmatch(name):
        raise EntryRefused(f"not a name of a detail: {name!r}")
    if isinstance(value, str):
        return _cleaned(value, DETAIL_LENGTH)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -GREATEST_INTEGER <= value <= GREATEST_INTEGER:
        return int(value)
    raise EntryRefused(f"the detail {name} is not a string, an integer of 53 bits, a boolean or None")


def _cleaned(text: str, length: int) -> str:
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else "?" for letter in text[: length + 1])
    # A plain string, also of an enumeration's member.
    return str(text) if len(text) <= length else text[: length - 1] + _CUT
