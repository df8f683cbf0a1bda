"""Takes a trace request: looks for its call in the exchange's records, and keeps what is decided before answering."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from host_tools.service.acceptance import Pending, Terms, accept
from host_tools.service.batching import Batching
from host_tools.service.call_records import (
    CallRecord,
    CallRecords,
    CallRecordsUnreadable,
    CallRecordUnreadable,
    Wanted,
    open_call_records,
)
from host_tools.service.directory import Subscriber, open_directory
from host_tools.service.matching import FoundCall, match, presented_call, search
from host_tools.service.messages import Outcome, Refused, TraceAnswer, TraceRequest
from host_tools.service.origins import OriginKeys
from host_tools.service.reasons import Reason
from host_tools.service.sealing import Seal
from host_tools.service.settings import Settings
from host_tools.service.signing import Signed
from host_tools.service.store import Store
from host_tools.service.traces import Traces

logger = logging.getLogger(__name__)


class Tracing:
    """The trace of calls, by the settings of the operator and the exchange's call records.

    Attributes:
        outcomes: how many trace requests were answered with each.
        call_record_failures: how many times the call records could not be read.

    Raises:
        OriginKeysUnreadable: the keys that origins are counted by cannot be had.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.call_record_failures = 0
        self._store = store
        self._match_within_s = settings.match_within_s
        self._terms = Terms(
            settings, Seal(settings.centre_public_key), OriginKeys.load_or_make(settings.origin_keys)
        )
        self._records = open_call_records(settings.call_records) if settings.call_records else None
        self._directory = open_directory(settings.subscribers) if settings.subscribers else None
        self._lookups: Batching[Wanted, list[CallRecord]] | None = None
        if self._records is not None:
            self._lookups = Batching(partial(_looked_up, self._records))
        self._acceptances: Batching[Pending, TraceAnswer] = Batching(self._accept)

    async def accept(self, request: TraceRequest, signed: Signed, received_at: int) -> TraceAnswer:
        """The answer to `request`, which came at `received_at` (Unix seconds), committed to the disk.

        Raises:
            Refused, SQLAlchemyError, OSError, CallRecordsUnreadable, TraceIdsExhausted: nothing was stored.
        """
        call = await self._call(request, received_at)
        pending = Pending(request, signed, call, await self._subscriber(call), received_at)
        answer = await self._acceptances.do(pending)
        self.outcomes[answer.outcome] += 1
        told = {"request_id": request.request_id, "outcome": answer.outcome.value}
        logger.info("trace request %s: %s", request.request_id, answer.outcome, extra=told)
        return answer

    @property
    def directory_failures(self) -> int:
        """How many times the directory of subscribers could not be read."""
        return self._directory.failures if self._directory is not None else 0

    @property
    def batchings(self) -> dict[str, Batching[Any, Any]]:
        """What is done for many at once, by what it is."""
        lookups = {} if self._lookups is None else {"call_records": self._lookups}
        return {"traces": self._acceptances, **lookups}

    async def check_call_records(self) -> None:
        """Reads a little of the call records, when there are any.

        Raises:
            CallRecordsUnreadable: they cannot be read now.
        """
        if self._records is not None:
            await self._records.check()

    async def check_directory(self) -> None:
        """Reads a little of the directory of subscribers, when there is one.

        Raises:
            DirectoryUnreadable: it cannot be read now.
        """
        if self._directory is not None:
            await self._directory.check()

    async def close(self) -> None:
        """Writes what waits, and closes every connection."""
        if self._lookups is not None:
            await self._lookups.close()
        await self._acceptances.close()
        for source in (self._records, self._directory):
            if source is not None:
                await source.close()

    async def _accept(self, pendings: list[Pending]) -> list[TraceAnswer | Refused]:
        return await self._store.together(lambda connection: accept(connection, self._terms, pendings))

    async def _call(self, request: TraceRequest, received_at: int) -> FoundCall | Reason:
        if self._lookups is None:
            return presented_call(request, received_at)
        where = search(request, received_at, self._match_within_s)
        if isinstance(where, Reason):
            return where
        try:
            records = await self._lookups.do(Wanted(request.line, where.earliest, where.latest))
        except CallRecordsUnreadable:
            self.call_record_failures += 1
            if await self._is_accepted(request):
                return Reason.NO_CALL_RECORD
            raise
        return match(request, records, where)

    async def _is_accepted(self, request: TraceRequest) -> bool:
        """Then it is answered as it was, whatever is found now."""
        identity = request.adapter_id, request.request_id
        return bool(await self._store.read(lambda connection: Traces(connection).accepted([identity])))

    async def _subscriber(self, call: FoundCall | Reason) -> Subscriber | None:
        if self._directory is None or not isinstance(call, FoundCall):
            return None
        return await self._directory.find(call.calling_number)


async def _looked_up(
    records: CallRecords, wanted: list[Wanted]
) -> Sequence[list[CallRecord] | CallRecordUnreadable]:
    try:
        return await records.calls_of_many(wanted)
    except CallRecordUnreadable as error:
        if len(wanted) == 1:
            return [error]
    # One that nobody can read must not stop those beside it. What cannot be read at all is not asked for once more:
    # each of them would wait as long as all of them have.
    return [(await _looked_up(records, [one]))[0] for one in wanted]
