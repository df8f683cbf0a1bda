"""Faults of a network between the adapter and the real trace service."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from host_tools.rig.faulty_network import Fault, FaultyProxy
from host_tools.rig.micropython import ROOT
from host_tools.stories.trace_service import TraceService
from tests.host.faults.delivery import MOST_PENDING, Delivery
from tests.host.faults.tally import Tally

FAULTS: Mapping[str, Mapping[Fault, float]] = {
    "connections refused": {Fault.REFUSED: 0.3},
    "reset before the service had it": {Fault.RESET: 0.5},
    "half-open": {Fault.HALF_OPEN: 0.3},
    "a byte a second": {Fault.SLOW: 0.3},
    "answers lost after commit": {Fault.ANSWER_LOST: 0.5},
    "requests duplicated": {Fault.SENT_TWICE: 0.7},
    "answers duplicated": {Fault.ANSWER_TWICE: 0.7},
    "answers out of order": {Fault.OUT_OF_ORDER: 0.4, Fault.EARLIER_ANSWER: 0.3},
    "all of these": dict.fromkeys(Fault, 0.08),
}
"""How likely each fault is for a request, by the name of its row."""


def deliver_through(
    name: str, seed: int, service: TraceService, folder: Path, requests: int = MOST_PENDING
) -> Tally:
    """Delivers over a network with those faults.

    Raises:
        StoryStuck: not all was delivered in time.
    """
    with FaultyProxy(("127.0.0.1", service.port), seed, FAULTS[name], refused_s=0.1) as proxy:
        delivery = Delivery(
            seed, service, requests, settings={"service_port": proxy.port}, within_s=6000.0, patience_ms=60
        )
        tally = delivery.run(folder, f"network: {name}", proxy.happened.total)
    return replace(tally, more={**tally.more, "asked": proxy.requests})


class TlsProxy(FaultyProxy):
    """The same over TLS, with a certificate of `authority` for 127.0.0.1."""

    def __init__(
        self, target: tuple[str, int], seed: int, faults: Mapping[Fault, float], authority: trustme.CA
    ) -> None:
        super().__init__(target, seed, faults, refused_s=0.1)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)

    async def _start_listening(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._context)


class NameServer:
    """Knows that every name is at 127.0.0.1: keeps silent first, then talks rubbish, then says so."""

    def __init__(self, silent: int, rubbish: int) -> None:
        self._silent = silent
        self._rubbish = rubbish
        self.faults = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        for number in range(1 << 30):
            question, peer = self._socket.recvfrom(512)
            if not question:
                return
            self.faults += number < self._silent + self._rubbish
            if number >= self._silent + self._rubbish:
                self._socket.sendto(_address_record(question), peer)
            elif number >= self._silent:
                self._socket.sendto(question[:2] + b"\xff" * 40, peer)


def deliver_by_name(seed: int, service: TraceService, folder: Path, requests: int = MOST_PENDING) -> Tally:
    """Delivers to a service that is known by its name, by a name server that is dead, then hostile, then well."""
    with NameServer(silent=30, rubbish=10) as names:
        delivery = Delivery(
            seed,
            service,
            requests,
            settings={"service_hosts": "trace.test"},
            name_server=names.address,
            within_s=6000.0,
            patience_ms=60,
        )
        return delivery.run(folder, "network: DNS dead, then rubbish", lambda: names.faults)


def deliver_over_tls(seed: int, service: TraceService, folder: Path, requests: int = MOST_PENDING) -> Tally:
    """Delivers over TLS; at the first of two addresses somebody has another CA's certificate, and the second is bad."""
    pinned, other = trustme.CA(), trustme.CA()
    target = ("127.0.0.1", service.port)
    faults = dict.fromkeys((Fault.RESET, Fault.ANSWER_LOST, Fault.SENT_TWICE), 0.15)
    with (
        TlsProxy(target, seed, {}, other) as impostor,
        TlsProxy(target, seed, faults, pinned) as proxy,
        _micropython_with_tls(),
    ):
        delivery = Delivery(
            seed,
            service,
            requests,
            settings={
                "service_hosts": f"127.0.0.1:{impostor.port},127.0.0.1:{proxy.port}",
                "service_ca": "ca.der",
            },
            files={"ca.der": ssl.PEM_cert_to_DER_cert(pinned.cert_pem.bytes().decode())},
            within_s=6000.0,
            patience_ms=500,
        )
        tally = delivery.run(folder, "network: TLS, another CA's certificate", proxy.happened.total)
        wrong = tally.wrong + impostor.requests
    return replace(tally, wrong=wrong, more={**tally.more, "asked": proxy.requests})


TLS_MICROPYTHON = ROOT / ".cache" / "tls" / "micropython"


@contextmanager
def _micropython_with_tls() -> Iterator[None]:
    before = os.environ.get("STAR57_MICROPYTHON")
    os.environ["STAR57_MICROPYTHON"] = str(TLS_MICROPYTHON)
    try:
        yield
    finally:
        if before is None:
            del os.environ["STAR57_MICROPYTHON"]
        else:
            os.environ["STAR57_MICROPYTHON"] = before


def _address_record(question: bytes) -> bytes:
    """The answer 127.0.0.1 to a question of one name (RFC 1035, 4.1)."""
    header = question[:2] + b"\x81\x80" + b"\x00\x01\x00\x01\x00\x00\x00\x00"
    return (
        header + question[12:] + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04" + bytes((127, 0, 0, 1))
    )
