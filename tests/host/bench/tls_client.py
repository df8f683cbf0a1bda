"""A TLS client in memory, in frames as a Pico sends them."""

from __future__ import annotations

import ssl
import struct

from bench.tls_certificates import Chain
from bench.tls_handshake import ANSWER, TlsService


def frame(kind: bytes, data: bytes = b"") -> bytes:
    """What a Pico sends."""
    return kind + struct.pack("<H", len(data)) + data


def data_of(frames: bytes) -> bytes:
    """The TLS in one frame of a service."""
    kind, length = struct.unpack_from("<cH", frames)
    assert (kind, length) == (b"D", len(frames) - 3)
    return frames[3:]


def shakes_hands(chain: Chain, pinned: bytes, host: str, service: TlsService | None = None) -> str:
    """Shakes hands, asks and is answered; the suite by OpenSSL's name."""
    service = service or TlsService(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pinned)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=host)
    is_agreed = False
    while True:
        try:
            if not is_agreed:
                session.do_handshake()
                session.write(b"GET /health HTTP/1.0\r\n\r\n")
                is_agreed = True
            assert session.read() == ANSWER
            cipher = session.cipher()
            assert cipher is not None
            return cipher[0]
        except ssl.SSLWantReadError:
            service(frame(b"D", outgoing.read()))
            incoming.write(data_of(service(frame(b"P"))))
