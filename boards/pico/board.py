"""The Board of a Raspberry Pi Pico. The host link is UART0."""

from machine import Pin
from rp2040.line_board import BLOCK_SAMPLES, HOOK_EDGE, RING_EDGE, LineBoard

__all__ = ("BLOCK_SAMPLES", "HOOK_EDGE", "RING_EDGE", "Board")


class Board(LineBoard):
    """The Raspberry Pi Pico."""

    name = "pico"

    def __init__(self):
        self.led = Pin(25, Pin.OUT, value=0)
        super().__init__()
