"""Making adapters known, as `star57 provision` does at a technician's bench: a call of the API, without a page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, Field, Secret, StringConstraints
from sqlalchemy.engine import Connection

from host_tools.service.access import Permission, Person, allow
from host_tools.service.adapters import AdapterExists
from host_tools.service.console.errors import Told, answer
from host_tools.service.console.input import Input
from host_tools.service.console.routers import api_router
from host_tools.service.console.state import now_of, store_of
from host_tools.service.messages import AdapterId, Line
from host_tools.service.registration import LineTaken, Registration, register

api = api_router("adapters")

_EXISTS = Told("There is an adapter of this ID", "Send `replaces` to give it the new key; the old one ends.")
_TAKEN = Told("The line is another adapter's", "Send `replaces` to give it to this one.")


AdapterKey = Annotated[
    Secret[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]], Field(description="64 hex digits")
]


class NewAdapter(Input):
    """An adapter that is to be known, by the key that it signs with."""

    adapter_id: AdapterId
    key: AdapterKey
    line: Line | None = None
    replaces: bool = False


class KnownAdapter(BaseModel):
    """An adapter that is known now; `was_known`: by another key before."""

    adapter_id: str
    line: str | None
    was_known: bool


@api.post(
    "/adapters",
    status_code=201,
    response_model=KnownAdapter,
    responses={409: {"description": "There is such an adapter, or the line is another's"}},
)
async def register_adapter(
    request: Request, person: Annotated[Person, allow(Permission.PROVISION)], given: NewAdapter
) -> KnownAdapter | Response:
    """Makes an adapter known."""
    key = bytes.fromhex(given.key.get_secret_value())
    registration = Registration(given.adapter_id, key, given.line, given.replaces)
    at = now_of(request)

    def registering(connection: Connection) -> bool:
        return register(connection, registration, actor=person.name, at=at)

    try:
        was_known = await store_of(request).write_audited(registering)
    except AdapterExists:
        return answer(request, 409, _EXISTS)
    except LineTaken:
        return answer(request, 409, _TAKEN)
    return KnownAdapter(adapter_id=given.adapter_id, line=given.line, was_known=was_known)
