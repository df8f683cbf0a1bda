"""The courier: the task that takes requests from the outbox to the service, and the answers back."""

import asyncio

from star57.link import message
from star57.link.error import LinkError
from star57.link.message import MessageError
from star57.link.watched import Watched
from star57.trace.dialogue import NOT_TRACEABLE

_NOBODY_THERE = ("refused", "timeout")
_NOT_TRACEABLE = {"outcome": NOT_TRACEABLE, "trace_id": None, "charge_cents": 0}


class Courier(Watched):
    """Delivers what is pending in `outbox`, in the order dialled, over `link`.

    A request stays pending until the service has answered it, or refused it for good. While any is pending,
    the next round begins after `shortest_wait_ms`, then twice that, up to `longest_wait_ms`; a new request
    begins one at once. `faults` counts what nobody foresaw.
    """

    def __init__(self, outbox, link, shortest_wait_ms=1000, longest_wait_ms=60_000):
        super().__init__()
        self._outbox = outbox
        self._link = link
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
            try:
                answer = await self._answer(request)
                if answer is None:
                    return
                self._outbox.settle(request["request_id"], answer)
            except LinkError as fault:
                if fault.reason in _NOBODY_THERE:
                    return
            except MessageError:
                continue  # one answer that cannot be read keeps no other request waiting
            except Exception:  # noqa: BLE001 - nothing that one request brings about may end all deliveries
                self.faults += 1

    async def _answer(self, request):
        """The answer to `request`, or None when the service wants to be asked again later.

        Raises LinkError, and MessageError when the answer cannot be read.
        """
        try:
            body = message.encode(request)
        except MessageError:
            return _NOT_TRACEABLE
        self._promise(self._link.timeout_ms)
        status, received = await self._link.post(body)
        if status == 200:
            return message.decode_answer(received, request["request_id"])
        if message.decode_refusal(received) == message.UNAVAILABLE:
            return None
        return _NOT_TRACEABLE

    async def _added_within(self, wait_ms):
        self._promise(wait_ms)
        try:
            await asyncio.wait_for_ms(self._outbox.added.wait(), wait_ms)
        except asyncio.TimeoutError:
            return False
        return True
