"""The opening of a case's records: what a person with the right role, a legal instrument and the private key may do.

The records are opened in memory, packed into a bundle that is handed over once, and forgotten. That it was done is
committed before the bundle is handed over, and when that fails nothing is handed over. Who called stands in no file, no
log and no table. Each refusal and each opened record is in the audit log.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from host_tools.service.accounts import Accounts
from host_tools.service.audit.entry import Scalar
from host_tools.service.audit.log import AuditLog, Entry, append_all
from host_tools.service.bundle import build
from host_tools.service.cases import Case, CaseError, CaseIsClosed, Cases, InstrumentMissing, NoSuchCase
from host_tools.service.instruments import EnteredInstrument, Instruments
from host_tools.service.key_files import KeyFileError, KeyFolder, WrongPassphrase
from host_tools.service.rate_limit import RateLimit
from host_tools.service.released import OpenedRecord, ReleaseFacts
from host_tools.service.roles import PERMISSIONS, Permission, Role
from host_tools.service.sealing import SealingError, open_sealed
from host_tools.service.store import Store
from host_tools.service.tables import AUDIT, RELEASES, TRACED, TRACES

TRIES_A_MINUTE = 10
"""How often one person may try a passphrase: each try is slow, and the next one waits for it."""


class RefusalReason(StrEnum):
    """Why nothing was released; in the audit log."""

    NOT_PERMITTED = "not_permitted"
    NO_SUCH_CASE = "no_such_case"
    CASE_CLOSED = "case_closed"
    NO_INSTRUMENT = "no_instrument"
    INSTRUMENT_NOT_OF_CASE = "instrument_not_of_case"
    INSTRUMENT_SUPERSEDED = "instrument_superseded"
    NOTHING_KEPT = "nothing_kept"
    NO_KEY = "no_key"
    WRONG_PASSPHRASE = "wrong_passphrase"  # noqa: S105 - a reason
    RECORD_DAMAGED = "record_damaged"
    RECORD_MOVED = "record_moved"
    RECORD_NOT_VOUCHED_FOR = "record_not_vouched_for"
    CASE_CHANGED = "case_changed"


class ReleaseRefused(Exception):
    """Nothing was released; the text is a sentence for who asked."""

    def __init__(self, reason: RefusalReason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True)
class Releaser:
    """Who asks for a release."""

    name: str
    role: Role


@dataclass(frozen=True)
class Release:
    """A release that was made; `released_at` in Unix seconds, `traces` a JSON list of trace ids."""

    release_id: int
    case_id: str
    instrument_id: int
    released_at: int
    released_by: str
    traces: str
    bundle_sha256: str


@dataclass(frozen=True)
class _Kept:
    """A sealed record as it is stored, and of which trace it should be."""

    trace_id: str
    request_id: str
    adapter_id: str
    line: str
    sealed: bytes
    sealed_to: str


@dataclass(frozen=True)
class _Opening:
    """What is to be opened: a case, on the ground of an instrument, and its sealed records."""

    of: Case
    entered: EnteredInstrument
    rows: tuple[_Kept, ...]
    vouched: dict[str, str] | None
    """By trace id the hash of its record that the audit log has; None when the log's beginning is deleted."""

    @property
    def not_kept(self) -> tuple[str, ...]:
        """Traces of the case whose record is not there any more."""
        return tuple(sorted(set(self.of.trace_ids) - {row.trace_id for row in self.rows}))


class Releases:
    """Releases what a store holds, with the private keys of a folder.

    Args:
        store: the service's.
        keys: the folder of the centre's private keys; None where the desk does not have it.
        zone: whose clocks a cover shows beside UTC.
        clock: Unix seconds.
    """

    def __init__(
        self, store: Store, keys: KeyFolder | None, zone: ZoneInfo, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._keys = keys
        self._zone = zone
        self._clock = clock
        # Each try of a passphrase takes a quarter of a gigabyte of memory for a second.
        self._one_at_a_time = asyncio.Lock()
        self._tries = RateLimit(TRIES_A_MINUTE)

    async def release(self, who: Releaser, case_id: str, instrument_id: int, passphrase: str) -> bytes:
        """The bundle of a case's records; that it was released is on the disk.

        Args:
            who: must have the permission to release.
            case_id: a case with an instrument.
            instrument_id: the newest of that case: who asks has it before their eyes.
            passphrase: of the private keys.

        Raises:
            ReleaseRefused: nothing was released, and that is in the audit log.
            TooMany: tried too often in a minute.
            SQLAlchemyError, OSError: nothing was released: the store cannot do it now.
        """
        try:
            return await self._release(who, case_id, instrument_id, passphrase)
        except ReleaseRefused as refused:
            await self._note_refusal(who, case_id, refused)
            raise

    async def _release(self, who: Releaser, case_id: str, instrument_id: int, passphrase: str) -> bytes:
        if Permission.RELEASE not in PERMISSIONS[who.role]:
            raise ReleaseRefused(RefusalReason.NOT_PERMITTED, "Only a liaison may release records.")
        opening = await self._store.read(lambda connection: _opening(connection, case_id, instrument_id))
        self._tries.take(who.name)
        at = int(self._clock())
        facts = ReleaseFacts(
            opening.of.case_id, opening.of.line, opening.entered.instrument, at, who.name, opening.not_kept
        )
        async with self._one_at_a_time:
            bundle = await asyncio.to_thread(self._packed, opening, facts, passphrase)
        await self._store.write_audited(lambda connection: _keep(connection, who, opening, facts, bundle))
        return bundle

    def _packed(self, opening: _Opening, facts: ReleaseFacts, passphrase: str) -> bytes:
        if self._keys is None:
            raise ReleaseRefused(
                RefusalReason.NO_KEY,
                "This host does not have the centre's private keys: release on the desk's host.",
            )
        try:
            signing_key = self._keys.signing_key(passphrase)
            opening_keys = self._keys.opening_keys({row.sealed_to for row in opening.rows}, passphrase)
        except WrongPassphrase as error:
            raise ReleaseRefused(
                RefusalReason.WRONG_PASSPHRASE, "The passphrase does not open the centre's private keys."
            ) from error
        except KeyFileError as error:
            raise ReleaseRefused(RefusalReason.NO_KEY, f"A private key is not to be had: {error}.") from error
        records = [_opened(row, opening_keys[row.sealed_to], opening.vouched) for row in opening.rows]
        return build(facts, records, signing_key, self._zone)

    async def _note_refusal(self, who: Releaser, case_id: str, refused: ReleaseRefused) -> None:
        at = self._clock()
        await self._store.write_audited(
            lambda connection: AuditLog(connection).append(
                at, who.name, "release.refused", case_id, reason=refused.reason.value
            )
        )


def releases_of_case(connection: Connection, case_id: str) -> list[Release]:
    """The releases that were made of a case, the oldest first."""
    query = select(RELEASES).where(RELEASES.c.case_id == case_id).order_by(RELEASES.c.release_id)
    return [Release(**row) for row in connection.execute(query).mappings()]


_STORED = [TRACES.c[each.name] for each in fields(_Kept)]


def _opening(connection: Connection, case_id: str, instrument_id: int) -> _Opening:
    of = _releasable(connection, case_id)
    instruments = {each.instrument_id: each for each in Instruments(connection).of_case(case_id)}
    if instrument_id not in instruments:
        raise ReleaseRefused(
            RefusalReason.INSTRUMENT_NOT_OF_CASE,
            "This instrument was not entered for this case: enter it first.",
        )
    if instrument_id != max(instruments):
        raise ReleaseRefused(
            RefusalReason.INSTRUMENT_SUPERSEDED, "Another instrument was entered meanwhile: look at it first."
        )
    stored = connection.execute(
        select(*_STORED)
        .where(TRACES.c.trace_id.in_(of.trace_ids), TRACES.c.sealed.is_not(None), TRACED)
        .order_by(TRACES.c.trace_id)
    )
    rows = tuple(_Kept(**row) for row in stored.mappings())
    if not rows:
        raise ReleaseRefused(
            RefusalReason.NOTHING_KEPT, "None of the records is there any more: their retention has ended."
        )
    return _Opening(of, instruments[instrument_id], rows, _vouched(connection, of.trace_ids))


def _vouched(connection: Connection, trace_ids: Collection[str]) -> dict[str, str] | None:
    """The hash of each trace's sealed record as the audit log has it; None when rows of its beginning are deleted."""
    if connection.scalar(select(func.min(AUDIT.c.sequence))) not in (None, 1):
        return None
    rows = connection.execute(
        select(AUDIT.c.subject, AUDIT.c.details)
        .where(AUDIT.c.subject.in_(trace_ids), AUDIT.c.action == "trace.decided")
        .order_by(AUDIT.c.sequence)
    )
    told = ((row.subject, json.loads(row.details)) for row in rows)
    return {subject: details.get("sealed_sha256", "") for subject, details in told if _is_trace(details)}


def _is_trace(details: dict[str, Scalar]) -> bool:
    return details.get("outcome") == "traced"


def _check_person(connection: Connection, who: Releaser) -> None:
    account = Accounts(connection).by_name(who.name)
    if account is None or account.is_disabled or Permission.RELEASE not in PERMISSIONS[account.role]:
        raise ReleaseRefused(RefusalReason.NOT_PERMITTED, "Only a liaison may release records.")


def _releasable(connection: Connection, case_id: str) -> Case:
    try:
        return Cases(connection).releasable(case_id)
    except CaseError as error:
        raise ReleaseRefused(_REASONS[type(error)], str(error)) from error


_REASONS: dict[type[CaseError], RefusalReason] = {
    NoSuchCase: RefusalReason.NO_SUCH_CASE,
    CaseIsClosed: RefusalReason.CASE_CLOSED,
    InstrumentMissing: RefusalReason.NO_INSTRUMENT,
}


def _opened(row: _Kept, private_key: str, vouched: dict[str, str] | None) -> OpenedRecord:
    try:
        who_called = open_sealed(row.sealed, private_key)
    except SealingError as error:
        raise ReleaseRefused(
            RefusalReason.RECORD_DAMAGED, f"The record of {row.trace_id} does not open: it was changed."
        ) from error
    # By its request too: who asks again for a call that was traced has a record of the same trace and line.
    said = who_called.trace_id, who_called.line, who_called.request_id
    if said != (row.trace_id, row.line, row.request_id):
        raise ReleaseRefused(
            RefusalReason.RECORD_MOVED,
            f"The record of {row.trace_id} is that of another trace: it was moved.",
        )
    sealed_sha256 = sha256(row.sealed).hexdigest()
    if vouched is not None and vouched.get(row.trace_id) != sealed_sha256:
        raise ReleaseRefused(
            RefusalReason.RECORD_NOT_VOUCHED_FOR,
            f"The record of {row.trace_id} is not the one that the audit log tells of: somebody has put it there.",
        )
    return OpenedRecord(row.trace_id, row.adapter_id, sealed_sha256, who_called)


def _keep(
    connection: Connection, who: Releaser, opening: _Opening, facts: ReleaseFacts, bundle: bytes
) -> None:
    # To open records takes seconds, and others may have waited before: all is looked at again.
    _check_person(connection, who)
    if _opening(connection, facts.case_id, opening.entered.instrument_id) != opening:
        raise ReleaseRefused(
            RefusalReason.CASE_CHANGED, "The case has changed meanwhile: look at it, and release again."
        )
    instrument_id, sha = opening.entered.instrument_id, sha256(bundle).hexdigest()
    traces = [row.trace_id for row in opening.rows]
    released = {
        "case_id": facts.case_id,
        "instrument_id": instrument_id,
        "released_at": facts.released_at,
        "released_by": facts.released_by,
        "traces": json.dumps(traces),
        "bundle_sha256": sha,
    }
    connection.execute(insert(RELEASES), released)
    Cases(connection).released(facts.case_id, facts.released_at)
    ground: dict[str, Scalar] = {"case": facts.case_id, "instrument": instrument_id}
    append_all(
        connection,
        [
            *(Entry(facts.released_at, facts.released_by, "record.opened", each, ground) for each in traces),
            Entry(
                facts.released_at,
                facts.released_by,
                "release.done",
                facts.case_id,
                {"instrument": instrument_id, "records": len(traces), "bundle_sha256": sha},
            ),
        ],
    )
