"""Puts requests into the outbox of a flash folder, as a household that dialled the trace code so often would have.

fill_outbox.py FLASH ADAPTER_ID COUNT SEED LINE
"""

import random
import sys

from star57.calls import Call
from star57.settings import Settings
from star57.storage import DurableRecord
from star57.trace import request
from star57.trace.outbox import Outbox

CALLED_AT = 1_795_000_000


def random_bytes(count):
    return bytes(random.getrandbits(8) for _ in range(count))


def main():
    flash, adapter_id, count, seed, line = sys.argv[1:]
    random.seed(int(seed))
    settings = Settings({"adapter_id": adapter_id, "line": line})
    outbox = Outbox(DurableRecord(flash + "/outbox"))
    for number in range(int(count)):
        call = Call(random_bytes(8).hex(), CALLED_AT + 60 * number, "network")
        call.rings = 2
        call.caller_id = {"number": "5555550123", "name": "A CALLER", "reason": None, "date_time": "12011730"}
        outbox.add(request.build(settings, call, call.at + 30, "network", random_bytes))


main()
