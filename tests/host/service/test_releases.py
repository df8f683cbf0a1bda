"""Releases: what is handed over, what is refused and why, and that nothing of it stays anywhere."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from nacl.signing import SigningKey
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from host_tools.service.accounts import Accounts
from host_tools.service.bundle_verify import verify
from host_tools.service.cases import Cases, CaseState, CloseReason
from host_tools.service.instruments import Instruments
from host_tools.service.key_files import KeyFolder, KeyKind
from host_tools.service.rate_limit import TooMany
from host_tools.service.releases import (
    TRIES_A_MINUTE,
    RefusalReason,
    Releaser,
    ReleaseRefused,
    Releases,
    releases_of_case,
)
from host_tools.service.roles import PERMISSIONS, Permission, Role
from host_tools.service.sealing import Seal
from host_tools.service.store import Store
from host_tools.service.tables import ACCOUNTS, AUDIT, CASE_TRACES, RELEASES, TABLES, TRACES
from tests.host.service.test_bundle import unpacked
from tests.host.service.test_instruments import SUBPOENA, TODAY
from tests.host.service.test_key_files import CHEAP, WORDS
from tests.host.service.test_sealing import WHO
from tests.host.service.traced import LINE, add_trace, audited, signed_request

LEE = Releaser("lee", Role.LIAISON)
NOW = 1767355200
OTHER_WORDS = "wrong horse battery staple"
ZONE = ZoneInfo("America/New_York")


@dataclass
class Desk:
    """A desk with keys and one case of three traces, of which an instrument was entered."""

    store: Store
    folder: Path
    keys: KeyFolder
    seal: Seal
    signing_key: bytes
    case_id: str
    instrument_id: int

    def releases(self, keys: KeyFolder | None = None) -> Releases:
        """What releases, with these keys or its own."""
        return Releases(self.store, keys or self.keys, ZONE, lambda: NOW)

    async def release(self, who: Releaser = LEE, **other: Any) -> bytes:
        """The bundle of the case."""
        asked = {"case_id": self.case_id, "instrument_id": self.instrument_id, "passphrase": WORDS, **other}
        return await self.releases().release(who, **asked)

    async def log(self) -> list[tuple[str, str, str]]:
        """The audit log since the instrument was entered."""
        return (await self.store.read(audited))[2:]

    async def write(self, work: Callable[[Connection], Any]) -> Any:
        """Changes the store behind the desk's back."""
        return await self.store.write_audited(work)

    async def is_untouched(self) -> bool:
        """Whether nothing was released, as far as the tables say."""
        kept = await self.store.read(lambda connection: connection.execute(select(RELEASES)).all())
        of = await self.store.read(lambda connection: Cases(connection).get(self.case_id))
        return not kept and of.state is not CaseState.RELEASED


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    store = Store(database_url)
    await store.prepare()
    keys = KeyFolder(tmp_path / "keys", CHEAP)
    seal = Seal(keys.new_key(KeyKind.OPENING, WORDS, 0))
    signing_key = bytes.fromhex(keys.new_key(KeyKind.SIGNING, WORDS, 0))

    def work(connection: Connection) -> tuple[str, int]:
        Accounts(connection).add("lee", Role.LIAISON, 0)
        ids = [add_trace(connection, number, seal=seal) for number in (1, 2, 3)]
        cases = Cases(connection)
        of = cases.open_for_three(LINE, ids, 10)
        entered = Instruments(connection).enter(of.case_id, SUBPOENA, entered_by="lee", at=20, today=TODAY)
        cases.instrument_entered(entered)
        return of.case_id, entered.instrument_id

    case_id, instrument_id = await store.write_audited(work)
    yield Desk(store, tmp_path, keys, seal, signing_key, case_id, instrument_id)
    await store.close()


async def test_a_liaison_releases_the_records_of_a_case(desk: Desk) -> None:
    bundle = await desk.release()
    manifest = verify(bundle, desk.signing_key)
    assert (manifest["case_id"], manifest["released_by"]) == (desk.case_id, "lee")
    assert manifest["instrument"] == SUBPOENA.model_dump(mode="json")
    sealed = await desk.store.read(
        lambda connection: list(connection.scalars(select(TRACES.c.sealed).order_by(TRACES.c.trace_id)))
    )
    assert manifest["records"] == [
        {"trace_id": f"T-0000000{number}", "sealed_sha256": sha256(record).hexdigest()}
        for number, record in enumerate(sealed, 1)
    ]
    records = json.loads(unpacked(bundle)["records.json"])["records"]
    assert [each["star57"]["trace_id"] for each in records] == ["T-00000001", "T-00000002", "T-00000003"]
    assert "5555550123" in json.dumps(records)


async def test_a_release_is_kept_without_what_was_released(desk: Desk) -> None:
    bundle = await desk.release()
    (kept,) = await desk.store.read(lambda connection: releases_of_case(connection, desk.case_id))
    assert (kept.instrument_id, kept.released_by, kept.released_at) == (desk.instrument_id, "lee", NOW)
    assert json.loads(kept.traces) == ["T-00000001", "T-00000002", "T-00000003"]
    assert kept.bundle_sha256 == sha256(bundle).hexdigest()
    of = await desk.store.read(lambda connection: Cases(connection).get(desk.case_id))
    assert (of.state, of.changed_at) == (CaseState.RELEASED, NOW)
    assert await desk.log() == [
        ("lee", "record.opened", "T-00000001"),
        ("lee", "record.opened", "T-00000002"),
        ("lee", "record.opened", "T-00000003"),
        ("lee", "release.done", desk.case_id),
    ]


async def test_who_called_is_in_no_table_no_file_and_no_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await desk.release()
    with pytest.raises(ReleaseRefused):
        await desk.release(passphrase=OTHER_WORDS)

    def everything(connection: Connection) -> str:
        return repr([connection.execute(select(table)).all() for table in TABLES.sorted_tables])

    said = await desk.store.read(everything) + caplog.text
    await desk.store.close()
    for path in desk.folder.rglob("*"):
        if path.is_file():
            said += path.read_bytes().decode("latin-1")
    for clear in ("5555550123", "1 Main Street", "5555550199", WORDS, OTHER_WORDS):
        assert clear not in said
    # The officer of the instrument has that name too; the subscriber's stands nowhere.
    assert said.count("Zoë O'Hara") == said.count("Sgt. Zoë O'Hara")


async def test_it_can_be_released_again_to_the_same_instrument(desk: Desk) -> None:
    await desk.release()
    await desk.release()
    kept = await desk.store.read(lambda connection: releases_of_case(connection, desk.case_id))
    assert len(kept) == 2
    assert [row[1] for row in await desk.log()].count("record.opened") == 6


async def test_records_of_two_keys_are_released_together_and_deleted_ones_are_named(desk: Desk) -> None:
    newer = Seal(desk.keys.new_key(KeyKind.OPENING, WORDS, 1))

    def work(connection: Connection) -> None:
        add_trace(connection, 4, seal=newer)
        connection.execute(insert(CASE_TRACES), {"case_id": desk.case_id, "trace_id": "T-00000004"})
        connection.execute(update(TRACES).where(TRACES.c.trace_id == "T-00000002").values(sealed=None))
        connection.execute(delete(TRACES).where(TRACES.c.trace_id == "T-00000003"))

    await desk.write(work)
    manifest = verify(await desk.release(), desk.signing_key)
    assert [each["trace_id"] for each in manifest["records"]] == ["T-00000001", "T-00000004"]
    assert manifest["not_kept"] == ["T-00000002", "T-00000003"]


Before = Callable[[Desk], Awaitable[dict[str, Any]]]


async def _nothing(desk: Desk) -> dict[str, Any]:
    return {}


async def _closed(desk: Desk) -> dict[str, Any]:
    await desk.write(lambda c: Cases(c).close(desk.case_id, CloseReason.WITHDRAWN, by="olga", at=30))
    return {}


async def _joined(desk: Desk) -> dict[str, Any]:
    def work(connection: Connection) -> None:
        Cases(connection).open_for_three(LINE, ["T-00000001", add_trace(connection, 4, seal=desk.seal)], 30)

    await desk.write(work)
    return {}


async def _another_case(desk: Desk) -> dict[str, Any]:
    def work(connection: Connection) -> int:
        of = Cases(connection).open_for_danger(LINE, [add_trace(connection, 9)], opened_by="olga", at=30)
        entered = Instruments(connection).enter(of.case_id, SUBPOENA, entered_by="lee", at=31, today=TODAY)
        return entered.instrument_id

    return {"instrument_id": await desk.write(work)}


async def _superseded(desk: Desk) -> dict[str, Any]:
    def work(connection: Connection) -> None:
        entered = Instruments(connection).enter(desk.case_id, SUBPOENA, entered_by="lee", at=31, today=TODAY)
        Cases(connection).instrument_entered(entered)

    await desk.write(work)
    return {}


async def _all_deleted(desk: Desk) -> dict[str, Any]:
    await desk.write(lambda c: c.execute(update(TRACES).values(sealed=None)))
    return {}


async def _key_gone(desk: Desk) -> dict[str, Any]:
    (desk.folder / "keys" / f"{desk.seal.fingerprint}.opening-key").unlink()
    return {}


async def _signing_key_gone(desk: Desk) -> dict[str, Any]:
    next((desk.folder / "keys").glob("*.signing-key")).unlink()
    return {}


async def _damaged(desk: Desk) -> dict[str, Any]:
    await desk.write(
        lambda c: c.execute(update(TRACES).where(TRACES.c.trace_id == "T-00000002").values(sealed=b"x" * 99))
    )
    return {}


async def _swapped(desk: Desk) -> dict[str, Any]:
    def work(connection: Connection) -> None:
        first = connection.scalar(select(TRACES.c.sealed).where(TRACES.c.trace_id == "T-00000001"))
        connection.execute(update(TRACES).where(TRACES.c.trace_id == "T-00000002").values(sealed=first))

    await desk.write(work)
    return {}


async def _record_of_a_repeat(desk: Desk) -> dict[str, Any]:
    """The record of another request for the same call, which has the same trace and line in it."""
    repeat = WHO.model_copy(update={"trace_id": "T-00000002", "request": signed_request("9" * 32)})

    def work(connection: Connection) -> None:
        of = update(TRACES).where(TRACES.c.trace_id == "T-00000002")
        connection.execute(of.values(sealed=desk.seal.seal(repeat)))

    await desk.write(work)
    return {}


async def _of_another_line(desk: Desk) -> dict[str, Any]:
    await desk.write(
        lambda c: c.execute(update(TRACES).where(TRACES.c.trace_id == "T-00000002").values(line="5555550101"))
    )
    return {}


async def _forged(desk: Desk) -> dict[str, Any]:
    """A record that fits its row in all, which somebody who writes the database has sealed."""

    def work(connection: Connection) -> None:
        row = connection.execute(select(TRACES).where(TRACES.c.trace_id == "T-00000002")).one()
        said = {"trace_id": row.trace_id, "line": row.line, "request": signed_request(row.request_id)}
        forged = desk.seal.seal(WHO.model_copy(update={**said, "origin": "5555550199"}))
        of = update(TRACES).where(TRACES.c.trace_id == "T-00000002")
        connection.execute(of.values(sealed=forged))

    await desk.write(work)
    return {}


REFUSED: list[tuple[RefusalReason, Before, dict[str, Any]]] = [
    (RefusalReason.NO_SUCH_CASE, _nothing, {"case_id": "C-00000099"}),
    (RefusalReason.NO_SUCH_CASE, _nothing, {"case_id": "C-00000001' OR 1=1"}),
    (RefusalReason.CASE_CLOSED, _closed, {}),
    (RefusalReason.NO_INSTRUMENT, _joined, {}),
    (RefusalReason.INSTRUMENT_NOT_OF_CASE, _nothing, {"instrument_id": 99}),
    (RefusalReason.INSTRUMENT_NOT_OF_CASE, _nothing, {"instrument_id": -1}),
    (RefusalReason.INSTRUMENT_NOT_OF_CASE, _another_case, {}),
    (RefusalReason.INSTRUMENT_SUPERSEDED, _superseded, {}),
    (RefusalReason.NOTHING_KEPT, _all_deleted, {}),
    (RefusalReason.NO_KEY, _key_gone, {}),
    (RefusalReason.NO_KEY, _signing_key_gone, {}),
    (RefusalReason.WRONG_PASSPHRASE, _nothing, {"passphrase": OTHER_WORDS}),
    (RefusalReason.WRONG_PASSPHRASE, _nothing, {"passphrase": ""}),
    (RefusalReason.RECORD_DAMAGED, _damaged, {}),
    (RefusalReason.RECORD_MOVED, _swapped, {}),
    (RefusalReason.RECORD_MOVED, _record_of_a_repeat, {}),
    (RefusalReason.RECORD_MOVED, _of_another_line, {}),
    (RefusalReason.RECORD_NOT_VOUCHED_FOR, _forged, {}),
]


@pytest.mark.parametrize(
    ("reason", "before", "asked"), REFUSED, ids=[f"{each[0]}{number}" for number, each in enumerate(REFUSED)]
)
async def test_a_refusal_says_why_and_is_in_the_audit_log(
    desk: Desk, reason: RefusalReason, before: Before, asked: dict[str, Any]
) -> None:
    asked = {**asked, **await before(desk)}
    with pytest.raises(ReleaseRefused, match=r"\w+ .*\.$") as refused:
        await desk.release(**asked)
    assert refused.value.reason is reason
    assert await desk.is_untouched()
    last = await desk.store.read(
        lambda connection: connection.execute(
            select(AUDIT.c.action, AUDIT.c.subject, AUDIT.c.details).order_by(AUDIT.c.sequence)
        ).all()[-1]
    )
    assert tuple(last) == (
        "release.refused",
        asked.get("case_id", desk.case_id),
        json.dumps({"reason": reason.value}, separators=(",", ":")),
    )
    assert "record.opened" not in [row[1] for row in await desk.log()]


@pytest.mark.parametrize("role", [role for role in Role if Permission.RELEASE not in PERMISSIONS[role]])
async def test_only_a_liaison_releases(desk: Desk, role: Role) -> None:
    with pytest.raises(ReleaseRefused) as refused:
        await desk.release(Releaser("olga", role))
    assert refused.value.reason is RefusalReason.NOT_PERMITTED
    assert await desk.is_untouched()
    assert await desk.log() == [("olga", "release.refused", desk.case_id)]


async def test_a_host_without_the_keys_releases_nothing(desk: Desk) -> None:
    releases = Releases(desk.store, None, ZONE, lambda: NOW)
    with pytest.raises(ReleaseRefused, match="does not have the centre's private keys") as refused:
        await releases.release(LEE, desk.case_id, desk.instrument_id, WORDS)
    assert refused.value.reason is RefusalReason.NO_KEY


async def test_a_passphrase_is_not_guessed_without_end(desk: Desk) -> None:
    releases = desk.releases()
    asked = (LEE, desk.case_id, desk.instrument_id)
    for _ in range(TRIES_A_MINUTE):
        with pytest.raises(ReleaseRefused):
            await releases.release(*asked, OTHER_WORDS)
    with pytest.raises(TooMany):
        await releases.release(*asked, WORDS)
    assert await desk.is_untouched()


def _held(connection: Connection, of: Desk) -> None:
    Cases(connection).set_hold(of.case_id, is_held=True, by="olga", at=30)


def _another_instrument_in_the_same_second(connection: Connection, of: Desk) -> None:
    entered = Instruments(connection).enter(of.case_id, SUBPOENA, entered_by="lee", at=20, today=TODAY)
    Cases(connection).instrument_entered(entered)


def _record_deleted(connection: Connection, of: Desk) -> None:
    connection.execute(update(TRACES).where(TRACES.c.trace_id == "T-00000002").values(sealed=None))


def _disabled(connection: Connection, of: Desk) -> None:
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == "lee").values(is_disabled=True))


def _made_an_operator(connection: Connection, of: Desk) -> None:
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == "lee").values(role=Role.OPERATOR.value))


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (_held, RefusalReason.CASE_CHANGED),
        (_another_instrument_in_the_same_second, RefusalReason.INSTRUMENT_SUPERSEDED),
        (_record_deleted, RefusalReason.CASE_CHANGED),
        (_disabled, RefusalReason.NOT_PERMITTED),
        (_made_an_operator, RefusalReason.NOT_PERMITTED),
    ],
)
async def test_what_changes_while_it_is_opened_hinders_the_release(
    desk: Desk, meanwhile: Callable[[Connection, Desk], None], reason: RefusalReason
) -> None:
    loop = asyncio.get_running_loop()

    class Meanwhile(KeyFolder):
        """While its key is opened, somebody does something else."""

        def signing_key(self, passphrase: str) -> SigningKey:
            done = desk.write(lambda connection: meanwhile(connection, desk))
            asyncio.run_coroutine_threadsafe(done, loop).result(10)
            return super().signing_key(passphrase)

    releases = desk.releases(Meanwhile(desk.folder / "keys", CHEAP))
    with pytest.raises(ReleaseRefused) as refused:
        await releases.release(LEE, desk.case_id, desk.instrument_id, WORDS)
    assert refused.value.reason is reason
    assert await desk.is_untouched()
    assert (await desk.log())[-1] == ("lee", "release.refused", desk.case_id)


async def test_when_it_cannot_be_kept_nothing_is_handed_over(desk: Desk) -> None:
    await desk.write(RELEASES.drop)
    with pytest.raises(SQLAlchemyError):
        await desk.release()
    of = await desk.store.read(lambda connection: Cases(connection).get(desk.case_id))
    assert of.state is CaseState.INSTRUMENT
    assert await desk.log() == []
