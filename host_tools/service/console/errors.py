"""What people and programs are told when something is not done: why, and what to do. Pages get a page, `/api` JSON."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from host_tools.service import csrf
from host_tools.service.access import NotAllowed, NotSignedIn, Step
from host_tools.service.console import headers
from host_tools.service.console.input import sentence
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import PROBLEM_JSON, Problem, WrongField
from host_tools.service.messages import Refused
from host_tools.service.passwords import Busy
from host_tools.service.rate_limit import TooMany
from host_tools.service.secret import NotOurs, SecretUnusable

_API = "/api/"
_RETRY_S = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """What somebody is told: what happened, and what to do."""

    title: str
    what_to_do: str


TOLD = {
    400: Told("That could not be read", "Go back, open the page anew and try again."),
    401: Told(
        "You are not signed in",
        "Sign in, then try again. Programs send Authorization: Bearer and a session's token.",
    ),
    403: Told(
        "Your role may not do this",
        "Ask an administrator for a role that may. That you tried is in the audit log.",
    ),
    404: Told("There is no such page", "Look at the address, or begin at the first page."),
    405: Told("That cannot be done here", "Go back, open the page anew and use its buttons."),
    408: Told(
        "What you sent did not arrive in time", "Try again; look at your connection when it happens again."
    ),
    413: Told("That is too much", "Send less than 64 KB."),
    422: Told(
        "Something is wrong with the address or what was sent",
        "Go back, and choose from what the page shows.",
    ),
    429: Told("That was too often", "Wait a minute, then try again."),
    500: Told(
        "The service has failed",
        "Try again. When it fails again, tell whoever runs the service what you did.",
    ),
    503: Told("The service cannot do this now", "Nothing was changed. Wait a few seconds, then try again."),
}
_CROSS_SITE = Told(
    "This did not come from a page of the service",
    "Go back, open the page anew and try again. Your browser must keep cookies for this site.",
)
_HALF_SIGNED_IN = Told("Your sign-in is not complete", "Finish it in a browser: it asks for what is lacking.")


def add_to(app: FastAPI) -> None:
    """Adds the handlers."""
    app.exception_handlers[HTTPException] = _status
    app.exception_handlers[Exception] = _failed
    app.exception_handlers[RequestValidationError] = _invalid
    app.exception_handlers[NotSignedIn] = _not_signed_in
    app.exception_handlers[NotAllowed] = _not_allowed
    app.exception_handlers[csrf.CrossSite] = _cross_site
    app.exception_handlers[TooMany] = _too_many
    for unavailable in (Busy, SQLAlchemyError, OSError, Refused, SecretUnusable, NotOurs):
        app.exception_handlers[unavailable] = _unavailable


def answer(
    request: Request,
    status: int,
    told: Told | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as a page, or as JSON for a program.

    Args:
        told: None for what is always told of this status.
        fields: a sentence for each field that is wrong.
    """
    told = told or TOLD.get(status) or Told(HTTPStatus(status).phrase, TOLD[400].what_to_do)
    response: Response
    if is_for_program(request):
        wrong = [WrongField(field=name, sentence=words) for name, words in (fields or {}).items()]
        problem = Problem(title=told.title, status=status, detail=told.what_to_do, fields=wrong)
        response = JSONResponse(problem.model_dump(), status, media_type=PROBLEM_JSON)
    else:
        response = page(request, "error.html", told=told, fields=fields or {}, status_code=status)
    response.headers.update(headers or {})
    return response


def is_for_program(request: Request) -> bool:
    """Whether the answer is JSON."""
    return request.url.path.startswith(_API)


async def _status(request: Request, error: HTTPException) -> Response:
    return answer(request, error.status_code, headers=error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    logger.error("failed: %s", type(error).__name__)
    response = answer(request, 500)
    # It is answered before every middleware.
    headers.add(response.headers, request.scope)
    return response


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    fields = {".".join(str(part) for part in each["loc"][1:]): sentence(each) for each in error.errors()}
    return answer(request, 422, fields=fields)


async def _not_signed_in(request: Request, error: NotSignedIn) -> Response:
    if is_for_program(request):
        told = None if error.step == Step.SIGN_IN else _HALF_SIGNED_IN
        return answer(request, 401, told, headers={"www-authenticate": "Bearer"})
    address = str(error.step)
    if request.method == "GET" and error.step != Step.DONE and request.url.path != "/":
        address += f"?{urlencode({'next': _path(request)})}"
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"hx-redirect": address})
    return RedirectResponse(address, 303)


def _path(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


async def _not_allowed(request: Request, _: NotAllowed) -> Response:
    return answer(request, 403)


async def _cross_site(request: Request, _: csrf.CrossSite) -> Response:
    return answer(request, 403, _CROSS_SITE)


async def _too_many(request: Request, error: TooMany) -> Response:
    return answer(request, 429, headers={"retry-after": str(error.retry_after_s)})


async def _unavailable(request: Request, error: Exception) -> Response:
    # The kind alone: a database's text might repeat what it was given.
    logger.error("unavailable: %s", type(error).__name__)
    return answer(request, 503, headers={"retry-after": str(_RETRY_S)})
