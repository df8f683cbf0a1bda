"""Calls without a line: each rings, is answered and ends, and is reported to a trace service, by real time.

    forty_calls.py FOLDER ADAPTER_ID KEY LINE SERVICE_PORT COUNT

FOLDER is the flash. The call_id of each call is a line of standard output, once the call is on the flash; after each
fifth, and at the end, the next one waits until all are reported. It may be killed at any moment and started again.
"""

import asyncio
import sys

from star57.calls import CallHistory
from star57.line.state import IDLE, RINGING
from star57.link.call_reports import CallReports
from star57.link.correspondent import Correspondent
from star57.link.network import NetworkLink
from star57.link.sequence import SequenceNumbers
from star57.link.signed import Signer
from star57.settings import Settings
from star57.storage import DurableRecord
from star57.trace.outbox import Outbox

_TOGETHER = 5
_CALLED_AT = 1_767_268_800
_MOST_WAIT_MS = 20_000


class Network:
    """The machine's own."""

    name_server = None

    def connected(self):
        return True


def random_bytes(count):
    with open("/dev/urandom", "rb") as file:
        return file.read(count)


async def all_reported(record, within_ms=_MOST_WAIT_MS):
    for _ in range(within_ms):
        if record.read() in (None, b"[]"):
            return
        await asyncio.sleep_ms(1)
    raise AssertionError("not reported")


def has_call(calls, reports, number):
    call = calls.first_ring(_CALLED_AT + 60 * number, "network")
    reports.line(RINGING)
    reports.call(call, "ringing")
    calls.ring(call)
    calls.caller(call, {"number": "5555550123", "name": "CALLER {}".format(number)})
    calls.answered(call)
    calls.save()
    reports.call(call, "ended")
    reports.line(IDLE)
    print(call.call_id)


async def main(folder, adapter_id, key, line, service_port, count):
    settings = Settings(
        {"adapter_id": adapter_id, "line": line, "service_port": int(service_port), "call_log": True}
    )
    calls = CallHistory(DurableRecord(folder + "/calls"), random_bytes)
    record = DurableRecord(folder + "/call_reports")
    correspondent = Correspondent(
        Signer(adapter_id, bytes.fromhex(key)),
        SequenceNumbers(DurableRecord(folder + "/sequence"), random_bytes),
        (NetworkLink(Network(), settings),),
        lambda text: None,
    )
    outbox = Outbox(DurableRecord(folder + "/outbox"))
    reports = CallReports(settings, calls, record, correspondent, outbox, print, idle_ms=1)
    task = asyncio.create_task(reports.run())
    for number in range(int(count)):
        has_call(calls, reports, number)
        if number % _TOGETHER == _TOGETHER - 1:
            await all_reported(record)
    await all_reported(record)
    task.cancel()


asyncio.run(main(*sys.argv[1:]))
