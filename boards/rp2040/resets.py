"""Watchdog and resets: why the board began anew is kept where only the loss of power takes it away."""

import machine
from machine import WDT, mem32
from micropython import const

POWER_ON = "power_on"
WATCHDOG = "watchdog"
FAULT = "fault"

WATCHDOG_MS = const(8300)

# RP2040 data sheet 4.7: the watchdog's control, and its first scratch register, which a reset leaves as it is.
_CONTROL_CLEAR = const(0x4005B000)
_ENABLE = const(1 << 30)
_SCRATCH = const(0x4005800C)
_FAULT_MARK = const(0x0057FA17)


class Resets:
    """`reason` is why the board began: POWER_ON, WATCHDOG (nobody fed it), or FAULT (`after_fault` was called)."""

    def __init__(self):
        self.reason = POWER_ON
        if machine.reset_cause() == machine.WDT_RESET:
            self.reason = FAULT if mem32[_SCRATCH] == _FAULT_MARK else WATCHDOG
        mem32[_SCRATCH] = 0
        self._watchdog = WDT(timeout=WATCHDOG_MS)

    def feed(self):
        """Nothing hangs: another 8.3 s."""
        self._watchdog.feed()

    def after_fault(self):
        """Begins anew, at once."""
        mem32[_SCRATCH] = _FAULT_MARK
        machine.reset()

    def stop_watchdog(self):
        """A technician takes over."""
        mem32[_CONTROL_CLEAR] = _ENABLE
