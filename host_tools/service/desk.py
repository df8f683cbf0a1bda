"""The desk: from a signed ask to its signed answer or refusal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from host_tools.service import orders, signing
from host_tools.service.call_records import CallRecordsUnreadable
from host_tools.service.group_commit import GroupCommit
from host_tools.service.messages import (
    Answer,
    Heartbeat,
    HeartbeatAnswer,
    Log,
    LogAnswer,
    Refusal,
    RefusalReason,
    Refused,
    TraceRequest,
    parse_ask,
)
from host_tools.service.records import Adapter, Ledger, Records, TraceIdsExhausted
from host_tools.service.refusals import Refusals
from host_tools.service.settings import Settings
from host_tools.service.signing import Signed
from host_tools.service.tracing import Tracing

STATUS_OF_REFUSAL = {
    RefusalReason.MALFORMED: 400,
    RefusalReason.BAD_SIGNATURE: 401,
    RefusalReason.UNKNOWN_ADAPTER: 403,
    RefusalReason.OLD_SEQUENCE: 409,
    RefusalReason.TOO_LARGE: 413,
    RefusalReason.UNAVAILABLE: 503,
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """What goes back: an HTTP status and a body, which is a signed message or a refusal in clear."""

    status: int
    body: bytes
    is_signed: bool


class Desk:
    """Takes asks; `refusals` are what was not taken."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self.records = Records(settings.database)
        self.refusals = Refusals()
        self._clock = clock
        self._writer = GroupCommit(self.records)
        self._tracing = Tracing(settings, self.records, self._writer)

    async def reply(self, token: bytes) -> Reply:
        """The reply to `token`; what it brought about is on the disk."""
        try:
            unverified = signing.read(token)
            key = await self._key(unverified.adapter_id)
        except Refused as refused:
            return self.refuse(refused)
        try:
            payload = signing.verify(token, key)
        except Refused as refused:
            return self.refuse(refused, unverified.adapter_id)
        signed = Signed(unverified.adapter_id, unverified.sequence, key, payload)
        try:
            answer = await self._answer(signed)
        except Refused as refused:
            refusal = self.refuse(refused, signed.adapter_id)
            return Reply(refusal.status, _signed(refusal.body, signed), is_signed=True)
        return Reply(200, _signed(answer.model_dump_json().encode(), signed), is_signed=True)

    def refuse(self, refused: Refused, adapter_id: str | None = None) -> Reply:
        """Logs and counts a refusal; the reply is in clear. `adapter_id`: only when it is a known one."""
        self.refusals.note(refused.reason, adapter_id)
        refusal = Refusal(reason=refused.reason, newest_sequence=refused.newest_sequence)
        body = refusal.model_dump_json().encode()
        return Reply(STATUS_OF_REFUSAL[refused.reason], body, is_signed=False)

    async def close(self) -> None:
        """Writes what waits, and closes every connection."""
        await self._writer.close()
        self._tracing.close()
        self.records.close()

    async def _key(self, adapter_id: str) -> bytes:
        def read() -> bytes | None:
            with self.records.reading() as ledger:
                return ledger.key(adapter_id)

        try:
            key = await asyncio.to_thread(read)
        except SQLAlchemyError as error:
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
                    return await self._tracing.accept(ask, signed, received_at)
                case Heartbeat():
                    return await self._writer.write(lambda ledger: _heard(ledger, signed, ask, received_at))
                case Log():
                    return await self._writer.write(lambda ledger: _logged(ledger, signed, ask))
        except (SQLAlchemyError, CallRecordsUnreadable, TraceIdsExhausted, OSError) as error:
            raise _unavailable(error) from error


def _heard(ledger: Ledger, signed: Signed, heartbeat: Heartbeat, received_at: int) -> HeartbeatAnswer:
    following = orders.heard(_taken(ledger, signed), heartbeat, received_at)
    ledger.change_adapter(signed.adapter_id, **following.changed)
    return following.answer


def _logged(ledger: Ledger, signed: Signed, log: Log) -> LogAnswer:
    ledger.change_adapter(signed.adapter_id, **orders.logged(_taken(ledger, signed), log))
    return LogAnswer()


def _taken(ledger: Ledger, signed: Signed) -> Adapter:
    ledger.take(signed.adapter_id, signed.key, signed.sequence)
    adapter = ledger.adapter(signed.adapter_id)
    if adapter is None:
        raise Refused(RefusalReason.UNKNOWN_ADAPTER)
    return adapter


def _signed(message: bytes, ask: Signed) -> bytes:
    return signing.sign(message, ask.key, ask.adapter_id, ask.sequence)


def _unavailable(error: Exception) -> Refused:
    # The kind alone: a database's text might repeat what it was given.
    logger.error("unavailable: %s", type(error).__name__)
    return Refused(RefusalReason.UNAVAILABLE)
