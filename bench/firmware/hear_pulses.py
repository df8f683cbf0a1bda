"""Follows a loop with the firmware's hook detector; a line for each fact.

    hear_pulses.py BLOCK_SAMPLES COUNTRY

Standard input has the loop at 8 kHz, signed 16 bit: 1 closed, 0 open. Lines: `off_hook AT`, `on_hook AT`, `flash AT`
and `digit AT KEY`; AT is the sample at the end of the block that told of it.
"""

import sys
from array import array

from star57.line.hook import COUNTRIES, HookDetector


class _Sink:
    def __init__(self):
        self.at = 0

    def off_hook(self):
        self._tell("off_hook")

    def loop_opened(self):
        pass

    def on_hook(self):
        self._tell("on_hook")

    def flash(self):
        self._tell("flash")

    def pulsed_digit(self, code):
        self._tell("digit", chr(code))

    def _tell(self, fact, *words):
        sys.stdout.write(" ".join((fact, str(self.at)) + words) + "\n")  # noqa: RUF005


def main(block_samples, country):
    sink = _Sink()
    detector = HookDetector(sink, COUNTRIES[country])
    block = array("h", bytes(2 * block_samples))
    level = 0
    while True:
        count = sys.stdin.buffer.readinto(block) // 2
        if not count:
            return
        sink.at += count
        for i in range(count):
            if block[i] != level:
                level = block[i]
                detector.edge(level, i)
        detector.advance(count)


main(int(sys.argv[1]), sys.argv[2])
