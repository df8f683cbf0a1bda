"""The Board (docs/seams.md) on an RP2040: its line interface is wired as boards/pico/WIRING.md shows."""

import asyncio
import os
import time
from array import array

import image
import machine
from machine import Pin
from micropython import const

from rp2040.audio_in import RING_SAMPLES, AudioIn
from rp2040.audio_out import CLOCK_HZ, LEAD_SAMPLES, AudioOut
from rp2040.host_serial import HostSerial
from rp2040.line_pins import EdgePins
from rp2040.resets import Resets

BLOCK_SAMPLES = const(160)
RING_EDGE = const(0)
HOOK_EDGE = const(1)

_SAMPLES_PER_MS = const(8)
_SAMPLE_RATE_HZ = const(8000)
_MAX_EDGES = const(64)
# An edge may have come after it was counted how many samples have.
_JUST_NOW_SAMPLES = const(80)

_AUDIO_OUT = const(2)
_RING = const(6)
_HOOK = const(7)
_RELAY = const(8)
_SLIC_RING_MODE = const(9)
_SLIC_FORWARD = const(10)
_SLIC_FEED = const(11)
_DAA_CALLER_ID = const(12)
_DAA_ON_HOOK = const(13)


class LineBoard:
    """A board of this family: it is named by a class of its own, which also has the pin of the status LED."""

    name = "rp2040"
    led = None
    network = None
    version = image.VERSION
    commit = image.COMMIT
    flash = ""
    prompts = "/rom/prompts"
    phone_out_delay_samples = LEAD_SAMPLES + BLOCK_SAMPLES

    def __init__(self):
        # The relay first: whatever fails from here on, the phone is on the exchange.
        self._relay = Pin(_RELAY, Pin.OUT, value=0)
        machine.freq(CLOCK_HZ)
        # Then the watchdog: a board that cannot begin tries again.
        self._resets = Resets()
        self.reset_reason = self._resets.reason
        self._audio_in = AudioIn()
        self._audio_out = AudioOut(_AUDIO_OUT)
        self._set_line_interface()
        ring = Pin(_RING, Pin.IN, Pin.PULL_UP)
        hook = Pin(_HOOK, Pin.IN, Pin.PULL_DOWN)
        self._edges = EdgePins((ring, hook), self._audio_in.place)
        self.line_in = array("h", bytes(2 * BLOCK_SAMPLES))
        self._phone_side = array("h", bytes(2 * BLOCK_SAMPLES))
        self.phone_in = self.line_in
        self.phone_out = array("h", bytes(2 * BLOCK_SAMPLES))
        self.lost_samples = 0
        self.lost_total = 0
        self.underruns = 0
        self._longest_gap_us = 0
        self._block_us = None
        self.edges = 0
        self.edge_kind = bytearray(_MAX_EDGES)
        self.edge_level = bytearray(_MAX_EDGES)
        self.edge_offset = array("H", bytes(2 * _MAX_EDGES))
        self._energised = False
        self._coupled = False
        self._off_hook = 0
        self._seconds = 0
        self._samples = 0
        self._wall_at_start = None
        self.slots = self._open_slots()
        self.serial = HostSerial()
        self.console = self.serial.console.names
        self.console["board"] = self

    async def next_block(self):
        """Waits for the next block and answers how many samples it has."""
        if self._energised or self._coupled:
            self._audio_out.put(self.phone_out, BLOCK_SAMPLES)
            self.underruns = self._audio_out.late
        behind = self._audio_in.behind()
        while behind < BLOCK_SAMPLES:
            await asyncio.sleep_ms((BLOCK_SAMPLES - behind + _SAMPLES_PER_MS - 1) // _SAMPLES_PER_MS)
            behind = self._audio_in.behind()
        if behind >= 2 * BLOCK_SAMPLES:
            await asyncio.sleep_ms(0)  # others' turn, too, while what has come is caught up with
        self.lost_samples = self._audio_in.lost - self.lost_total
        self.lost_total = self._audio_in.lost
        self._take_edges(behind)
        self.phone_in = self._phone_side if self._energised else self.line_in
        self._audio_in.take(self.line_in, self._phone_side if self._energised else None, BLOCK_SAMPLES)
        self._count(BLOCK_SAMPLES + self.lost_samples)
        self._note_gap()
        return BLOCK_SAMPLES

    def energise(self, energised):
        """Moves the bypass relay; False is rest: the phone on the exchange."""
        if energised != self._energised:
            self._energised = energised
            self._relay.value(energised)
            if not energised:
                self._audio_out.stop()
                self._feed.value(self._off_hook)

    def couple(self, coupled):
        """While the relay rests: whether phone_out is heard on the pair, too; at once when it is no more.

        The coupling has no switch (WIRING.md): it carries what the PWM gives, and that is silence.
        """
        if coupled != self._coupled:
            self._coupled = coupled
            if not coupled and not self._energised:
                self._audio_out.stop()

    def feed_watchdog(self):
        """Every task has checked in; the LED, which turns over each time, shows it."""
        self._resets.feed()
        self.led.toggle()

    def take_longest_gap_ms(self):
        """The longest time between two blocks since this was asked before."""
        longest_ms = self._longest_gap_us // 1000
        self._longest_gap_us = 0
        return longest_ms

    def wall_time(self):
        """Unix seconds, and where they come from."""
        if self._wall_at_start is None:
            return self._seconds, "none"
        return self._wall_at_start + self._seconds, "network"

    def set_wall_time(self, unix_seconds):
        """Somebody who knows has told the time."""
        self._wall_at_start = unix_seconds - self._seconds

    def random_bytes(self, count):
        return os.urandom(count)

    def log(self, text):
        """One line for a technician, between the frames of the link."""
        self.serial.write(text.encode() + b"\n")

    def tap(self, data):
        """Sends a frame to the technician on USB alone, and answers whether it was taken."""
        return self.serial.tap(data)

    def reset(self):
        """The firmware has failed: the board begins anew, once its log is out."""
        self.serial.flush()
        self._resets.after_fault()

    def release(self):
        """A technician has taken the console: phone on the exchange, audio still, and nothing resets the board."""
        self._resets.stop_watchdog()
        self.energise(False)
        self._feed.off()
        self._audio_in.stop()
        self._audio_out.close()
        self.led.off()

    def _open_slots(self):
        try:
            # An image that MicroPython's own build has made has all of the flash to itself, and no such module.
            from rp2040.slots import Slots  # noqa: PLC0415
        except ImportError:
            return None
        return Slots(self._begin_anew)

    def _begin_anew(self):
        self.energise(False)
        self.serial.flush()
        self._resets.on_purpose()

    def _set_line_interface(self):
        # The adapter listens through the DAA's caller-ID path, and never seizes the line.
        Pin(_DAA_ON_HOOK, Pin.OUT, value=1)
        Pin(_DAA_CALLER_ID, Pin.OUT, value=0)
        Pin(_SLIC_RING_MODE, Pin.OUT, value=0)
        Pin(_SLIC_FORWARD, Pin.OUT, value=1)
        self._feed = Pin(_SLIC_FEED, Pin.OUT, value=0)
        self.led.off()

    def _take_edges(self, behind):
        """Those of the block that is to be taken; what is older, or came in a loss, as at its first sample."""
        self.edges = 0
        edges = self._edges
        first = edges.first()
        while first >= 0 and self.edges < _MAX_EDGES:
            offset = (edges.at[first] - self._audio_in.taken) & (RING_SAMPLES - 1)
            if offset >= BLOCK_SAMPLES:
                if offset < behind + _JUST_NOW_SAMPLES and not self.lost_samples:
                    return
                offset = 0
            self._note_edge(edges.kind[first], edges.level[first], offset)
            edges.drop_first()
            first = edges.first()

    def _note_edge(self, kind, level, offset):
        self.edge_kind[self.edges] = kind
        self.edge_level[self.edges] = level
        self.edge_offset[self.edges] = offset
        self.edges += 1
        if kind == HOOK_EDGE:
            # A phone that is lifted may want the SLIC soon; its feed is there long before a code can be dialled.
            self._off_hook = level
            self._feed.value(level or self._energised)

    def _note_gap(self):
        now_us = time.ticks_us()
        if self._block_us is not None:
            self._longest_gap_us = max(self._longest_gap_us, time.ticks_diff(now_us, self._block_us))
        self._block_us = now_us

    def _count(self, samples):
        self._samples += samples
        self._seconds += self._samples // _SAMPLE_RATE_HZ
        self._samples %= _SAMPLE_RATE_HZ
