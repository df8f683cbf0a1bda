"""What is due goes, what is not or is under legal hold stays; on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.engine import Connection

from host_tools.service.audit import triggers
from host_tools.service.audit.checkpoint import Checkpoints
from host_tools.service.audit.export import verified
from host_tools.service.audit.log import AuditLog
from host_tools.service.retention import (
    DAY_S,
    Purged,
    RecordClass,
    Retention,
    RetentionRefused,
    due,
    purge,
)
from host_tools.service.store import Store
from host_tools.service.tables import (
    ACCOUNTS,
    ADAPTERS,
    AUDIT,
    CASE_TRACES,
    CASES,
    CHARGES,
    CHECKPOINTS,
    INSTRUMENTS,
    RELEASES,
    SESSIONS,
    TRACES,
)

NOW = 1767268800  # 2026-01-01 12:00:00 UTC
KEPT = Retention(None, None, None, None, None, None, None)
Write = Callable[[Connection], None]


def only(**chosen: Any) -> Retention:
    """Keeps everything for ever, but for what is chosen."""
    return replace(KEPT, **chosen)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store without a row."""
    store = Store(database_url)
    await store.prepare()
    await store.together(triggers.install)
    yield store
    await store.close()


def trace(number: int, days: float, **columns: Any) -> Write:
    """A trace that was accepted so many days ago, with its charge."""

    def write(connection: Connection) -> None:
        at, trace_id = int(NOW - days * DAY_S), f"T-{number:08}"
        row = {
            "request_id": f"request-{number}",
            "adapter_id": "adapter-1",
            "line": "5555550100",
            "call_id": str(number),
            "requested_at": at,
            "received_at": at,
            "outcome": "traced",
            "trace_id": trace_id,
            "charge_cents": 500,
            "is_actionable": False,
            "origin_tag": "tag",
            "origin_key": "key",
            "sealed": b"sealed",
            "sealed_to": "centre",
            **columns,
        }
        connection.execute(insert(TRACES), row)
        charge = {"line": "5555550100", "month": "2026-01", "price_cents": 500, "charge_cents": 500}
        connection.execute(insert(CHARGES), {"trace_id": trace_id, "traced_at": at, **charge})

    return write


def case(number: int, state: str, days: float, *traces: int, is_held: bool = False) -> Write:
    """A case that was opened and last changed so many days ago, with an instrument and a release."""

    def write(connection: Connection) -> None:
        case_id, at = f"C-{number:08}", int(NOW - days * DAY_S)
        connection.execute(
            insert(CASES),
            {
                "case_id": case_id,
                "line": "5555550100",
                "opened_for": "three_traces",
                "opened_at": at,
                "opened_by": "service",
                "state": state,
                "changed_at": at,
                "has_legal_hold": is_held,
            },
        )
        for each in traces:
            connection.execute(insert(CASE_TRACES), {"case_id": case_id, "trace_id": f"T-{each:08}"})
        instrument = {
            "instrument_id": number,
            "case_id": case_id,
            "kind": "subpoena",
            "agency": "Police",
            "officer": "Officer",
            "case_number": "1",
            "reference": "2",
            "issued_on": "2025-01-01",
            "entered_at": at,
            "entered_by": "liaison",
        }
        connection.execute(insert(INSTRUMENTS), instrument)
        release = {"case_id": case_id, "instrument_id": number, "released_at": at, "released_by": "liaison"}
        connection.execute(insert(RELEASES), {**release, "traces": "[]", "bundle_sha256": "0" * 64})

    return write


def adapter(
    number: int, *, log_days: float | None, heard_days: float | None, log: str = '[[0,"line"]]'
) -> Write:
    """An adapter whose log was taken, and which was heard, so many days ago."""

    def at(days: float | None) -> int | None:
        return None if days is None else int(NOW - days * DAY_S)

    def write(connection: Connection) -> None:
        row = {
            "adapter_id": f"adapter-{number}",
            "key": bytes(32),
            "heard_at": at(heard_days),
            "settings_revision": 0,
            "settings_values": "{}",
            "prompt_failures": 0,
            "log_wanted": False,
            "log_lines": log,
            "log_taken_at": at(log_days),
        }
        connection.execute(insert(ADAPTERS), row)

    return write


def session(number: int, days: float) -> Write:
    """A session that was last seen so many days ago."""

    def write(connection: Connection) -> None:
        at = int(NOW - days * DAY_S)
        account = {"account_id": number, "name": f"person-{number}", "role": "operator", "created_at": 0}
        connection.execute(insert(ACCOUNTS), account)
        row = {"token_sha256": f"{number:064}", "account_id": number, "is_complete": True, "began_at": 0}
        connection.execute(insert(SESSIONS), {**row, "seen_at": at})

    return write


async def purged(store: Store, retention: Retention, *writes: Write, **options: Any) -> Purged:
    """What goes of what was written; a dry run before said the same."""

    def write(connection: Connection) -> None:
        for each in writes:
            each(connection)

    await store.together(write)
    expected = await store.read(lambda connection: due(connection, NOW, retention))
    told = await store.together(lambda connection: purge(connection, NOW, retention, **options))
    if told.is_complete:
        assert told.counts == expected
        assert set((await store.read(lambda connection: due(connection, NOW, retention))).values()) == {0}
    assert (await verified(store)).findings == ()
    return told


async def count(store: Store, table: Table) -> int:
    return await store.read(
        lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0
    )


async def told_by(store: Store) -> list[tuple[str, str, dict[str, Any]]]:
    rows = await store.read(lambda connection: AuditLog(connection).newest(100))
    return [
        (row.actor, row.subject, dict(row.details))
        for row in reversed(rows)
        if row.action == "retention.deleted"
    ]


SEALED = only(sealed_days=10)
ROWS = only(sealed_days=10, traces_days=10)
SEALED_COLUMNS = ("sealed", "sealed_to", "origin_tag", "origin_key")


@pytest.mark.parametrize(
    ("days", "held", "goes"),
    [
        (11, None, True),
        (10.5, None, True),
        (10, None, False),
        (9, None, False),
        (11, True, False),
        (11, False, True),
    ],
)
@pytest.mark.parametrize("record_class", [RecordClass.SEALED, RecordClass.TRACES, RecordClass.CHARGES])
async def test_of_a_trace_goes_what_is_due_and_not_held(
    store: Store, record_class: RecordClass, days: float, held: bool | None, goes: bool
) -> None:
    retentions = {
        RecordClass.SEALED: SEALED,
        RecordClass.TRACES: ROWS,
        RecordClass.CHARGES: only(charges_days=10),
    }
    cases = [] if held is None else [case(1, "ready", days, 1, 7, is_held=held)]
    told = await purged(store, retentions[record_class], trace(1, days), *cases)
    assert told.counts[record_class] == goes
    if record_class is RecordClass.SEALED:
        row = await store.read(lambda connection: connection.execute(select(TRACES)).mappings().one())
        assert [row[name] is None for name in SEALED_COLUMNS] == [goes] * 4
        assert (row["trace_id"], row["charge_cents"]) == ("T-00000001", 500)
    else:
        table = TRACES if record_class is RecordClass.TRACES else CHARGES
        assert await count(store, table) == (not goes)


async def test_a_hold_of_one_case_keeps_what_another_shares(store: Store) -> None:
    writes = [trace(1, 20), trace(2, 20), case(1, "closed", 20, 1, 2), case(2, "closed", 20, 2, is_held=True)]
    told = await purged(store, only(sealed_days=10, traces_days=10, charges_days=10, cases_days=10), *writes)
    assert told.counts == {
        **dict.fromkeys(RecordClass, 0),
        RecordClass.SEALED: 1,
        RecordClass.TRACES: 1,
        RecordClass.CHARGES: 1,
        RecordClass.CASES: 1,
    }
    assert [await count(store, table) for table in (CASES, CASE_TRACES, INSTRUMENTS, RELEASES, TRACES)] == [
        1
    ] * 5


async def test_a_failed_trace_without_a_number_goes_too(store: Store) -> None:
    told = await purged(
        store,
        ROWS,
        trace(1, 20, trace_id=None, outcome="not_traceable"),
        case(1, "ready", 0, 1, is_held=True),
    )
    assert told.counts[RecordClass.TRACES] == 1


@pytest.mark.parametrize(
    ("state", "days", "is_held", "goes"),
    [
        ("closed", 11, False, True),
        ("closed", 10, False, False),
        ("closed", 11, True, False),
        ("ready", 11, False, False),
        ("instrument", 11, False, False),
        ("released", 11, False, False),
    ],
)
async def test_a_case_goes_when_it_was_closed_long_ago(
    store: Store, state: str, days: float, is_held: bool, goes: bool
) -> None:
    retention = only(cases_days=10)
    told = await purged(store, retention, case(1, state, days, 1, is_held=is_held))
    assert told.counts[RecordClass.CASES] == goes
    assert [await count(store, table) for table in (CASES, CASE_TRACES, INSTRUMENTS, RELEASES)] == [
        not goes
    ] * 4


@pytest.mark.parametrize(
    ("written", "goes"),
    [
        (adapter(1, log_days=11, heard_days=0), True),
        (adapter(1, log_days=10, heard_days=11), False),
        (adapter(1, log_days=None, heard_days=11), True),
        (adapter(1, log_days=None, heard_days=0), False),
        (adapter(1, log_days=None, heard_days=None), False),
        (adapter(1, log_days=11, heard_days=11, log="[]"), False),
    ],
)
async def test_the_log_of_an_adapter_goes_and_the_adapter_stays(
    store: Store, written: Write, goes: bool
) -> None:
    told = await purged(store, only(adapter_logs_days=10), written)
    assert told.counts[RecordClass.ADAPTER_LOGS] == goes
    row = await store.read(lambda connection: connection.execute(select(ADAPTERS)).mappings().one())
    assert (row["key"], row["log_lines"] == "[]") == (
        bytes(32),
        goes or row["log_taken_at"] == NOW - 11 * DAY_S,
    )


@pytest.mark.parametrize(("days", "goes"), [(11, True), (10, False)])
async def test_a_session_goes_and_its_account_stays(store: Store, days: float, goes: bool) -> None:
    told = await purged(store, only(sessions_days=10), session(1, days))
    assert told.counts[RecordClass.SESSIONS] == goes
    assert [await count(store, table) for table in (SESSIONS, ACCOUNTS)] == [not goes, 1]


def told_days_ago(*days: float, is_stamped: bool = False) -> Write:
    """Two rows and a checkpoint for each of these days."""

    def write(connection: Connection) -> None:
        for each in days:
            at = NOW - each * DAY_S
            AuditLog(connection).append(at, "ann", "bill.read", "")
            AuditLog(connection).append(at, "ann", "bill.read", "")
            Checkpoints(connection).make(at, "command")
        if is_stamped:
            connection.execute(
                update(CHECKPOINTS).where(CHECKPOINTS.c.sequence == 2).values(time_stamp=b"\x30")
            )

    return write


@pytest.mark.parametrize(
    ("days", "cases", "first"),
    [
        ((), [], 0),
        ((9,), [], 1),
        ((20,), [], 3),
        ((20, 10), [], 3),
        ((20, 10.1), [], 6),
        ((20, 15, 1), [], 6),
        ((20, 15, 1), [case(1, "ready", 17, is_held=True)], 3),
        ((20, 15, 1), [case(1, "ready", 17)], 6),
        ((20, 15, 1), [case(1, "ready", 21, is_held=True)], 1),
        ((20, 15, 1), [case(1, "closed", 5, is_held=True)], 6),
        ((20, 15, 1), [trace(1, 17), case(1, "ready", 5, 1, is_held=True)], 3),
        ((20, 15, 1), [trace(1, 17), case(1, "ready", 5, 1)], 6),
    ],
)
async def test_of_the_audit_log_a_beginning_goes_and_the_rest_is_proven(
    store: Store, days: tuple[float, ...], cases: list[Write], first: int
) -> None:
    told = await purged(store, only(audit_days=10), told_days_ago(*days), *cases)
    report = await verified(store)
    assert (report.first, report.findings) == (first, ())
    assert told.counts[RecordClass.AUDIT] == max(0, first - 1)


async def test_of_the_audit_log_only_what_a_time_stamp_covers_goes(store: Store) -> None:
    stamped_only = only(audit_days=10, audit_is_stamped=True)
    await store.together(told_days_ago(20, 15))
    counts = await store.read(lambda connection: due(connection, NOW, stamped_only))
    assert counts[RecordClass.AUDIT] == 0

    def stamp(connection: Connection) -> None:
        Checkpoints(connection).keep_time_stamp(2, b"\x30", NOW, "command")

    await store.together(stamp)
    told = await store.together(lambda connection: purge(connection, NOW, stamped_only))
    assert told.counts[RecordClass.AUDIT] == 2


async def test_the_audit_log_is_pruned_again_and_again(store: Store) -> None:
    def pass_a_day(now: int, connection: Connection) -> None:
        AuditLog(connection).append(now, "ann", "bill.read", "")
        Checkpoints(connection).make(now, "command")
        purge(connection, now + 1, only(audit_days=1))

    for day in range(4):
        await store.together(partial(pass_a_day, NOW + day * DAY_S))
        assert (await verified(store)).findings == ()
    assert (await verified(store)).first > 1


async def test_the_audit_log_tells_how_many_and_nothing_of_what(store: Store) -> None:
    retention = Retention(10, 10, 10, 10, 10, 10, 10)
    writes = [trace(1, 20), trace(2, 20), case(1, "closed", 20), adapter(1, log_days=20, heard_days=20)]
    await purged(store, retention, *writes, session(1, 20), told_days_ago(20), actor="command")
    before = NOW - 10 * DAY_S
    told = await told_by(store)
    assert told[:-1] == [
        ("command", name, {"rows": rows, "before": before})
        for name, rows in (
            ("sealed", 2),
            ("traces", 2),
            ("charges", 2),
            ("cases", 1),
            ("adapter_logs", 1),
            ("sessions", 1),
        )
    ]
    actor, subject, details = told[-1]
    assert (actor, subject, details["rows"], details["sequence"]) == ("command", "audit", 2, 2)


async def test_nothing_goes_of_what_is_kept_for_ever(store: Store) -> None:
    writes = [trace(1, 20_000), case(1, "closed", 20_000), adapter(1, log_days=20_000, heard_days=20_000)]
    told = await purged(store, KEPT, *writes, session(1, 20_000), told_days_ago(20_000))
    assert set(told.counts.values()) == {0}
    assert await told_by(store) == []
    assert await count(store, AUDIT) == 3


async def test_much_goes_some_at_a_time(store: Store) -> None:
    told = await purged(store, ROWS, *[trace(number, 20) for number in range(25)], at_most=10)
    assert not told.is_complete
    rounds = 1
    while not told.is_complete:
        told = await store.together(lambda connection: purge(connection, NOW, ROWS, at_most=10))
        rounds += 1
    assert (rounds, await count(store, TRACES)) == (3, 0)
    assert sum(details["rows"] for _, subject, details in await told_by(store) if subject == "traces") == 25


async def test_a_dry_run_deletes_nothing(store: Store) -> None:
    await store.together(trace(1, 20))
    counts = await store.read(lambda connection: due(connection, NOW, ROWS))
    assert (counts[RecordClass.SEALED], counts[RecordClass.TRACES]) == (1, 1)
    assert (await count(store, TRACES), await count(store, AUDIT)) == (1, 0)


async def test_a_failure_deletes_nothing(store: Store) -> None:
    await store.together(trace(1, 20))

    def fails(connection: Connection) -> None:
        purge(connection, NOW, ROWS)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.together(fails)
    assert (await count(store, TRACES), await count(store, AUDIT)) == (1, 0)


@pytest.mark.parametrize(("sealed", "traces"), [(None, 10), (11, 10)])
def test_a_trace_does_not_go_before_what_is_sealed_in_it(sealed: int | None, traces: int) -> None:
    with pytest.raises(RetentionRefused):
        Retention(sealed_days=sealed, traces_days=traces)
