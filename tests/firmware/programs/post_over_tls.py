"""Posts as its argument (JSON) says, and prints the outcome of each post and the longest turn of another task."""

import asyncio
import json
import sys
import time

from star57.link.error import LinkError
from star57.link.network import NetworkLink

PLAN = json.loads(sys.argv[1])


class Network:
    name_server = PLAN["name_server"]

    def connected(self):
        return True


class Settings:
    service_hosts = PLAN["hosts"]
    service_port = PLAN["port"]
    service_path = "/v1/messages"
    service_ca = PLAN["ca"]


class Turns:
    """A task that wants a turn each millisecond, as the line does each block."""

    def __init__(self):
        self.longest_us = 0

    async def run(self):
        before = time.ticks_us()
        while True:
            await asyncio.sleep_ms(1)
            now = time.ticks_us()
            self.longest_us = max(self.longest_us, time.ticks_diff(now, before))
            before = now


async def main():
    link = NetworkLink(Network(), Settings(), PLAN["timeout_ms"], PLAN["flash"])
    for _ in range(PLAN["posts"]):
        turns = Turns()
        task = asyncio.create_task(turns.run())
        try:
            status, body = await link.post(b"header.payload.signature")
            outcome = "{} {}".format(status, body.decode())
        except LinkError as fault:
            outcome = fault.reason
        task.cancel()
        print(json.dumps({"outcome": outcome, "longest_turn_ms": turns.longest_us // 1000}))


asyncio.run(main())
