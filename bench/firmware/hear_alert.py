"""Hears samples on standard input with the firmware's alert receiver; a line for each alert tone told.

Lines: `cas AT DURATION_SAMPLES LEVEL_DBM0 TWIST_DB SNR_DB`, likewise `sas`; AT is the sample at the end of the block
that told of it. Blocks are of as many samples as the first argument says; the second names a row of limits, without it
they are ANY.
"""

import sys
from array import array

from star57.dsp import alert


class _Sink:
    def __init__(self):
        self.at = 0
        self.receiver = None

    def alert(self, duration_samples):
        self._tell("cas", duration_samples)

    def subscriber_alert(self, duration_samples):
        self._tell("sas", duration_samples)

    def _tell(self, kind, duration_samples):
        receiver = self.receiver
        numbers = (self.at, duration_samples, receiver.level_dbm0, receiver.twist_db, receiver.snr_db)
        sys.stdout.write(" ".join([kind] + [str(number) for number in numbers]) + "\n")


def main(block_samples, limits):
    sink = _Sink()
    receiver = sink.receiver = alert.AlertReceiver(sink, limits)
    block = array("h", bytes(2 * block_samples))
    while True:
        count = sys.stdin.buffer.readinto(block) // 2
        if not count:
            return
        sink.at += count
        receiver.feed(block, count)


main(int(sys.argv[1]), (getattr(alert, sys.argv[2]),) if len(sys.argv) > 2 else alert.ANY)
