"""Memory for a DMA ring: the hardware wraps addresses by their low bits, so a ring begins at a multiple of its size."""

import gc

import uctypes
from micropython import const

_MOST_FILLERS = const(64)
# Room for what is small, below the ring, so that it does not come between filler and ring.
_HOLE_BYTES = const(1024)


def aligned(size_bytes):
    """`size_bytes` (a power of two) of memory at a multiple of `size_bytes`, as a bytearray.

    Fillers push it to the next boundary and are given back: nothing is wasted, where twice the memory would be. To be
    called early, while the heap is nearly one piece. Raises MemoryError.
    """
    fillers = [None] * _MOST_FILLERS
    hole = bytearray(_HOLE_BYTES)
    ring = bytearray(size_bytes)
    del hole
    for i in range(_MOST_FILLERS):
        start = uctypes.addressof(ring)
        short_bytes = -start % size_bytes
        if not short_bytes:
            return ring
        # What is free where the ring lay is to begin at the boundary. A filler that lies lower has closed a hole.
        ring = None
        gc.collect()
        fillers[i] = bytearray(short_bytes)
        ring = bytearray(size_bytes)
    raise MemoryError("no room for a DMA ring")
