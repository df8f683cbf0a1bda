"""Hears samples on standard input with the firmware's caller-ID receiver; a line of JSON for each message.

The receiver listens all the time. `at` is the sample at the end of the block that told of it; `quality` as the receiver
has it; the message's fields as its `as_dict` names them. A message that cannot be parsed has its `error` instead.
"""

import json
import sys
from array import array

from star57.callerid.framing import MESSAGE
from star57.callerid.message import MessageError
from star57.callerid.receiver import CallerIdReceiver

_BLOCK_SAMPLES = 160
_WINDOW_SAMPLES = 8000 * 3600 * 24


def _tell(receiver, at):
    fields = {"at": at, "quality": receiver.quality}
    try:
        fields.update(receiver.message().as_dict())
    except MessageError as fault:
        fields["error"] = fault.reason
    sys.stdout.write(json.dumps(fields) + "\n")


def main():
    receiver = CallerIdReceiver()
    receiver.listen(_WINDOW_SAMPLES)
    block = array("h", bytes(2 * _BLOCK_SAMPLES))
    at = 0
    while True:
        count = sys.stdin.buffer.readinto(block) // 2
        if not count:
            return
        at += count
        receiver.feed(block, count)
        while receiver.work():
            pass
        if receiver.result is not None:
            if receiver.result == MESSAGE:
                _tell(receiver, at)
            receiver.resume(_WINDOW_SAMPLES)


main()
