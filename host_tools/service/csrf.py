"""Requests that another site makes a browser send are refused (cross-site request forgery).

A page's forms carry a token that is made of the cookie; who cannot read the page cannot know it. The browser's own word
about where a request comes from (`Origin`, `Sec-Fetch-Site`) must not contradict.
"""

from __future__ import annotations

import hmac

from fastapi import Request

from host_tools.service.form_body import FormUnreadable, form_fields, is_form
from host_tools.service.secret import Secret

FIELD = "csrf_token"
HEADER = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FROM_HERE = frozenset({"same-origin", "none"})


class CrossSite(Exception):
    """The request lacks the token of its cookie, or comes from another site."""


def token(secret: Secret, cookie: str) -> str:
    """The token for whoever has this cookie."""
    return secret.mac("csrf", cookie)


async def check(request: Request, secret: Secret, cookie: str | None, public_url: str | None) -> None:
    """Checks a request that changes something, and was sent with this cookie.

    Raises:
        CrossSite: it has no cookie, not its token, or was sent from another site.
    """
    check_origin(request, public_url)
    given = await _given(request)
    if cookie is None or given is None:
        raise CrossSite
    if not hmac.compare_digest(given.encode(), token(secret, cookie).encode()):
        raise CrossSite


def check_origin(request: Request, public_url: str | None) -> None:
    """Checks what the browser says of where the request comes from; programs that say nothing pass.

    Raises:
        CrossSite: from another site.
    """
    if request.headers.get("sec-fetch-site", "none") not in _FROM_HERE:
        raise CrossSite
    origin = request.headers.get("origin")
    here = {public_url, f"{request.url.scheme}://{request.url.netloc}"}
    if origin is not None and origin not in here:
        raise CrossSite


async def _given(request: Request) -> str | None:
    header = request.headers.get(HEADER)
    if header is not None or not is_form(request):
        return header
    try:
        fields = await form_fields(request)
    except FormUnreadable:
        return None
    values = [value for name, value in fields if name == FIELD]
    return values[0] if len(values) == 1 else None
