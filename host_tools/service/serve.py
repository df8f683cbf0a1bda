"""The trace service as a process: its database, its socket, and serving until a signal ends it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from host_tools.service import logs
from host_tools.service.api import create_app
from host_tools.service.health import Life
from host_tools.service.origins import OriginKeys
from host_tools.service.secret import Secret
from host_tools.service.settings import Settings
from host_tools.service.store import run_once

STOP_WITHIN_S = 10
# An adapter's heartbeat comes each 60 s, over the same connection.
KEEP_ALIVE_S = 75
HEAD_WITHIN_S = 10.0
MAX_HEAD_BYTES = 16384


class Connection(HttpToolsProtocol):
    """A connection that is closed when it rests before a request or within a request's head, or when that is too long.

    uvicorn waits for ever there, and an adapter whose power failed never says that it has gone.
    """

    _is_in_head = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It begins, and a request is awaited."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Some bytes came; when they end within a head, its rest is awaited."""
        super().data_received(data)
        if not self._is_in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.send_400_response("The head of the request is too long.")
        elif self.timeout_keep_alive_task is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """A head is whole."""
        super().on_headers_complete()
        self._is_in_head = False

    def _await_head(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(HEAD_WITHIN_S, self.timeout_keep_alive_handler)


class Server(uvicorn.Server):
    """Serves; told to stop, it says by `life` that it will, and serves on for `leave_after_s`."""

    def __init__(self, config: uvicorn.Config, life: Life, leave_after_s: float) -> None:
        super().__init__(config)
        self._life = life
        self._leave_after_s = leave_after_s
        self._leaves_at_s: float | None = None

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop now; uvicorn asks ten times a second."""
        if not await super().on_tick(counter):
            return False
        if self._leaves_at_s is None:
            self._life.is_stopping = True
            self._leaves_at_s = time.monotonic() + self._leave_after_s
        return self.force_exit or time.monotonic() >= self._leaves_at_s


class CannotListen(OSError):
    """The address is not to be had."""


def listen(settings: Settings) -> socket.socket:
    """Prepares the database, and answers the socket that can be connected to from now on.

    Raises:
        SQLAlchemyError, OSError: the database cannot be opened for writing.
        StoreTooNew: it is of a newer program.
        OriginKeysUnreadable, SecretUnusable: the keys that origins are counted by, or the secret, cannot be had.
        CannotListen: the address cannot be listened on.
    """
    OriginKeys.load_or_make(settings.origin_keys)
    Secret(settings.secret).check()
    run_once(settings.database, lambda _: None)
    try:
        listener = socket.create_server(
            (settings.host, settings.port), backlog=1024, reuse_port=settings.shares_port
        )
    except OSError as error:
        raise CannotListen(*error.args) from error
    # Head and body of an answer are written one after another: the body must not wait 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(settings: Settings, listener: socket.socket, clock: Callable[[], float] = time.time) -> None:
    """Serves what comes to `listener`; returns after SIGTERM or SIGINT, when what had come is answered.

    Args:
        settings: what the operator chose.
        listener: from `listen`.
        clock: Unix seconds.
    """
    logs.configure(settings.log_format)
    app = create_app(settings, clock)
    config = uvicorn.Config(
        app,
        http=Connection,
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    Server(config, app.state.life, settings.leave_after_s).run(sockets=[listener])
