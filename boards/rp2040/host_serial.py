"""The host's end of the link: UART0 and USB at once. What is sent goes to both, and what comes may come from either."""

import select
import sys

from machine import UART, Pin
from micropython import const

from rp2040.console import Console

_BAUD = const(115_200)
# Two whole frames of the link (docs/protocol.md), which asks for one at a time, and what is logged beside them.
_SEND_BYTES = const(1152)
# The host has one frame on the way, and may send the first part of an answer and a press of the trace button beside it.
_RECEIVE_BYTES = const(1024)
_USB_PACKET_BYTES = const(64)
_USB_BUFFER_BYTES = const(256)
# A host that reads takes a packet in a millisecond. One that has opened the port and does not read would hold up each
# write for half a second.
_USB_PATIENCE_MS = const(10)


class HostSerial:
    """A stream as star57.link.serial wants it: neither reading nor writing waits.

    USB is there while a host has opened it: without one, what is written to it is dropped at once. What a technician
    types on it goes to `console`, while the link goes on; Ctrl-C stops the firmware for MicroPython's own prompt.
    """

    def __init__(self):
        self._uart = UART(0, _BAUD, tx=Pin(0), rx=Pin(1), txbuf=_SEND_BYTES, rxbuf=_RECEIVE_BYTES, timeout=0)
        self._usb_in = select.poll()
        self._usb_in.register(sys.stdin, select.POLLIN)
        self._usb_out = select.poll()
        self._usb_out.register(sys.stdout, select.POLLOUT)
        self._byte = bytearray(1)
        self.console = Console(self._write_to_usb)

    def readinto(self, buffer):
        """Up to len(buffer) bytes of what has come; answers how many."""
        count = 0
        while count < len(buffer) and count < _USB_PACKET_BYTES and _is_ready(self._usb_in, 0):
            sys.stdin.buffer.readinto(self._byte)
            if not self.console.takes(self._byte[0]):
                buffer[count] = self._byte[0]
                count += 1
        return count or self._uart.readinto(buffer)

    def write(self, data):
        """Answers how many bytes the UART took; USB gets the same."""
        taken = self._uart.write(data) or 0
        self._write_to_usb(data[:taken])
        return taken

    def tap(self, data):
        """Sends `data` to USB alone; answers whether a host took it. One that does not read costs no time."""
        return _is_ready(self._usb_out, 0) and self._write_to_usb(data)

    def flush(self):
        """Waits until all is out."""
        self._uart.flush()

    def _write_to_usb(self, data):
        """Answers whether a host took all of it."""
        # Local names are quick: what the line carries is 23 KB a second.
        write, ready_within = sys.stdout.buffer.write, self._usb_out.ipoll
        for start in range(0, len(data), _USB_BUFFER_BYTES):
            for _ in ready_within(_USB_PATIENCE_MS):
                write(data[start : start + _USB_BUFFER_BYTES])
                break
            else:
                return False
        return True


def _is_ready(poller, timeout_ms):
    for _ in poller.ipoll(timeout_ms):
        return True
    return False
