"""The serial port of the emulated board: two buffers, and as many bytes a block as a UART of 115200 baud moves."""

from micropython import const

_BUFFER_BYTES = const(4096)
# 115200 baud are 11520 bytes a second: 36 in 25 samples.
_PACE_BYTES = const(36)
_PACE_SAMPLES = const(25)


class SerialPort:
    """A stream as star57.link.serial wants it; the board gives what was written to the rig, block by block."""

    def __init__(self):
        self._incoming = b""
        self._outgoing = b""

    def readinto(self, buffer):
        """Up to len(buffer) bytes of what has come; answers how many, None for none."""
        count = min(len(buffer), len(self._incoming))
        buffer[:count] = self._incoming[:count]
        self._incoming = self._incoming[count:]
        return count or None

    def write(self, data):
        """Takes what has room in the buffer; answers how many bytes, None for none."""
        count = min(len(data), _BUFFER_BYTES - len(self._outgoing))
        self._outgoing += bytes(data[:count])
        return count or None

    def take(self, samples):
        """What leaves the port while so many samples pass."""
        count = samples * _PACE_BYTES // _PACE_SAMPLES
        taken, self._outgoing = self._outgoing[:count], self._outgoing[count:]
        return taken

    def put(self, data):
        """These bytes came. What the buffer has no room for is lost, as in a UART."""
        self._incoming = (self._incoming + data)[:_BUFFER_BYTES]
