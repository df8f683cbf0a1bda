"""The Board of the emulated line: audio, edges and relay over two pipes, and time that is the line's.

Only this folder is particular to the machine that the tests run on. The rig (host_tools/rig) holds the other end of the
pipes and plays the hardware: relay, watchdog, ring and hook detectors. Both advance in lock-step, a block of samples
at a time.
"""

import asyncio
import json
import os
import struct
import sys
from array import array

import uctypes
from line_time import LineTime
from micropython import const
from serial_port import SerialPort
from slots import Slots

BLOCK_SAMPLES = const(160)
RING_EDGE = const(0)
HOOK_EDGE = const(1)

_MAX_EDGES = const(64)
_EDGE_BYTES = const(4)
_SAMPLES_PER_MS = const(8)


def _bytes_of(samples):
    return memoryview(uctypes.bytearray_at(uctypes.addressof(samples), 2 * len(samples)))


class Network:
    """The machine's own network; `name_server` is an address, with a port behind a colon or without, or None."""

    def __init__(self, name_server):
        self.name_server = name_server

    def connected(self):
        """Whether there is a way into the network."""
        return True


class Board:
    """The emulated board. The rig's JSON is in STAR57_RIG: pipes, flash and prompt folders, seed, clock, patience,
    whether there is a serial port and a network, and who knows names there; a folder for firmware slots, or null.
    """

    name = "emulated"
    version = "0.1.0"
    commit = ""
    console = None
    phone_out_delay_samples = 0

    def __init__(self):
        rig = json.loads(os.getenv("STAR57_RIG"))
        self._line_time = LineTime(self.exchange_block, rig["patience_ms"])
        self._line_time.follow()
        self.flash = rig["flash"]
        self.prompts = rig["prompts"]
        self.reset_reason = rig["reset_reason"]
        self.serial = SerialPort() if rig["serial"] else None
        self.network = Network(rig["name_server"]) if rig["network"] else None
        self.slots = Slots(rig["slots"]) if rig.get("slots") else None
        if self.slots and self.slots.version:
            self.version = self.slots.version
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
        self._relay = 0
        self._coupled = False
        self._fed = 0
        self._header = bytearray(8)
        self._edge_bytes = bytearray(_EDGE_BYTES * _MAX_EDGES)
        self._header_bytes = memoryview(self._header)
        self._edge_view = memoryview(self._edge_bytes)
        self._line_in_bytes = _bytes_of(self.line_in)
        self._phone_in_bytes = _bytes_of(self.phone_in)
        self._phone_out_bytes = _bytes_of(self.phone_out)
        self._silence = memoryview(bytes(2 * BLOCK_SAMPLES))
        self._from_rig = open(rig["from_rig"], "rb")
        self._to_rig = open(rig["to_rig"], "wb")
        self._power_on_at = rig["wall_time"] or None
        self._random = rig["seed"]

    async def next_block(self):
        """Waits for the next block and answers how many samples it has."""
        self._line_time.keep_awake()
        await self._arrived.wait()
        self._arrived.clear()
        self._taken = True
        return self._samples

    def energise(self, energised):
        """Moves the bypass relay; False is rest: the phone on the exchange."""
        self._relay = 1 if energised else 0

    def couple(self, coupled):
        """While the relay rests: whether phone_out is heard on the pair, too; False is rest."""
        self._coupled = coupled

    def feed_watchdog(self):
        self._fed = 1

    def take_longest_gap_ms(self):
        """The longest time between two blocks since this was asked before; the rig's line waits for the firmware."""
        return BLOCK_SAMPLES // _SAMPLES_PER_MS

    def wall_time(self):
        """Unix seconds, and where they come from."""
        if self._power_on_at is None:
            return self._line_time.samples // 8000, "none"
        return self._power_on_at + self._line_time.samples // 8000, "network"

    def set_wall_time(self, unix_seconds):
        """It is `unix_seconds` now, as the network has it."""
        self._power_on_at = unix_seconds - self._line_time.samples // 8000

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
        sent = self.serial.take(self._samples) if self.serial else b""
        self._to_rig.write(struct.pack("<HBBH", self._samples, self._relay, self._fed, len(sent)))
        heard = self._phone_out_bytes if self._relay or self._coupled else self._silence
        self._to_rig.write(heard[: 2 * self._samples])
        self._to_rig.write(sent)
        self._fed = 0
        self._read(self._header_bytes, len(self._header))
        self._samples, lost, self.edges, serial_bytes = struct.unpack("<HHHH", self._header)
        self._read(self._line_in_bytes, 2 * self._samples)
        self._read(self._phone_in_bytes, 2 * self._samples)
        self._read(self._edge_view, _EDGE_BYTES * self.edges)
        for i in range(self.edges):
            self.edge_offset[i], self.edge_kind[i], self.edge_level[i] = struct.unpack_from(
                "<HBB", self._edge_bytes, _EDGE_BYTES * i
            )
        if serial_bytes:
            self._take_serial(serial_bytes)
        self.lost_samples += lost
        self.lost_total += lost
        self._line_time.samples += self._samples + lost
        self._taken = False
        self._arrived.set()

    def _take_serial(self, count):
        received = bytearray(count)
        self._read(memoryview(received), count)
        self.serial.put(received)

    def _read(self, view, count):
        done = 0
        while done < count:
            part = self._from_rig.readinto(view[done:count])
            if not part:
                sys.exit(0)
            done += part
