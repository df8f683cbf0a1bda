"""Hears samples on standard input with the firmware's receiver of caller ID by DTMF; a line of JSON for each caller.

Arguments: the schemes that it listens for, by their names; none for those that no household can dial. A line holds
`number`, `reason` and `forwarded_from`.
"""

import json
import sys
from array import array

from star57.callerid.dtmf_clip import ALL, SCHEMES, DtmfCallerId
from star57.callerid.framing import MESSAGE
from star57.dsp.dtmf import DtmfReceiver

_BLOCK_SAMPLES = 160
_WINDOW_SAMPLES = 8000 * 3600 * 24


def main(names):
    caller_id = DtmfCallerId(schemes=tuple(SCHEMES[name] for name in names) or ALL)
    receiver = DtmfReceiver(caller_id)
    caller_id.listen(_WINDOW_SAMPLES)
    block = array("h", bytes(2 * _BLOCK_SAMPLES))
    while True:
        count = sys.stdin.buffer.readinto(block) // 2
        if not count:
            return
        receiver.feed(block, count)
        caller_id.advance(count)
        if caller_id.result is not None:
            if caller_id.result == MESSAGE:
                fields = caller_id.message().as_dict()
                told = {name: fields[name] for name in ("number", "reason", "forwarded_from")}
                sys.stdout.write(json.dumps(told) + "\n")
            caller_id.listen(_WINDOW_SAMPLES)


main(sys.argv[1:])
