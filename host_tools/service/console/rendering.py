"""Pages out of templates."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from host_tools.service import csrf
from host_tools.service.access import Person, Visit, missing_step, session_cookie, visitor_cookie
from host_tools.service.console.navigation import links_of
from host_tools.service.console.state import people_of
from host_tools.service.dollars import dollars
from host_tools.service.local_time import in_words

TEMPLATES = Path(__file__).with_name("templates")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["dollars"] = dollars
    return environment


_ENVIRONMENT = _environment()


def page(request: Request, template: str, *, status_code: int = 200, **context: Any) -> HTMLResponse:
    """The page of `template`.

    A template has what `context` gives, and `request`; `person`, who is signed in, or None; `visit`, who has at least
    begun to; `links`, where they may go; `csrf_field()`, the hidden field of every form that is posted; and
    `at(seconds)`, a moment in the operator's time zone.
    """
    visit: Visit | None = getattr(request.state, "visit", None)
    visitor = request.cookies.get(visitor_cookie(request)) or secrets.token_urlsafe(32)
    token = csrf.token(people_of(request).secret, visit.token if visit else visitor)
    person = _person(visit)
    html = _ENVIRONMENT.get_template(template).render(
        {
            "request": request,
            "visit": visit,
            "person": person,
            "links": links_of(person) if person else [],
            "csrf_token": token,
            "csrf_field": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(
                csrf.FIELD, token
            ),
            "at": lambda seconds: _time(seconds, request.app.state.settings.zone),
            **context,
        }
    )
    response = HTMLResponse(html, status_code)
    if visit is None:
        set_cookie(response, request, visitor_cookie(request), visitor)
    return response


def set_session(response: Response, request: Request, token: str) -> None:
    """Makes the browser send this session's token from now on."""
    set_cookie(response, request, session_cookie(request), token)


def forget_session(response: Response, request: Request) -> None:
    """Makes the browser forget the session."""
    response.delete_cookie(
        session_cookie(request), secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )


def set_cookie(response: Response, request: Request, name: str, value: str) -> None:
    """Sets a cookie that no script reads, and no other site makes a browser send with a form."""
    # Without an age: it goes when the browser is closed.
    response.set_cookie(name, value, secure=request.url.scheme == "https", httponly=True, samesite="lax")


def _time(seconds: int, zone: ZoneInfo) -> Markup:
    """A moment, which a narrow column breaks between date and time and nowhere else."""
    date, time = in_words(seconds, zone).split(" ", 1)
    return Markup("<time><span>{}</span> <span>{}</span></time>").format(date, time)


def _person(visit: Visit | None) -> Person | None:
    return visit.person if visit and missing_step(visit.session) is None else None
