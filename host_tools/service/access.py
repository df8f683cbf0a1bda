"""Who may what: each route says it by exactly one of `allow`, `signed_in` and `public`, and a test reads them all.

    async def queue(request: Request, person: Annotated[Person, allow(Permission.DESK)]) -> Response: ...

Somebody is signed in by a browser's cookie or by `Authorization: Bearer`. What a browser changes must carry the token
of `csrf`; a program that sends its token itself needs none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import Depends, Request

from host_tools.service import csrf
from host_tools.service.accounts import Account
from host_tools.service.audit.log import AuditLog
from host_tools.service.people import People
from host_tools.service.roles import PERMISSIONS, Permission, Role
from host_tools.service.sessions import Session, Sessions

__all__ = ["PERMISSIONS", "Access", "Permission", "Person", "Role", "allow", "public", "signed_in"]


class Step(StrEnum):
    """What a sign-in still lacks: the page where it is given."""

    SIGN_IN = "/sign-in"
    CODE = "/sign-in/code"
    ENROL = "/sign-in/totp"
    DONE = "/"
    PASSWORD = "/sign-in/password"  # noqa: S105 - a path


class NotSignedIn(Exception):
    """Nobody is signed in, or not wholly; `step` is what is lacking."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.step = step


class NotAllowed(Exception):
    """Whoever is signed in may not do this; it is in the audit log."""


@dataclass(frozen=True)
class Person:
    """Who is signed in.

    Attributes:
        name: as the audit log has it.
        line: a household's own; None for everybody else.
    """

    account_id: int
    name: str
    role: Role
    line: str | None

    def may(self, permission: Permission) -> bool:
        """Whether their role has it."""
        return permission in PERMISSIONS[self.role]


@dataclass(frozen=True)
class Visit:
    """A request of somebody who has at least begun to sign in.

    Attributes:
        token: of the session.
        is_by_cookie: a browser sent it by itself.
    """

    session: Session
    token: str
    is_by_cookie: bool

    @property
    def account(self) -> Account:
        """Whose session it is."""
        return self.session.account

    @property
    def person(self) -> Person:
        """Who it is."""
        account = self.session.account
        return Person(account.account_id, account.name, account.role, account.line)


class Access(ABC):
    """What a route asks of who comes; FastAPI calls it before the route."""

    @abstractmethod
    async def __call__(self, request: Request) -> Any:
        """Whom the route is to serve; raises when it must not."""


@dataclass(frozen=True)
class Public(Access):
    """Anybody. `has_form`: a browser must have the form from here."""

    has_form: bool

    async def __call__(self, request: Request) -> None:
        """Checks where a form comes from."""
        if self.has_form and request.method not in csrf.SAFE:
            people = _people(request)
            cookie = request.cookies.get(visitor_cookie(request))
            await csrf.check(request, people.secret, cookie, people.settings.public_url)


@dataclass(frozen=True)
class SignedIn(Access):
    """Whoever is signed in but for one of these steps; None is wholly."""

    steps: frozenset[Step | None]

    async def __call__(self, request: Request) -> Visit:
        """The visit."""
        visit = await _visit(request)
        step = missing_step(visit.session)
        if step not in self.steps:
            raise NotSignedIn(step or Step.DONE)
        await _check_csrf(request, visit)
        return visit


@dataclass(frozen=True)
class Allowed(Access):
    """Whoever has the permission."""

    permission: Permission

    async def __call__(self, request: Request) -> Person:
        """Who it is."""
        visit = await _visit(request)
        step = missing_step(visit.session)
        if step is not None:
            raise NotSignedIn(step)
        if not visit.person.may(self.permission):
            await _note_refusal(request, visit.person, permission=self.permission.value)
            raise NotAllowed
        await _check_csrf(request, visit)
        return visit.person


def allow(permission: Permission) -> Any:
    """For whoever has the permission; the route is given a Person."""
    return Depends(Allowed(permission))


def signed_in(*steps: Step | None) -> Any:
    """For whoever is signed in, or lacks one of these steps (None: nothing); the route is given a Visit."""
    return Depends(SignedIn(frozenset(steps or (None,))))


def public(*, has_form: bool = False) -> Any:
    """For anybody. `has_form`: a page whose form a browser sends back to this route."""
    return Depends(Public(has_form))


def session_cookie(request: Request) -> str:
    """The name of the cookie with the session's token."""
    return _cookie(request, "session")


def visitor_cookie(request: Request) -> str:
    """The name of the cookie of somebody who is not signed in yet."""
    return _cookie(request, "visitor")


def missing_step(session: Session) -> Step | None:
    """What its sign-in still lacks."""
    if not session.is_complete:
        return Step.CODE if session.account.totp_secret else Step.ENROL
    return Step.PASSWORD if session.account.password_until is not None else None


def _cookie(request: Request, name: str) -> str:
    # A browser takes such a name only from the host itself, by TLS, for all paths (RFC 6265bis §4.1.3.2).
    return f"__Host-star57-{name}" if request.url.scheme == "https" else f"star57-{name}"


async def _visit(request: Request) -> Visit:
    token, is_by_cookie = _token(request)
    if token is None:
        raise NotSignedIn(Step.SIGN_IN)
    people, state = _people(request), request.app.state
    now = state.clock()
    session: Session | None = await state.store.read(
        lambda connection: Sessions(connection).find(token, now, people.lifetime)
    )
    if session is None:
        raise NotSignedIn(Step.SIGN_IN)
    people.by_person.take(str(session.account.account_id))
    if session.is_to_be_seen(now):
        await state.store.write(lambda connection: Sessions(connection).saw(token, now))
    visit = Visit(session, token, is_by_cookie)
    request.state.visit = visit
    return visit


def _token(request: Request) -> tuple[str | None, bool]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip(), False
    return request.cookies.get(session_cookie(request)), True


async def _check_csrf(request: Request, visit: Visit) -> None:
    if request.method in csrf.SAFE or not visit.is_by_cookie:
        return
    people = _people(request)
    try:
        await csrf.check(request, people.secret, visit.token, people.settings.public_url)
    except csrf.CrossSite:
        await _note_refusal(request, visit.person, cross_site=True)
        raise


async def _note_refusal(request: Request, person: Person, **details: str | bool) -> None:
    now, route = request.app.state.clock(), request.scope["route"]
    # The route, not the path: what is put into a path's variable part is anybody's.
    await request.app.state.store.write_audited(
        lambda connection: AuditLog(connection).append(
            now, person.name, "access.refused", route.path, method=request.method, **details
        )
    )


def _people(request: Request) -> People:
    people: People = request.app.state.people
    return people
