"""The door of the adapters: `POST /v1/messages` as `docs/protocol.md` has it, an ASGI middleware before all else.

It is the way of every trace, and so has nothing on it that only people need.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from host_tools.service.desk import STATUS_OF_REFUSAL, Desk, Reply
from host_tools.service.messages import Refusal, RefusalReason, Refused
from host_tools.service.signing import MAX_TOKEN_BYTES

ROOM = "/v1/"
PATH = "/v1/messages"
SIGNED = "application/jose"
IN_CLEAR = "application/json"
BODY_WITHIN_S = 10.0

logger = logging.getLogger(__name__)


class Door:
    """Answers what is asked below `/v1/` from the desk; everything else is the application's."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] != "http" or not scope["path"].startswith(ROOM):
            await self._app(scope, receive, send)
            return
        response = await self._response(Request(scope, receive))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        if request.scope["path"] != PATH:
            return self._unread(404)
        if request.method != "POST":
            return self._unread(405)
        try:
            token = await _body(request)
        except Refused as refused:
            return _unread(self._desk.refuse(refused))
        try:
            return _response(await self._desk.reply(token))
        except Exception as error:  # noqa: BLE001 - an adapter that is told "later" loses nothing
            # The kind alone: its text might repeat what was sent.
            logger.error("broken: %s", type(error).__name__)
            return self._unread()

    def _unread(self, status: int | None = None) -> Response:
        response = _unread(self._desk.refuse(Refused(RefusalReason.UNAVAILABLE)))
        response.status_code = status or response.status_code
        return response


def describe(app: FastAPI) -> None:
    """Puts the door's messages into the OpenAPI description of `app`."""
    without = app.openapi

    def openapi() -> dict[str, Any]:
        description = without()
        description["paths"][PATH] = {"post": _DESCRIPTION}
        return description

    app.openapi = openapi  # type: ignore[method-assign]


def _refusal(status: int) -> dict[str, Any]:
    reasons = " or ".join(reason for reason, its in STATUS_OF_REFUSAL.items() if its == status)
    schema = Refusal.model_json_schema()
    content = {SIGNED: {"schema": {"type": "string"}}, IN_CLEAR: {"schema": schema}}
    return {"description": f"A refusal, signed or in clear: {reasons}", "content": content}


_DESCRIPTION: dict[str, Any] = {
    "operationId": "messages",
    "summary": "What an adapter asks: docs/protocol.md",
    "tags": ["adapters"],
    "requestBody": {
        "required": True,
        "content": {SIGNED: {"schema": {"type": "string", "maxLength": MAX_TOKEN_BYTES}}},
    },
    "responses": {
        "200": {"description": "The signed answer", "content": {SIGNED: {"schema": {"type": "string"}}}},
        **{str(status): _refusal(status) for status in STATUS_OF_REFUSAL.values()},
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
