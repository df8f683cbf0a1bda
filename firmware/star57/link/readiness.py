"""Waiting for a socket: asyncio's own streams read until a buffer is full, and a datagram must be read alone."""

from asyncio import core


# MicroPython awaits a generator; what it yields to is the poller, which asyncio's streams wait in, too.
def readable(socket):
    """Returns once `socket` has something to read, has ended or has failed."""
    yield core._io_queue.queue_read(socket)


def writable(socket):
    """Returns once `socket` takes something, or has failed."""
    yield core._io_queue.queue_write(socket)
