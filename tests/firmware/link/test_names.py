"""Looking names up at real name servers of the test's own, good ones and bad ones."""

import asyncio
import socket
import time

from descriptors import lowest_free_descriptor
from name_server import NameServer, nothing, telling
from star57.link.error import LinkError
from star57.link.names import Names, is_address, split_port

NAME = "trace.example"


async def look_up(names, server, timeout_ms=3000, name=NAME):
    """The addresses, or the reason that there are none."""
    try:
        return await names.look_up(name, server, timeout_ms)
    except LinkError as fault:
        return fault.reason


async def test_a_name_is_looked_up_once():
    async with NameServer(telling("192.0.2.57")) as server:
        names = Names()
        assert await look_up(names, server.address) == ["192.0.2.57"]
        assert await look_up(names, server.address) == ["192.0.2.57"]
        assert len(server.questions) == 1


async def test_identifier_and_port_are_new_each_time():
    async with NameServer(telling("192.0.2.57")) as server:
        for _ in range(16):
            assert await look_up(Names(), server.address) == ["192.0.2.57"]
        assert len({question[:2] for question in server.questions}) > 12
        ports = {socket.sockaddr(peer)[2] for peer in server.peers}
        assert len(ports) > 12
        assert all(49_152 <= port < 65_536 for port in ports)


async def test_a_lost_question_is_asked_again():
    lost = [nothing, nothing, telling("192.0.2.57")]

    def answer(question):
        return lost.pop(0)(question)

    async with NameServer(answer) as server:
        assert await look_up(Names(), server.address, 300) == ["192.0.2.57"]
        assert len(server.questions) == 3
        assert len(set(server.questions)) == 1


async def test_a_dead_name_server_takes_its_time_and_no_more():
    async with NameServer(nothing) as server:
        started = time.ticks_ms()
        assert await look_up(Names(), server.address, 150) == "no_name"
        assert 140 <= time.ticks_diff(time.ticks_ms(), started) < 600
        assert len(server.questions) == 3


async def test_others_have_their_turn_meanwhile():
    turns = 0
    async with NameServer(nothing) as server:
        looking = asyncio.create_task(look_up(Names(), server.address, 90))
        while not looking.done():
            turns += 1
            await asyncio.sleep_ms(1)
    assert turns > 20


async def test_foreign_and_broken_packets_do_not_end_the_waiting():
    good = telling("192.0.2.57")

    def answer(question):
        forged = bytes([question[0] ^ 1]) + good(question)[0][1:]
        return [b"", b"\0", forged, good(question)[0][:-3], bytes(512)] + good(question)

    async with NameServer(answer) as server:
        assert await look_up(Names(), server.address) == ["192.0.2.57"]
        assert len(server.questions) == 1


async def test_refusals_are_answers():
    for flags in (0x8183, 0x8182, 0x8380):
        async with NameServer(telling("192.0.2.57", flags=flags)) as server:
            assert await look_up(Names(), server.address, 5000) == "no_name"
            assert len(server.questions) == 1
    async with NameServer(telling()) as server:
        assert await look_up(Names(), server.address, 5000) == "no_name"


async def test_the_last_good_address_serves_when_the_name_server_is_dead():
    names = Names()
    async with NameServer(telling("192.0.2.57", "192.0.2.58")) as server:
        assert await look_up(names, server.address) == ["192.0.2.57", "192.0.2.58"]
        server.answer = nothing
        names.doubt(NAME)
        assert await look_up(names, server.address, 60) == ["192.0.2.57", "192.0.2.58"]
        assert len(server.questions) == 4
        # For a while it is not asked again.
        assert await look_up(names, server.address, 60) == ["192.0.2.57", "192.0.2.58"]
        assert len(server.questions) == 4
    names.doubt(NAME)
    assert await look_up(names, None) == ["192.0.2.57", "192.0.2.58"]


async def test_a_doubted_address_is_looked_up_again():
    names = Names()
    async with NameServer(telling("192.0.2.57")) as server:
        assert await look_up(names, server.address) == ["192.0.2.57"]
        server.answer = telling("192.0.2.58")
        names.doubt(NAME)
        assert await look_up(names, server.address) == ["192.0.2.58"]
    names.doubt("unknown.example")


async def test_time_to_live_is_honoured_within_limits():
    for ttl_s, after_s, asked in ((0, 59, 1), (0, 61, 2), (300, 299, 1), (300, 301, 2), (10**9, 86_399, 1)):
        names = Names()
        async with NameServer(telling("192.0.2.57", ttl_s=ttl_s)) as server:
            assert await look_up(names, server.address) == ["192.0.2.57"]
            age(names, after_s)
            assert await look_up(names, server.address) == ["192.0.2.57"]
            assert len(server.questions) == asked, (ttl_s, after_s)


def age(names, seconds):
    """As if that much time had gone by."""
    for known in names._known.values():
        known._since = time.ticks_add(known._since, -1000 * seconds)


async def test_many_names_take_no_more_memory():
    names = Names()
    async with NameServer(telling("192.0.2.57")) as server:
        for number in range(20):
            assert await look_up(names, server.address, 300, "n{}.example".format(number)) == ["192.0.2.57"]
    assert len(names._known) <= 8


async def test_without_a_name_server_there_is_no_name():
    for server in (None, "", "name.example", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999", "1.2.3"):
        started = time.ticks_ms()
        assert await look_up(Names(), server) == "no_name", server
        assert time.ticks_diff(time.ticks_ms(), started) < 100


async def test_nobody_at_the_name_servers_port():
    async with NameServer(nothing) as server:
        address = server.address
    assert await look_up(Names(), address) == "no_name"


async def test_names_that_are_none():
    async with NameServer(telling("192.0.2.57")) as server:
        for name in ("", "a..b", "x" * 64):
            assert await look_up(Names(), server.address, 300, name) == "no_name"
        assert server.questions == []


async def test_look_ups_leave_no_socket_open():
    async with NameServer(nothing) as server:
        before = lowest_free_descriptor()
        for _ in range(5):
            assert await look_up(Names(), server.address, 6) == "no_name"
            try:
                await asyncio.wait_for_ms(look_up(Names(), server.address, 300), 5)
            except asyncio.TimeoutError:
                continue
        assert lowest_free_descriptor() == before


def test_what_is_an_address():
    for text in ("127.0.0.1", "0.0.0.0", "255.255.255.255"):
        assert is_address(text), text
    for text in (
        "",
        "1.2.3",
        "1.2.3.256",
        "1.2.3.4.5",
        "1.2.3.x",
        "1..2.3",
        "0001.2.3.4",
        "-1.2.3.4",
        "::1",
        "a.example",
    ):
        assert not is_address(text), text


def test_host_and_port():
    assert split_port("a.example", 53) == ("a.example", 53)
    assert split_port(" 192.0.2.1:8443 ", 53) == ("192.0.2.1", 8443)
    for text in ("", ":53", "a:", "a:x", "a:0", "a:65536", "a:-1", "::1", "a:999999"):
        try:
            split_port(text, 53)
        except LinkError as fault:
            assert fault.reason == "no_name"
        else:
            raise AssertionError(text)
