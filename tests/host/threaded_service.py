"""An HTTP server of a test's own, on a real socket and in a thread of its own."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PostHandler(BaseHTTPRequestHandler):
    """Hands the body of each post to `answer`, which its subclass has, and keeps standard error silent."""

    protocol_version = "HTTP/1.1"

    def answer(self, body: bytes) -> None:
        """Sends the answer to `body`, headers and all."""
        raise AssertionError(f"nobody answers {body!r}")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


class ThreadedService:
    """Serves at `address` until it is closed; with TLS when it is given a context."""

    def __init__(self, handler: type[PostHandler], context: ssl.SSLContext | None = None) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.address = ("127.0.0.1", self._server.server_port)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
