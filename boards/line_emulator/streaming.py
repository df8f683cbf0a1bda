"""Plays what a host computer sends over USB, block by block, and answers what the board under test did.

The frames are those of the rig's lock-step (docs/seams.md). The first goes when `streaming` has come, a line of its
own: until then a byte of a sample could be taken for Ctrl-C. An answer comes when its block's time has gone by, so the
host is held to the line's time; it may send a few blocks ahead. Its third field is 1 when samples did not come in time
since the answer before: what was played then has a gap. A block of no samples ends it.
"""

import struct
import sys
from array import array

import micropython
import uctypes
from line import BLOCK_SAMPLES

_MAX_EDGES = const(64)
_EDGE_BYTES = const(4)
_HEADER_BYTES = const(8)
_CTRL_C = const(3)


def _bytes_of(samples):
    return memoryview(uctypes.bytearray_at(uctypes.addressof(samples), 2 * len(samples)))


class Streaming:
    """One session on `line`."""

    def __init__(self, line):
        self._line = line
        self._line_side = array("h", bytes(2 * BLOCK_SAMPLES))
        self._phone_side = array("h", bytes(2 * BLOCK_SAMPLES))
        self._heard = array("h", bytes(2 * BLOCK_SAMPLES))
        self._line_bytes = _bytes_of(self._line_side)
        self._phone_bytes = _bytes_of(self._phone_side)
        self._heard_bytes = _bytes_of(self._heard)
        self._header = bytearray(_HEADER_BYTES)
        self._edges = bytearray(_EDGE_BYTES * _MAX_EDGES)
        self._edge_view = memoryview(self._edges)
        self._answer = bytearray(4)
        self._late = line.late

    def run(self):
        """Streams until the host ends it; what is not a frame ends it too."""
        micropython.kbd_intr(-1)
        sys.stdout.buffer.write(b"streaming\n")
        self._line.begin()
        try:
            while self._exchange_block():
                pass
        finally:
            micropython.kbd_intr(_CTRL_C)
            self._line.end()

    def _exchange_block(self):
        receive = sys.stdin.buffer.readinto
        receive(self._header)
        n, _, edges, _ = struct.unpack("<HHHH", self._header)
        if not 0 < n <= BLOCK_SAMPLES or edges > _MAX_EDGES:
            return False
        receive(self._line_bytes[: 2 * n])
        receive(self._phone_bytes[: 2 * n])
        if edges:
            receive(self._edge_view[: _EDGE_BYTES * edges])
        for i in range(edges):
            self._line.edge(*struct.unpack_from("<HBB", self._edges, _EDGE_BYTES * i))
        self._line.play(self._line_side, self._phone_side, n)
        self._line.heard(self._heard, n)
        late = self._line.late
        struct.pack_into("<HBB", self._answer, 0, n, self._line.relay_energised, late != self._late)
        self._late = late
        sys.stdout.buffer.write(self._answer)
        sys.stdout.buffer.write(self._heard_bytes[: 2 * n])
        return True
