"""The line goes on whatever the network does: blocks follow each other while the firmware posts, fault by fault.

The rig's line stands still while the network is at work, for PATIENCE_MS at most; the gaps are without that.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import trustme

from host_tools.exchange.pair import PairBlock
from host_tools.rig.faulty_network import Fault, FaultyProxy
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.rig.micropython import ROOT
from tests.host.threaded_service import PostHandler, ThreadedService

PROGRAM = ROOT / "tests" / "firmware" / "programs" / "post_on_line.py"
TLS_MICROPYTHON = ROOT / ".cache" / "tls" / "micropython"
N = 160
PATIENCE_MS = 100
LONG_PATIENCE_MS = 5000
"""For a network that does speak, however busy this machine is."""
RING_MS = 1024
"""What the ring of samples of a Pico holds: so long may a block be left where it is."""
LONGEST_GAP_MS = RING_MS / 4
POSTS = 4
MOST_BLOCKS = 50 * 60  # a minute of line time
ANSWER = b"header.answer.signature"
# In one piece: the second of two small ones would wait for the acknowledgement of the first, 40 ms.
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
ANSWERED = f"200 {ANSWER.decode()}"

with_tls = pytest.mark.skipif(
    not TLS_MICROPYTHON.exists(), reason="no MicroPython with TLS has been built: make tls"
)


class Handler(PostHandler):
    """Answers each post."""

    def answer(self, body: bytes) -> None:
        self.wfile.write(RESPONSE)


@pytest.fixture
def service() -> Iterator[ThreadedService]:
    service = ThreadedService(Handler)
    yield service
    service.close()


class NameServer:
    """Answers each question with the packets that `answer` makes of it."""

    def __init__(self, answer: Callable[[bytes], list[bytes]]) -> None:
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            question, peer = self._socket.recvfrom(512)
            if not question:
                return
            for packet in self._answer(question):
                self._socket.sendto(packet, peer)

    def __enter__(self) -> NameServer:
        return self

    def __exit__(self, *_: object) -> None:
        # An empty question ends it.
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


@dataclass
class Post:
    """What one post came to, and the longest real time between two blocks meanwhile."""

    outcome: str
    longest_gap_us: int


Run = Callable[..., list[Post]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Posts on the emulated board until POSTS are done, and answers what they came to."""
    started: list[MicroPythonFirmware] = []

    def posts(
        settings: dict[str, Any], name_server: str | None = None, patience_ms: int = PATIENCE_MS
    ) -> list[Post]:
        (tmp_path / "settings.json").write_text(json.dumps(settings))
        board = BoardSettings(
            flash=tmp_path, program=PROGRAM, patience_ms=patience_ms, name_server=name_server
        )
        firmware = MicroPythonFirmware(board)
        started.append(firmware)
        firmware.start()
        silence = np.zeros(N, np.int16)
        for _ in range(MOST_BLOCKS):
            firmware.exchange_block(PairBlock(N, silence, silence, []))
            if firmware.log.count("\n") >= POSTS:
                break
        assert firmware.boots == 1
        done = [Post(**json.loads(line)) for line in firmware.log.splitlines()]
        assert len(done) == POSTS
        longest_gap_ms = max(post.longest_gap_us for post in done) / 1000
        logging.getLogger(__name__).info("the longest gap between two blocks: %.1f ms", longest_gap_ms)
        assert longest_gap_ms < LONGEST_GAP_MS
        return done

    yield posts
    for firmware in started:
        firmware.stop()


def outcomes(posts: list[Post]) -> list[str]:
    return [post.outcome for post in posts]


def at(port: int, **more: Any) -> dict[str, Any]:
    return {"service_hosts": "127.0.0.1", "service_port": port} | more


def test_all_is_well(service: ThreadedService, run: Run) -> None:
    done = run(at(service.address[1]), patience_ms=LONG_PATIENCE_MS)
    assert outcomes(done) == [ANSWERED] * POSTS


def test_nobody_listens(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert outcomes(run(at(port))) == ["refused"] * POSTS


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.REFUSED, "refused"),
        (Fault.RESET, "closed"),
        (Fault.HALF_OPEN, "timeout"),
        (Fault.SLOW, "timeout"),
        (Fault.ANSWER_LOST, "closed"),
        (Fault.SENT_TWICE, ANSWERED),
        (Fault.ANSWER_TWICE, ANSWERED),
        (Fault.EARLIER_ANSWER, ANSWERED),
        (Fault.OUT_OF_ORDER, ANSWERED),
    ],
)
def test_a_fault_at_every_request(service: ThreadedService, run: Run, fault: Fault, outcome: str) -> None:
    patience_ms = PATIENCE_MS if outcome == "timeout" else LONG_PATIENCE_MS
    with FaultyProxy(service.address, 57, {fault: 1.0}, refused_s=60.0) as proxy:
        done = outcomes(run(at(proxy.port), patience_ms=patience_ms))
        assert proxy.happened[fault] >= 1
    # The first request still finds somebody who listens.
    assert done[1:] == [outcome] * (POSTS - 1)
    assert done[0] == ("closed" if fault is Fault.REFUSED else outcome)


def test_every_fault_by_chance(service: ThreadedService, run: Run) -> None:
    share = {fault: 1 / len(Fault) for fault in Fault}
    with FaultyProxy(service.address, 57, share, refused_s=0.1) as proxy:
        run(at(proxy.port))
        assert proxy.happened.total() == proxy.requests


def test_a_name_server_that_is_dead(service: ThreadedService, run: Run) -> None:
    with NameServer(lambda _question: []) as names:
        done = run(at(service.address[1], service_hosts="trace.example"), names.address)
    assert outcomes(done) == ["no_name"] * POSTS


def test_a_name_server_that_sends_garbage(service: ThreadedService, run: Run) -> None:
    chance = Random(57)

    def garbage(question: bytes) -> list[bytes]:
        noise = [chance.randbytes(chance.randrange(1, 512)) for _ in range(20)]
        return noise + [question[:2] + b"\x81\x80\0\1\0\5\0\0\0\0" + question[12:] + part for part in noise]

    with NameServer(garbage) as names:
        done = run(at(service.address[1], service_hosts="trace.example"), names.address)
    assert outcomes(done) == ["no_name"] * POSTS


def test_a_name_server_that_answers_twice(service: ThreadedService, run: Run) -> None:
    def twice(question: bytes) -> list[bytes]:
        record = b"\xc0\x0c\0\1\0\1\0\0\1\0\0\4\x7f\0\0\1"
        return 2 * [question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:] + record]

    with NameServer(twice) as names:
        done = run(at(service.address[1], service_hosts="trace.example"), names.address, LONG_PATIENCE_MS)
    assert outcomes(done) == [ANSWERED] * POSTS


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Pinned on the board's flash, whose MicroPython has TLS."""
    monkeypatch.setenv("STAR57_MICROPYTHON", str(TLS_MICROPYTHON))
    authority = trustme.CA()
    (tmp_path / "ca.der").write_bytes(ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode()))
    return authority


@with_tls
def test_tls_is_well(authority: trustme.CA, run: Run) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    service = ThreadedService(Handler, context)
    try:
        done = run(at(service.address[1], service_ca="ca.der"), patience_ms=LONG_PATIENCE_MS)
    finally:
        service.close()
    assert outcomes(done) == [ANSWERED] * POSTS


@with_tls
@pytest.mark.usefixtures("authority")
def test_a_handshake_that_stalls(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = run(at(listener.getsockname()[1], service_ca="ca.der"))
    assert outcomes(done) == ["timeout"] * POSTS
