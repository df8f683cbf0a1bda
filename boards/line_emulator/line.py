"""A household's line without one: both sides' audio on two PWM outputs, ring and hook on pins, and what comes back.

Each pin goes to its namesake on the board under test (boards/pico/WIRING.md, "Two boards"): what is an output there is
an input here.
"""

from array import array

import machine
from machine import Pin, Timer
from micropython import const
from rp2040.audio_in import AudioIn
from rp2040.audio_out import CLOCK_HZ, LEAD_SAMPLES, AudioOut

BLOCK_SAMPLES = const(160)
RING_EDGE = const(0)
HOOK_EDGE = const(1)

_LINE_OUT = const(2)
_PHONE_OUT = const(4)
_RING = const(6)
_HOOK = const(7)
_RELAY = const(8)
_LED = const(25)
_KEPT_EDGES = const(64)
_TICK_HZ = const(1000)


class Line:
    """The line's end of the wires. `late` counts samples that were not there in time to be played."""

    def __init__(self):
        machine.freq(CLOCK_HZ)
        # Each with a pace of its own: a request for data is one channel's alone (RP2040 data sheet 2.5.3).
        self._outputs = (AudioOut(_LINE_OUT, 7), AudioOut(_PHONE_OUT, 6))
        self._input = AudioIn()
        self._pins = (Pin(_RING, Pin.OUT, value=1), Pin(_HOOK, Pin.OUT, value=0))
        self._relay = Pin(_RELAY, Pin.IN, Pin.PULL_DOWN)
        self._led = Pin(_LED, Pin.OUT, value=1)
        self._edge_at = [0] * _KEPT_EDGES
        self._edge_kind = bytearray(_KEPT_EDGES)
        self._edge_level = bytearray(_KEPT_EDGES)
        self._first = 0
        self._end = 0
        self._timer = Timer(freq=_TICK_HZ, callback=self._move_pins)

    @property
    def late(self):
        return self._outputs[0].late

    @property
    def relay_energised(self):
        """Whether the board under test has taken the phone off the exchange."""
        return self._relay.value() == 1

    def begin(self):
        """Before something is played: what was heard until now is not wanted."""
        self._input.drop()

    def end(self):
        """After it: what is queued is played to its end, and then it is silent."""
        silence = array("h", bytes(2 * BLOCK_SAMPLES))
        for _ in range(0, LEAD_SAMPLES + BLOCK_SAMPLES, BLOCK_SAMPLES):
            self.play(silence, silence, BLOCK_SAMPLES)
            self.heard(silence, BLOCK_SAMPLES)
            silence = array("h", bytes(2 * BLOCK_SAMPLES))
        for output in self._outputs:
            output.stop()

    def play(self, line, phone, n):
        """Queues `n` samples of each side."""
        self._outputs[0].put(line, n)
        self._outputs[1].put(phone, n)

    def edge(self, offset, kind, level):
        """The pin moves with the sample `offset` of the block that is played next."""
        following = (self._end + 1) % _KEPT_EDGES
        if following == self._first:
            return
        self._edge_at[self._end] = self._outputs[0].coming(offset)
        self._edge_kind[self._end] = kind
        self._edge_level[self._end] = level
        self._end = following

    def set_pin(self, kind, level):
        """Moves a pin at once."""
        self._pins[kind].value(level)

    def heard(self, out, n):
        """Waits for the next `n` samples that the board under test has sent, and takes them into `out`."""
        while self._input.behind() < n:
            machine.idle()
        self._input.take(out, None, n)

    def close(self):
        """Everything at rest."""
        self._timer.deinit()
        self._input.stop()
        for output in self._outputs:
            output.close()
        self._pins[RING_EDGE].value(1)
        self._pins[HOOK_EDGE].value(0)
        self._led.off()

    def _move_pins(self, _timer):
        while self._first != self._end and self._outputs[0].is_played(self._edge_at[self._first]):
            self._pins[self._edge_kind[self._first]].value(self._edge_level[self._first])
            self._first = (self._first + 1) % _KEPT_EDGES
