"""The host's end of the link: UART0 and USB at once. What is sent goes to both, and what comes may come from either."""

import select
import sys

from machine import UART, Pin
from micropython import const

_BAUD = const(115_200)
# A whole message of the longest, and what is logged beside it.
_BUFFER_BYTES = const(4096)
_USB_READ_BYTES = const(64)


class HostSerial:
    """A stream as star57.link.serial wants it: neither reading nor writing waits.

    USB is there while a host has opened it: without one, what is written to it is dropped at once. MicroPython's prompt
    is on it too, so Ctrl-C there stops the firmware, as a technician expects.
    """

    def __init__(self):
        self._uart = UART(0, _BAUD, tx=Pin(0), rx=Pin(1), txbuf=_BUFFER_BYTES, rxbuf=_BUFFER_BYTES, timeout=0)
        self._usb = select.poll()
        self._usb.register(sys.stdin, select.POLLIN)
        self._byte = bytearray(1)

    def readinto(self, buffer):
        """Up to len(buffer) bytes of what has come; answers how many."""
        count = 0
        while count < len(buffer) and count < _USB_READ_BYTES and self._usb_has_more():
            sys.stdin.buffer.readinto(self._byte)
            buffer[count] = self._byte[0]
            count += 1
        return count or self._uart.readinto(buffer)

    def write(self, data):
        """Answers how many bytes the UART took; USB gets the same."""
        taken = self._uart.write(data) or 0
        sys.stdout.buffer.write(data[:taken])
        return taken

    def flush(self):
        """Waits until all is out."""
        self._uart.flush()

    def _usb_has_more(self):
        for _ in self._usb.ipoll(0):
            return True
        return False
