"""The Board of a Raspberry Pi Pico W. It reaches the service by Wi-Fi, when settings.json names one, and by UART0."""

from machine import Pin
from rp2040.interface import Wifi
from rp2040.line_board import BLOCK_SAMPLES, HOOK_EDGE, RING_EDGE
from rp2040.network_board import NetworkBoard

# A pin of the wireless chip. It has no name in pins.csv, where it could be named only for images with the driver.
_LED = "EXT_GPIO0"

__all__ = ("BLOCK_SAMPLES", "HOOK_EDGE", "RING_EDGE", "Board")


class Board(NetworkBoard):
    """The Raspberry Pi Pico W."""

    name = "pico_w"

    def __init__(self):
        try:
            self.led = Pin(_LED, Pin.OUT, value=0)
        except ValueError:
            self.led = _NoLed()
        super().__init__()

    def interface(self, network, settings):
        """By `wifi_ssid` and `wifi_key` of the settings."""
        name = settings.get("wifi_ssid")
        return Wifi(network, name, settings.get("wifi_key", "")) if name else None


class _NoLed:
    """The LED hangs on the wireless chip: without its driver there is none."""

    def off(self):
        pass

    def toggle(self):
        pass
