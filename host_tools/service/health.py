"""Health: whether the process lives, whether it is ready for work, and what the adapters' way of it has refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from host_tools.service import door
from host_tools.service.access import public
from host_tools.service.call_records import CallRecordsUnreadable, CallRecordUnreadable
from host_tools.service.desk import Desk
from host_tools.service.directory import DirectoryUnreadable
from host_tools.service.messages import Refusal, RefusalReason, Refused
from host_tools.service.store import Store

CHECK_WITHIN_S = 5.0

logger = logging.getLogger(__name__)


class Health(BaseModel):
    """The store can be read; how many messages were refused, by reason, since the process started."""

    status: Literal["ok"] = "ok"
    refusals: dict[RefusalReason, int] = {}


class Readiness(BaseModel):
    """Whether requests are welcome; `lacks` is what cannot be read now."""

    status: Literal["ready", "not_ready", "stopping"]
    lacks: list[Literal["call_records", "directory", "store"]]


@dataclass
class Life:
    """Where the process is in its life; `app.state.life`.

    Attributes:
        is_stopping: it has been told to stop, and is ready for nothing new.
    """

    is_stopping: bool = False


def add_to(app: FastAPI) -> None:
    """Adds `GET /health`, `/health/live` and `/health/ready`. `app.state` has `store` and `desk`, and gets `life`."""
    store: Store = app.state.store
    desk: Desk = app.state.desk
    life = app.state.life = Life()

    @app.get("/health", response_model=Health, responses={503: {"model": Refusal}}, tags=["health"])
    async def health(_: Annotated[None, public()]) -> Response:
        """Whether the store can be read."""
        try:
            await store.check()
        except (SQLAlchemyError, OSError):
            refusal = desk.refuse(Refused(RefusalReason.UNAVAILABLE))
            return Response(refusal.body, refusal.status, media_type=door.IN_CLEAR)
        return JSONResponse(Health(refusals=dict(desk.refusals.counts)).model_dump())

    @app.get("/health/live", status_code=204, response_class=Response, tags=["health"])
    async def live(_: Annotated[None, public()]) -> Response:
        """Whether the process answers at all: when it does not, start it anew."""
        return Response(status_code=204)

    @app.get(
        "/health/ready", response_model=Readiness, responses={503: {"model": Readiness}}, tags=["health"]
    )
    async def ready(_: Annotated[None, public()]) -> Response:
        """Whether requests are welcome: not while it stops, nor without what it needs."""
        lacks = await _lacking(store, desk)
        status = "stopping" if life.is_stopping else "not_ready" if lacks else "ready"
        return JSONResponse({"status": status, "lacks": lacks}, 200 if status == "ready" else 503)


async def _lacking(store: Store, desk: Desk) -> list[str]:
    checks: dict[str, Awaitable[object]] = {
        "call_records": desk.tracing.check_call_records(),
        "directory": desk.tracing.check_directory(),
        "store": store.check(),
    }
    answers = await asyncio.gather(*(_is_well(name, check) for name, check in checks.items()))
    return [name for name, is_well in zip(checks, answers, strict=True) if not is_well]


async def _is_well(name: str, check: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(CHECK_WITHIN_S):
            await check
    except CallRecordUnreadable:
        return True  # of this one the trace is refused, and others are not
    except (SQLAlchemyError, OSError, CallRecordsUnreadable, DirectoryUnreadable) as error:
        # The kind alone: a database's text might repeat what it was given.
        logger.warning("not ready: %s: %s", name, type(error).__name__)
        return False
    return True
