"""The trace service over HTTP: `POST /v1/traces` as `docs/protocol.md` has it, and `GET /health`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from host_tools.service.call_records import CallRecord, CallRecords, CallRecordsUnreadable
from host_tools.service.messages import (
    MAX_MESSAGE_BYTES,
    Message,
    Outcome,
    Refusal,
    RefusalReason,
    Refused,
    TraceAnswer,
    TraceRequest,
    parse_request,
)
from host_tools.service.records import Records, Trace, TraceIdsExhausted
from host_tools.service.rules import Decision, Reason, decide, match, search
from host_tools.service.sealing import Seal, WhoCalled
from host_tools.service.settings import Settings

STATUS_OF_REFUSAL = {
    RefusalReason.MALFORMED: 400,
    RefusalReason.UNKNOWN_ADAPTER: 403,
    RefusalReason.TOO_LARGE: 413,
    RefusalReason.UNAVAILABLE: 503,
}
BODY_WITHIN_S = 10.0

logger = logging.getLogger(__name__)


class TraceDesk:
    """Takes a request, decides, and keeps it before it answers."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._seal = Seal(settings.centre_public_key)
        self._call_records = CallRecords(settings.call_records) if settings.call_records else None
        self.records = Records(settings.database)

    async def answer(self, body: bytes) -> TraceAnswer:
        """The answer to a request, committed to the disk.

        Raises:
            Refused: nothing was stored.
        """
        request = parse_request(body)
        if self._settings.adapters != "*" and request.adapter_id not in self._settings.adapters:
            raise Refused(RefusalReason.UNKNOWN_ADAPTER)
        try:
            return _answer(await self.records.find(request.request_id) or await self._accept(request, body))
        except (SQLAlchemyError, CallRecordsUnreadable, TraceIdsExhausted, OSError) as error:
            # The kind alone: a database's text might repeat what it was given.
            logger.error("trace request %s: unavailable: %s", request.request_id, type(error).__name__)
            raise Refused(RefusalReason.UNAVAILABLE) from error

    async def close(self) -> None:
        """Closes every connection."""
        await self.records.close()
        if self._call_records:
            await self._call_records.close()

    async def _accept(self, request: TraceRequest, body: bytes) -> Trace:
        received_at = int(self._clock())
        call = await self._call(request, received_at)
        async with self.records.writing() as ledger:
            accepted = await ledger.find(request.request_id)
            if accepted:
                return accepted
            earlier = await ledger.trace_id_of_call(request.line, request.call.call_id)
            decision = decide(
                request,
                call,
                offered=self._settings.lines_offered == "*" or request.line in self._settings.lines_offered,
                already_traced=earlier is not None,
                price_cents=self._settings.price_cents,
            )
            trace = self._trace(request, received_at, decision, body)
            if decision.outcome is Outcome.TRACED:
                trace.trace_id = await ledger.next_trace_id()
            elif decision.outcome is Outcome.ALREADY_TRACED:
                trace.trace_id = earlier
            ledger.add(trace)
        logger.info(
            "trace request %s: %s%s",
            request.request_id,
            decision.outcome,
            f" ({decision.reason})" if decision.reason else "",
        )
        return trace

    async def _call(self, request: TraceRequest, received_at: int) -> CallRecord | Reason | None:
        if self._call_records is None:
            return None
        where = search(request, received_at, self._settings.match_within_s)
        if isinstance(where, Reason):
            return where
        return match(await self._call_records.calls(request.line, where.earliest, where.latest), where)

    def _trace(self, request: TraceRequest, received_at: int, decision: Decision, body: bytes) -> Trace:
        who_called = WhoCalled(origin=decision.origin, presented=request.call.caller_id, request=body)
        return Trace(
            request_id=request.request_id,
            line=request.line,
            call_id=request.call.call_id,
            adapter_id=request.adapter_id,
            requested_at=request.requested_at,
            received_at=received_at,
            outcome=decision.outcome.value,
            reason=decision.reason.value if decision.reason else None,
            charge_cents=decision.charge_cents,
            sealed=self._seal.seal(who_called),
        )


def create_app(settings: Settings, clock: Callable[[], float] = time.time) -> FastAPI:
    """The service as an ASGI application; its database is opened when it starts.

    Args:
        settings: what the operator chose.
        clock: Unix seconds.
    """
    desk = TraceDesk(settings, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await desk.records.prepare()
            yield
        finally:
            await desk.close()

    app = FastAPI(title="Star57 trace service", lifespan=lifespan, docs_url=None, redoc_url=None)

    @app.post("/v1/traces", responses=_RESPONSES)
    async def traces(request: Request) -> Response:
        return _json(await desk.answer(await _body(request)))

    @app.get("/health")
    async def health() -> Response:
        try:
            await desk.records.check()
        except SQLAlchemyError as error:
            raise Refused(RefusalReason.UNAVAILABLE) from error
        return Response(b'{"status":"ok"}', media_type="application/json")

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        return _refusal(error.reason, STATUS_OF_REFUSAL[error.reason])

    @app.exception_handler(HTTPException)
    async def no_such_thing(_: Request, error: HTTPException) -> Response:
        return _refusal(RefusalReason.UNAVAILABLE, error.status_code)

    @app.exception_handler(Exception)
    async def broken(_: Request, _error: Exception) -> Response:
        return _refusal(RefusalReason.UNAVAILABLE, 500)

    return app


_RESPONSES: dict[int | str, dict[str, type[Message]]] = {
    200: {"model": TraceAnswer},
    **{status: {"model": Refusal} for status in STATUS_OF_REFUSAL.values()},
}


async def _body(request: Request) -> bytes:
    """The request's body; read no further than the protocol's limit, whatever the headers say.

    Raises:
        Refused: `too_large`, or `unavailable` when it did not arrive whole in time: the adapter tries again.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for part in request.stream():
                body += part
                if len(body) > MAX_MESSAGE_BYTES:
                    raise Refused(RefusalReason.TOO_LARGE)
    except (TimeoutError, ClientDisconnect) as error:
        raise Refused(RefusalReason.UNAVAILABLE) from error
    return bytes(body)


def _answer(trace: Trace) -> TraceAnswer:
    return TraceAnswer(
        message="trace_answer",
        version=1,
        request_id=trace.request_id,
        outcome=Outcome(trace.outcome),
        trace_id=trace.trace_id,
        charge_cents=trace.charge_cents,
    )


def _refusal(reason: RefusalReason, status: int) -> Response:
    response = _json(Refusal(message="refusal", reason=reason), status)
    response.headers["connection"] = "close"  # what may still come of the body is not read
    return response


def _json(message: Message, status: int = 200) -> Response:
    return Response(message.model_dump_json(), status, media_type="application/json")
