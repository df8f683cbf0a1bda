"""Hears samples on standard input with the firmware's DTMF receiver; a line for each digit accepted and ended.

Lines: `digit AT KEY LEVEL_DBM0 TWIST_DB SNR_DB` and `end AT KEY DURATION_SAMPLES`; AT is the sample at the end of the
block that told of it. Blocks are of as many samples as the first argument says.
"""

import sys
from array import array

from star57.dsp.dtmf import DtmfReceiver


class _Sink:
    def __init__(self):
        self.at = 0
        self.receiver = None

    def digit(self, code, level_dbm0):
        self._tell("digit", code, level_dbm0, self.receiver.twist_db, self.receiver.snr_db)

    def digit_end(self, code, duration_samples):
        self._tell("end", code, duration_samples)

    def _tell(self, kind, code, *numbers):
        words = (kind, str(self.at), chr(code)) + tuple(str(number) for number in numbers)  # noqa: RUF005
        sys.stdout.write(" ".join(words) + "\n")


def main(block_samples):
    sink = _Sink()
    receiver = sink.receiver = DtmfReceiver(sink)
    block = array("h", bytes(2 * block_samples))
    while True:
        count = sys.stdin.buffer.readinto(block) // 2
        if not count:
            return
        sink.at += count
        receiver.feed(block, count)


main(int(sys.argv[1]))
