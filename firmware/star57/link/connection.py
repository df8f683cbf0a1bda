"""One connection to the service, by TCP alone or with TLS on it: bytes out, bytes in, and nothing waits in between."""

import asyncio
import socket
from errno import EINPROGRESS

from micropython import const

from star57.link.error import LinkError
from star57.link.names import socket_address
from star57.link.readiness import writable

_READ_BYTES = const(512)
# Mbed TLS has its own numbers below -256; this one of them is the end of the stream.
_TLS_ERRORS = const(-256)
_TLS_CLOSED = const(-0x7280)


class Connection:
    """Whoever opens it closes it. `has_answered`: something has come since send() was called last."""

    def __init__(self):
        self.has_answered = False
        self._socket = None
        self._end = None
        self._stream = None
        self._paced = None

    async def open(self, address, port, host, certificate):
        """Connects to `address`, a dotted quad; with TLS when there is a `certificate` (in DER), for `host`.

        Raises LinkError("refused") or ("untrusted"). Of TLS the handshake comes with the first send().
        """
        try:
            self._socket = self._end = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._socket.setblocking(False)
            self._connect(socket_address(address, port))
            await writable(self._socket)
        except OSError:
            raise LinkError("refused") from None
        if certificate is not None:
            # asyncio would do the same in open_connection, but leaves its socket open when it fails.
            from star57.link.tls import secure  # noqa: PLC0415 - only who uses TLS pays for it

            self._end, self._paced = secure(self._socket, certificate, host)
        self._stream = asyncio.StreamReader(self._end)

    def _connect(self, address):
        try:
            self._socket.connect(address)
        except OSError as fault:
            if fault.errno != EINPROGRESS:
                raise

    async def send(self, data):
        """Raises LinkError: "refused", and with TLS "untrusted" or "closed"."""
        self.has_answered = False
        try:
            self._stream.write(data)
            await self._stream.drain()
        except (OSError, ValueError) as fault:
            raise _link_error(fault, "refused") from None
        if self._paced is not None:
            self._paced.at_once()

    async def read(self):
        """Some bytes, b"" at the end. Raises LinkError("closed"), and with TLS "untrusted"."""
        try:
            part = await self._stream.read(_READ_BYTES)
        except (OSError, ValueError) as fault:
            raise _link_error(fault, "closed") from None
        self.has_answered = self.has_answered or bool(part)
        return part

    def is_idle(self):
        """Whether it is open, and nothing has come that nobody asked for."""
        try:
            return self._end.read(1) is None
        except (OSError, ValueError):
            return False

    def close(self):
        """May be called again."""
        if self._socket is None:
            return
        try:
            self._end.close()
        except OSError:
            pass
        self._socket.close()
        self._socket = None


def _link_error(fault, reason):
    """Mbed TLS tells of a wrong certificate by a ValueError, of all else by an OSError with a number of its own."""
    if isinstance(fault, ValueError):
        return LinkError("untrusted")
    if fault.errno == _TLS_CLOSED:
        return LinkError("closed")
    return LinkError("untrusted" if fault.errno <= _TLS_ERRORS else reason)
