"""Runs many adapters by real time, each with a link of its own: heartbeats, and one trace each, in one burst of all.

    many_adapters.py PLAN

What an adapter has of the firmware is its outbox, courier, heartbeat, correspondent, signer, sequence numbers and
carrier; its flash is memory. PLAN is a file of JSON:

    seed                    of moments and random bytes
    service_port            of the trace service on this machine
    period_ms               between two heartbeats of an adapter; the first comes at a random moment of one period
    burst_at, burst_ms      Unix seconds, and how long: each adapter traces its call at a random moment in this time
    ends_at                 Unix seconds
    adapters                each with adapter_id, key (hex), line, caller, called_at (Unix seconds of its call), and
                            serial: the descriptor of its serial port, or null for an adapter on the network

At the end a line of JSON for each adapter: adapter_id, request_id, answer (or null), took_ms from the moment that the
request is in the outbox until its answer is, heartbeats that were answered, refusals, and faults of the courier.
"""

import asyncio
import json
import random
import sys
import time

from star57.calls import Call
from star57.link.correspondent import Correspondent
from star57.link.courier import Courier
from star57.link.frame import NUMBERS
from star57.link.heartbeat import Heartbeat
from star57.link.network import NetworkLink
from star57.link.sequence import SequenceNumbers
from star57.link.serial import SerialLink
from star57.link.signed import Signer
from star57.logbook import LogBook
from star57.pushed_settings import PushedSettings
from star57.settings import Settings
from star57.sound.prompt_store import PromptStore
from star57.trace import request
from star57.trace.outbox import Outbox

_MOST_WAIT_MS = 120_000


class MemoryRecord:
    """A record that is kept in memory."""

    def __init__(self, payload=None):
        self._payload = payload

    def read(self):
        return self._payload

    def write(self, payload):
        self._payload = payload


class Network:
    """The machine's own."""

    name_server = None

    def connected(self):
        return True


class Board:
    """What a heartbeat tells of a board."""

    name = "many_adapters"
    version = "0.1.0"
    commit = ""
    reset_reason = "power_on"
    lost_total = 0
    underruns = 0

    def take_longest_gap_ms(self):
        return 20

    def wall_time(self):
        return int(time.time()), "network"

    def log(self, text):
        pass


class Adapter:
    """One adapter, and what became of its trace."""

    def __init__(self, own, plan):
        self._own = own
        self._plan = plan
        self._settings = Settings(
            {"adapter_id": own["adapter_id"], "line": own["line"], "service_port": plan["service_port"]}
        )
        self._outbox = Outbox(MemoryRecord())
        board = Board()
        log = LogBook(board)
        carrier = self._carrier()
        self._correspondent = Correspondent(
            Signer(own["adapter_id"], bytes.fromhex(own["key"])),
            SequenceNumbers(MemoryRecord(b"0"), random_bytes),
            (carrier,),
            log.log,
        )
        self._courier = Courier(self._outbox, self._correspondent)
        self._heartbeat = Heartbeat(
            board,
            self._correspondent,
            own["adapter_id"],
            self._outbox,
            PushedSettings(MemoryRecord(), self._settings),
            PromptStore("nowhere"),
            log,
            self._heartbeat_answered,
            period_ms=plan["period_ms"],
        )
        self._serial = (carrier,) if own["serial"] is not None else ()
        self._heartbeats = 0
        self._told = None

    def start(self):
        """Its tasks begin; answers the one that ends with its trace."""
        for task in self._serial + (self._courier,):
            asyncio.create_task(task.run())
        asyncio.create_task(self._beat())
        return asyncio.create_task(self._trace())

    def fact(self):
        """What became of it."""
        told = {
            "adapter_id": self._own["adapter_id"],
            "heartbeats": self._heartbeats,
            "refusals": self._correspondent.refusals,
            "faults": self._courier.faults,
        }
        told.update(self._told)
        return told

    def _carrier(self):
        if self._own["serial"] is None:
            return NetworkLink(Network(), self._settings)
        return SerialLink(open(self._own["serial"], "r+b"), random.randrange(NUMBERS))

    async def _beat(self):
        await asyncio.sleep_ms(random.randrange(self._plan["period_ms"]))
        await self._heartbeat.run()

    def _heartbeat_answered(self, _unix_seconds):
        self._heartbeats += 1

    async def _trace(self):
        await sleep_until(self._plan["burst_at"])
        await asyncio.sleep_ms(random.randrange(self._plan["burst_ms"]))
        call = Call(random_bytes(8).hex(), self._own["called_at"], "network")
        call.rings = 2
        call.caller_id = {
            "number": self._own["caller"],
            "name": "A CALLER",
            "reason": None,
            "date_time": None,
        }
        asked = request.build(self._settings, call, int(time.time()), "network", random_bytes)
        began_us = time.ticks_us()
        self._outbox.add(asked)
        answer = await self._outbox.answered(asked["request_id"], _MOST_WAIT_MS)
        took_ms = time.ticks_diff(time.ticks_us(), began_us) / 1000
        self._told = {"request_id": asked["request_id"], "answer": answer, "took_ms": took_ms}


def random_bytes(count):
    return bytes(random.getrandbits(8) for _ in range(count))


async def sleep_until(unix_seconds):
    await asyncio.sleep_ms(max(0, int(1000 * (unix_seconds - time.time()))))


async def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    random.seed(plan["seed"])
    adapters = [Adapter(own, plan) for own in plan["adapters"]]
    traces = [adapter.start() for adapter in adapters]
    await asyncio.gather(*traces)
    await sleep_until(plan["ends_at"])
    for adapter in adapters:
        print(json.dumps(adapter.fact()))


asyncio.run(main())
