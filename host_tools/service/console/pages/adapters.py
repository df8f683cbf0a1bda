"""The adapters as a technician sees them: how each is at present. Never a trace, nor a line's calls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request, Response
from sqlalchemy.engine import Connection

from host_tools.service.access import Permission, Person, allow
from host_tools.service.adapter_health import AdapterHealth, adapter_health
from host_tools.service.adapters import Adapter, Adapters
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import api_router, page_router
from host_tools.service.console.state import now_of, store_of
from host_tools.service.lines import Lines
from host_tools.service.messages import AdapterId, Heartbeat

router = page_router()
api = api_router("adapters")

Technician = Annotated[Person, allow(Permission.ADAPTERS)]
After = Annotated[
    str, Query(pattern=r"^[A-Za-z0-9-]{0,32}$", description="The last adapter of the page before.")
]
ADAPTERS_A_PAGE = 100


@dataclass(frozen=True)
class AdapterState:
    """How one adapter is.

    Attributes:
        heard_at: Unix seconds of its last heartbeat, the service's clock.
        last_heard, firmware, complaints, decode_quality: in words.
        is_well: nothing is wrong; None before it was heard.
        heartbeat: the last one; None before it, and when an older service kept it.
        settings_revision, settings_values: what was pushed last; 0 is nothing.
        lines: bound to it; of one adapter only.
    """

    adapter_id: str
    heard_at: int | None
    last_heard: str
    firmware: str
    is_well: bool | None
    complaints: tuple[str, ...]
    decode_quality: str
    heartbeat: Heartbeat | None
    settings_revision: int
    settings_values: dict[str, Any]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class AdapterStates:
    """Some adapters, by id, as they were at `at` (Unix seconds); `next_after` begins the next page."""

    at: int
    adapters: list[AdapterState]
    next_after: str | None


@router.get("/adapters")
async def adapters_page(request: Request, _: Technician, after: After = "") -> Response:
    """The adapters; their table comes anew by itself."""
    template = "adapters/table.html" if _is_for_part(request) else "adapters/adapters.html"
    return page(request, template, states=await _states(request, after), after=after)


@router.get("/adapters/{adapter_id}")
async def adapter_page(request: Request, _: Technician, adapter_id: AdapterId) -> Response:
    """One adapter; its state comes anew by itself."""
    template = "adapters/state.html" if _is_for_part(request) else "adapters/adapter.html"
    return page(request, template, state=await _state(request, adapter_id))


@api.get("/adapters")
async def adapters_data(request: Request, _: Technician, after: After = "") -> AdapterStates:
    """How the adapters are: 100 behind `after`."""
    return await _states(request, after)


@api.get("/adapters/{adapter_id}", responses={404: {"description": "There is no such adapter"}})
async def adapter_data(request: Request, _: Technician, adapter_id: AdapterId) -> AdapterState:
    """How one adapter is, and which lines are bound to it."""
    return await _state(request, adapter_id)


def _is_for_part(request: Request) -> bool:
    """Whether htmx asks, for what it puts into the page that is there."""
    return "hx-request" in request.headers


async def _states(request: Request, after: str) -> AdapterStates:
    now = int(now_of(request))
    adapters = await store_of(request).read(
        lambda connection: Adapters(connection).page(after, ADAPTERS_A_PAGE)
    )
    states = [_told(adapter, now) for adapter in adapters]
    is_last = len(states) < ADAPTERS_A_PAGE
    return AdapterStates(now, states, None if is_last else states[-1].adapter_id)


async def _state(request: Request, adapter_id: str) -> AdapterState:
    now = int(now_of(request))

    def read(connection: Connection) -> AdapterState | None:
        adapter = Adapters(connection).adapter(adapter_id)
        lines = tuple(Lines(connection).of_adapter(adapter_id))
        return _told(adapter, now, lines) if adapter else None

    state = await store_of(request).read(read)
    if state is None:
        raise HTTPException(404)
    return state


def _told(adapter: Adapter, now: int, lines: tuple[str, ...] = ()) -> AdapterState:
    health = adapter_health(adapter.heartbeat, adapter.heard_at, now)
    return AdapterState(
        adapter.adapter_id,
        adapter.heard_at,
        health.last_heard,
        health.firmware,
        _is_well(adapter, health),
        health.complaints,
        health.decode_quality,
        health.heartbeat,
        adapter.settings_revision,
        json.loads(adapter.settings_values),
        lines,
    )


def _is_well(adapter: Adapter, health: AdapterHealth) -> bool | None:
    return None if adapter.heard_at is None else not health.complaints
