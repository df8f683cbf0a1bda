"""Notices over the network: to a house that listens, that goes away, that is none, and that somebody else plays."""

import asyncio
import json
import time
from errno import ENOMEM

from descriptors import lowest_free_descriptor
from star57.link import house as house_room
from star57.link.house import HouseWay
from star57.settings import Settings

with open("docs/vectors/notices.json") as file:
    VECTORS = json.load(file)["network"]

HELLO = b'{"hello":"%s"}\n' % VECTORS["hello"].encode()
ALIVE = VECTORS["adapter"][0]["payload"].encode()
LINE = VECTORS["adapter"][1]["payload"].encode()
SIGNED = [vector["line"].encode() for vector in VECTORS["adapter"]]
_FIRST_PORT = 20_000
_PORTS = 20_000


class Network:
    name_server = None

    def __init__(self):
        self.is_connected = True

    def connected(self):
        return self.is_connected


class House:
    """A server that says `hello` to whoever comes, and then each of `lines`; it keeps what it is told."""

    def __init__(self, hello=HELLO, lines=(), ends=False):
        self._hello = hello
        self._lines = lines
        self._ends = ends
        self.told = []
        self.connections = 0

    async def __aenter__(self):
        self._server = None
        self.port = _FIRST_PORT + time.ticks_us() % _PORTS
        while self._server is None:
            self.port += 1
            try:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            except OSError:
                pass  # somebody has that port
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self.connections += 1
        writer.write(self._hello)
        await writer.drain()
        for line in self._lines:
            writer.write(line + b"\n")
        await writer.drain()
        while not self._ends:
            line = await reader.readline()
            if not line:
                break
            self.told.append(line[:-1])
        writer.close()
        await writer.wait_closed()


class Adapter:
    """An adapter's way to the house at `port`, at work."""

    def __init__(self, port, key="", network=None):
        settings = Settings(
            {"adapter_id": "adapter-1", "house_host": "127.0.0.1", "house_port": port, "house_key": key}
        )
        self.presses = []
        self.way = HouseWay(
            network or Network(),
            settings,
            lambda count: bytes(count - 1) + b"\x39",
            self._alive,
            self.presses.append,
        )

    def _alive(self, hello):
        assert hello == VECTORS["hello"]
        return ALIVE

    async def __aenter__(self):
        self._task = asyncio.create_task(self.way.run())
        return self

    async def __aexit__(self, *_):
        assert not self._task.done()
        assert self.way.checked_in()
        self._task.cancel()
        await asyncio.sleep_ms(0)


class NoSocket:
    """A board on which all sockets are taken; `wanted` counts how often one was asked for."""

    AF_INET = SOCK_STREAM = 0

    def __init__(self):
        self.wanted = 0

    def socket(self, *_):
        self.wanted += 1
        raise OSError(ENOMEM)

    def __enter__(self):
        self._own, house_room.socket = house_room.socket, self
        return self

    def __exit__(self, *_):
        house_room.socket = self._own


async def until(condition, within_ms=3000):
    for _ in range(within_ms // 10):
        if condition():
            return
        await asyncio.sleep_ms(10)
    raise AssertionError("not in time")


async def test_notices_are_lines_signed_as_in_the_vectors():
    async with House() as house, Adapter(house.port, VECTORS["key"]) as adapter:
        await until(lambda: house.told)
        adapter.way.put(LINE)
        await until(lambda: len(house.told) == 2)
    assert house.told == SIGNED


async def test_without_a_key_they_are_plain():
    async with House() as house, Adapter(house.port) as adapter:
        await until(lambda: house.told)
        adapter.way.put(LINE)
        await until(lambda: len(house.told) == 2)
    assert house.told == [ALIVE, LINE]


async def test_a_press_that_the_house_signed_for_this_connection_comes_through():
    lines = [vector["line"].encode() for vector in VECTORS["house"]]
    async with House(lines=lines) as house, Adapter(house.port, VECTORS["key"]) as adapter:
        await until(lambda: adapter.presses)
        assert adapter.presses == [VECTORS["house"][0]["payload"].encode()]


async def test_a_press_of_anybody_else_does_not():
    lines = [vector["line"].encode() for vector in VECTORS["not_of_the_house"] + VECTORS["house"]]
    async with House(lines=lines) as house, Adapter(house.port, VECTORS["key"]) as adapter:
        await until(lambda: adapter.presses)
        assert len(adapter.presses) == 1


async def test_without_a_key_no_press_counts():
    lines = [VECTORS["house"][0]["payload"].encode(), VECTORS["house"][0]["line"].encode()]
    async with House(lines=lines) as house, Adapter(house.port) as adapter:
        await until(lambda: house.told)
        adapter.way.put(LINE)
        await until(lambda: len(house.told) == 2)
        await asyncio.sleep_ms(200)
        assert adapter.presses == []


async def test_a_board_without_a_socket_to_spare_tries_again():
    """The way to the service may have all that the board has: nothing of that may end the adapter."""
    async with House() as house:
        with NoSocket() as none:
            async with Adapter(house.port, VECTORS["key"]):
                await until(lambda: none.wanted)
        async with Adapter(house.port, VECTORS["key"]):
            await until(lambda: house.told)
    assert house.told == SIGNED[:1]


async def test_who_says_no_hello_is_told_nothing():
    for hello in (b"220 mail\n", b"{}\n", b'{"hello":57}\n', b'{"hello":"0"}\n', b"[]\n", 2000 * b"x", b"\n"):
        async with House(hello) as house, Adapter(house.port) as adapter:
            await until(lambda: house.connections)
            adapter.way.put(LINE)
            await asyncio.sleep_ms(50)
            assert house.told == [], hello


async def test_a_house_that_goes_away_is_found_again_and_nothing_stays_open():
    before = lowest_free_descriptor()
    async with House(ends=True) as house:
        async with Adapter(house.port) as adapter:
            await until(lambda: house.connections == 2)
            adapter.way.put(LINE)
    await asyncio.sleep_ms(50)
    assert lowest_free_descriptor() == before


async def test_nobody_there_holds_nothing_up():
    before = lowest_free_descriptor()
    async with Adapter(1) as adapter:
        for _ in range(20):
            adapter.way.put(LINE)
        await asyncio.sleep_ms(100)
        assert adapter.way.lost == 0  # nobody was there to be slow
    assert lowest_free_descriptor() == before


async def test_a_board_without_a_network_at_present_waits():
    network = Network()
    network.is_connected = False
    async with House() as house, Adapter(house.port, network=network):
        await asyncio.sleep_ms(100)
        assert not house.connections
        network.is_connected = True
        await until(lambda: house.told)


async def test_a_line_without_end_ends_the_connection():
    async with House(lines=[2000 * b"x"]) as house, Adapter(house.port, VECTORS["key"]):
        await until(lambda: house.connections == 2)
