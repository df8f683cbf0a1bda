"""Checkpoints, with an authority that answers, and one that does not."""

from __future__ import annotations

import pytest

from host_tools.service.audit.checkpoint import Checkpoints, EmptyLog, make_checkpoint
from host_tools.service.audit.export import verified
from host_tools.service.audit.log import AuditLog
from host_tools.service.audit.time_stamp import TimeStampAuthority
from host_tools.service.store import Store
from tests.host.service.audit.authority import Authority

AT = 1767268800  # 2026-01-01 12:00:00 UTC


async def tell(store: Store, at: int = AT) -> None:
    await store.write_audited(lambda connection: AuditLog(connection).append(at, "ann", "bill.read", ""))


async def test_a_checkpoint_is_the_hash_at_the_last_row_and_the_next_row_tells_of_it(store: Store) -> None:
    await tell(store)
    head = await store.read(lambda connection: AuditLog(connection).head())
    made = await make_checkpoint(store, AT + 5.5, "command", None)
    assert (made.checkpoint.sequence, made.checkpoint.hash, made.checkpoint.made_at) == (1, head.hash, AT + 5)
    assert (made.stamped, made.trouble) == ((), None)
    (row,) = await store.read(lambda connection: AuditLog(connection).newest(1))
    assert (row.actor, row.action, row.subject, row.details) == (
        "command",
        "checkpoint.made",
        "1",
        {"hash": head.hash},
    )
    assert (await verified(store)).findings == ()


async def test_an_empty_log_has_none(store: Store) -> None:
    with pytest.raises(EmptyLog):
        await make_checkpoint(store, AT, "command", None)


async def test_it_is_time_stamped_by_an_authority(
    store: Store, client: TimeStampAuthority, authority: Authority
) -> None:
    await tell(store)
    made = await make_checkpoint(store, AT, "command", client)
    assert (made.stamped, made.trouble) == ((1,), None)
    report = await verified(store, client.check)
    assert (report.findings, report.stamps, report.stamped) == ((), 1, 1)


@pytest.mark.parametrize("is_down", [True, False])
async def test_without_a_time_stamp_it_is_kept_and_the_next_run_asks_again(
    store: Store, client: TimeStampAuthority, authority: Authority, is_down: bool
) -> None:
    await tell(store)
    if is_down:
        authority.stop()
    else:
        authority.answer = lambda query: (200, b"nonsense")
    made = await make_checkpoint(store, AT, "command", client)
    assert made.stamped == ()
    assert made.trouble is not None
    assert made.trouble.startswith(authority.url)
    report = await verified(store, client.check)
    assert (report.findings, report.checkpoints, report.stamps) == ((), 1, 0)
    if is_down:
        authority.restart()
    else:
        authority.answer = lambda query: (200, authority.stamp(query))
    made = await make_checkpoint(store, AT + 60, "command", client)
    assert (made.stamped, made.trouble) == ((2, 1), None)
    report = await verified(store, client.check)
    assert (report.findings, report.checkpoints, report.stamps) == ((), 2, 2)


async def test_what_was_stamped_before_the_authority_failed_is_kept(
    store: Store, client: TimeStampAuthority, authority: Authority
) -> None:
    await tell(store)
    await make_checkpoint(store, AT, "command", None)
    answers = iter([True, False])
    authority.answer = lambda query: (200, authority.stamp(query) if next(answers) else b"")
    made = await make_checkpoint(store, AT + 60, "command", client)
    assert made.stamped == (2,)
    assert made.trouble is not None
    waiting = await store.read(lambda connection: Checkpoints(connection).unstamped(10))
    assert [each.sequence for each in waiting] == [1]
    assert (await verified(store, client.check)).stamped == 2


async def test_a_time_stamp_of_another_authority_is_found(
    store: Store, client: TimeStampAuthority, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await tell(store)
    await make_checkpoint(store, AT, "command", client)
    other = Authority(tmp_path_factory.mktemp("other") / "authority")
    other.stop()
    report = await verified(store, TimeStampAuthority(other.url, other.root.read_bytes()).check)
    (finding,) = report.findings
    assert finding.where == "checkpoint 1"
    assert finding.what.startswith("its time stamp is not right: ")


async def test_the_newest_come_first(store: Store) -> None:
    for number in range(3):
        await tell(store, AT + number)
        await make_checkpoint(store, AT + number, "command", None)
    first = await store.read(lambda connection: Checkpoints(connection).newest(2))
    then = await store.read(lambda connection: Checkpoints(connection).newest(2, before=first[-1].sequence))
    assert [each.sequence for each in (*first, *then)] == [5, 3, 1]


@pytest.mark.parametrize(
    ("before", "is_stamped", "found"), [(AT + 9, False, 3), (AT + 1, False, 1), (AT, False, None)]
)
async def test_what_may_be_pruned_lies_before_a_time_and_the_last_row(
    store: Store, before: int, is_stamped: bool, found: int | None
) -> None:
    for number in range(2):
        await tell(store)
        await make_checkpoint(store, AT + number, "command", None)
    checkpoint = await store.read(
        lambda connection: Checkpoints(connection).prunable(before, is_stamped=is_stamped)
    )
    assert (checkpoint.sequence if checkpoint else None) == found
    assert (
        await store.read(lambda connection: Checkpoints(connection).prunable(before, is_stamped=True)) is None
    )
