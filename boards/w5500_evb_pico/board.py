"""The Board of a WIZnet W5500-EVB-Pico. The service is reached by Ethernet, if settings.json names it, and by UART0."""

from machine import Pin
from rp2040.interface import Ethernet
from rp2040.line_board import BLOCK_SAMPLES, HOOK_EDGE, RING_EDGE
from rp2040.network_board import NetworkBoard

__all__ = ("BLOCK_SAMPLES", "HOOK_EDGE", "RING_EDGE", "Board")


class Board(NetworkBoard):
    """The WIZnet W5500-EVB-Pico, whose Ethernet chip is on GP16 to GP21."""

    name = "w5500_evb_pico"

    def __init__(self):
        self.led = Pin(25, Pin.OUT, value=0)
        super().__init__()

    def interface(self, network, settings):
        """When there are `service_hosts` to reach; without, the chip stays as it is."""
        return Ethernet(network) if settings.get("service_hosts") else None
