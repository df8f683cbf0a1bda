"""A board under test, with its line played by a line emulator (boards/line_emulator): real boards, or emulated Picos.

The line emulator keeps the line's time: it answers a block when its time has gone by, so nothing here sleeps. Blocks
are sent ahead, for the host's operating system may be late by some of them; what comes back is as many blocks old.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from host_tools.exchange.pair import PairBlock
from host_tools.rig.firmware import BoardBlock, FirmwareFault
from host_tools.rig.flash import record_among
from host_tools.rig.link_log import LinkLog

BLOCKS_AHEAD = 4
STREAMS = b"streaming\n"

_MOST_BEFORE_IT_STREAMS = 1000  # bytes: what the console had still to say

_HEADER = struct.Struct("<HHHH")
_EDGE = struct.Struct("<HBB")
_ANSWER = struct.Struct("<HBB")
_END = _HEADER.pack(0, 0, 0, 0)


class Port(Protocol):
    """One end of a serial connection."""

    def write(self, data: bytes) -> None:
        """Sends all of it."""

    def read(self, count: int) -> bytes:
        """Waits for exactly `count` bytes. Raises FirmwareFault when they do not come."""

    def take(self) -> bytes:
        """What has come, without waiting."""


class Bench(Protocol):
    """What is on the table."""

    @property
    def line(self) -> Port:
        """The line emulator's console."""

    @property
    def board(self) -> Port:
        """The board's end of its link."""

    def power_on(self) -> None:
        """Power for both; the line emulator's console is ready then."""

    def power_cut(self) -> None:
        """Takes the board's power away."""

    def file(self, name: str) -> bytes | None:
        """What is in a file on the board's flash."""

    def end(self) -> None:
        """Leaves everything at rest."""


class BoardOnLine:
    """The firmware on a board at the other end of a line emulator's wires.

    Args:
        bench: the two boards.
        serial: the host's end of the board's link: bytes that came, and the bytes to go back.

    Attributes:
        late_blocks: that this machine sent too late to be played without a gap.
    """

    def __init__(self, bench: Bench, serial: Callable[[bytes], bytes]) -> None:
        self._bench = bench
        self._serial = serial
        self._on_their_way: deque[int] = deque()
        self.late_blocks = 0
        self._samples = 0
        self._log = LinkLog()
        self._streams = False

    def start(self) -> None:
        """Powers the bench on, and has the line emulator play what comes."""
        self._bench.power_on()
        if not self._streams:
            self._begin_stream()

    def exchange_block(self, block: PairBlock) -> BoardBlock:
        """Sends a block, and answers what the board did with one that was sent earlier; silence for the first of all.

        Raises:
            FirmwareFault: the line emulator does not answer.
        """
        self._bench.line.write(_framed(block))
        self._on_their_way.append(block.n)
        self._samples += block.n
        self._pass_on(self._bench.board.take())
        if len(self._on_their_way) <= BLOCKS_AHEAD:
            return BoardBlock(np.zeros(block.n, np.int16), relay_energised=False)
        return self._answer()

    def power_cut(self) -> None:
        """Takes the board's power away at once; the line goes on."""
        self._bench.power_cut()

    def stop(self) -> None:
        """Ends the session on the line emulator."""
        try:
            self._end_stream()
        finally:
            self._bench.end()

    def record(self, name: str) -> Any:
        """The newest whole payload of a record on its flash, parsed as JSON; None when there is none."""
        return record_among(self._bench.file, name)

    @property
    def log(self) -> str:
        """The lines on its link that are no frames."""
        return self._log.text

    @property
    def line_time_s(self) -> float:
        """Of the blocks so far."""
        return self._samples / 8000

    def _begin_stream(self) -> None:
        """Nothing is sent before the line emulator is deaf to Ctrl-C, which may stand in a sample."""
        self._bench.line.write(b"stream\n")
        said = b""
        while not said.endswith(STREAMS):
            if len(said) == _MOST_BEFORE_IT_STREAMS:
                raise FirmwareFault(f"the line emulator does not stream; it said {said!r}")
            said += self._bench.line.read(1)
        self._streams = True

    def _end_stream(self) -> None:
        if not self._streams:
            return
        self._streams = False
        while self._on_their_way:
            self._answer()
        self._bench.line.write(_END)

    def _answer(self) -> BoardBlock:
        expected = self._on_their_way.popleft()
        n, relay, late = _ANSWER.unpack(self._bench.line.read(_ANSWER.size))
        samples = np.frombuffer(self._bench.line.read(2 * n), "<i2").astype(np.int16)
        if n != expected:
            raise FirmwareFault(f"the line emulator answered {n} samples to a block of {expected}")
        self.late_blocks += late
        return BoardBlock(samples, bool(relay))

    def _pass_on(self, data: bytes) -> None:
        if not data:
            return
        self._bench.board.write(self._serial(data))
        self._log.feed(data)


def _framed(block: PairBlock) -> bytes:
    return (
        _HEADER.pack(block.n, 0, len(block.edges), 0)
        + block.line_in.astype("<i2").tobytes()
        + block.phone_in.astype("<i2").tobytes()
        + b"".join(_EDGE.pack(*edge) for edge in block.edges)
    )
