"""The log in its table, on each database."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from host_tools.service.audit.export import verified
from host_tools.service.audit.log import AuditLog, Entry, EntryRefused, Filter, append_all
from host_tools.service.postgresql import postgresql_engine
from host_tools.service.store import Store
from host_tools.service.tables import AUDIT

AT = 1767268800  # 2026-01-01 12:00:00 UTC


def entries(many: int) -> list[Entry]:
    return [Entry(AT + number, "adapter:a-1", "trace.decided", f"T-{number:08}") for number in range(many)]


async def test_rows_are_linked_across_transactions_and_works(store: Store) -> None:
    def write(number: int, connection: Connection) -> None:
        AuditLog(connection).append(AT, f"person-{number}", "bill.read", "2026-01", number=number)

    await asyncio.gather(*(store.write_audited(partial(write, number)) for number in range(40)))
    report = await verified(store)
    assert report.findings == ()
    assert (report.first, report.last) == (1, 40)


async def test_a_work_that_fails_leaves_no_row_and_no_hole(store: Store) -> None:
    def fails(connection: Connection) -> None:
        AuditLog(connection).append(AT, "ann", "bill.read", "")
        raise ZeroDivisionError

    def writes(connection: Connection) -> None:
        AuditLog(connection).append(AT, "bob", "bill.read", "")

    works = [writes, fails, writes, fails, writes]
    await asyncio.gather(*map(store.write_audited, works), return_exceptions=True)
    report = await verified(store)
    assert (report.findings, report.rows) == ((), 3)


async def test_any_number_of_rows_takes_two_statements(store: Store) -> None:
    statements: list[str] = []

    def write(connection: Connection) -> None:
        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        append_all(connection, entries(128))

    await store.together(write)
    assert [statement.split()[0] for statement in statements] == ["SELECT", "INSERT"]
    assert (await verified(store)).rows == 128


async def test_nothing_to_append_takes_none(store: Store) -> None:
    await store.together(lambda connection: append_all(connection, []))
    assert (await verified(store)).rows == 0


async def test_an_entry_that_is_refused_leaves_none_of_its_neighbours(store: Store) -> None:
    wrong = Entry(AT, "ann", "not an action", "")
    with pytest.raises(EntryRefused):
        await store.together(lambda connection: append_all(connection, [*entries(3), wrong]))
    assert (await verified(store)).rows == 0


async def test_two_that_append_without_the_lock_do_not_fork_the_log(postgresql_url: str) -> None:
    store = Store(postgresql_url)
    await store.prepare()
    await store.together(lambda connection: append_all(connection, entries(1)))
    engine = postgresql_engine(postgresql_url)
    async with engine.connect() as one, engine.connect() as other:
        await one.run_sync(lambda connection: append_all(connection, entries(2)))
        # It has read the same head, and waits for the first at the key of its row.
        second = asyncio.create_task(other.run_sync(lambda connection: append_all(connection, entries(2))))
        while not await _waits_for_a_lock(engine):  # noqa: ASYNC110 - PostgreSQL tells nobody that somebody waits
            await asyncio.sleep(0.01)
        await one.commit()
        with pytest.raises(IntegrityError):
            await second
    await engine.dispose()
    report = await verified(store)
    await store.close()
    assert (report.findings, report.rows) == ((), 3)


async def _waits_for_a_lock(engine: Any) -> bool:
    async with engine.connect() as third:
        waiting = await third.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(waiting.scalar_one())


async def filled(store: Store) -> None:
    def fill(connection: Connection) -> None:
        log = AuditLog(connection)
        log.append(AT, "ann", "case.opened", "C-00000001", line="5555550100")
        log.append(AT + 10, "adapter:a-1", "trace.decided", "T-00000001")
        log.append(AT + 20, "ann", "case.danger", "C-00000002")
        log.append(AT + 30, "bob", "casework.opened", "C-00000001")

    await store.together(fill)


@pytest.mark.parametrize(
    ("which", "sequences"),
    [
        (Filter(), [4, 3, 2, 1]),
        (Filter(actor="ann"), [3, 1]),
        (Filter(actor="adapter:a-1"), [2]),
        (Filter(actor="an"), []),
        (Filter(action="case.danger"), [3]),
        (Filter(action="case."), [3, 1]),
        (Filter(action="case"), []),
        (Filter(action="%."), []),
        (Filter(subject="C-00000001"), [4, 1]),
        (Filter(subject="C-00000001", actor="ann"), [1]),
        (Filter(since=AT + 10, until=AT + 30), [3, 2]),
        (Filter(actor="' OR '1'='1"), []),
        (Filter(subject="x'; DROP TABLE audit; --"), []),
    ],
    ids=str,
)
async def test_what_is_looked_for_is_found_newest_first(
    store: Store, which: Filter, sequences: list[int]
) -> None:
    await filled(store)
    rows = await store.read(lambda connection: AuditLog(connection).newest(10, which))
    assert [row.sequence for row in rows] == sequences


async def test_pages_follow_each_other(store: Store) -> None:
    await filled(store)
    first = await store.read(lambda connection: AuditLog(connection).newest(3))
    then = await store.read(lambda connection: AuditLog(connection).newest(3, before=first[-1].sequence))
    assert [row.sequence for row in (*first, *then)] == [4, 3, 2, 1]
    assert (then[0].actor, then[0].at, then[0].details) == ("ann", AT, {"line": "5555550100"})


async def test_what_is_told_hourly_is_told_once_an_hour(store: Store) -> None:
    def tell(at: int, actor: str, connection: Connection) -> None:
        AuditLog(connection).append_hourly(at, actor, "audit.read", "")

    for at, actor in (
        (AT, "ann"),
        (AT + 3599, "ann"),
        (AT + 1, "bob"),
        (AT + 3600, "ann"),
        (AT + 7199, "ann"),
    ):
        await store.write_audited(partial(tell, at, actor))
    rows = await store.read(lambda connection: AuditLog(connection).newest(10))
    assert [(row.at, row.actor) for row in rows] == [(AT + 3600, "ann"), (AT + 1, "bob"), (AT, "ann")]


async def test_people_are_looked_for_by_their_index(store: Store) -> None:
    def plan(connection: Connection) -> str:
        if connection.dialect.name != "sqlite":
            return "audit_of_people"  # PostgreSQL reads so small a table as a whole
        query = "EXPLAIN QUERY PLAN SELECT * FROM audit WHERE actor = 'ann' AND actor NOT LIKE 'adapter:%'"
        return str(connection.exec_driver_sql(f"{query} ORDER BY sequence DESC LIMIT 5").all())

    assert "audit_of_people" in await store.read(plan)
    assert (
        await store.read(lambda connection: connection.scalar(select(func.count()).select_from(AUDIT))) == 0
    )
