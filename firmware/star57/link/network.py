"""The network carrier: one HTTP/1.1 POST over TCP, bounded in bytes and in time (RFC 9112)."""

import asyncio
import socket
from errno import EINPROGRESS

from micropython import const

from star57.link.error import LinkError

_LONGEST_HEAD_BYTES = const(1024)
_LONGEST_BODY_BYTES = const(2048)
_READ_BYTES = const(256)
_HTTP_1 = b"HTTP/1."
_END_OF_HEAD = b"\r\n\r\n"


class NetworkLink:
    """The service at `host`:`port`, `path`; an exchange may take `timeout_ms` in all."""

    def __init__(self, host, port, path, timeout_ms=5000):
        self._host = host
        self._port = port
        self._path = path
        self.timeout_ms = timeout_ms

    async def post(self, body):
        """Posts a JSON `body`; answers the status and the body of the response, at most 2048 bytes.

        Raises LinkError: "refused" no connection, "timeout", "closed" before the response was whole,
        "garbage" not HTTP, "too_large" beyond 2048 bytes of body or 1024 of head.
        """
        try:
            return await asyncio.wait_for_ms(self._exchange(body), self.timeout_ms)
        except asyncio.TimeoutError:
            raise LinkError("timeout") from None

    async def _exchange(self, body):
        # asyncio.open_connection leaves its socket open when it fails or is cancelled.
        try:
            address = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0]
            pair = socket.socket(address[0], address[1], address[2])
        except OSError:
            raise LinkError("refused") from None
        try:
            stream = asyncio.StreamReader(pair)
            await self._send(pair, address[-1], stream, body)
            return await _receive(stream)
        finally:
            pair.close()

    async def _send(self, pair, address, stream, body):
        try:
            pair.setblocking(False)
            _connect(pair, address)
            stream.write(self._head(len(body)))
            stream.write(body)
            await stream.drain()
        except OSError:
            raise LinkError("refused") from None

    def _head(self, length):
        return (
            "POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: application/json\r\n"
            "Content-Length: {}\r\nConnection: close\r\n\r\n"
        ).format(self._path, self._host, self._port, length)


def _connect(pair, address):
    try:
        pair.connect(address)
    except OSError as fault:
        if fault.errno != EINPROGRESS:
            raise


async def _receive(stream):
    head, body = await _receive_head(stream)
    status, length = _parse_head(head)
    if length is not None and length > _LONGEST_BODY_BYTES:
        raise LinkError("too_large")
    while length is None or len(body) < length:
        part = await _read(stream)
        if not part:
            break
        body += part
        if length is None and len(body) > _LONGEST_BODY_BYTES:
            raise LinkError("too_large")
    if length is None:
        return status, body
    if len(body) < length:
        raise LinkError("closed")
    return status, body[:length]


async def _receive_head(stream):
    received = b""
    while True:
        if not received.startswith(_HTTP_1[: len(received)]):
            raise LinkError("garbage")
        end = received.find(_END_OF_HEAD)
        if end >= 0:
            return received[:end], received[end + len(_END_OF_HEAD) :]
        if len(received) > _LONGEST_HEAD_BYTES:
            raise LinkError("too_large")
        part = await _read(stream)
        if not part:
            raise LinkError("closed")
        received += part


async def _read(stream):
    try:
        return await stream.read(_READ_BYTES)
    except OSError:
        raise LinkError("closed") from None


def _parse_head(head):
    """The status and the content length (None when there is none) of a response's head without its end."""
    lines = head.split(b"\r\n")
    status = lines[0][9:12]
    if lines[0][8:9] != b" " or len(status) != 3 or not status.isdigit():
        raise LinkError("garbage")
    length = None
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon:
            raise LinkError("garbage")
        if name.lower() == b"content-length":
            value = value.strip()
            if length is not None or not value.isdigit():
                raise LinkError("garbage")
            length = int(value)
    return int(status), length
