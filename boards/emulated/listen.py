"""Runs the firmware's own receivers over samples on standard input, and prints each fact as a line of JSON."""

import json
import sys
from array import array

from star57.callerid.framing import CHECKSUM_WRONG, MESSAGE, TRUNCATED
from star57.callerid.message import MessageError
from star57.callerid.receiver import CallerIdReceiver
from star57.dsp.alert import AlertReceiver
from star57.dsp.dtmf import DtmfReceiver

_BLOCK_SAMPLES = 160
_WINDOW_SAMPLES = 8000 * 3600
_FAILURES = {CHECKSUM_WRONG: "checksum wrong", TRUNCATED: "truncated"}


class _Line:
    """Prints facts with the time at which they were known, in seconds of the recording."""

    def __init__(self):
        self.samples = 0
        self._digit = None

    def tell(self, event, **fields):
        fields["event"] = event
        fields["at"] = round(self.samples / 8000, 2)
        print(json.dumps(fields))

    def digit(self, code, level_dbm0):
        self._digit = (chr(code), level_dbm0)

    def digit_end(self, code, duration_samples):
        digit, level_dbm0 = self._digit
        self.tell("dtmf", digit=digit, duration_ms=duration_samples // 8, level_dbm0=level_dbm0)

    def alert(self, duration_samples):
        self.tell("alert_tone", duration_ms=duration_samples // 8)

    def subscriber_alert(self, duration_samples):
        self.tell("call_progress", tone="call waiting", duration_ms=duration_samples // 8)


def _caller(line, receiver, standard):
    if receiver.result == MESSAGE:
        try:
            fields = receiver.message().as_dict()
        except MessageError as fault:
            line.tell("caller_id_failed", standard=standard, reason=fault.reason)
        else:
            line.tell("caller_id", standard=standard, **fields)
    elif receiver.result in _FAILURES:
        line.tell("caller_id_failed", standard=standard, reason=_FAILURES[receiver.result])
    receiver.listen(_WINDOW_SAMPLES)


def main(standard):
    line = _Line()
    caller_id = CallerIdReceiver()
    caller_id.listen(_WINDOW_SAMPLES)
    receivers = (DtmfReceiver(line), AlertReceiver(line), caller_id)
    block = array("h", bytes(2 * _BLOCK_SAMPLES))
    while True:
        count = sys.stdin.buffer.readinto(block) // 2
        if not count:
            return
        for receiver in receivers:
            receiver.feed(block, count)
        line.samples += count
        while caller_id.work():
            pass
        if caller_id.result is not None:
            _caller(line, caller_id, standard)


main(sys.argv[1])
