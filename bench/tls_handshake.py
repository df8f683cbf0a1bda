"""TLS handshakes between an emulated Pico and Python's ssl, timed on the Pico.

The other end of bench/firmware/shake_hands.py. The Pico runs in exact emulated time, at the 128 MHz that the firmware
sets. What the service takes does not count.
"""

from __future__ import annotations

import json
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.micropython import PROGRAMS
from bench.tls_certificates import HOST, Chain
from host_tools.exchange.pair import PairBlock
from host_tools.rig.firmware import FirmwareFault
from host_tools.rig.pico_firmware import PicoFirmware, PicoSettings

ANSWER = b"HTTP/1.0 204 No Content\r\n\r\n"

_BLOCK_SAMPLES = 160
_LONGEST_S = 120.0
_HEAD_BYTES = 3
_HANDSHAKE = 22
_ENDS_PLAIN_TEXT = ["<", 20, 1]  # change_cipher_spec: RFC 5246, 7.1
_MESSAGES = {2: "hello", 11: "certificate", 12: "key exchange", 14: "key"}  # RFC 5246, 7.4


@dataclass(frozen=True)
class Step:
    """One call into tls that did not come back before.

    Attributes:
        name: "context", "authority" and "wrap" are the calls before the handshake. "hello", "certificate" and "key
            exchange" read that message of the service and check its signature; "key" reads that the service's hello is
            done, and makes the keys; "rest" is everything else.
        took_ms: how long it was.
        free_bytes: the heap behind it.
    """

    name: str
    took_ms: float
    free_bytes: int


@dataclass(frozen=True)
class Handshake:
    """A handshake, a request and an answer, as the Pico saw it.

    Attributes:
        cipher: the suite's name in mbedtls.
        free_bytes: the heap before it.
        steps: in their order.
    """

    cipher: str
    free_bytes: int
    steps: tuple[Step, ...]

    def took_ms(self, name: str) -> float:
        """All steps of that name together."""
        return sum(step.took_ms for step in self.steps if step.name == name)

    @property
    def longest_ms(self) -> float:
        """The longest that nothing else could run."""
        return max(step.took_ms for step in self.steps)

    @property
    def total_ms(self) -> float:
        """All steps."""
        return sum(step.took_ms for step in self.steps)

    @property
    def kept_bytes(self) -> int:
        """The most heap that was taken between two steps."""
        return self.free_bytes - min(step.free_bytes for step in self.steps)


@dataclass(frozen=True)
class Ciphers:
    """The suites that a handshake may come to.

    Attributes:
        adapter: what the Pico offers, by mbedtls' names; none for its own order.
        service: OpenSSL's words for what the service has.
    """

    adapter: tuple[str, ...]
    service: str


ANY_CIPHER = Ciphers((), "DEFAULT")


class HandshakeFailed(Exception):
    """There was no handshake; the text is what the Pico said."""


class TlsService:
    """The service, in memory: takes what comes from the Pico's UART, and answers what goes back.

    Args:
        chain: its certificate.
        ciphers: OpenSSL's words for the suites that it has.

    Attributes:
        reports: what the Pico has told of its handshakes.
    """

    def __init__(self, chain: Chain, ciphers: str = ANY_CIPHER.service) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_ciphers(ciphers)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(chain.key + chain.served)
            file.flush()
            self._context.load_cert_chain(file.name)
        self.reports: list[dict[str, Any]] = []
        self._buffered = b""
        self._begin()

    def __call__(self, data: bytes) -> bytes:
        """Takes bytes of frames; answers frames."""
        self._buffered += data
        answer = b""
        while (frame := self._next_frame()) is not None:
            answer += self._take(*frame)
        return answer

    def _begin(self) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = self._context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_agreed = False

    def _next_frame(self) -> tuple[bytes, bytes] | None:
        end = _HEAD_BYTES + int.from_bytes(self._buffered[1:_HEAD_BYTES], "little")
        if len(self._buffered) < max(end, _HEAD_BYTES):
            return None
        kind, data = self._buffered[:1], self._buffered[_HEAD_BYTES:end]
        self._buffered = self._buffered[end:]
        return kind, data

    def _take(self, kind: bytes, data: bytes) -> bytes:
        if kind == b"R":
            self.reports.append(json.loads(data))
            self._begin()
        elif kind == b"D":
            self._incoming.write(data)
        elif kind == b"P":
            return self._go_on()
        return b""

    def _go_on(self) -> bytes:
        """Does what can be done with what came."""
        try:
            if not self._is_agreed:
                self._session.do_handshake()
                self._is_agreed = True
            self._session.read(1024)
            self._session.write(ANSWER)
        except ssl.SSLWantReadError:
            pass
        data = self._outgoing.read()
        return b"D" + len(data).to_bytes(2, "little") + data


def handshake_of(report: dict[str, Any]) -> Handshake:
    """What a Pico's report says.

    Raises:
        HandshakeFailed: that there was none.
    """
    if "fault" in report:
        raise HandshakeFailed(report["fault"])
    if report["answer"].encode() != ANSWER:
        raise HandshakeFailed(f"the answer was {report['answer']!r}")
    steps, is_encrypted = [], False
    for what, took_us, free in report["steps"]:
        steps.append(Step("rest" if is_encrypted else _named(what), took_us / 1000, free))
        is_encrypted = is_encrypted or _ENDS_PLAIN_TEXT in list(what)
    return Handshake(report["cipher"], report["free"], tuple(steps))


def _named(what: str | list[list[Any]]) -> str:
    """A step's name: what was called, or which messages of the service passed in it."""
    if isinstance(what, str):
        return what
    read = [message for direction, kind, message in what if direction == "<" and kind == _HANDSHAKE]
    named = [_MESSAGES[message] for message in read if message in _MESSAGES]
    return " and ".join(named) or "rest"


def shake_hands(
    image: Path,
    chain: Chain,
    *,
    paced: bool,
    leave_free: Sequence[int] = (0,),
    ciphers: Ciphers = ANY_CIPHER,
) -> list[dict[str, Any]]:
    """The reports of handshakes, one after the other.

    Args:
        image: UF2, with TLS.
        chain: the service's.
        paced: by the firmware's PacedSocket; else all that has come is worked on at once.
        leave_free: for each handshake the bytes of heap that are left to it; 0 for all.
        ciphers: the suites on both sides.

    Raises:
        FirmwareFault: nothing came of it.
    """
    service = TlsService(chain, ciphers.service)
    settings = {"paced": paced, "leave_free": leave_free, "ciphers": ciphers.adapter, "name": HOST}
    files = {
        "main.py": (PROGRAMS / "shake_hands.py").read_bytes(),
        "authority.der": chain.pinned,
        "handshakes.json": json.dumps(settings).encode(),
    }
    pico = PicoFirmware(PicoSettings(image=image, files=files, serial=service, adc=None))
    silence = np.zeros(_BLOCK_SAMPLES, np.int16)
    pico.start()
    try:
        while len(service.reports) < len(leave_free):
            if pico.line_time_s > _LONGEST_S:
                raise FirmwareFault(f"no handshake in {_LONGEST_S:g} s")
            pico.exchange_block(PairBlock(_BLOCK_SAMPLES, silence, silence, []))
    finally:
        pico.stop()
    return service.reports
