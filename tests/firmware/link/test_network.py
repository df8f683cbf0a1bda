"""The network carrier against real sockets, and services that keep no promise."""

import asyncio
import time

from descriptors import lowest_free_descriptor
from name_server import NameServer, nothing, telling
from star57.link.network import LinkError, NetworkLink

BODY = b"header.payload.signature"
ANSWER = b"header.answer.signature"
_FIRST_PORT = 20_000
_PORTS = 20_000


class Network:
    """What a board has for a network."""

    def __init__(self, name_server=None):
        self.is_connected = True
        self.name_server = name_server

    def connected(self):
        return self.is_connected


class Settings:
    """Where the service is."""

    def __init__(self, hosts, port=1, path="/v1/messages", ca=""):
        self.service_hosts = hosts
        self.service_port = port
        self.service_path = path
        self.service_ca = ca


class Service:
    """Answers each request on each connection with `parts`; then closes it, or waits for the next request.

    `requests` has what came, `connections` how many there were; later ones than the first get `later`, if that is set.
    """

    def __init__(self, *parts, keeps_open=False, reads=True):
        self.parts = parts
        self.keeps_open = keeps_open
        self._reads = reads
        self._server = None
        self.port = 0
        self.requests = []
        self.connections = 0
        self.later = None
        self._closed_by_link = asyncio.Event()

    async def __aenter__(self):
        self.port = _FIRST_PORT + time.ticks_us() % _PORTS
        while self._server is None:
            self.port += 1
            try:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            except OSError:
                continue
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def closed_by_link(self):
        """Waits until a connection was closed from the other end."""
        await asyncio.wait_for_ms(self._closed_by_link.wait(), 5000)
        self._closed_by_link.clear()

    async def _serve(self, reader, writer):
        self.connections += 1
        is_later = self.connections > 1 and self.later is not None
        try:
            while True:
                if self._reads:
                    request = await reader.read(4096)
                    if not request:
                        self._closed_by_link.set()
                        return
                    self.requests.append(request)
                keeps_open = self.keeps_open
                for part in self.later if is_later else self.parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep_ms(1)
                if not keeps_open:
                    return
        except OSError:
            self._closed_by_link.set()
        finally:
            await writer.wait_closed()


def link_to(*services, timeout_ms=1000, **settings):
    hosts = ",".join("127.0.0.1:{}".format(service.port) for service in services)
    return NetworkLink(Network(), Settings(hosts, **settings), timeout_ms)


async def outcome(link, body=BODY):
    """What post() answers, or the reason of its LinkError."""
    try:
        return await link.post(body)
    except LinkError as fault:
        return fault.reason


async def post_to(service, timeout_ms=1000):
    link = link_to(service, timeout_ms=timeout_ms)
    try:
        return await outcome(link)
    finally:
        link.close()


async def answers(*parts, keeps_open=False, reads=True, timeout_ms=1000):
    async with Service(*parts, keeps_open=keeps_open, reads=reads) as service:
        return await post_to(service, timeout_ms)


def response(body, status=b"200 OK", length=None, more=b""):
    length = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\ncontent-type: application/jose\r\ncontent-length: %d\r\n%s\r\n%s" % (
        status,
        length,
        more,
        body,
    )


async def test_a_request_and_its_answer():
    async with Service(response(ANSWER)) as service:
        assert await post_to(service) == (200, ANSWER)
        head, _, body = service.requests[0].partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0] == b"POST /v1/messages HTTP/1.1"
        assert b"Host: 127.0.0.1:%d" % service.port in lines
        assert b"Content-Length: %d" % len(BODY) in lines
        assert b"Content-Type: application/jose" in lines
        assert body == BODY


async def test_an_answer_in_single_bytes():
    parts = [bytes([value]) for value in response(ANSWER)]
    assert await answers(*parts) == (200, ANSWER)


async def test_an_answer_that_ends_with_the_connection():
    assert await answers(b"HTTP/1.0 200 OK\r\n\r\n", ANSWER) == (200, ANSWER)


async def test_a_refusal_has_its_status():
    refusal = b'{"message":"refusal","reason":"unavailable"}'
    assert await answers(response(refusal, b"503 Service Unavailable")) == (503, refusal)


async def test_no_body():
    assert await answers(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", keeps_open=True) == (
        204,
        b"",
    )


async def test_the_longest_body():
    body = b"x" * 3000
    assert await answers(response(body)) == (200, body)
    assert await answers(b"HTTP/1.1 200 OK\r\n\r\n", body) == (200, body)


async def test_nobody_listens():
    async with Service() as service:
        pass
    assert await post_to(service) == "refused"


async def test_nothing_at_all():
    assert await answers() == "closed"
    assert await answers(reads=False) in ("closed", "refused")


async def test_silence():
    started = time.ticks_ms()
    async with Service(keeps_open=True) as service:
        assert await post_to(service, 60) == "timeout"
        assert 50 <= time.ticks_diff(time.ticks_ms(), started) < 500
        await service.closed_by_link()


async def test_half_an_answer():
    whole = response(ANSWER)
    assert await answers(whole[:-5]) == "closed"
    assert await answers(whole[:30]) == "closed"
    assert await answers(whole[:-5], keeps_open=True, timeout_ms=60) == "timeout"


async def test_garbage():
    assert await answers(b"\x00\xff" * 500) == "garbage"
    assert await answers(b"<html></html>") == "garbage"
    assert await answers(b"HTTP/2 200 OK\r\n\r\n") == "garbage"
    assert await answers(b"HTTP/1.1 two hundred\r\n\r\n") == "garbage"
    assert await answers(b"HTTP/1.1\r\n\r\n") == "garbage"
    assert await answers(b"HTTP/1.1 2000 OK\r\n\r\n") == "garbage"
    assert await answers(b"HTTP/1.1 100 Continue\r\n\r\n", keeps_open=True) == "garbage"
    assert await answers(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n") == "garbage"
    assert await answers(b"\r\n\r\n") == "garbage"


async def test_wrong_lengths():
    assert await answers(response(ANSWER, length=len(ANSWER) + 1)) == "closed"
    assert await answers(response(ANSWER, length=5)) == (200, ANSWER[:5])
    assert await answers(response(ANSWER, length=3001)) == "too_large"
    assert await answers(response(ANSWER, length=10**30)) == "too_large"
    for length in (b"-1", b"", b"x", b"1.5", b"2, 2", b"2\r\nContent-Length: 3"):
        assert await answers(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nab") == "garbage", (
            length
        )


async def test_an_endless_head():
    assert await answers(b"HTTP/1.1 200 OK\r\n", *[b"X-More: and more\r\n" * 10] * 50) == "too_large"
    assert await answers(b"HTTP/1.1 200 OK", *[b" and more" * 20] * 50) == "too_large"


async def test_an_endless_body():
    assert await answers(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 200] * 50) == "too_large"


async def test_an_answer_that_drips_is_out_of_time():
    parts = [bytes([value]) for value in response(b"x" * 500)]
    assert await answers(*parts, timeout_ms=60) == "timeout"


async def test_many_failures_leave_no_socket_open():
    async with Service() as closed:
        pass
    async with Service(keeps_open=True) as silent:
        before = lowest_free_descriptor()
        for _ in range(10):
            assert await post_to(closed) == "refused"
            assert await post_to(silent, 5) == "timeout"
        await asyncio.sleep_ms(10)
        assert lowest_free_descriptor() == before


async def test_the_line_goes_on_while_the_service_is_silent():
    turns = 0
    async with Service(keeps_open=True) as service:
        posting = asyncio.create_task(post_to(service, 60))
        while not posting.done():
            turns += 1
            await asyncio.sleep_ms(1)
    assert turns > 5


async def test_a_body_of_3000_bytes_is_sent_whole():
    body = b"x" * 3000
    async with Service(response(ANSWER)) as service:
        assert await outcome(link_to(service), body) == (200, ANSWER)
        assert service.requests[0].endswith(b"\r\n\r\n" + body)
        assert await outcome(link_to(service), body + b"x") == "too_large"
        assert service.connections == 1


async def test_chunks_are_refused():
    assert (
        await answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
        == "garbage"
    )


async def test_the_connection_is_kept():
    async with Service(response(ANSWER), keeps_open=True) as service:
        link = link_to(service)
        for _ in range(5):
            assert await outcome(link) == (200, ANSWER)
        assert (service.connections, len(service.requests)) == (1, 5)
        link.close()
        await service.closed_by_link()
        assert await outcome(link) == (200, ANSWER)
        assert service.connections == 2


async def test_a_connection_that_is_not_to_be_kept():
    for answer in (
        response(ANSWER, more=b"Connection: close\r\n"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    ):
        async with Service(answer, keeps_open=True) as service:
            link = link_to(service)
            assert (await outcome(link))[0] == 200
            await service.closed_by_link()
            assert (await outcome(link))[0] == 200
            assert service.connections == 2


async def test_a_kept_connection_that_was_closed_meanwhile():
    async with Service(response(ANSWER)) as service:
        link = link_to(service)
        for _ in range(3):
            assert await outcome(link) == (200, ANSWER)
            await asyncio.sleep_ms(10)
        assert (service.connections, len(service.requests)) == (3, 3)


async def test_a_kept_connection_that_closes_when_it_is_used_is_opened_again_once():
    async with Service(response(ANSWER), keeps_open=True) as service:
        link = link_to(service)
        assert await outcome(link) == (200, ANSWER)
        service.parts = ()
        service.keeps_open = False
        assert await outcome(link) == "closed"
        assert (service.connections, len(service.requests)) == (2, 3)


async def test_a_kept_connection_that_is_dead_is_opened_again():
    async with Service(response(ANSWER), keeps_open=True) as service:
        link = link_to(service, timeout_ms=200)
        assert await outcome(link) == (200, ANSWER)
        service.parts = ()
        service.later = (response(ANSWER),)
        assert await outcome(link) == (200, ANSWER)
        assert (service.connections, len(service.requests)) == (2, 3)


async def test_half_an_answer_over_a_kept_connection_is_not_asked_for_again():
    async with Service(response(ANSWER), keeps_open=True) as service:
        link = link_to(service, timeout_ms=100)
        assert await outcome(link) == (200, ANSWER)
        service.parts = (response(ANSWER)[:30],)
        assert await outcome(link) == "timeout"
        assert (service.connections, len(service.requests)) == (1, 2)


async def test_what_nobody_asked_for_is_not_taken_for_the_next_answer():
    other = b"header.other.signature"
    for parts in ((response(ANSWER) + response(other),), (response(ANSWER), response(other))):
        async with Service(*parts, keeps_open=True) as service:
            link = link_to(service)
            for _ in range(3):
                assert await outcome(link) == (200, ANSWER)
                await asyncio.sleep_ms(10)
            assert service.connections == 3


async def test_the_hosts_are_tried_in_turn_that_which_worked_first():
    async with Service() as dead:
        pass
    async with Service(response(ANSWER)) as good, Service(response(ANSWER)) as spare:
        link = link_to(dead, good, spare)
        assert await outcome(link) == (200, ANSWER)
        assert await outcome(link) == (200, ANSWER)
        assert (good.connections, spare.connections) == (2, 0)
        good.parts = ()
        assert await outcome(link) == (200, ANSWER)
        assert spare.connections == 1
        assert await outcome(link) == (200, ANSWER)
        assert (good.connections, spare.connections) == (3, 2)


async def test_a_host_whose_answer_was_none_is_asked_last():
    async with Service(response(b"a captive portal")) as portal, Service(response(ANSWER)) as good:
        link = link_to(portal, good)
        assert await outcome(link) == (200, b"a captive portal")
        link.distrust()
        for _ in range(3):
            assert await outcome(link) == (200, ANSWER)
        assert (portal.connections, good.connections) == (1, 3)
        good.parts = ()
        assert await outcome(link) == (200, b"a captive portal")


async def test_a_silent_host_has_its_share_of_the_time():
    async with Service(keeps_open=True) as silent, Service(response(ANSWER)) as good:
        started = time.ticks_ms()
        assert await outcome(link_to(silent, good, timeout_ms=200)) == (200, ANSWER)
        assert 90 <= time.ticks_diff(time.ticks_ms(), started) < 190
        started = time.ticks_ms()
        assert await outcome(link_to(silent, silent, silent, timeout_ms=90)) == "timeout"
        assert 80 <= time.ticks_diff(time.ticks_ms(), started) < 300


async def test_hosts_that_are_none_are_passed_by():
    async with Service(response(ANSWER)) as service:
        hosts = ",a:x, 127.0.0.1:0 , 127.0.0.1 ,"
        assert await outcome(NetworkLink(Network(), Settings(hosts, service.port))) == (200, ANSWER)
        assert b"Host: 127.0.0.1:%d" % service.port in service.requests[0]
    for hosts in ("", ",", "a:x"):
        assert await outcome(NetworkLink(Network(), Settings(hosts))) == "no_name"


async def test_without_a_network_nothing_is_tried():
    async with Service(response(ANSWER), keeps_open=True) as service:
        network = Network()
        link = NetworkLink(network, Settings("127.0.0.1", service.port))
        assert await outcome(link) == (200, ANSWER)
        network.is_connected = False
        assert await outcome(link) == "unconnected"
        await service.closed_by_link()
        network.is_connected = True
        assert await outcome(link) == (200, ANSWER)
        assert service.connections == 2


async def test_a_host_by_its_name():
    async with NameServer(telling("127.0.0.1")) as names, Service(response(ANSWER)) as service:
        link = NetworkLink(Network(names.address), Settings("trace.example", service.port))
        for _ in range(3):
            assert await outcome(link) == (200, ANSWER)
        assert len(names.questions) == 1
        assert b"Host: trace.example:%d" % service.port in service.requests[0]


async def test_each_address_of_a_name_is_tried():
    async with NameServer(telling("127.0.0.2", "127.0.0.1")) as names, Service(response(ANSWER)) as service:
        link = NetworkLink(Network(names.address), Settings("trace.example", service.port))
        assert await outcome(link) == (200, ANSWER)
        assert await outcome(link) == (200, ANSWER)
        assert service.connections == 2


async def test_a_name_that_has_moved():
    async with NameServer(telling("127.0.0.2")) as names, Service(response(ANSWER)) as service:
        link = NetworkLink(Network(names.address), Settings("trace.example", service.port))
        assert await outcome(link) == "refused"
        names.answer = telling("127.0.0.1")
        assert await outcome(link) == (200, ANSWER)


async def test_a_dead_name_server_leaves_time_for_the_other_hosts():
    async with NameServer(nothing) as names, Service(response(ANSWER)) as service:
        link = NetworkLink(Network(names.address), Settings("trace.example,127.0.0.1", service.port), 240)
        assert await outcome(link) == (200, ANSWER)
        assert len(names.questions) == 3
        only = NetworkLink(Network(names.address), Settings("trace.example", service.port), 60)
        assert await outcome(only) == "no_name"


async def test_the_last_good_address_serves_when_the_name_server_is_dead():
    async with NameServer(telling("127.0.0.1")) as names, Service(response(ANSWER)) as service:
        link = NetworkLink(Network(names.address), Settings("trace.example", service.port), 240)
        assert await outcome(link) == (200, ANSWER)
        names.answer = nothing
        service.parts = ()
        assert await outcome(link) == "closed"
        service.parts = (response(ANSWER),)
        assert await outcome(link) == (200, ANSWER)


async def test_without_a_name_server_a_name_is_none():
    assert await outcome(NetworkLink(Network(), Settings("trace.example"))) == "no_name"


async def test_a_certificate_that_is_not_there_is_not_done_without():
    async with Service(response(ANSWER)) as service:
        assert await outcome(link_to(service, ca="no-such-file.der")) == "untrusted"
        assert service.requests == []
