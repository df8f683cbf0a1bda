"""The trace service over HTTP: `POST /v1/messages` as `docs/protocol.md` has it, and `GET /health`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from host_tools.service.desk import STATUS_OF_REFUSAL, Desk, Reply
from host_tools.service.messages import Refusal, RefusalReason, Refused
from host_tools.service.settings import Settings
from host_tools.service.signing import MAX_TOKEN_BYTES

SIGNED = "application/jose"
IN_CLEAR = "application/json"
BODY_WITHIN_S = 10.0


def create_app(settings: Settings, clock: Callable[[], float] = time.time) -> FastAPI:
    """The service as an ASGI application; its database is opened when it starts. `state.desk` is its `Desk`.

    Args:
        settings: what the operator chose.
        clock: Unix seconds.
    """
    desk = Desk(settings, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await asyncio.to_thread(desk.records.prepare)
            yield
        finally:
            await desk.close()

    app = FastAPI(title="Star57 trace service", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.desk = desk

    @app.post("/v1/messages", responses=_RESPONSES)
    async def messages(request: Request) -> Response:
        try:
            token = await _body(request)
        except Refused as refused:
            return _unread(desk.refuse(refused))
        return _response(await desk.reply(token))

    @app.get("/health")
    async def health() -> Response:
        try:
            await asyncio.to_thread(desk.records.check)
        except SQLAlchemyError:
            return _response(desk.refuse(Refused(RefusalReason.UNAVAILABLE)))
        return JSONResponse({"status": "ok", "refusals": desk.refusals.counts})

    @app.exception_handler(HTTPException)
    async def no_such_thing(_: Request, error: HTTPException) -> Response:
        response = _unread(desk.refuse(Refused(RefusalReason.UNAVAILABLE)))
        response.status_code = error.status_code
        return response

    @app.exception_handler(Exception)
    async def broken(_: Request, _error: Exception) -> Response:
        return _unread(desk.refuse(Refused(RefusalReason.UNAVAILABLE)))

    return app


_RESPONSES: dict[int | str, dict[str, object]] = {
    200: {"description": "The signed answer", "content": {SIGNED: {}}},
    **{
        status: {"description": "A refusal, signed or in clear", "model": Refusal, "content": {SIGNED: {}}}
        for status in STATUS_OF_REFUSAL.values()
    },
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
                if len(body) > MAX_TOKEN_BYTES:
                    raise Refused(RefusalReason.TOO_LARGE)
    except (TimeoutError, ClientDisconnect) as error:
        raise Refused(RefusalReason.UNAVAILABLE) from error
    return bytes(body)


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, media_type=SIGNED if reply.is_signed else IN_CLEAR)


def _unread(reply: Reply) -> Response:
    response = _response(reply)
    response.headers["connection"] = "close"  # what may still come of the body is not read
    return response
