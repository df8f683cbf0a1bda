"""Sessions for programs: `Authorization: Bearer`, and who is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, Field

from host_tools.service import csrf
from host_tools.service.access import Step, Visit, missing_step, public, signed_in
from host_tools.service.console.errors import Told, answer
from host_tools.service.console.input import Input
from host_tools.service.console.pages.sign_in import Code, Password
from host_tools.service.console.routers import api_router
from host_tools.service.console.state import address_of, now_of, people_of, sign_in_of, store_of
from host_tools.service.roles import Role
from host_tools.service.sessions import Session, Sessions
from host_tools.service.sign_in import SignInRefused

api = api_router("sessions")

_REFUSED = Told(
    "That is not right, or the account cannot sign in now",
    "After five failures an account is locked for 15 minutes and longer: wait, or ask an administrator.",
)
_CODE_NEEDED = Told("The second factor is lacking", "Send the code that the authenticator shows as `code`.")
_BROWSER_NEEDED = Told(
    "This account has never signed in", "Sign in with a browser once: it asks for what is lacking."
)


class NewSession(Input):
    """Whose session, and what proves it."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Password
    code: Code | None = None


class BegunSession(BaseModel):
    """A session that has begun. `token` goes into `Authorization: Bearer`."""

    token: str
    name: str
    role: Role


class PresentSession(BaseModel):
    """Who is signed in. `csrf_token` goes into `X-CSRF-Token` of calls by cookie that change something."""

    name: str
    role: Role
    line: str | None
    csrf_token: str


@api.post("/sessions", status_code=201, response_model=BegunSession)
async def begin(request: Request, given: NewSession, _: Annotated[None, public()]) -> Response | BegunSession:
    """Begins a session."""
    sign_in = sign_in_of(request)
    try:
        token = await sign_in.by_password(given.name, given.password.get_secret_value(), address_of(request))
        session = await _session(request, token)
        if given.code is not None and missing_step(session) == Step.CODE:
            token = await sign_in.by_code(token, session.account.account_id, given.code)
            session = await _session(request, token)
    except SignInRefused:
        return answer(request, 401, _REFUSED, headers={"www-authenticate": "Bearer"})
    step = missing_step(session)
    if step is not None:
        await sign_in.end(session.account, token)
        told = _CODE_NEEDED if step == Step.CODE else _BROWSER_NEEDED
        return answer(request, 401, told, headers={"www-authenticate": "Bearer"})
    return BegunSession(token=token, name=session.account.name, role=session.account.role)


@api.get("/session")
async def present(request: Request, visit: Annotated[Visit, signed_in()]) -> PresentSession:
    """Who is signed in."""
    person = visit.person
    token = csrf.token(people_of(request).secret, visit.token)
    return PresentSession(name=person.name, role=person.role, line=person.line, csrf_token=token)


@api.delete("/session", status_code=204)
async def end(request: Request, visit: Annotated[Visit, signed_in()]) -> None:
    """Ends the session."""
    await sign_in_of(request).end(visit.account, visit.token)


async def _session(request: Request, token: str) -> Session:
    now, lifetime = now_of(request), people_of(request).lifetime
    session = await store_of(request).read(lambda connection: Sessions(connection).find(token, now, lifetime))
    if session is None:
        raise SignInRefused  # disabled since
    return session
