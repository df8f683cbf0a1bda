"""asyncio by the time of a line: a block of samples passes when every task sleeps or waits, and never before.

So a slow machine changes nothing but the wall clock. While the network is at work the line stands still, for at most
`patience_ms` of real time: a peer that has kept silent for longer is silent as far as the line can tell, and line time
goes on.
"""

import asyncio
from asyncio import core

from micropython import const

_SAMPLES_PER_MS = const(8)
# Ticks wrap as MicroPython's own do, so that code which forgets ticks_diff is found here too.
_TICKS_PERIOD = const(1 << 29)


class LineTime:
    """The time of one line: `samples` since power-on. `pass_block` lets a block pass, and adds its samples."""

    the = None

    def __init__(self, pass_block, patience_ms):
        self.samples = 0
        self.patience_ms = patience_ms
        self.pass_block = pass_block
        self._sleeper = None

    def follow(self):
        """From now on asyncio counts this line's time, in a new event loop."""
        LineTime.the = self
        core.ticks = self._ticks_ms
        core.ticks_diff = _ticks_diff
        core.ticks_add = _ticks_add
        core.Task = _Task
        core.TaskQueue = _TaskQueue
        core.IOQueue = _IOQueue
        asyncio.new_event_loop()

    def keep_awake(self):
        """asyncio takes a program in which nothing sleeps for one that has ended; the next block is no timer to it."""
        if self._sleeper is None:
            self._sleeper = asyncio.create_task(_sleep_for_ever())

    def _ticks_ms(self):
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
            LineTime.the.pass_block()
        super().wait_io_event(0)

    def _dequeue(self, stream):
        self._silent.discard(id(stream))
        super()._dequeue(stream)

    def _network_spoke(self):
        awaited = [key for key in self.map if key not in self._silent]
        if not awaited:
            return False
        if self.poller.poll(LineTime.the.patience_ms):
            return True
        self._silent.update(awaited)
        return False


async def _sleep_for_ever():
    while True:
        await asyncio.sleep_ms(60_000)
