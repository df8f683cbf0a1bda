"""Cuts the power of a whole adapter again and again, at a write to its flash, and notes what its household was told.

    cut_power.py FACTS '{"seed": 1, "cuts": 100, "sweep": false, "port": 5757, "adapter_id": "cut-01", "key": "00..."}'

The adapter is the real one, on a board without a rig: its time is the line's; its flash is LittleFS on pages of 256
bytes, which loses its power before a write or an erase, or in the middle of one; its network is the machine's, to a
trace service, and in two lives of five not there. Its household has a call, lifts the phone, dials 1157 and 1, and
listens, again and again; rings, hook and digits come as edges. With "sweep" the cuts go from write to write, before
each and then within each; without, they are drawn. What happens is written to the file FACTS, a line of JSON each:

    {"call": call_id}             a call has rung, and has its identity
    {"told": outcome}             the household was told what became of its trace
    {"cut": write, "torn": ...}   the power went at this write since power-on
    {"fault": text}               what must not be: the adapter ended, or what it kept is neither old nor new
    {"end": requests that wait}   the power stays on, and the outbox has had its time
"""

import asyncio
import gc
import json
import random
import sys
from array import array

import vfs
from board import BLOCK_SAMPLES, HOOK_EDGE, RING_EDGE
from line_time import LineTime
from star57.adapter import Adapter
from star57.calls import CallHistory
from star57.pushed_settings import PushedSettings
from star57.settings import load as load_settings
from star57.storage import DurableRecord
from star57.trace.outbox import Outbox

MOUNT = "/flash"
BLOCK_BYTES = 4096
BLOCKS = 64
PAGE_BYTES = 256
# Writes from power-on to the end of a traced call; the cut lies somewhere among them.
WRITES_OF_A_LIFE = 90
BLOCKS_A_SECOND = 50
LAST_LIFE_BLOCKS = 200 * BLOCKS_A_SECOND


# Not to standard output: there MicroPython complains of files that the collector closes on a flash without power.
facts = open(sys.argv[1], "w")


def tell(**fact):
    facts.write(json.dumps(fact) + "\n")
    facts.flush()


class PowerCut(BaseException):
    """The power is gone: no handler of the firmware's comes before that."""


_POWER_CUT = PowerCut()  # made here, for the collector may be at work when it is raised


class Flash:
    """A flash for LittleFS in `memory`. Its power goes at the write or erase of number `cut_at`; 0 for never."""

    def __init__(self, memory, cut_at=0, is_torn=False):
        self._memory = memory
        self._cut_at = cut_at
        self._is_torn = is_torn
        self._is_dead = False
        self._is_taken_out = False
        self.writes = 0

    def take_out(self):
        """Its board is gone too: what the collector still closes on it does nothing."""
        self._is_taken_out = True

    def readblocks(self, block, buffer, offset=0):
        self._check()
        at = block * BLOCK_BYTES + offset
        buffer[:] = self._memory[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        self._change(block * BLOCK_BYTES + offset, buffer)

    def ioctl(self, request, block):
        if request == 6:
            self._change(block * BLOCK_BYTES, b"\xff" * BLOCK_BYTES)
            return 0
        return {4: BLOCKS, 5: BLOCK_BYTES}.get(request)

    def _change(self, at, data):
        if self._is_taken_out:
            return
        self._check()
        self.writes += 1
        count = len(data)
        if self.writes == self._cut_at:
            self._is_dead = True
            count = random.randrange(1, count) if self._is_torn else 0
        self._memory[at : at + count] = data[:count]
        self._check()

    def _check(self):
        if self._is_dead and not self._is_taken_out:
            raise _POWER_CUT


class Network:
    """The machine's own, or none for a life long."""

    name_server = None

    def __init__(self, is_connected):
        self._is_connected = is_connected

    def connected(self):
        return self._is_connected


class Board:
    """A board of docs/seams.md on a line of its own, where `household` lives: a generator, a step a block."""

    name = "cut_power"
    version = "0.1.0"
    commit = ""
    flash = MOUNT
    prompts = "nowhere"  # each prompt is a short silence
    serial = None
    console = None
    slots = None
    phone_out_delay_samples = 0
    lost_samples = 0
    lost_total = 0
    underruns = 0
    reset_reason = "power_on"

    def __init__(self, household, network):
        self.network = network
        self._line = LineTime(self._pass_block, 2000)
        self._line.follow()
        self._household = household
        self._arrived = asyncio.Event()
        self._wall_at_start = None
        self.line_in = array("h", bytes(2 * BLOCK_SAMPLES))
        self.phone_in = self.line_in
        self.phone_out = array("h", bytes(2 * BLOCK_SAMPLES))
        self.edges = 0
        self.edge_kind = bytearray(64)
        self.edge_level = bytearray(64)
        self.edge_offset = array("H", bytes(128))
        self.energised = False

    async def next_block(self):
        self._line.keep_awake()
        await self._arrived.wait()
        self._arrived.clear()
        return BLOCK_SAMPLES

    def edge(self, kind, level, offset=0):
        self.edge_kind[self.edges] = kind
        self.edge_level[self.edges] = level
        self.edge_offset[self.edges] = offset
        self.edges += 1

    def energise(self, energised):
        self.energised = energised

    def couple(self, coupled):
        pass

    def feed_watchdog(self):
        pass

    def take_longest_gap_ms(self):
        return 20

    def wall_time(self):
        seconds = self._line.samples // 8000
        if self._wall_at_start is None:
            return seconds, "none"
        return self._wall_at_start + seconds, "network"

    def set_wall_time(self, unix_seconds):
        self._wall_at_start = unix_seconds - self._line.samples // 8000

    def random_bytes(self, count):
        return bytes(random.getrandbits(8) for _ in range(count))

    def log(self, text):
        self._household.hears_of(text)

    def _pass_block(self):
        self.edges = 0
        self._household(self)
        self._line.samples += BLOCK_SAMPLES
        self._arrived.set()


class EndOfLife(BaseException):
    """The household has had enough."""


class Household:
    """Has a call, traces it, and begins again; with `blocks` it only waits for so many, and has had enough then.

    `calls` are those that have rung, in order; `told_of` is the last of all that something was told of.
    """

    told_of = None

    def __init__(self, blocks, calls):
        self._script = self._wait(blocks) if blocks else self._live()
        self._calls = calls

    def __call__(self, board):
        self._board = board
        try:
            next(self._script)
        except StopIteration:
            raise EndOfLife from None

    def hears_of(self, text):
        """The adapter has logged `text`."""
        words = text.split(" ")
        if text.startswith("line: ringing, call "):
            self._calls.append(words[-1])
            tell(call=words[-1])
        elif text.startswith("trace: "):
            Household.told_of = self._calls[-1]
            tell(told=words[-1], of=self._calls[-1])

    def _live(self):
        while True:
            yield from self._call_comes()
            self._hook(1)
            yield from self._wait(50)
            for digit in (1, 1, 5, 7):
                yield from self._pulses(digit)
            yield from self._wait(100)
            yield from self._pulses(1)
            yield from self._wait(random.choice((20, 150, 600)))
            self._hook(0)
            yield from self._wait(80)

    def _call_comes(self):
        for _ in range(random.choice((1, 1, 2))):
            for half in range(80):  # 20 Hz for 2 s
                self._board.edge(RING_EDGE, (half + 1) & 1)
                yield
                if half & 1:
                    yield from self._wait(half >> 1 & 1)
            yield from self._wait(200)
        yield from self._wait(150)

    def _pulses(self, count):
        for _ in range(count):
            self._hook(0)
            yield from self._wait(3)
            self._hook(1)
            yield from self._wait(2)
        yield from self._wait(35)

    def _hook(self, level):
        self._board.edge(HOOK_EDGE, level)

    def _wait(self, blocks):
        for _ in range(blocks):
            yield


class Lives:
    """One adapter's lives on one flash."""

    def __init__(self, settings):
        self._memory = bytearray(b"\xff" * (BLOCK_BYTES * BLOCKS))
        vfs.VfsLfs2.mkfs(Flash(self._memory), progsize=PAGE_BYTES)
        self._mount(Flash(self._memory))
        with open(MOUNT + "/settings.json", "w") as file:
            json.dump(settings, file)
        vfs.umount(MOUNT)
        self._calls = []  # that have rung, in order
        self._kept = -1  # which of them was the last on flash, when that was seen last

    def live(self, cut_at, is_torn, blocks=0, is_connected=False):
        """From power-on to the cut, or until the household has had enough."""
        flash = Flash(self._memory, cut_at, is_torn)
        try:
            self._mount(flash)
            self._check()
            network = Network(is_connected or random.random() < 0.6)
            board = Board(Household(blocks, self._calls), network)
            asyncio.run(Adapter(board).run())
        except PowerCut:
            tell(cut=flash.writes, torn=bool(is_torn))
        except EndOfLife:
            pass
        except Exception as fault:  # noqa: BLE001 - whatever ends an adapter is told
            sys.print_exception(fault, sys.stderr)
            tell(fault=repr(fault))
        flash.take_out()
        self._unmount()

    def waiting(self):
        """How many requests wait in the outbox."""
        self._mount(Flash(self._memory))
        waiting = len(Outbox(DurableRecord(MOUNT + "/outbox")).pending)
        self._unmount()
        return waiting

    def _check(self):
        """What a cut has left is old or new, and never neither."""
        calls = CallHistory(DurableRecord(MOUNT + "/calls"), None)
        settings = load_settings(MOUNT + "/settings.json")
        pushed = PushedSettings(DurableRecord(MOUNT + "/pushed"), settings)
        outbox = Outbox(DurableRecord(MOUNT + "/outbox"))
        if calls.faults or outbox.faults or pushed.faults or settings.faults:
            tell(fault="a record is neither old nor new")
        kept = self._calls.index(calls.last.call_id) if calls.last else -1
        if kept < max(self._kept, self._told()):
            tell(fault="a call that was kept is lost")
        self._kept = kept
        if not settings.adapter_key:
            tell(fault="the settings are lost")

    def _told(self):
        """The last call that something was told of, and that was kept therefore; -1 for none."""
        return self._calls.index(Household.told_of) if Household.told_of else -1

    def _mount(self, flash):
        vfs.mount(vfs.VfsLfs2(flash, progsize=PAGE_BYTES), MOUNT)

    def _unmount(self):
        try:
            vfs.umount(MOUNT)
        except (OSError, PowerCut):
            pass  # what was open is gone with its power
        gc.collect()


def main():
    wanted = json.loads(sys.argv[2])
    random.seed(wanted["seed"])
    lives = Lives(
        {
            "adapter_id": wanted["adapter_id"],
            "adapter_key": wanted["key"],
            "line": "5555550100",
            "service_hosts": "127.0.0.1",
            "service_port": wanted["port"],
            "answer_timeout_ms": 3000,
        }
    )
    for number in range(wanted["cuts"]):
        if wanted["sweep"]:
            lives.live(1 + number % WRITES_OF_A_LIFE, number // WRITES_OF_A_LIFE & 1)
        else:
            lives.live(random.randrange(1, WRITES_OF_A_LIFE), random.random() < 0.7)
    lives.live(0, False, LAST_LIFE_BLOCKS, is_connected=True)
    tell(end=lives.waiting())


main()
