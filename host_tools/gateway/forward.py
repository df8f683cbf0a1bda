"""Takes a signed message to the trace service over HTTP, and is back in time whatever the service does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Self

import httpx

from host_tools.gateway.messages import MAX_BODY_BYTES, UNAVAILABLE

MESSAGES_PATH = "/v1/messages"

Forward = Callable[[bytes], Awaitable[tuple[int, bytes]]]

_TIMEOUT_S = 3.0
_HEADERS = {"Content-Type": "application/jose", "Accept-Encoding": "identity"}
# Shorter than the 5 s after which uvicorn closes a connection that rests: none is used that is about to be closed.
_REST_S = 4.0
# Those of an answer and of the refusals that settle something (docs/protocol.md). A proxy, a portal or another server
# says others, or HTML.
_STATUSES_OF_A_SERVICE = frozenset({200, 400, 401, 403, 409, 413})
_TYPES_OF_A_SERVICE = ("application/jose", "application/json")
# No limit of connections: each port has one question under way. Those that rest are few.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=_REST_S)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    is_of_a_service: bool


class ServiceForward:
    """The trace service at one or several addresses, of which the one that answered last is asked first.

    Args:
        urls: http or https, such as "https://trace.example.net"; without a path, `/v1/messages` is posted to.
        timeout_s: for the whole exchange with each address, from looking up its name to the answer's last byte.
        ca_file: PEM; a service must have a certificate of these authorities, and the system's count for nothing.
            None: the system's.

    Raises:
        ValueError: an address is none of that kind, or there is none.
        OSError: `ca_file` cannot be read, or holds no certificate.
    """

    def __init__(
        self, urls: Sequence[str], timeout_s: float = _TIMEOUT_S, ca_file: Path | None = None
    ) -> None:
        self._addresses = [service_address(url) for url in urls]
        if not self._addresses:
            raise ValueError("there is no address")
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            verify=self._trust(ca_file),
            headers=_HEADERS,
            timeout=timeout_s,
            limits=_LIMITS,
            # Neither a proxy nor certificates nor a password come from the environment, and no cookie is kept.
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def __call__(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the first whole answer of a service that works, or else of the first that was whole.

        `UNAVAILABLE` when no whole answer of at most 3000 bytes came in time. It raises nothing.
        """
        best = None
        for address in list(self._addresses):
            answer = await self._exchange(address, body)
            if answer is None:
                continue
            if answer.is_of_a_service:
                self._ask_first(address)
                return answer.status, answer.body
            best = best or (answer.status, answer.body)
        return best or UNAVAILABLE

    async def close(self) -> None:
        """Ends the connections that rest."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _trust(self, ca_file: Path | None) -> ssl.SSLContext:
        if ca_file is None and all(address.scheme == "http" for address in self._addresses):
            # Nobody is trusted, and the system's authorities, which take 30 ms to read, are left alone.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return ssl.create_default_context(cafile=ca_file)

    def _ask_first(self, address: httpx.URL) -> None:
        self._addresses.remove(address)
        self._addresses.insert(0, address)

    async def _exchange(self, address: httpx.URL, body: bytes) -> _Answer | None:
        try:
            # The client's own time-outs begin anew with each byte; this one ends the exchange though bytes trickle in.
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", address, content=body) as response,
            ):
                read = await _read(response)
        except (httpx.HTTPError, OSError, UnicodeError):
            return None
        return None if read is None else _Answer(response.status_code, read, _is_of_a_service(response))


def service_address(url: str) -> httpx.URL:
    """What is posted to when `url` is asked.

    Raises:
        ValueError: it is no http or https address.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"{url} is no http or https address: {error}") from error
    if address.userinfo:
        raise ValueError("an address with a password would stand in logs")
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError(f"{url} is no http or https address")
    return address if address.path.strip("/") else address.copy_with(path=MESSAGES_PATH)


def blocking_forward(url: str, timeout_s: float = _TIMEOUT_S) -> Callable[[bytes], tuple[int, bytes]]:
    """The same for a caller that has no event loop: it waits for the answer, over a connection of its own.

    Raises:
        ValueError: `url` is no http or https address.
    """
    service_address(url)

    async def ask(body: bytes) -> tuple[int, bytes]:
        async with ServiceForward([url], timeout_s) as forward:
            return await forward(body)

    return lambda body: asyncio.run(ask(body))


def _is_of_a_service(response: httpx.Response) -> bool:
    """Whether a service that works may have said it; the adapter alone can tell whether one has."""
    is_message = response.headers.get("content-type", "").startswith(_TYPES_OF_A_SERVICE)
    return is_message and response.status_code in _STATUSES_OF_A_SERVICE


async def _read(response: httpx.Response) -> bytes | None:
    """Its body as it was sent; None when that is too long."""
    body = b""
    async for part in response.aiter_raw():
        body += part
        if len(body) > MAX_BODY_BYTES:
            return None
    return body
