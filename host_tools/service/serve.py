"""The trace service as a process: its database, its socket, and serving until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from host_tools.service.api import create_app
from host_tools.service.records import Records
from host_tools.service.settings import Settings

STOP_WITHIN_S = 10
# An adapter's heartbeat comes each 60 s, over the same connection.
KEEP_ALIVE_S = 75
HEAD_WITHIN_S = 10.0


class Connection(H11Protocol):
    """A connection that is closed when it rests before a request, or within a request's head.

    uvicorn waits for ever there, and an adapter whose power failed never says that it has gone.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It begins, and a request is awaited."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Some bytes came; when they end within a head, its rest is awaited."""
        super().data_received(data)
        if self.timeout_keep_alive_task is None and self.conn.their_state is h11.IDLE:
            self._await_head()

    def _await_head(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(HEAD_WITHIN_S, self.timeout_keep_alive_handler)


def listen(settings: Settings) -> socket.socket:
    """Prepares the database, and answers the socket that can be connected to from now on.

    Raises:
        SQLAlchemyError: the database cannot be opened for writing.
        OSError: the address cannot be listened on.
    """
    records = Records(settings.database)
    try:
        records.prepare()
    finally:
        records.close()
    listener = socket.create_server((settings.host, settings.port), backlog=1024)
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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    config = uvicorn.Config(
        create_app(settings, clock),
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    uvicorn.Server(config).run(sockets=[listener])
