"""A board with a network interface, beside its serial port."""

import json
import time

import machine

from rp2040.line_board import LineBoard


class NetworkBoard(LineBoard):
    """A board of this family that says how it gets onto its network.

    It has interface(network, settings): the interface of rp2040.interface that `settings` (a dict) ask for, None for
    none, which connects meanwhile. `network` is MicroPython's module. It may raise OSError.
    """

    def __init__(self):
        super().__init__()
        self.network = self._open_network()

    def set_wall_time(self, unix_seconds):
        """Somebody who knows has told the time; TLS asks the chip's clock whether a certificate is still valid."""
        super().set_wall_time(unix_seconds)
        year, month, day, hour, minute, second, weekday, _ = time.gmtime(unix_seconds)
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))

    def _open_network(self):
        try:
            # An image that was built without the driver has no such module; nor has one without sockets.
            import network  # noqa: PLC0415
        except ImportError:
            return None
        try:
            return self.interface(network, self._read_settings())
        except (OSError, TypeError, ValueError) as fault:
            # A name or key that is none, too: a technician's mistake must not keep the line waiting for a trace.
            self.log("network: {}".format(fault))
            return None

    def _read_settings(self):
        try:
            with open(self.flash + "/settings.json") as file:
                values = json.load(file)
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}
