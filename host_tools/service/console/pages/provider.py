"""Signing in by the identity provider: to it, and back."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from host_tools.service.access import public, session_cookie
from host_tools.service.console.addresses import next_page
from host_tools.service.console.errors import Told, answer
from host_tools.service.console.rendering import set_cookie, set_session
from host_tools.service.console.routers import page_router
from host_tools.service.console.state import address_of, now_of, people_of, sign_in_of
from host_tools.service.oidc import Flow, Provider, ProviderRefused, ProviderUnavailable
from host_tools.service.rate_limit import network_of
from host_tools.service.secret import NotOurs
from host_tools.service.sign_in import SignInRefused

BACK = "/sign-in/provider/back"
_USE = "provider"

router = page_router()

_NOT_LET_IN = Told(
    "The identity provider has let nobody in",
    "Begin again at the sign-in page. When it says this again, ask an administrator whether you have a role here.",
)
_NO_ANSWER = Told(
    "The identity provider does not answer", "Try again in a minute, or sign in with name and password."
)


@router.get("/sign-in/provider")
async def to_provider(
    request: Request,
    _: Annotated[None, public()],
    next: str = "/",  # noqa: A002 - its name
) -> Response:
    """Sends the browser to the identity provider."""
    provider = _provider(request)
    flow = Flow.new(next_page(next))
    try:
        address = await provider.begin(flow, _redirect_uri(request))
    except ProviderUnavailable:
        return answer(request, 503, _NO_ANSWER)
    response = RedirectResponse(address, 303)
    kept = people_of(request).secret.encrypt(_USE, flow.to_bytes())
    set_cookie(response, request, _cookie(request), base64.urlsafe_b64encode(kept).decode())
    return response


@router.get(BACK)
async def from_provider(request: Request, _: Annotated[None, public()]) -> Response:
    """Takes whom the identity provider sends."""
    provider = _provider(request)
    people_of(request).by_address.take(network_of(address_of(request)))
    try:
        flow = _flow(request)
        identity = await provider.finish(flow, _redirect_uri(request), request.query_params, now_of(request))
        token = await sign_in_of(request).by_provider(identity)
    except ProviderUnavailable:
        return answer(request, 503, _NO_ANSWER)
    except ProviderRefused:
        await sign_in_of(request).refused_by_provider()
        return answer(request, 403, _NOT_LET_IN)
    except SignInRefused:
        return answer(request, 403, _NOT_LET_IN)
    response = RedirectResponse(flow.following, 303)
    set_session(response, request, token)
    response.delete_cookie(
        _cookie(request), secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )
    return response


def _provider(request: Request) -> Provider:
    settings = people_of(request).settings
    if settings.oidc_issuer is None:
        raise HTTPException(404)
    return Provider(settings)


def _flow(request: Request) -> Flow:
    kept = request.cookies.get(_cookie(request), "")
    try:
        return Flow.from_bytes(
            people_of(request).secret.decrypt(_USE, base64.b64decode(kept.encode(), b"-_", validate=True))
        )
    except (NotOurs, ValueError) as error:
        raise ProviderRefused from error


def _redirect_uri(request: Request) -> str:
    here = people_of(request).settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return here + BACK


def _cookie(request: Request) -> str:
    return session_cookie(request).replace("session", "provider")
