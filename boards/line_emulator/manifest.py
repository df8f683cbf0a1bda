# What the line emulator's image holds beside MicroPython: the firmware's senders, and its own audio.
freeze("$(PORT_DIR)/modules")  # noqa: F821 - a manifest's own words, as below
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
package("star57", base_path="../../firmware")  # noqa: F821
package("rp2040", base_path="..")  # noqa: F821
module("line.py", base_path=".")  # noqa: F821
module("streaming.py", base_path=".")  # noqa: F821
module("console.py", base_path=".")  # noqa: F821
module("main.py", base_path=".")  # noqa: F821 - runs at boot
