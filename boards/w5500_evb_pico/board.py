"""The Board of a WIZnet W5500-EVB-Pico. The host link is Ethernet when settings.json names the service, else UART0."""

from machine import Pin
from rp2040.line_board import BLOCK_SAMPLES, HOOK_EDGE, RING_EDGE
from rp2040.network_board import NetworkBoard

__all__ = ("BLOCK_SAMPLES", "HOOK_EDGE", "RING_EDGE", "Board")


class Board(NetworkBoard):
    """The WIZnet W5500-EVB-Pico, whose Ethernet chip is on GP16 to GP21."""

    name = "w5500_evb_pico"

    def __init__(self):
        self.led = Pin(25, Pin.OUT, value=0)
        super().__init__()

    def connect(self, network, settings):
        """By DHCP, when there is a `service_host` to reach."""
        if not settings.get("service_host"):
            return False
        self._nic = network.WIZNET5K()
        self._nic.active(True)
        self._nic.ipconfig(dhcp4=True)
        return True
