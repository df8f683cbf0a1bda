"""The courier: the task that takes requests from the outbox to the service, and the answers back."""

import asyncio

from star57.link import message
from star57.link.correspondent import Refused
from star57.link.error import LinkError
from star57.link.message import MessageError
from star57.link.watched import Watched
from star57.trace.outcomes import NOT_TRACEABLE

_FOR_GOOD = (message.MALFORMED, message.TOO_LARGE)


class Courier(Watched):
    """Delivers what is pending in `outbox`, in the order dialled, by way of `correspondent`.

    A request stays pending until the service has answered it, or refused it for good, and those behind it wait. While
    any is pending, the next round begins after `shortest_wait_ms`, then twice that, up to `longest_wait_ms`; a new
    request begins one at once. `faults` counts what nobody foresaw.
    """

    def __init__(self, outbox, correspondent, shortest_wait_ms=1000, longest_wait_ms=60_000):
        super().__init__()
        self._outbox = outbox
        self._correspondent = correspondent
        self._shortest_wait_ms = shortest_wait_ms
        self._longest_wait_ms = longest_wait_ms
        self.faults = 0

    async def run(self):
        """Delivers until cancelled."""
        wait_ms = self._shortest_wait_ms
        while True:
            self._outbox.added.clear()
            await self._deliver_pending()
            if not self._outbox.pending:
                await self._added_within(self._longest_wait_ms)
                wait_ms = self._shortest_wait_ms
            elif await self._added_within(wait_ms):
                wait_ms = self._shortest_wait_ms
            else:
                wait_ms = min(2 * wait_ms, self._longest_wait_ms)

    async def _deliver_pending(self):
        for request in self._outbox.pending:
            if self._outbox.awaits_clock(request["request_id"]):
                return  # the heartbeat that sets the clock comes first, and calls back
            try:
                self._outbox.settle(request["request_id"], await self._answer(request))
            except (LinkError, Refused):
                return
            except Exception:  # noqa: BLE001 - nothing that one request brings about may end all deliveries
                self.faults += 1
                return

    async def _answer(self, request):
        """The answer to `request`. Raises LinkError and Refused when it is to be asked again later."""

        def decode(payload):
            return message.decode_answer(payload, request["request_id"])

        self._promise(self._correspondent.timeout_ms)
        try:
            return await self._correspondent.ask(request, decode)
        except MessageError:
            return _not_traceable()
        except Refused as refusal:
            if refusal.reason in _FOR_GOOD:
                return _not_traceable()
            raise

    async def _added_within(self, wait_ms):
        self._promise(wait_ms)
        try:
            await asyncio.wait_for_ms(self._outbox.added.wait(), wait_ms)
        except asyncio.TimeoutError:
            return False
        return True


def _not_traceable():
    return {"outcome": NOT_TRACEABLE, "trace_id": None, "charge_cents": 0, "action_open": False}
