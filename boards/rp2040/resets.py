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
# Where the Pico's SDK notes that a watchdog was set to run (hardware_watchdog, WATCHDOG_NON_REBOOT_MAGIC).
_SCRATCH_OF_SDK = const(0x4005801C)
_WATCHDOG_RAN = const(0x6AB73121)


class Resets:
    """`reason` is why the board began: POWER_ON, WATCHDOG (nobody fed it), or FAULT (`after_fault` was called)."""

    def __init__(self):
        self.reason = POWER_ON
        if machine.reset_cause() == machine.WDT_RESET:
            # The boot loader leaves through the watchdog too, and so does machine.reset(): these have begun it anew.
            if mem32[_SCRATCH] == _FAULT_MARK:
                self.reason = FAULT
            elif mem32[_SCRATCH_OF_SDK] == _WATCHDOG_RAN:
                self.reason = WATCHDOG
        mem32[_SCRATCH] = 0
        self._watchdog = WDT(timeout=WATCHDOG_MS)

    def feed(self):
        """Nothing hangs: another 8.3 s."""
        self._watchdog.feed()

    def after_fault(self):
        """Begins anew, at once."""
        mem32[_SCRATCH] = _FAULT_MARK
        machine.reset()

    def on_purpose(self):
        """Begins anew, at once, as after power-on."""
        machine.reset()

    def stop_watchdog(self):
        """A technician takes over."""
        mem32[_CONTROL_CLEAR] = _ENABLE
