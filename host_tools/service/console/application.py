"""The console on the service's application: its pages, its style, its errors, and what its browsers are told."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from host_tools.service.console import errors
from host_tools.service.console.body_limit import BodyLimit
from host_tools.service.console.headers import SecurityHeaders
from host_tools.service.console.pages import ROUTERS
from host_tools.service.people import People

STATIC = Path(__file__).with_name("static")


def add_to(app: FastAPI) -> None:
    """Adds the console. `app.state` has its `settings`, `clock` and `store`, and gets its `people`."""
    app.state.people = People.of(app.state.settings)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    errors.add_to(app)
