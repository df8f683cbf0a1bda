"""The network that fails: each fault does what it says, and chance follows from the seed."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from io import BufferedReader

import pytest

from host_tools.rig.faulty_network import Fault, FaultyProxy
from tests.host.threaded_service import PostHandler, ThreadedService

SHARE: dict[Fault, float] = {fault: 0.1 for fault in Fault if fault is not Fault.REFUSED}


class Service(ThreadedService):
    """Answers the n-th request with `n: body`."""

    def __init__(self) -> None:
        service = self
        self.bodies: list[str] = []

        class Handler(PostHandler):
            def answer(self, body: bytes) -> None:
                service.bodies.append(body.decode())
                answer = b"%d: %s" % (len(service.bodies), body)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        super().__init__(Handler)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


class Client:
    """One connection through the proxy."""

    def __init__(self, proxy: FaultyProxy, timeout_s: float = 5.0) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout_s)

    def post(self, body: str) -> str:
        """What came back, or the name of the error."""
        try:
            self._connection.request("POST", "/", body)
            return self._connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as fault:
            self._connection.close()
            return type(fault).__name__

    def close(self) -> None:
        self._connection.close()


def post(proxy: FaultyProxy, *bodies: str, timeout_s: float = 5.0) -> list[str]:
    client = Client(proxy, timeout_s)
    try:
        return [client.post(body) for body in bodies]
    finally:
        client.close()


def test_without_faults_all_is_as_it_was(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}) as proxy:
        assert post(proxy, "a", "b", "c") == ["1: a", "2: b", "3: c"]
        assert proxy.requests == 3
        assert not proxy.happened


def test_a_reset_loses_the_request(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}) as proxy:
        proxy.will_meet(None, Fault.RESET)
        assert post(proxy, "a", "b", "c") == ["1: a", "ConnectionResetError", "2: c"]
        assert proxy.happened == {Fault.RESET: 1}


def test_half_open_never_answers(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}) as proxy:
        proxy.will_meet(Fault.HALF_OPEN)
        assert post(proxy, "a", timeout_s=0.1) == ["TimeoutError"]
        assert service.bodies == []


def test_an_answer_is_lost_after_the_service_gave_it(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}) as proxy:
        proxy.will_meet(Fault.ANSWER_LOST)
        assert post(proxy, "a", "b") == ["ConnectionResetError", "2: b"]
        assert service.bodies == ["a", "b"]


def test_a_request_is_sent_twice(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}) as proxy:
        proxy.will_meet(Fault.SENT_TWICE)
        assert post(proxy, "a", "b") == ["1: a", "3: b"]
        assert service.bodies == ["a", "a", "b"]


def test_earlier_answers(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}) as proxy:
        proxy.will_meet(Fault.EARLIER_ANSWER, None, Fault.EARLIER_ANSWER, Fault.EARLIER_ANSWER)
        assert post(proxy, "a", "b", "c", "d") == ["1: a", "2: b", "2: b", "3: c"]


@pytest.mark.parametrize(
    ("fault", "second", "third"),
    [(Fault.ANSWER_TWICE, "2: b", "2: b"), (Fault.OUT_OF_ORDER, "1: a", "2: b")],
)
def test_one_answer_too_many(service: Service, fault: Fault, second: str, third: str) -> None:
    with FaultyProxy(service.address, 57, {}) as proxy:
        proxy.will_meet(None, fault)
        raw = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=5)
        raw.request("POST", "/", "a")
        assert raw.getresponse().read() == b"1: a"
        raw.request("POST", "/", "b")
        assert raw.sock is not None
        with raw.sock.makefile("rb") as stream:
            assert [_answer(stream) for _ in range(2)] == [second, third]
        raw.close()


def _answer(stream: BufferedReader) -> str:
    length = 0
    while (line := stream.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return stream.read(length).decode()


def test_a_slow_answer(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}, slow_bytes_per_s=1000) as proxy:
        proxy.will_meet(Fault.SLOW)
        started = time.monotonic()
        assert post(proxy, "a") == ["1: a"]
        assert time.monotonic() - started > 0.05


def test_nobody_takes_connections_for_a_while(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}, refused_s=0.2) as proxy:
        proxy.will_meet(Fault.REFUSED)
        met = post(proxy, "a", "b")
        assert met[0] in ("ConnectionResetError", "RemoteDisconnected")
        assert met[1] == "ConnectionRefusedError"
        ends = time.monotonic() + 10
        while post(proxy, "c") == ["ConnectionRefusedError"]:
            assert time.monotonic() < ends
        assert set(service.bodies) == {"c"}


def test_refusing_by_word(service: Service) -> None:
    with FaultyProxy(service.address, 57, {}) as proxy:
        client = Client(proxy)
        assert client.post("a") == "1: a"
        proxy.refuse()
        assert client.post("b") != "2: b"
        assert client.post("b") == "ConnectionRefusedError"
        proxy.accept()
        assert client.post("c") == "2: c"
        client.close()


def test_a_service_that_is_away_is_a_reset(service: Service) -> None:
    service.close()
    with FaultyProxy(service.address, 57, {}) as proxy:
        assert post(proxy, "a") == ["ConnectionResetError"]


@pytest.mark.parametrize("seed", [1, 57])
def test_chance_follows_from_the_seed(service: Service, seed: int) -> None:
    def drawn() -> tuple[list[str], Counter[Fault]]:
        service.bodies.clear()
        with FaultyProxy(service.address, seed, SHARE, slow_bytes_per_s=1e6) as proxy:
            outcomes = [post(proxy, str(n), timeout_s=0.5)[0] for n in range(30)]
            return outcomes, proxy.happened

    first, happened = drawn()
    assert drawn() == (first, happened)
    assert 15 < happened.total() < 30
