"""The trace service at the bench: an adapter's key goes to it by HTTPS, signed in as a technician."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

import httpx

from host_tools.technician.faults import BenchFault

_TIMEOUT_S = 20.0


class NotRegistered(BenchFault):
    """The service does not take the adapter."""


class AlreadyKnown(NotRegistered):
    """The service knows an adapter of this id, or the line is another's."""


@dataclass(frozen=True)
class NewAdapter:
    """What the service is told of an adapter; `replaces`: what it knows by these names ends."""

    adapter_id: str
    key: bytes = field(repr=False)
    line: str | None
    replaces: bool


class Registrar(Protocol):
    """Whoever makes adapters known to the service."""

    def register(self, adapter: NewAdapter) -> None:
        """Makes it known.

        Raises:
            AlreadyKnown: it is, and is not to be replaced.
            NotRegistered: for another reason, which the text says.
        """


class ServiceRegistrar:
    """The service itself, by its API; a context manager that signs out at its end.

    Args:
        url: of the service: https, or http on this computer.
        name, password, code: of a technician's account; `code` where it has a second factor.
        ca_file: certificates to trust instead of the system's.

    Raises:
        NotRegistered: the service does not let it in.
    """

    def __init__(
        self, url: str, name: str, password: str, code: str | None = None, ca_file: str | None = None
    ) -> None:
        if not _is_private(httpx.URL(url)):
            raise NotRegistered("a key goes by https alone: give the service's https address")
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_S, verify=_trust(ca_file))
        body = {"name": name, "password": password, **({"code": code} if code else {})}
        token = str(self._sent("POST", "/api/sessions", body)["token"])
        self._client.headers["authorization"] = f"Bearer {token}"

    def __enter__(self) -> ServiceRegistrar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The boards are done, whether or not the service hears the end of it; the session ends by itself.
        with closing(self._client), suppress(NotRegistered):
            self._sent("DELETE", "/api/session")

    def register(self, adapter: NewAdapter) -> None:
        """As `Registrar`."""
        body = {
            "adapter_id": adapter.adapter_id,
            "key": adapter.key.hex(),
            "line": adapter.line,
            "replaces": adapter.replaces,
        }
        self._sent("POST", "/api/adapters", body)

    def _sent(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        try:
            response = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise NotRegistered(f"the service cannot be reached: {error}") from error
        if response.is_success:
            return dict(response.json()) if response.content else {}
        told = _told(response)
        raise AlreadyKnown(told) if response.status_code == httpx.codes.CONFLICT else NotRegistered(told)


def _is_private(url: httpx.URL) -> bool:
    """Whether nobody on the way can read what goes there."""
    if url.scheme == "https":
        return True
    try:
        return url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False


def _trust(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise NotRegistered(f"{ca_file} holds no certificates") from error


def _told(response: httpx.Response) -> str:
    try:
        problem = response.json()
        wrong = "; ".join(f"{field['field']}: {field['sentence']}" for field in problem.get("fields", []))
        return f"the service says: {problem['title']}. {wrong or problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"the service answers with status {response.status_code}"
