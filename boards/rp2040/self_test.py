"""The board's test of itself, at MicroPython's prompt while no firmware runs (`star57 selftest`).

Each function does one thing, and answers what it measured; what is good enough is the bench's to say. The audio goes
through the loop-back plug, and ring, hook and relay through the test cord (boards/pico/WIRING.md).
"""

import binascii
import gc
import os
import time
from array import array

import machine
from machine import Pin
from micropython import const
from star57.callerid.framing import MESSAGE
from star57.callerid.receiver import CallerIdReceiver
from star57.dsp.dtmf import DtmfReceiver
from star57.dsp.modulator import FskModulator
from star57.dsp.tones import DtmfSender, ToneSender

from rp2040.audio_in import AudioIn
from rp2040.audio_out import CLOCK_HZ, LEAD_SAMPLES, AudioOut

_BLOCK_SAMPLES = const(160)
# Behind the lead of the output, until a tone has settled in the filters.
_SETTLED_SAMPLES = LEAD_SAMPLES + 320
_KEPT_SAMPLES = const(800)
_CALLER_ID_WINDOW_SAMPLES = const(8 * 4000)
_CALLER_ID_READ_BLOCKS = const(60)  # what a second reading takes at most, and a margin

_AUDIO_OUT = const(2)
_RING = const(6)
_HOOK = const(7)
_RELAY = const(8)
_SLIC_RING_MODE = const(9)
_SLIC_FORWARD = const(10)
_SLIC_FEED = const(11)
_DAA_CALLER_ID = const(12)
_DAA_ON_HOOK = const(13)

_BIAS_READINGS = const(256)
_FEED_MS = const(300)  # until the SLIC's 48 V are there
_RELAY_MS = const(100)
_RING_HALF_MS = const(25)  # 20 Hz
_RING_HALVES = const(40)

_FILE = "self_test.new"
_FILE_PARTS = const(8)
_PART_BYTES = const(4096)


class Audio:
    """What is sent comes back at both inputs, through the plug. It wants a heap in one piece: make it first.

    `line` and `phone` hold the block that was heard last.
    """

    def __init__(self):
        machine.freq(CLOCK_HZ)
        self.line = array("h", bytes(2 * _BLOCK_SAMPLES))
        self.phone = array("h", bytes(2 * _BLOCK_SAMPLES))
        self._sent = array("h", bytes(2 * _BLOCK_SAMPLES))
        self._part = array("h", bytes(2 * _BLOCK_SAMPLES))
        self._in = AudioIn()
        self._out = AudioOut(_AUDIO_OUT)
        self._lost = 0

    def close(self):
        """Stops both; answers how many samples were lost, and how many came too late."""
        self._in.stop()
        self._out.close()
        return self._lost, self._out.late

    def tones(self, rows):
        """Plays each (first_hz, first_dbm0, second_hz, second_dbm0); answers 0.1 s of what came back at either input.

        0 Hz is no tone. The samples are 16 bits, little endian, in base64: [line, phone] for each row.
        """
        sender = ToneSender()
        first = _SETTLED_SAMPLES // _BLOCK_SAMPLES
        blocks = first + _KEPT_SAMPLES // _BLOCK_SAMPLES
        line, phone = bytearray(2 * _KEPT_SAMPLES), bytearray(2 * _KEPT_SAMPLES)
        answer = []

        def keep(number):
            at = 2 * _BLOCK_SAMPLES * (number - first)
            if at >= 0:
                line[at : at + 2 * _BLOCK_SAMPLES] = bytes(self.line)
                phone[at : at + 2 * _BLOCK_SAMPLES] = bytes(self.phone)

        for row in rows:
            sender.start(*row, blocks * _BLOCK_SAMPLES)
            self._run(sender.fill, blocks, keep)
            answer.append([_base64(line), _base64(phone)])
            gc.collect()
        return answer

    def digits(self, keys):
        """Sends `keys` as DTMF; answers what the receivers of line and phone heard."""
        sender = DtmfSender()
        sender.send(keys)
        line, phone = _Digits(), _Digits()
        receivers = DtmfReceiver(line), DtmfReceiver(phone)

        def hear(_number):
            receivers[0].feed(self.line, _BLOCK_SAMPLES)
            receivers[1].feed(self.phone, _BLOCK_SAMPLES)

        blocks = (len(keys) * 8 * 160 + LEAD_SAMPLES) // _BLOCK_SAMPLES + 10
        self._run(sender.fill, blocks, hear)
        return [line.heard, phone.heard]

    def caller_id(self, data):
        """Sends a message of caller ID (Bell 202); answers the number that the line's receiver read, and quality."""
        sender = FskModulator()
        sender.start(data)
        receiver = CallerIdReceiver()
        receiver.listen(_CALLER_ID_WINDOW_SAMPLES)

        def hear(_number):
            receiver.feed(self.line, _BLOCK_SAMPLES)
            receiver.work()
            return receiver.result is not None

        self._run(sender.fill, (_CALLER_ID_WINDOW_SAMPLES + LEAD_SAMPLES) // _BLOCK_SAMPLES, hear)
        receiver.finish()
        for _ in range(_CALLER_ID_READ_BLOCKS):
            receiver.work()
        return [receiver.message().number if receiver.result == MESSAGE else None, receiver.quality]

    def _run(self, fill, blocks, hear):
        """Sends what `fill(buffer, n)` gives, then silence, for `blocks`, or until hear(block number) says that it is
        over."""
        self._in.drop()
        lost_before = self._in.lost
        for number in range(blocks):
            self._fill(fill)
            self._out.put(self._sent, _BLOCK_SAMPLES)
            while self._in.behind() < _BLOCK_SAMPLES:
                pass
            self._in.take(self.line, self.phone, _BLOCK_SAMPLES)
            if hear(number):
                break
        self._lost += self._in.lost - lost_before
        self._out.stop()

    def _fill(self, fill):
        at = 0
        while at < _BLOCK_SAMPLES:
            count = fill(self._part, _BLOCK_SAMPLES - at)
            if not count:
                break
            self._sent[at : at + count] = self._part[:count]
            at += count
        for rest in range(at, _BLOCK_SAMPLES):
            self._sent[rest] = 0


class _Digits:
    """What a DTMF receiver hears."""

    def __init__(self):
        self.heard = ""

    def digit(self, code, _level_dbm0):
        self.heard += chr(code)

    def digit_end(self, code, duration_samples):
        pass


def cord():
    """Relay, hook and ring, by the test cord: the DAA off-hook at the SLIC's pair, then rung by it.

    Answers HOOK with the relay at rest, energised, and at rest again, and how many edges RING gave in 20 cycles.
    """
    relay = Pin(_RELAY, Pin.OUT, value=0)
    feed = Pin(_SLIC_FEED, Pin.OUT, value=1)
    forward = Pin(_SLIC_FORWARD, Pin.OUT, value=1)
    ring_mode = Pin(_SLIC_RING_MODE, Pin.OUT, value=0)
    on_hook = Pin(_DAA_ON_HOOK, Pin.OUT, value=0)
    Pin(_DAA_CALLER_ID, Pin.OUT, value=1)
    hook = Pin(_HOOK, Pin.IN, Pin.PULL_DOWN)
    ring = Pin(_RING, Pin.IN, Pin.PULL_UP)
    try:
        time.sleep_ms(_FEED_MS)
        seen = [hook.value()]
        for energised in (1, 0):
            relay.value(energised)
            time.sleep_ms(_RELAY_MS)
            seen.append(hook.value())
        on_hook.value(1)
        relay.value(1)
        time.sleep_ms(_RELAY_MS)
        ring_mode.value(1)
        return [seen, _edges(ring, forward)]
    finally:
        ring_mode.value(0)
        forward.value(1)
        on_hook.value(1)
        relay.value(0)
        feed.value(0)


def bias():
    """The mean code of each input in silence, of 0 to 4095, with the output at half."""
    output = machine.PWM(Pin(_AUDIO_OUT), freq=64_000, duty_u16=32768)
    time.sleep_ms(_RELAY_MS)
    means = [_mean_code(machine.ADC(number)) for number in (0, 1)]
    output.deinit()
    return means


def memory():
    """Bytes of heap that are free, and the largest piece of it."""
    gc.collect()
    free = gc.mem_free()
    low, high = 0, free
    while high - low > 256:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
        gc.collect()
    return [free, low]


def flash():
    """Writes, reads and removes a file of 32 KB; answers whether it came back, how long the slowest part took (ms), and
    how many bytes are free."""
    slowest_ms = 0
    try:
        with open(_FILE, "wb") as file:
            for number in range(_FILE_PARTS):
                began_ms = time.ticks_ms()
                file.write(_part(number))
                slowest_ms = max(slowest_ms, time.ticks_diff(time.ticks_ms(), began_ms))
        with open(_FILE, "rb") as file:
            came_back = all(file.read(_PART_BYTES) == _part(number) for number in range(_FILE_PARTS))
    finally:
        os.remove(_FILE)
    state = os.statvfs("/")
    return [came_back, slowest_ms, state[0] * state[3]]


def _mean_code(converter):
    return sum(converter.read_u16() >> 4 for _ in range(_BIAS_READINGS)) / _BIAS_READINGS


def _edges(ring, forward):
    """Reverses the SLIC's pair at 20 Hz, and counts the edges of the ring detector."""
    edges, level = 0, ring.value()
    for half in range(_RING_HALVES):
        forward.value(half & 1)
        end_ms = time.ticks_add(time.ticks_ms(), _RING_HALF_MS)
        while time.ticks_diff(end_ms, time.ticks_ms()) > 0:
            if ring.value() != level:
                level = 1 - level
                edges += 1
    return edges


def _part(number):
    return bytes([(number * 57 + at) & 0xFF for at in range(256)]) * (_PART_BYTES // 256)


def _base64(data):
    return binascii.b2a_base64(data, newline=False).decode()
