"""DMA without end between a register and a ring in memory: two channels take turns, each starting the other.

RP2040 data sheet 2.5. A channel counts its transfers down and ends; its twin, chained to it, goes on with the next one.
"""

import rp2
import uctypes
from micropython import const

from rp2040 import ring_memory

# A run ends at the ring's beginning: 2.3 hours of two inputs, 4.6 of one output.
RUN_TRANSFERS = const(1 << 27)

_READ_ADDRESS = const(0x50000000)
_WRITE_ADDRESS = const(0x50000004)
_CHANNEL_BYTES = const(0x40)


@micropython.viper
def _offset(first: int, second: int, base: int) -> int:
    # The twin that rests stands at the ring's beginning.
    return ptr32(first)[0] - base + ptr32(second)[0] - base


def _halt(channel):
    # Closing a channel gives its number back and lets it run on. Off first, and without its twin, or the abort may
    # start one of them again (RP2040-E13).
    channel.ctrl = channel.pack_ctrl(enable=False)
    channel.active(0)


class DmaRing:
    """A ring of `1 << bits` bytes, into which a `register` of 16 bits is read, or out of which one is written.

    request: number of the DREQ that paces it; it is this ring's alone (data sheet 2.5.3).
    run_transfers: whole rings; then the twin takes over.
    """

    def __init__(self, bits, register, request, into_ring, run_transfers=RUN_TRANSFERS):
        self.memory = ring_memory.aligned(1 << bits)
        self._base = uctypes.addressof(self.memory)
        self._channels = (rp2.DMA(), rp2.DMA())
        for channel in self._channels:
            _halt(channel)
        for i in (1, 0):
            channel = self._channels[i]
            control = channel.pack_ctrl(
                size=1,
                inc_read=not into_ring,
                inc_write=into_ring,
                ring_sel=into_ring,
                ring_size=bits,
                treq_sel=request,
                chain_to=self._channels[1 - i].channel,
                irq_quiet=True,
            )
            channel.config(
                read=register if into_ring else self._base,
                write=self._base if into_ring else register,
                count=run_transfers,
                ctrl=control,
                trigger=i == 0,
            )
        address = _WRITE_ADDRESS if into_ring else _READ_ADDRESS
        self._first, self._second = [address + _CHANNEL_BYTES * channel.channel for channel in self._channels]

    def offset(self):
        """Where in the ring the next transfer goes, or comes from, in bytes. Allocates nothing: for interrupts too."""
        return _offset(self._first, self._second, self._base)

    def close(self):
        """Stops it for good."""
        for channel in self._channels:
            _halt(channel)
        for channel in self._channels:
            channel.close()
