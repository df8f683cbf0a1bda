"""What every browser is told: run only what comes from here, in no frame; keep no page; tell other sites nothing."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
_ALWAYS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Not "no-referrer": then browsers would not say that a form comes from here, either.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_A_YEAR = "max-age=31536000"
_STATIC = "/static/"


class SecurityHeaders:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add(MutableHeaders(scope=message), scope)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def add(headers: MutableHeaders, scope: Scope) -> None:
    """Adds what an answer to this request lacks."""
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    is_static = scope["path"].startswith(_STATIC)
    headers.setdefault("cache-control", "no-cache" if is_static else "no-store")
    if scope["scheme"] == "https":
        headers.setdefault("strict-transport-security", _A_YEAR)
