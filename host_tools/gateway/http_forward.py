"""Takes a request to the trace service over HTTP, and is back in time whatever the service does."""

from __future__ import annotations

import socket
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Event, Timer
from urllib.parse import urlsplit

from host_tools.gateway.messages import MAX_MESSAGE_BYTES, UNAVAILABLE

_HEADERS = {"Content-Type": "application/json", "Connection": "close"}


class ServiceForward:
    """The trace service at `url`, http or https, path included.

    Args:
        url: where requests are posted to, such as "http://127.0.0.1:5757/v1/traces".
        timeout_s: for each of connecting and the exchange that follows. The adapter waits 5 s in all.

    Raises:
        ValueError: `url` is no address of that kind.
    """

    def __init__(self, url: str, timeout_s: float = 2.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no http or https address")
        self._connection_kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host = parts.hostname
        self._port = parts.port
        self._path = parts.path or "/"
        self._timeout_s = timeout_s

    def __call__(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the service's answer; the refusal `unavailable` when no whole one came, and in time."""
        connection = self._connection_kind(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.connect()
            return self._exchange(connection, body)
        except (OSError, HTTPException, UnicodeError):
            # UnicodeError: a host or a path that no request can carry.
            return UNAVAILABLE
        finally:
            connection.close()

    def _exchange(self, connection: HTTPConnection, body: bytes) -> tuple[int, bytes]:
        # The socket's own time-out begins anew with each byte; this one ends the exchange though bytes trickle in.
        expired = Event()
        deadline = Timer(self._timeout_s, _hang_up, [connection.sock, expired])
        deadline.start()
        try:
            connection.request("POST", self._path, body, _HEADERS)
            with connection.getresponse() as response:
                answer = _read(response)
            # To a body without a length its being cut off is its end.
            return UNAVAILABLE if expired.is_set() else answer
        finally:
            deadline.cancel()
            deadline.join()


def _hang_up(connected: socket.socket, expired: Event) -> None:
    expired.set()
    # Past ssl's own shutdown(), which would take the socket from under the thread that reads it.
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _read(response: HTTPResponse) -> tuple[int, bytes]:
    body = response.read(MAX_MESSAGE_BYTES + 1)
    is_whole = not response.length
    if len(body) > MAX_MESSAGE_BYTES or not is_whole:
        return UNAVAILABLE
    return response.status, body
