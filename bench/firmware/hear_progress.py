"""Hears samples on standard input with the firmware's call-progress receiver; a line for each tone told and ended.

    hear_progress.py BLOCK_SAMPLES [COUNTRY ...]
    hear_progress.py rows

Lines, of a plan of these countries, or of all when none is named: `told AT NAME` and `over AT NAME DURATION_SAMPLES`,
each followed by LEVEL_DBM0 SNR_DB ON_MS OFF_MS FREQUENCIES COUNTRIES, the last two joined by commas. AT is the sample
at the end of the block that told of it. `rows` hears nothing: it prints the table, each row as a line of JSON.
"""

import json
import sys
from array import array

from star57.dsp.progress import ProgressReceiver
from star57.dsp.tone_plans import LINES, OFF, TONE_NAMES, plan

_KINDS = ("steady", "cycle", "ring", "beeps", "once", "triple", "falling")


class _Sink:
    def __init__(self):
        self.at = 0
        self.receiver = None

    def call_progress(self, index):
        self._tell("told", self.at, TONE_NAMES[index])

    def call_progress_end(self, index, duration_samples):
        self._tell("over", self.at, TONE_NAMES[index], duration_samples)

    def _tell(self, *words):
        receiver = self.receiver
        words += (receiver.level_dbm0, receiver.snr_db, receiver.on_ms, receiver.off_ms)
        words += (",".join([str(hz) for hz in receiver.frequencies]), ",".join(receiver.countries))
        sys.stdout.write(" ".join([str(word) for word in words]) + "\n")


def main(block_samples, *countries):
    sink = _Sink()
    receiver = sink.receiver = ProgressReceiver(sink, plan(*countries))
    block = array("h", bytes(2 * block_samples))
    while True:
        count = sys.stdin.buffer.readinto(block) // 2
        if not count:
            return
        sink.at += count
        receiver.feed(block, count)


def print_rows():
    for country, tone, kind, tolerance, sections in plan():
        print(
            json.dumps(
                {
                    "country": country,
                    "tone": TONE_NAMES[tone],
                    "kind": _KINDS[kind],
                    "tolerance_percent": tolerance,
                    "sections": [([] if lines == OFF else LINES[lines][1:], ms) for lines, ms in sections],
                    "permille": min([LINES[lines][0] for lines, _ in sections if lines != OFF]),
                }
            )
        )


if sys.argv[1] == "rows":
    print_rows()
else:
    main(int(sys.argv[1]), *sys.argv[2:])
