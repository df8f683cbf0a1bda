# What the image of a Pico W holds beside MicroPython.
include("../rp2040_manifest.py")  # noqa: F821 - a manifest's own words, as below
module("board.py", base_path=".")  # noqa: F821
