"""The trace service as one ASGI application: the door of the adapters, the console of the people, and its health."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from host_tools.service import console, door, health, metrics
from host_tools.service.desk import Desk
from host_tools.service.settings import Settings
from host_tools.service.store import Store


def create_app(settings: Settings, clock: Callable[[], float] = time.time) -> FastAPI:
    """The service as an ASGI application; its store is opened when it starts.

    `state` has its `settings`, `clock`, `store`, `desk` and `people`.

    Args:
        settings: what the operator chose.
        clock: Unix seconds; nothing here has another.
    """
    store = Store(settings.database)
    desk = Desk(settings, store, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await store.prepare()
            yield
        finally:
            await desk.close()
            await store.close()

    app = FastAPI(
        title="Star57 trace service",
        version=version("star57"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.store = store
    app.state.desk = desk

    health.add_to(app)
    console.add_to(app)
    app.add_middleware(door.Door, desk=desk)
    door.describe(app)
    metrics.add_to(app)
    return app
