"""The audit log in its table: appended to, looked at, never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.engine import Connection

from host_tools.service.audit.entry import Entry, EntryRefused, Head, Scalar, chained
from host_tools.service.tables import AUDIT, PEOPLE

__all__ = ["AuditLog", "Entry", "EntryRefused", "Filter", "Shown", "append_all"]

_HEAD = select(AUDIT.c.sequence, AUDIT.c.hash).order_by(AUDIT.c.sequence.desc()).limit(1)
_INSERT = insert(AUDIT)


@dataclass(frozen=True)
class Filter:
    """Which rows: each part that is given narrows them.

    Args:
        actor: exactly this one.
        action: this one, or with a dot at its end all that begin so: "case.".
        subject: exactly this one.
        since: Unix seconds, from then on.
        until: Unix seconds, before then.
    """

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Shown:
    """A row to be looked at; `at` in Unix seconds."""

    sequence: int
    at: int
    actor: str
    action: str
    subject: str
    details: dict[str, Scalar]
    hash: str


def append_all(connection: Connection, entries: Sequence[Entry]) -> None:
    """Appends entries in their order, with two statements for any number of them.

    Whoever calls is alone in appending (`store.write_audited`, `store.together`). Who is not fails: the sequence number
    is the primary key, so that the log never forks.

    Raises:
        EntryRefused: an entry that the log cannot hold; nothing is appended.
        IntegrityError: somebody else has appended meanwhile.
    """
    if entries:
        connection.execute(_INSERT, chained(entries, _head(connection)))


class AuditLog:
    """The log over a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, at: float, actor: str, action: str, subject: str, /, **details: Scalar) -> None:
        """Appends one entry; see `Entry` for what it may hold, and `append_all` for what it raises."""
        append_all(self._connection, [Entry(at, actor, action, subject, details)])

    def head(self) -> Head:
        """The last row, or what is before the first."""
        return _head(self._connection)

    def newest(self, limit: int, which: Filter = Filter(), before: int | None = None) -> list[Shown]:
        """The newest rows of those that `which` names, newest first; only those before the row `before`, if given."""
        query = _narrowed(select(AUDIT), which)
        if before is not None:
            query = query.where(AUDIT.c.sequence < before)
        query = query.order_by(AUDIT.c.sequence.desc()).limit(limit)
        return [_shown(row) for row in self._connection.execute(query)]

    def append_hourly(self, at: float, actor: str, action: str, subject: str, /) -> None:
        """As `append`, unless the same was told within the hour before `at`."""
        since = int(at) - 3600
        told = select(AUDIT.c.sequence).where(
            AUDIT.c.at > since, AUDIT.c.actor == actor, AUDIT.c.action == action, AUDIT.c.subject == subject
        )
        if self._connection.execute(told.limit(1)).first() is None:
            self.append(at, actor, action, subject)


def _head(connection: Connection) -> Head:
    row = connection.execute(_HEAD).first()
    return Head(row.sequence, row.hash) if row else Head()


def _narrowed(query: Select[Any], which: Filter) -> Select[Any]:
    conditions = [
        which.actor is not None and AUDIT.c.actor == which.actor,
        which.actor is not None and not which.actor.lower().startswith("adapter:") and PEOPLE,
        which.subject is not None and AUDIT.c.subject == which.subject,
        which.since is not None and AUDIT.c.at >= which.since,
        which.until is not None and AUDIT.c.at < which.until,
    ]
    if which.action is not None:
        is_family = which.action.endswith(".")
        conditions.append(
            AUDIT.c.action.startswith(which.action, autoescape=True)
            if is_family
            else AUDIT.c.action == which.action
        )
    return query.where(*(condition for condition in conditions if condition is not False))


def _shown(row: Row[Any]) -> Shown:
    try:
        details = json.loads(row.details)
    except ValueError:
        details = (
            None  # somebody has changed it: the verification says so, and the rest can still be looked at
        )
    readable = details if isinstance(details, dict) else {"unreadable": True}
    return Shown(row.sequence, row.at, row.actor, row.action, row.subject, readable, row.hash)
