"""A serial line that damages, drops, doubles, holds back and cuts off what goes over it, alike for each seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Noise:
    """What is wrong with a line.

    Attributes:
        bit_error_rate: how many of the bits are wrong, 0 to 1, each for itself.
        dropped_per_byte: how many of the bytes are lost.
        doubled_per_byte: how many of the bytes come twice.
        stalls: blocks in which the line gives nothing; what was sent meanwhile comes behind them.
        unplugged: blocks in which what is sent is lost.
    """

    bit_error_rate: float = 0.0
    dropped_per_byte: float = 0.0
    doubled_per_byte: float = 0.0
    stalls: Sequence[range] = ()
    unplugged: Sequence[range] = ()


class NoisyWire:
    """The line before `receive`, which is what a rig calls once a block with the bytes that a board has sent.

    Args:
        receive: answers what is to be sent to the board.
        noise: on the way there, and on the way back.
        seed: what the noise follows from.
    """

    def __init__(self, receive: Callable[[bytes], bytes], noise: Noise, seed: int) -> None:
        self._receive = receive
        self._noise = noise
        self._rng = np.random.default_rng(seed)
        self._stalled = set().union(*noise.stalls)
        self._unplugged = set().union(*noise.unplugged)
        self._block = 0
        self._to_host = b""
        self._to_board = b""
        self.bytes_sent = 0

    @property
    def periods(self) -> int:
        """How many periods of silence have begun: stalls, and times without a cable."""
        return sum(period.start < self._block for period in (*self._noise.stalls, *self._noise.unplugged))

    def __call__(self, sent: bytes) -> bytes:
        """A block passes, in which the board has sent this; answers what it gets."""
        block, self._block = self._block, self._block + 1
        is_unplugged = block in self._unplugged
        self.bytes_sent += len(sent)
        self._to_host += b"" if is_unplugged else self._damaged(sent)
        if block in self._stalled:
            return b""
        arrived, self._to_host = self._to_host, b""
        answer = self._receive(arrived)
        self.bytes_sent += len(answer)
        self._to_board += b"" if is_unplugged else self._damaged(answer)
        arrived, self._to_board = self._to_board, b""
        return arrived

    def _damaged(self, data: bytes) -> bytes:
        bits = np.unpackbits(np.frombuffer(data, np.uint8))
        wrong = self._rng.random(bits.size) < self._noise.bit_error_rate
        values = np.packbits(bits ^ wrong)
        chances = self._rng.random(values.size)
        dropped, doubled = self._noise.dropped_per_byte, self._noise.doubled_per_byte
        copies = np.where(chances < dropped, 0, np.where(chances < dropped + doubled, 2, 1))
        return np.repeat(values, copies).tobytes()
