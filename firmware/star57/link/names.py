"""Looks names up without waiting in the port's getaddrinfo, which holds up the whole firmware for seconds.

A stub resolver over UDP (RFC 1035, 7). A name server, and whoever can send to this port, is not to be trusted; what
a wrong address can do is that the service does not answer, for answers are signed (docs/protocol.md).
"""

import asyncio
import os
import socket
from asyncio import core
from errno import EAGAIN

from micropython import const

from star57.link.dns import LONGEST_ANSWER_BYTES, DnsError, query, read_answer
from star57.link.error import LinkError
from star57.link.readiness import readable

_PORT = const(53)
_TRIES = const(3)
_SHORTEST_MS = const(60_000)
_LONGEST_S = const(86_400)
# RFC 8767, 5: the name server is asked again after 30 s when an address was served without it.
_STALE_MS = const(30_000)
_MOST_NAMES = const(8)
# RFC 5452, 9.2: whoever answers unasked has to guess the port, too. lwIP counts its own up.
_FIRST_PORT = const(49_152)
_PORTS = const(16_384)
_NOT_OURS = ("foreign", "garbage")


class _Known:
    """What a name was last looked up to be; `fresh_ms` from `since` on without asking again."""

    def __init__(self, addresses, fresh_ms):
        self.addresses = addresses
        self.renew(fresh_ms)

    def renew(self, fresh_ms):
        self._since = core.ticks()
        self._fresh_ms = fresh_ms

    def is_fresh(self):
        # Ticks wrap: what lies half a period back seems to lie ahead.
        return 0 <= core.ticks_diff(core.ticks(), self._since) < self._fresh_ms


class Names:
    """Remembers what it has looked up, and answers from it while that holds, and when no name server helps."""

    def __init__(self):
        self._known = {}

    async def look_up(self, name, server, timeout_ms):
        """The addresses of `name`: dotted quads, 1 to 4. Waits `timeout_ms` at most.

        `server` is the name server's address, or address:port; None: there is none. Raises LinkError("no_name").
        """
        known = self._known.get(name)
        if known is not None and known.is_fresh():
            return known.addresses
        try:
            addresses, ttl_s = await _ask(name, server, timeout_ms)
        except (DnsError, OSError):
            if known is None:
                raise LinkError("no_name") from None
            known.renew(_STALE_MS)
            return known.addresses
        if len(self._known) >= _MOST_NAMES:
            self._known.clear()
        self._known[name] = _Known(addresses, max(_SHORTEST_MS, 1000 * min(ttl_s, _LONGEST_S)))
        return addresses

    def doubt(self, name):
        """Nobody has answered there: the name is asked for again, whatever its time to live was."""
        if name in self._known:
            self._known[name].renew(0)


def is_address(host):
    """Whether `host` is a dotted quad, which needs no look-up."""
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts)


def split_port(host, port):
    """Host and port of the text `host`, which is `host` or `host:port`. Raises LinkError("no_name") when it is none."""
    host, colon, own = host.strip().partition(":")
    if colon:
        if not own.isdigit() or not 1 <= len(own) <= 5 or not 1 <= int(own) <= 65535:
            raise LinkError("no_name")
        port = int(own)
    if not host:
        raise LinkError("no_name")
    return host, port


def socket_address(address, port):
    """What connect() and bind() take. For a dotted quad, getaddrinfo asks nobody and returns at once."""
    return socket.getaddrinfo(address, port, 0, socket.SOCK_STREAM)[0][-1]


async def _ask(name, server, timeout_ms):
    """What the name server says of `name`: addresses and seconds to live. Raises DnsError and OSError."""
    address, port = _server_address(server)
    question = query(os.urandom(2), name)
    pair = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        pair.setblocking(False)
        _bind(pair)
        # From then on only what comes from there is received.
        pair.connect(socket_address(address, port))
        for _ in range(_TRIES):
            pair.send(question)
            try:
                # An answer to an earlier try is as good: all have one identifier and one port.
                return await asyncio.wait_for_ms(_answer(pair, question), timeout_ms // _TRIES)
            except asyncio.TimeoutError:
                continue
        raise DnsError("no_address")
    finally:
        pair.close()


def _server_address(server):
    try:
        address, port = split_port(server or "", _PORT)
    except LinkError:
        address = ""
    if not is_address(address):
        raise DnsError("no_address")
    return address, port


def _bind(pair):
    port = _FIRST_PORT + int.from_bytes(os.urandom(2), "big") % _PORTS
    try:
        pair.bind(socket_address("0.0.0.0", port))  # noqa: S104 - connect() then lets one peer through
    except OSError:
        pass  # somebody has that port: then one that the stack gives


async def _answer(pair, question):
    while True:
        await readable(pair)
        try:
            return read_answer(pair.recv(LONGEST_ANSWER_BYTES), question)
        except DnsError as fault:
            # What anybody may have sent is passed by, so it does not end the waiting for the true one.
            if fault.reason not in _NOT_OURS:
                raise
        except OSError as fault:
            # A datagram that the stack found damaged once it was asked for it.
            if fault.errno != EAGAIN:
                raise
