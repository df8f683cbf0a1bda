"""The Board of the emulated line: audio, edges and relay over two pipes, and time that is the line's.

Only this file is particular to the machine that the tests run on. The rig (host_tools/rig) holds the other end of the
pipes and plays the hardware: relay, watchdog, ring and hook detectors. Both advance in lock-step, a block of samples
at a time: a block is asked for only when every task sleeps or waits, so a slow machine changes nothing but the wall
clock. While the network is at work the line stands still, for at most `patience_ms` of real time: a peer that has
kept silent for longer is silent as far as the line can tell, and line time goes on.
"""

import asyncio
import json
import os
import struct
import sys
from array import array
from asyncio import core

import uctypes
from micropython import const

BLOCK_SAMPLES = const(160)
RING_EDGE = const(0)
HOOK_EDGE = const(1)

_MAX_EDGES = const(64)
_EDGE_BYTES = const(4)
_SAMPLES_PER_MS = const(8)
# Ticks wrap as MicroPython's own do, so that code which forgets ticks_diff is found here too.
_TICKS_PERIOD = const(1 << 29)


def _bytes_of(samples):
    return memoryview(uctypes.bytearray_at(uctypes.addressof(samples), 2 * len(samples)))


class _Clock:
    """Line time, in samples since power-on."""

    def __init__(self):
        self.samples = 0

    def ticks_ms(self):
        return (self.samples // _SAMPLES_PER_MS) & (_TICKS_PERIOD - 1)


def _ticks_diff(end, start):
    return ((end - start + _TICKS_PERIOD // 2) & (_TICKS_PERIOD - 1)) - _TICKS_PERIOD // 2


def _ticks_add(ticks, delta_ms):
    return (ticks + delta_ms) & (_TICKS_PERIOD - 1)


class _TaskQueue:
    """asyncio's task queue in the order of line time; tasks of one time keep the order in which they came."""

    def __init__(self):
        self._tasks = []

    def peek(self):
        return self._tasks[0] if self._tasks else None

    def push(self, task, key=None):
        task.data = None
        task.ph_key = core.ticks() if key is None else key
        place = len(self._tasks)
        while place and _ticks_diff(self._tasks[place - 1].ph_key, task.ph_key) > 0:
            place -= 1
        self._tasks.insert(place, task)

    def pop(self):
        return self._tasks.pop(0)

    def remove(self, task):
        self._tasks.remove(task)


class _Task:
    """asyncio's task. MicroPython's own is in C and reads the machine's clock, so it cannot follow the line's."""

    def __init__(self, coro, _globals=None):
        self.coro = coro
        self.data = None
        self.state = True
        self.ph_key = 0

    def __iter__(self):
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = _TaskQueue()
        elif not isinstance(self.state, _TaskQueue):
            raise RuntimeError("this task cannot be awaited")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        self.state.push(core.cur_task)
        core.cur_task.data = self

    def done(self):
        return not self.state

    def cancel(self):
        task = self
        while isinstance(task.data, _Task):
            task = task.data
        if not task.state:
            return False
        if task is core.cur_task:
            raise RuntimeError("a task cannot cancel itself")
        waits_in = task.data
        if hasattr(waits_in, "remove"):
            waits_in.remove(task)
            core._task_queue.push(task)
        elif _ticks_diff(task.ph_key, core.ticks()) > 0:
            core._task_queue.remove(task)
            core._task_queue.push(task)
        task.data = core.CancelledError
        return True


class _IOQueue(core.IOQueue):
    """asyncio's poller: where it would sleep, the network is given its time, and then the line moves on."""

    def __init__(self):
        super().__init__()
        self._silent = set()

    def wait_io_event(self, dt):
        if dt != 0 and not self._network_spoke():
            Board.the.exchange_block()
        super().wait_io_event(0)

    def _dequeue(self, stream):
        self._silent.discard(id(stream))
        super()._dequeue(stream)

    def _network_spoke(self):
        awaited = [key for key in self.map if key not in self._silent]
        if not awaited:
            return False
        if self.poller.poll(Board.the.patience_ms):
            return True
        self._silent.update(awaited)
        return False


async def _sleep_for_ever():
    # asyncio takes a program in which nothing sleeps for one that has ended; the next block is no timer to it.
    while True:
        await asyncio.sleep_ms(60_000)


class Board:
    """The emulated board. The rig's JSON is in STAR57_RIG: pipes, flash and prompt folders, seed, clock, patience."""

    name = "emulated"
    version = "0.1.0"
    commit = ""
    serial = None
    phone_out_delay_samples = 0
    the = None

    def __init__(self):
        self._clock = _Clock()
        self._follow_line_time()
        rig = json.loads(os.getenv("STAR57_RIG"))
        self.flash = rig["flash"]
        self.prompts = rig["prompts"]
        self.reset_reason = rig["reset_reason"]
        self.patience_ms = rig["patience_ms"]
        self.line_in = array("h", bytes(2 * BLOCK_SAMPLES))
        self.phone_in = array("h", bytes(2 * BLOCK_SAMPLES))
        self.phone_out = array("h", bytes(2 * BLOCK_SAMPLES))
        self.lost_samples = 0
        self.lost_total = 0
        self.underruns = 0
        self.edges = 0
        self.edge_kind = bytearray(_MAX_EDGES)
        self.edge_level = bytearray(_MAX_EDGES)
        self.edge_offset = array("H", bytes(2 * _MAX_EDGES))
        self._samples = 0
        self._arrived = asyncio.Event()
        self._taken = True
        self._sleeper = None
        self._relay = 0
        self._fed = 0
        self._header = bytearray(8)
        self._edge_bytes = bytearray(_EDGE_BYTES * _MAX_EDGES)
        self._header_bytes = memoryview(self._header)
        self._edge_view = memoryview(self._edge_bytes)
        self._line_in_bytes = _bytes_of(self.line_in)
        self._phone_in_bytes = _bytes_of(self.phone_in)
        self._phone_out_bytes = _bytes_of(self.phone_out)
        self._from_rig = open(rig["from_rig"], "rb")
        self._to_rig = open(rig["to_rig"], "wb")
        self._power_on_at = rig["wall_time"] or None
        self._random = rig["seed"]

    def _follow_line_time(self):
        Board.the = self
        core.ticks = self._clock.ticks_ms
        core.ticks_diff = _ticks_diff
        core.ticks_add = _ticks_add
        core.Task = _Task
        core.TaskQueue = _TaskQueue
        core.IOQueue = _IOQueue
        asyncio.new_event_loop()

    async def next_block(self):
        """Waits for the next block and answers how many samples it has."""
        if self._sleeper is None:
            self._sleeper = asyncio.create_task(_sleep_for_ever())
        await self._arrived.wait()
        self._arrived.clear()
        self._taken = True
        return self._samples

    def energise(self, energised):
        """Moves the bypass relay; False is rest: the phone on the exchange."""
        self._relay = 1 if energised else 0

    def feed_watchdog(self):
        self._fed = 1

    def take_longest_gap_ms(self):
        """The longest time between two blocks since this was asked before; the rig's line waits for the firmware."""
        return BLOCK_SAMPLES // _SAMPLES_PER_MS

    def wall_time(self):
        """Unix seconds, and where they come from."""
        if self._power_on_at is None:
            return self._clock.samples // 8000, "none"
        return self._power_on_at + self._clock.samples // 8000, "network"

    def set_wall_time(self, unix_seconds):
        """It is `unix_seconds` now, as the network has it."""
        self._power_on_at = unix_seconds - self._clock.samples // 8000

    def random_bytes(self, count):
        """`count` bytes that follow from the rig's seed, so that a story is the same each time it is told."""
        answer = bytearray(count)
        for i in range(count):
            self._random = (self._random * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
            answer[i] = self._random >> 56
        return bytes(answer)

    def log(self, text):
        sys.stderr.write(text + "\n")

    def reset(self):
        """Ends the process; the rig, as the hardware does, lets the relay fall and starts it again."""
        sys.exit(1)

    def release(self):
        """Somebody has interrupted the process: the phone is back on the exchange."""
        self.energise(False)

    def exchange_block(self):
        """Hands the rig what was made of the last block, and takes the next one from it."""
        if not self._taken:
            self.lost_samples += self._samples
            self.lost_total += self._samples
            self.underruns += self._samples
        else:
            self.lost_samples = 0
        self._to_rig.write(struct.pack("<HBB", self._samples, self._relay, self._fed))
        self._to_rig.write(self._phone_out_bytes[: 2 * self._samples])
        self._fed = 0
        self._read(self._header_bytes, len(self._header))
        self._samples, lost, self.edges, _ = struct.unpack("<HHHH", self._header)
        self._read(self._line_in_bytes, 2 * self._samples)
        self._read(self._phone_in_bytes, 2 * self._samples)
        self._read(self._edge_view, _EDGE_BYTES * self.edges)
        for i in range(self.edges):
            self.edge_offset[i], self.edge_kind[i], self.edge_level[i] = struct.unpack_from(
                "<HBB", self._edge_bytes, _EDGE_BYTES * i
            )
        self.lost_samples += lost
        self.lost_total += lost
        self._clock.samples += self._samples + lost
        self._taken = False
        self._arrived.set()

    def _read(self, view, count):
        done = 0
        while done < count:
            part = self._from_rig.readinto(view[done:count])
            if not part:
                sys.exit(0)
            done += part
