# What the image of a W5500-EVB-Pico holds beside MicroPython.
include("../rp2040_manifest.py")  # noqa: F821 - a manifest's own words, as below
module("board.py", base_path=".")  # noqa: F821
