"""The desk: from a signed ask to its signed answer or refusal."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from host_tools.service import orders, signing
from host_tools.service.adapters import Adapter, Adapters
from host_tools.service.call_log import SealedReport, seal_report, take_report
from host_tools.service.call_records import CallRecordsUnreadable
from host_tools.service.firmware import FirmwareReleases
from host_tools.service.messages import (
    Answer,
    CallReport,
    CallReportAnswer,
    Heartbeat,
    HeartbeatAnswerOfBefore,
    Log,
    LogAnswer,
    Refusal,
    RefusalReason,
    Refused,
    TraceRequest,
    parse_ask,
)
from host_tools.service.refusals import Refusals
from host_tools.service.secret import Secret, SecretUnusable
from host_tools.service.settings import Settings
from host_tools.service.signing import Signed
from host_tools.service.store import Store
from host_tools.service.traces import TraceIdsExhausted
from host_tools.service.tracing import Tracing

STATUS_OF_REFUSAL = {
    RefusalReason.MALFORMED: 400,
    RefusalReason.BAD_SIGNATURE: 401,
    RefusalReason.UNKNOWN_ADAPTER: 403,
    RefusalReason.OLD_SEQUENCE: 409,
    RefusalReason.TOO_LARGE: 413,
    RefusalReason.UNAVAILABLE: 503,
}

MOST_KEYS = 100_000
# What keeps an ask from being taken now, and not for ever.
_FOR_NOW = (SQLAlchemyError, CallRecordsUnreadable, TraceIdsExhausted, SecretUnusable, OSError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """What goes back: an HTTP status and a body, which is a signed message or a refusal in clear."""

    status: int
    body: bytes
    is_signed: bool


class Desk:
    """Takes asks; `refusals` are what was not taken, and `tracing` takes those for a trace."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], float]) -> None:
        self.refusals = Refusals()
        self._store = store
        self._clock = clock
        self.tracing = Tracing(settings, store)
        self._keys: OrderedDict[str, bytes] = OrderedDict()
        self._secret = Secret(settings.secret)

    async def reply(self, token: bytes) -> Reply:
        """The reply to `token`; what it brought about is on the disk."""
        try:
            unverified = signing.read(token)
        except Refused as refused:
            return self.refuse(refused)
        try:
            signed = await self._verified(unverified, token)
        except Refused as refused:
            is_known = refused.reason is RefusalReason.BAD_SIGNATURE
            return self.refuse(refused, unverified.adapter_id if is_known else None)
        try:
            answer = await self._answer(signed)
        except Refused as refused:
            refusal = self.refuse(refused, signed.adapter_id)
            if refused.reason is RefusalReason.UNKNOWN_ADAPTER:
                self._keys.pop(signed.adapter_id, None)
                return refusal
            return Reply(refusal.status, _signed(refusal.body, signed), is_signed=True)
        return Reply(200, _signed(answer.model_dump_json().encode(), signed), is_signed=True)

    def refuse(self, refused: Refused, adapter_id: str | None = None) -> Reply:
        """Logs and counts a refusal; the reply is in clear. `adapter_id`: only when it is a known one."""
        self.refusals.note(refused.reason, adapter_id)
        refusal = Refusal(reason=refused.reason, newest_sequence=refused.newest_sequence)
        body = refusal.model_dump_json().encode()
        return Reply(STATUS_OF_REFUSAL[refused.reason], body, is_signed=False)

    async def close(self) -> None:
        """Writes what waits, and closes what it reads from."""
        await self.tracing.close()

    async def _verified(self, unverified: signing.Unverified, token: bytes) -> Signed:
        adapter_id = unverified.adapter_id
        known = self._keys.get(adapter_id)
        if known is not None:
            # Whether it is still the adapter's key is seen again in the transaction that takes the ask.
            with suppress(Refused):
                return _with(known, unverified, token)
        key = await self._key(adapter_id)
        signed = _with(key, unverified, token)
        self._keys[adapter_id] = key
        if len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        return signed

    async def _key(self, adapter_id: str) -> bytes:
        try:
            key = await self._store.read(lambda connection: Adapters(connection).key(adapter_id))
        except (SQLAlchemyError, OSError) as error:
            raise _unavailable(error) from error
        if key is None:
            raise Refused(RefusalReason.UNKNOWN_ADAPTER)
        return key

    async def _answer(self, signed: Signed) -> Answer:
        ask = parse_ask(signed.payload, signed.adapter_id)
        received_at = int(self._clock())
        try:
            match ask:
                case TraceRequest():
                    return await self.tracing.accept(ask, signed, received_at)
                case Heartbeat():
                    return await self._store.write(
                        partial(_heard, signed, ask, received_at), signed.adapter_id
                    )
                case Log():
                    return await self._store.write(
                        partial(_logged, signed, ask, received_at), signed.adapter_id
                    )
                case CallReport():
                    sealed = seal_report(ask, self._secret)
                    return await self._store.write(
                        partial(_reported, signed, sealed, received_at), signed.adapter_id
                    )
        except _FOR_NOW as error:
            raise _unavailable(error) from error


def _heard(
    signed: Signed, heartbeat: Heartbeat, received_at: int, connection: Connection
) -> HeartbeatAnswerOfBefore:
    adapter = _taken(signed, connection)
    release = FirmwareReleases(connection).release_for(adapter, received_at)
    following = orders.heard(adapter, heartbeat, received_at, release)
    Adapters(connection).change(signed.adapter_id, **following.changed)
    return following.answer


def _logged(signed: Signed, log: Log, received_at: int, connection: Connection) -> LogAnswer:
    changed = orders.logged(_taken(signed, connection), log, received_at)
    Adapters(connection).change(signed.adapter_id, **changed)
    return LogAnswer()


def _reported(
    signed: Signed, sealed: SealedReport, received_at: int, connection: Connection
) -> CallReportAnswer:
    _taken(signed, connection)
    # What is not kept is answered alike: the adapter is done with it.
    take_report(connection, sealed, received_at)
    return CallReportAnswer()


def _taken(signed: Signed, connection: Connection) -> Adapter:
    Adapters(connection).take(signed.adapter_id, signed.key, signed.sequence)
    adapter = Adapters(connection).adapter(signed.adapter_id)
    if adapter is None:
        raise Refused(RefusalReason.UNKNOWN_ADAPTER)
    return adapter


def _with(key: bytes, unverified: signing.Unverified, token: bytes) -> Signed:
    payload = signing.verify(token, key)
    return Signed(unverified.adapter_id, unverified.sequence, key, payload, token)


def _signed(message: bytes, ask: Signed) -> bytes:
    return signing.sign(message, ask.key, ask.adapter_id, ask.sequence)


def _unavailable(error: Exception) -> Refused:
    # The kind alone: a database's text might repeat what it was given.
    logger.error("unavailable: %s", type(error).__name__)
    return Refused(RefusalReason.UNAVAILABLE)
