# What the image of every RP2040 board holds beside MicroPython: the rp2 port's own modules, asyncio, and the firmware.
freeze("$(PORT_DIR)/modules")  # noqa: F821 - a manifest's own words, as below
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
package("star57", base_path="../firmware")  # noqa: F821
package("rp2040", base_path=".")  # noqa: F821
module("main.py", base_path="../firmware")  # noqa: F821 - runs at boot
