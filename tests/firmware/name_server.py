"""A name server of a test's own: a real UDP socket, and answers that the test makes."""

import asyncio
import socket
import struct
import time

from star57.link.names import socket_address
from star57.link.readiness import readable


class NameServer:
    """Answers each question with the list of packets that `answer(question)` makes of it."""

    def __init__(self, answer):
        self.answer = answer
        self.questions = []
        self.peers = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self.port = 30_000 + time.ticks_us() % 10_000
        while True:
            try:
                self._socket.bind(socket_address("127.0.0.1", self.port))
                break
            except OSError:
                self.port += 1
        self.address = "127.0.0.1:{}".format(self.port)

    async def __aenter__(self):
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        self._socket.close()

    async def _serve(self):
        while True:
            await readable(self._socket)
            question, peer = self._socket.recvfrom(512)
            self.questions.append(question)
            self.peers.append(peer)
            for packet in self.answer(question):
                self._socket.sendto(packet, peer)


def telling(*addresses, ttl_s=300, flags=0x8180):
    """An answer() that every name is at `addresses`."""

    def answer(question):
        packet = question[:2] + struct.pack(">5H", flags, 1, len(addresses), 0, 0) + question[12:]
        for address in addresses:
            data = bytes(int(part) for part in address.split("."))
            packet += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, ttl_s, 4) + data
        return [packet]

    return answer


def nothing(_question):
    """An answer() that is none."""
    return []
