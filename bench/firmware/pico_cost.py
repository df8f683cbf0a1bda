"""Measures the firmware's receivers on a Pico: their time, their memory, and what they allocate.

For bench.pico_cost, which sends this through the REPL and then calls its functions; each prints one line. Samples lie
in flash, signed 16 bit, little endian, and are copied into one array, block by block, as a board's are.
"""

import gc
import sys
import time
from array import array

import micropython
import uctypes
from star57.callerid.dtmf_clip import DtmfCallerId
from star57.callerid.receiver import CallerIdReceiver
from star57.dsp.alert import AlertReceiver
from star57.dsp.dtmf import DtmfReceiver
from star57.dsp.level import LevelMeter
from star57.dsp.progress import ProgressReceiver
from star57.line.hook import HookDetector
from star57.line.ring import RingDetector

_BLOCK_SAMPLES = 160
_CALLER_ID_WINDOW_SAMPLES = 8 * 3900
_STEP_US = 1000  # work that takes less had nothing to do
_RAM_START = 0x20000000

counting = bytearray(1)  # not 0 while what is to be profiled runs
_block = array("h", bytes(2 * _BLOCK_SAMPLES))
_bytes = uctypes.bytearray_at(uctypes.addressof(_block), 2 * _BLOCK_SAMPLES)


class _Sink:
    """Every receiver's; of what it hears it keeps nothing."""

    def digit(self, code, level_dbm0):
        pass

    def digit_end(self, code, duration_samples):
        pass

    def alert(self, duration_samples):
        pass

    def subscriber_alert(self, duration_samples):
        pass

    def call_progress(self, index):
        pass

    def call_progress_end(self, index, duration_samples):
        pass


def _made(name):
    """A new receiver, and its step for each block."""
    if name == "caller_id":
        receiver = CallerIdReceiver()
        receiver.listen(_CALLER_ID_WINDOW_SAMPLES)
    elif name == "call_waiting":
        receiver = CallerIdReceiver()
        receiver.listen(_CALLER_ID_WINDOW_SAMPLES, seizure=False)
    elif name == "dtmf_caller_id":
        receiver = DtmfCallerId()
        receiver.listen(_CALLER_ID_WINDOW_SAMPLES)
    elif name == "level":
        receiver = LevelMeter()
    else:
        receiver = _WITH_SINK[name](_Sink())
    if hasattr(receiver, "feed"):
        return receiver, lambda: receiver.feed(_block, _BLOCK_SAMPLES)
    return receiver, lambda: receiver.advance(_BLOCK_SAMPLES)


_WITH_SINK = {
    "dtmf": DtmfReceiver,
    "alert": AlertReceiver,
    "progress": ProgressReceiver,
    "ring": RingDetector,
    "hook": HookDetector,
}


def _recording(address, blocks):
    return memoryview(uctypes.bytearray_at(address, 2 * _BLOCK_SAMPLES * blocks))


def _overhead_us():
    """What `listen` takes itself to measure a step: the least of some that do nothing."""
    step = lambda: None  # noqa: E731 - as the steps are
    least_us = 1000
    for _ in range(20):
        counting[0] = 1
        start_us = time.ticks_us()
        step()
        least_us = min(least_us, time.ticks_us() - start_us)
        counting[0] = 0
    return least_us


def listen(names, address, blocks):
    """Feeds the blocks to these receivers, one after the other in each block.

    Prints the names in whose steps something was allocated; then a line a block, the microseconds of each receiver.
    """
    steps = [_made(name)[1] for name in names]
    overhead_us = _overhead_us()
    took_us = array("H", bytes(2 * blocks * len(steps)))
    allocated = bytearray(len(steps))
    recording = _recording(address, blocks)
    gc.collect()
    time.sleep_ms(5)  # until the console is still
    for i in range(blocks):
        _bytes[:] = recording[2 * _BLOCK_SAMPLES * i : 2 * _BLOCK_SAMPLES * (i + 1)]
        micropython.heap_lock()
        for k in range(len(steps)):
            step = steps[k]
            counting[0] = 1
            start_us = time.ticks_us()
            try:
                step()
            except MemoryError:
                allocated[k] = 1
            took_us[i * len(steps) + k] = max(0, time.ticks_us() - start_us - overhead_us)
            counting[0] = 0
        micropython.heap_unlock()
    print(*[names[k] for k in range(len(steps)) if allocated[k]])
    for i in range(blocks):
        print(*took_us[i * len(steps) : (i + 1) * len(steps)])


def _work(receiver):
    """One step of it; answers its microseconds."""
    counting[0] = 1
    start_us = time.ticks_us()
    receiver.work()
    took_us = time.ticks_us() - start_us
    counting[0] = 0
    return took_us


def _fed(address, blocks):
    """A receiver that has heard the blocks so far, again after each of them; at last without another until it ends."""
    receiver = CallerIdReceiver()
    receiver.listen(_BLOCK_SAMPLES * blocks)
    recording = _recording(address, blocks)
    gc.collect()
    time.sleep_ms(5)
    for i in range(blocks):
        _bytes[:] = recording[2 * _BLOCK_SAMPLES * i : 2 * _BLOCK_SAMPLES * (i + 1)]
        receiver.feed(_block, _BLOCK_SAMPLES)
        yield receiver
        if receiver.result is not None:
            return
    while receiver.result is None:
        yield receiver


def read_again(address, blocks):
    """Feeds a burst, and does the work that it asks for as the adapter does: a step behind each block.

    Prints the receiver's result, whether it was repaired, steps, microseconds in all and of the longest step.
    """
    steps = total_us = longest_us = 0
    for receiver in _fed(address, blocks):
        took_us = _work(receiver)
        if took_us >= _STEP_US:
            steps += 1
            total_us += took_us
            longest_us = max(longest_us, took_us)
    repaired = receiver.quality is not None and receiver.quality["repaired"]
    print(receiver.result, int(repaired), steps, total_us, longest_us)


def heap_of_reading_again(address, blocks):
    """The same; prints the bytes allocated in all and in one step, and how many more are in use between two steps."""
    total = most = kept = 0
    at_first = None
    for receiver in _fed(address, blocks):
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        if at_first is None:
            at_first = before
        _work(receiver)
        allocated = gc.mem_alloc() - before
        gc.enable()
        total += allocated
        most = max(most, allocated)
        gc.collect()
        kept = max(kept, gc.mem_alloc() - at_first)
    print(total, most, kept)


def idle_work(blocks):
    """Prints the microseconds in all of the work behind each block of a silent line."""
    receiver = CallerIdReceiver()
    receiver.listen(_BLOCK_SAMPLES * blocks + _BLOCK_SAMPLES)
    _bytes[:] = bytes(2 * _BLOCK_SAMPLES)
    total_us = 0
    for _ in range(blocks):
        receiver.feed(_block, _BLOCK_SAMPLES)
        total_us += _work(receiver)
    print(total_us)


def memory(name):
    """Prints the bytes of heap that a receiver keeps."""
    gc.collect()
    before = gc.mem_alloc()
    receiver = _made(name)
    gc.collect()
    print(gc.mem_alloc() - before)
    del receiver


def tables():
    """Prints the bytes of RAM in the tables of the receivers' modules."""
    total = 0
    seen = set()
    for name, module in sys.modules.items():
        if name.startswith(("star57.dsp", "star57.callerid", "star57.line")):
            for value in module.__dict__.values():
                total += _table_bytes(value, seen)
    print(total)


def _table_bytes(value, seen):
    if id(value) in seen or id(value) < _RAM_START:
        return 0
    seen.add(id(value))
    if isinstance(value, (bytes, bytearray, array)):
        return len(bytes(value))
    if isinstance(value, (tuple, list, dict)):
        parts = value.values() if isinstance(value, dict) else value
        return 16 + 4 * len(value) + sum([_table_bytes(part, seen) for part in parts])
    return 0
