"""Runs the firmware behind one interface: here, a MicroPython process in lock-step with the emulated line."""
