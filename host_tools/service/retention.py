"""What is kept for how long, by record class; a legal hold keeps what belongs to its case.

What is due is deleted some thousand records at a time, each time in a transaction that tells the audit log how many,
and nothing of what was in them. Of the audit log itself only a beginning goes, up to a checkpoint, so that what remains
is still proven.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Delete, Table, Update, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.engine import Connection

from host_tools.service.audit.checkpoint import Checkpoint, Checkpoints
from host_tools.service.audit.log import AuditLog
from host_tools.service.tables import (
    ADAPTERS,
    AUDIT,
    CALL_LOG,
    CALL_NOTES,
    CASE_TRACES,
    CASES,
    CHARGES,
    INSTRUMENTS,
    RELEASES,
    SESSIONS,
    TRACES,
)

DAY_S = 86400
MOST_AT_ONCE = 10_000
"""Records of a class in one transaction: nobody waits for it longer than some tenths of a second."""
NO_LOG = "[]"


class RecordClass(StrEnum):
    """What has a time of its own; each is the subject of a row `retention.deleted` in the audit log."""

    SEALED = "sealed"
    """Who called, sealed, and the tag of the origin: the row of the trace remains."""
    TRACES = "traces"
    CALL_LOG = "call_log"
    """The calls that a household keeps a log of, with its notes; a case of the line under legal hold keeps them."""
    CHARGES = "charges"
    CASES = "cases"
    """Closed cases, with their instruments and releases; from when they were closed."""
    ADAPTER_LOGS = "adapter_logs"
    SESSIONS = "sessions"
    AUDIT = "audit"


class RetentionRefused(ValueError):
    """Times that contradict each other."""


@dataclass(frozen=True)
class Retention:
    """Days that each class is kept; None for ever.

    `audit_is_stamped`: only a beginning of the audit log goes that a time-stamped checkpoint covers.

    Raises:
        RetentionRefused: a trace would go before what is sealed in it.
    """

    sealed_days: int | None = 365
    traces_days: int | None = 730
    charges_days: int | None = 1095
    cases_days: int | None = 3650
    adapter_logs_days: int | None = 30
    sessions_days: int | None = 30
    audit_days: int | None = 3650
    audit_is_stamped: bool = False
    call_log_days: int | None = 365

    def __post_init__(self) -> None:
        """Checks that a trace outlives its sealed record."""
        if self.traces_days is not None and (self.sealed_days is None or self.sealed_days > self.traces_days):
            raise RetentionRefused("a trace's sealed record cannot be kept longer than the trace")

    def days(self, record_class: RecordClass) -> int | None:
        """The days of a class."""
        days: int | None = getattr(self, f"{record_class}_days")
        return days

    def before(self, record_class: RecordClass, now: float) -> int | None:
        """Unix seconds before which a record of the class is due at `now`; None when none ever is."""
        days = self.days(record_class)
        return None if days is None else int(now) - days * DAY_S


@dataclass(frozen=True)
class Purged:
    """How many records of each class went; `is_complete` when nothing is due any more."""

    counts: Mapping[RecordClass, int]
    is_complete: bool


@dataclass(frozen=True)
class _Rule:
    """How records of a class are found, and what is done with them.

    Args:
        table: where they are.
        is_due: of a record that is due before a time.
        key: what tells them apart.
        change: the columns that are overwritten; None when the record is deleted.
        of: tables whose rows go with them, by the same key, in that order.
    """

    table: Table
    is_due: Callable[[int], ColumnElement[bool]]
    key: tuple[str, ...]
    change: Mapping[str, Any] | None = None
    of: tuple[Table, ...] = ()


def _is_held(table: Table) -> ColumnElement[bool]:
    """Whether a row's `trace_id` belongs to a case under legal hold."""
    return exists(
        select(1)
        .select_from(CASE_TRACES.join(CASES))
        .where(CASE_TRACES.c.trace_id == table.c.trace_id, CASES.c.has_legal_hold)
        .correlate(table)
    )


def _has_held_case(table: Table) -> ColumnElement[bool]:
    """Whether a row's `line` has a case under legal hold."""
    held = select(1).select_from(CASES).where(CASES.c.line == table.c.line, CASES.c.has_legal_hold)
    return exists(held.correlate(table))


_RULES = {
    RecordClass.SEALED: _Rule(
        TRACES,
        lambda before: (
            (TRACES.c.received_at < before)
            & or_(TRACES.c.sealed.is_not(None), TRACES.c.origin_tag.is_not(None))
            & ~_is_held(TRACES)
        ),
        ("request_id", "adapter_id"),
        dict.fromkeys(("sealed", "sealed_to", "origin_tag", "origin_key")),
    ),
    RecordClass.TRACES: _Rule(
        TRACES,
        lambda before: (TRACES.c.received_at < before) & ~_is_held(TRACES),
        ("request_id", "adapter_id"),
    ),
    RecordClass.CALL_LOG: _Rule(
        CALL_LOG,
        lambda before: (CALL_LOG.c.received_at < before) & ~_has_held_case(CALL_LOG),
        ("adapter_id", "call_id"),
        of=(CALL_NOTES,),
    ),
    RecordClass.CHARGES: _Rule(
        CHARGES, lambda before: (CHARGES.c.traced_at < before) & ~_is_held(CHARGES), ("trace_id",)
    ),
    RecordClass.CASES: _Rule(
        CASES,
        lambda before: (CASES.c.state == "closed") & (CASES.c.changed_at < before) & ~CASES.c.has_legal_hold,
        ("case_id",),
        of=(RELEASES, INSTRUMENTS, CASE_TRACES),
    ),
    RecordClass.ADAPTER_LOGS: _Rule(
        ADAPTERS,
        lambda before: (
            (ADAPTERS.c.log_lines != NO_LOG)
            & (func.coalesce(ADAPTERS.c.log_taken_at, ADAPTERS.c.heard_at) < before)
        ),
        ("adapter_id",),
        {"log_lines": NO_LOG, "log_taken_at": None},
    ),
    RecordClass.SESSIONS: _Rule(SESSIONS, lambda before: SESSIONS.c.seen_at < before, ("token_sha256",)),
}


def purge(
    connection: Connection,
    now: float,
    retention: Retention,
    actor: str = "service",
    at_most: int = MOST_AT_ONCE,
) -> Purged:
    """Deletes what is due at `now` (Unix seconds), at most so many records of a class, and tells the audit log.

    Whoever calls is alone in writing the audit log. The beginning of the log itself goes all at once.
    """
    counts = {}
    for record_class, rule in _RULES.items():
        before = retention.before(record_class, now)
        counts[record_class] = 0 if before is None else _delete(connection, rule, before, at_most)
        if counts[record_class]:
            AuditLog(connection).append(
                now, actor, "retention.deleted", record_class, rows=counts[record_class], before=before
            )
    is_complete = all(count < at_most for count in counts.values())
    counts[RecordClass.AUDIT] = _prune_audit(connection, now, retention, actor)
    return Purged(counts, is_complete)


def due(connection: Connection, now: float, retention: Retention) -> dict[RecordClass, int]:
    """How many records of each class are due at `now` (Unix seconds); nothing is deleted."""
    counts = {}
    for record_class, rule in _RULES.items():
        before = retention.before(record_class, now)
        query = select(func.count()).select_from(rule.table)
        counts[record_class] = (
            0 if before is None else connection.scalar(query.where(rule.is_due(before))) or 0
        )
    checkpoint = _prunable(connection, now, retention)
    counts[RecordClass.AUDIT] = _rows_up_to(connection, checkpoint) if checkpoint else 0
    return counts


def _delete(connection: Connection, rule: _Rule, before: int, at_most: int) -> int:
    columns = [rule.table.c[name] for name in rule.key]
    found = connection.execute(select(*columns).where(rule.is_due(before)).order_by(*columns).limit(at_most))
    keys = [tuple(row) for row in found]
    for some in (keys[begin : begin + _KEYS_AT_ONCE] for begin in range(0, len(keys), _KEYS_AT_ONCE)):
        for table in rule.of:
            connection.execute(_of_keys(delete(table), table, rule.key, some))
        connection.execute(_of_keys(_statement(rule), rule.table, rule.key, some))
    return len(keys)


# SQLite takes 32766 parameters in a statement at the most, PostgreSQL 32767.
_KEYS_AT_ONCE = 1000


def _statement(rule: _Rule) -> Delete | Update:
    return delete(rule.table) if rule.change is None else update(rule.table).values(**rule.change)


def _of_keys(
    statement: Delete | Update, table: Table, key: tuple[str, ...], keys: list[tuple[Any, ...]]
) -> Delete | Update:
    return statement.where(tuple_(*(table.c[name] for name in key)).in_(keys))


def _prune_audit(connection: Connection, now: float, retention: Retention, actor: str) -> int:
    checkpoint = _prunable(connection, now, retention)
    count = _rows_up_to(connection, checkpoint) if checkpoint else 0
    if checkpoint is None or not count:
        return 0
    # Told first: the log is never without a row to go on from.
    AuditLog(connection).append(
        now,
        actor,
        "retention.deleted",
        RecordClass.AUDIT,
        rows=count,
        sequence=checkpoint.sequence,
        hash=checkpoint.hash,
    )
    Checkpoints(connection).mark_pruned(checkpoint.sequence)
    connection.execute(delete(AUDIT).where(AUDIT.c.sequence <= checkpoint.sequence))
    return count


def _prunable(connection: Connection, now: float, retention: Retention) -> Checkpoint | None:
    """The checkpoint up to which the audit log may go; what was done with a case under legal hold stays."""
    before = retention.before(RecordClass.AUDIT, now)
    if before is None:
        return None
    return Checkpoints(connection).prunable(
        min([before, *_held_since(connection)]), is_stamped=retention.audit_is_stamped
    )


def _held_since(connection: Connection) -> list[int]:
    """When the cases under legal hold were opened, and when the first of their traces came; nothing without a hold."""
    opened_at = connection.scalar(select(func.min(CASES.c.opened_at)).where(CASES.c.has_legal_hold))
    received_at = connection.scalar(
        select(func.min(TRACES.c.received_at))
        .select_from(CASES.join(CASE_TRACES).join(TRACES, TRACES.c.trace_id == CASE_TRACES.c.trace_id))
        .where(CASES.c.has_legal_hold)
    )
    return [at for at in (opened_at, received_at) if at is not None]


def _rows_up_to(connection: Connection, checkpoint: Checkpoint) -> int:
    query = select(func.count()).select_from(AUDIT).where(AUDIT.c.sequence <= checkpoint.sequence)
    return connection.scalar(query) or 0
