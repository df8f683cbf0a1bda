"""A board with a network interface: when it has one to use, it reaches the service over it, and UART0 has the log."""

import json

from rp2040.line_board import LineBoard


class NetworkBoard(LineBoard):
    """A board of this family that says in `connect` how it gets onto its network."""

    def __init__(self):
        super().__init__()
        self._uart = self.serial
        try:
            # An image that was built without the driver has no such module; nor has one without sockets.
            import network  # noqa: PLC0415
        except ImportError:
            return
        try:
            if self.connect(network, self._read_settings()):
                self.serial = None
        except OSError as fault:
            self.log("network: {}".format(fault))

    def connect(self, network, settings):
        """Starts to connect as `settings` (a dict) say, and does not wait; answers whether they ask for a network."""
        raise NotImplementedError

    def log(self, text):
        """One line for a technician."""
        self._uart.write(text.encode() + b"\n")

    def reset(self):
        """The firmware has failed: the board begins anew, once its log is out."""
        self.serial = self._uart
        super().reset()

    def _read_settings(self):
        try:
            with open(self.flash + "/settings.json") as file:
                values = json.load(file)
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}
