"""HTTP/1.1, as much of it as one POST takes, bounded in bytes (RFC 9112)."""

from micropython import const

from star57.link.error import LinkError

LONGEST_BODY_BYTES = const(3000)  # a signed message, docs/protocol.md

_LONGEST_HEAD_BYTES = const(1024)
_HTTP_1 = b"HTTP/1."
_END_OF_HEAD = b"\r\n\r\n"


class _Head:
    """A response's head: `status`; `length` of the body, None when it ends with the connection; `keeps` it open."""

    def __init__(self, data):
        lines = data.split(b"\r\n")
        status = lines[0][9:12]
        if (
            lines[0][8:9] != b" "
            or len(status) != 3
            or not status.isdigit()
            or lines[0][12:13] not in (b"", b" ")
        ):
            raise LinkError("garbage")
        self.status = int(status)
        if self.status < 200:
            # Nothing was asked for that has an interim response.
            raise LinkError("garbage")
        self.length = None
        self.keeps = lines[0].startswith(b"HTTP/1.1")
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon:
                raise LinkError("garbage")
            self._field(name.lower(), value.strip())

    def _field(self, name, value):
        if name == b"content-length":
            if self.length is not None or not value.isdigit():
                raise LinkError("garbage")
            self.length = int(value)
        elif name == b"transfer-encoding":
            # Chunks are not asked for, and have no length that could be looked at first.
            raise LinkError("garbage")
        elif name == b"connection" and value.lower() == b"close":
            self.keeps = False


def post(path, host, body):
    """A request for `path` that posts the signed message `body`; `host` is what the Host field says."""
    head = (
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/jose\r\nContent-Length: {}\r\n\r\n"
    ).format(path, host, len(body))
    return head.encode() + body


async def receive(connection):
    """Status and body of the response that comes over `connection`, and whether that may be used again.

    Raises LinkError: "closed" before the response was whole, "garbage" no response, or one of a length that nobody
    knows, "too_large" beyond 3000 bytes of body or 1024 of head.
    """
    head, body = await _receive_head(connection)
    if head.length is not None and head.length > LONGEST_BODY_BYTES:
        raise LinkError("too_large")
    while head.length is None or len(body) < head.length:
        part = await connection.read()
        if not part:
            break
        body += part
        if head.length is None and len(body) > LONGEST_BODY_BYTES:
            raise LinkError("too_large")
    if head.length is None:
        return head.status, body, False
    if len(body) < head.length:
        raise LinkError("closed")
    # More than was announced belongs to no request.
    return head.status, body[: head.length], head.keeps and len(body) == head.length


async def _receive_head(connection):
    received = b""
    while True:
        if not received.startswith(_HTTP_1[: len(received)]):
            raise LinkError("garbage")
        end = received.find(_END_OF_HEAD)
        if end >= 0:
            return _Head(received[:end]), received[end + len(_END_OF_HEAD) :]
        if len(received) > _LONGEST_HEAD_BYTES:
            raise LinkError("too_large")
        part = await connection.read()
        if not part:
            raise LinkError("closed")
        received += part
