"""Takes a trace request, decides, and keeps it before it is answered."""

from __future__ import annotations

import asyncio
import logging

from host_tools.service.call_records import CallRecord, CallRecords
from host_tools.service.group_commit import GroupCommit
from host_tools.service.messages import Outcome, TraceAnswer, TraceRequest
from host_tools.service.records import Ledger, Records, Trace
from host_tools.service.rules import Decision, Reason, decide, match, search
from host_tools.service.sealing import Seal, WhoCalled
from host_tools.service.settings import Settings
from host_tools.service.signing import Signed

logger = logging.getLogger(__name__)


class Tracing:
    """The trace of calls, by the settings of the operator and the exchange's call records."""

    def __init__(self, settings: Settings, records: Records, writer: GroupCommit) -> None:
        self._settings = settings
        self._records = records
        self._writer = writer
        self._seal = Seal(settings.centre_public_key)
        self._call_records = CallRecords(settings.call_records) if settings.call_records else None

    async def accept(self, request: TraceRequest, signed: Signed, received_at: int) -> TraceAnswer:
        """The answer to `request`, which came at `received_at` (Unix seconds), committed to the disk.

        Raises:
            Refused, SQLAlchemyError, CallRecordsUnreadable, TraceIdsExhausted: nothing was stored.
        """
        call = await self._call(request, received_at)
        trace, is_new = await self._writer.write(
            lambda ledger: self._take(ledger, request, signed, call, received_at)
        )
        if is_new:
            reason = f" ({trace.reason})" if trace.reason else ""
            logger.info("trace request %s: %s%s", trace.request_id, trace.outcome, reason)
        return TraceAnswer(
            request_id=trace.request_id,
            outcome=Outcome(trace.outcome),
            trace_id=trace.trace_id,
            charge_cents=trace.charge_cents,
        )

    def close(self) -> None:
        """Closes every connection."""
        if self._call_records:
            self._call_records.close()

    async def _call(self, request: TraceRequest, received_at: int) -> CallRecord | Reason | None:
        if self._call_records is None or await asyncio.to_thread(self._is_accepted, request):
            return None
        where = search(request, received_at, self._settings.match_within_s)
        if isinstance(where, Reason):
            return where
        return match(await self._call_records.calls(request.line, where.earliest, where.latest), where)

    def _is_accepted(self, request: TraceRequest) -> bool:
        with self._records.reading() as ledger:
            return ledger.find(request.adapter_id, request.request_id) is not None

    def _take(
        self,
        ledger: Ledger,
        request: TraceRequest,
        signed: Signed,
        call: CallRecord | Reason | None,
        received_at: int,
    ) -> tuple[Trace, bool]:
        ledger.take(signed.adapter_id, signed.key, signed.sequence)
        accepted = ledger.find(signed.adapter_id, request.request_id)
        if accepted:
            return accepted, False
        earlier = ledger.trace_id_of_call(request.line, request.call.call_id)
        decision = decide(
            request,
            call,
            offered=self._settings.lines_offered == "*" or request.line in self._settings.lines_offered,
            already_traced=earlier is not None,
            price_cents=self._settings.price_cents,
        )
        trace_id = ledger.next_trace_id() if decision.outcome is Outcome.TRACED else None
        if decision.outcome is Outcome.ALREADY_TRACED:
            trace_id = earlier
        trace = self._trace(request, signed.payload, received_at, decision, trace_id)
        ledger.add_trace(trace)
        return trace, True

    def _trace(
        self,
        request: TraceRequest,
        payload: bytes,
        received_at: int,
        decision: Decision,
        trace_id: str | None,
    ) -> Trace:
        who_called = WhoCalled(origin=decision.origin, presented=request.call.caller_id, request=payload)
        return Trace(
            request_id=request.request_id,
            line=request.line,
            call_id=request.call.call_id,
            adapter_id=request.adapter_id,
            requested_at=request.requested_at,
            received_at=received_at,
            outcome=decision.outcome.value,
            reason=decision.reason.value if decision.reason else None,
            trace_id=trace_id,
            charge_cents=decision.charge_cents,
            sealed=self._seal.seal(who_called),
        )
