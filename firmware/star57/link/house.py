"""Notices over the network: a connection to the house that comes and goes, and never holds up the line."""

import asyncio
import json
import socket
from asyncio import core
from errno import EAGAIN, EINPROGRESS

from micropython import const

from star57.link.error import LinkError
from star57.link.names import Names, is_address, socket_address
from star57.link.notices import Waiting
from star57.link.readiness import writable
from star57.link.signed import SignatureError, Signer
from star57.link.watched import Watched

_TIMEOUT_MS = const(5000)
_SHORTEST_WAIT_MS = const(1000)
_LONGEST_WAIT_MS = const(60_000)
# A press waits for so long at the most; a notice goes out at once.
_LOOK_MS = const(100)
_PAUSE_MS = const(20)
_LONGEST_LINE_BYTES = const(1024)
_READ_BYTES = const(128)
_SEQUENCE_BYTES = const(5)
_HELLO_DIGITS = const(32)


class HouseWay(Watched):
    """Notices over TCP to the house that `settings` name, as docs/protocol.md has them; press(payload) takes presses.

    The connection begins with alive(hello=...), the payload of a notice. After one that failed, the next is tried
    after 1 s, then twice that, up to 60 s. Without a `house_key` notices are not signed, and presses are passed by.
    """

    def __init__(self, network, settings, random_bytes, alive, press):
        super().__init__()
        self._network = network
        self._settings = settings
        self._random_bytes = random_bytes
        self._alive = alive
        self._press = press
        key = bytes.fromhex(settings.house_key)
        self._signer = Signer(settings.adapter_id, key) if key else None
        self._names = Names()
        self._waiting = Waiting()
        self._is_connected = False

    @property
    def lost(self):
        """How many notices the house, while it was connected, was too slow for."""
        return self._waiting.lost

    def put(self, payload):
        """A notice is to go out; nobody hears one while there is no connection."""
        if self._is_connected:
            self._waiting.put(payload)

    async def run(self):
        """Keeps the house connected until cancelled."""
        wait_ms = _SHORTEST_WAIT_MS
        while True:
            if await self._stay_connected():
                wait_ms = _SHORTEST_WAIT_MS
            self._promise(wait_ms)
            await asyncio.sleep_ms(wait_ms)
            wait_ms = min(2 * wait_ms, _LONGEST_WAIT_MS)

    async def _stay_connected(self):
        """Comes back when there is no connection any more; whether there was one."""
        if not self._network.connected():
            return False
        self._promise(4 * _TIMEOUT_MS)
        try:
            pair = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            return False  # a board has few; the way to the service may have them all
        try:
            pair.setblocking(False)
            await _within(self._connect(pair))
            await self._talk(_Lines(pair))
        except (LinkError, OSError):
            pass
        finally:
            pair.close()
            was_connected, self._is_connected = self._is_connected, False
        return was_connected

    async def _connect(self, pair):
        host = self._settings.house_host
        addresses = (host,)
        if not is_address(host):
            addresses = await self._names.look_up(host, self._network.name_server, _TIMEOUT_MS // 2)
        try:
            pair.connect(socket_address(addresses[0], self._settings.house_port))
        except OSError as fault:
            if fault.errno != EINPROGRESS:
                raise
        await writable(pair)

    async def _talk(self, lines):
        hello = _hello(await lines.next_within(_TIMEOUT_MS))
        first = sequence = int.from_bytes(self._random_bytes(_SEQUENCE_BYTES), "big")
        payload = self._alive(hello=hello)
        while self._waiting.take() is not None:
            pass  # what the connection before left behind
        self._is_connected = True
        while True:
            if payload is not None:
                self._promise(_TIMEOUT_MS)
                await _within(lines.send(self._signed(payload, sequence)))
                sequence += 1
            self._promise(_LOOK_MS)
            await self._waiting.comes_within(_LOOK_MS)
            payload = self._waiting.take()
            line = lines.take()
            if line is not None:
                self._pressed(line, first)

    def _signed(self, payload, sequence):
        return payload if self._signer is None else self._signer.ask(sequence, payload)

    def _pressed(self, line, sequence):
        """A line of the house: it stands for a press only when it is signed, and for this connection."""
        if self._signer is None:
            return
        try:
            self._press(self._signer.answer(line, sequence))
        except SignatureError:
            pass


class _Lines:
    """Lines of text over a connected socket that does not wait."""

    def __init__(self, pair):
        self._socket = pair
        self._read = b""

    def take(self):
        """A line that has come, without its end, or None. Raises LinkError when there will be none any more."""
        while b"\n" not in self._read:
            try:
                part = self._socket.recv(_READ_BYTES)
            except OSError as fault:
                if fault.errno == EAGAIN:
                    return None
                raise LinkError("closed") from None
            self._read += part
            if not part or len(self._read) > _LONGEST_LINE_BYTES:
                raise LinkError("closed" if not part else "garbage")
        line, self._read = self._read.split(b"\n", 1)
        return line

    async def next_within(self, wait_ms):
        """The next line. Raises LinkError."""
        until = core.ticks_add(core.ticks(), wait_ms)
        while core.ticks_diff(until, core.ticks()) > 0:
            line = self.take()
            if line is not None:
                return line
            await asyncio.sleep_ms(_PAUSE_MS)
        raise LinkError("timeout")

    async def send(self, line):
        """Sends a line; its end is added. Raises LinkError."""
        data = memoryview(line + b"\n")
        sent = 0
        while sent < len(data):
            try:
                sent += self._socket.send(data[sent:])
            except OSError as fault:
                if fault.errno != EAGAIN:
                    raise LinkError("closed") from None
                await asyncio.sleep_ms(_PAUSE_MS)


def _hello(line):
    """What the house wants to be told, so that it knows the connection for a new one. Raises LinkError."""
    try:
        hello = json.loads(line)["hello"]
    except (ValueError, TypeError, KeyError):
        raise LinkError("garbage") from None
    if not isinstance(hello, str) or len(hello) != _HELLO_DIGITS:
        raise LinkError("garbage")
    if any(digit not in "0123456789abcdef" for digit in hello):
        raise LinkError("garbage")
    return hello


async def _within(talk):
    try:
        return await asyncio.wait_for_ms(talk, _TIMEOUT_MS)
    except asyncio.TimeoutError:
        raise LinkError("timeout") from None
