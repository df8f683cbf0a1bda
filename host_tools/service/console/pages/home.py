"""`/`: everybody begins where their role works."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from fastapi.responses import RedirectResponse

from host_tools.service.access import Visit, signed_in
from host_tools.service.console.navigation import links_of
from host_tools.service.console.routers import page_router

router = page_router()


@router.get("/")
async def first_page(visit: Annotated[Visit, signed_in()]) -> Response:
    """Sends each role to its first page."""
    return RedirectResponse(links_of(visit.person)[0].path, 303)
