"""Call reports: each call of a household that keeps a log of its calls goes to the service, once it is over.

Requests for a trace and heartbeats go first: a report waits until the line has been idle for a moment, in which a
household that traces the call would have lifted, and until no request waits.
"""

import asyncio
import json

from micropython import const

from star57.calls import UNKNOWN
from star57.line.state import IDLE
from star57.link import message
from star57.link.correspondent import Refused
from star57.link.error import LinkError
from star57.link.message import MessageError
from star57.link.watched import Watched
from star57.storage import StorageError
from star57.trace.request import described

_VERSION = const(1)
# As many as CallHistory keeps.
_MOST_UNREPORTED = const(10)
_CALL_ID_DIGITS = const(16)
_IDLE_MS = const(5000)
_LONGEST_WAIT_MS = const(60_000)
_OUTCOMES = ("traced", "not_traceable", "already_traced", "not_offered")


class CallReports(Watched):
    """Reports the calls of `calls`, a CallHistory, by way of `correspondent`; an observer of the adapter, and its task.

    Which of them are still to be reported, ten at the most, is in `record`, a DurableRecord, from their first ring on.
    A report begins when the line was idle for `idle_ms`; one that was not taken is tried again after that, then after
    twice that, up to `longest_wait_ms`. Nothing is kept or sent while the setting `call_log` is off, or without a line.
    `faults` counts content of the record that is none, what could not be written, and what nobody foresaw.
    """

    def __init__(
        self,
        settings,
        calls,
        record,
        correspondent,
        outbox,
        log,
        idle_ms=_IDLE_MS,
        longest_wait_ms=_LONGEST_WAIT_MS,
    ):
        super().__init__()
        self._settings = settings
        self._calls = calls
        self._record = record
        self._correspondent = correspondent
        self._outbox = outbox
        self._log = log
        self._idle_ms = idle_ms
        self._longest_wait_ms = longest_wait_ms
        self._is_idle = True
        self._is_quiet = False
        self._clock_comes = True
        self._is_taken = True
        self._asked = None
        self._has_changed = False
        self._added = asyncio.Event()
        self.faults = 0
        self._unreported = self._load()

    def call(self, call, _what):
        """Something has happened to a call: it is to be reported, or to be reported anew."""
        if not self._is_wanted():
            return
        if call.call_id == self._asked:
            self._has_changed = True
        if call.call_id not in self._unreported:
            self._unreported = self._unreported[1 - _MOST_UNREPORTED :] + [call.call_id]
            self._keep()
        self._added.set()

    def line(self, state):
        """The line is in another state."""
        self._is_idle = state == IDLE
        self._is_quiet = False

    def clock_unknown(self):
        """The service does not know the time either: what waited for that waits no longer."""
        self._clock_comes = False

    async def run(self):
        """Reports until cancelled."""
        wait_ms = self._idle_ms
        while True:
            self._added.clear()
            if not self._is_wanted():
                self._forget()
            if not self._unreported or not self._is_taken:
                await self._added_within(self._longest_wait_ms)
            elif not self._is_quiet:
                self._is_quiet = self._is_idle  # until the line says otherwise
                await self._sleep(self._idle_ms)
            elif self._outbox.pending or not await self._report(self._unreported[0]):
                await self._sleep(wait_ms)
                wait_ms = min(2 * wait_ms, self._longest_wait_ms)
                continue
            wait_ms = self._idle_ms

    async def _report(self, call_id):
        """Reports a call; whether that is done with."""
        call = self._calls.call(call_id)
        if call is not None and self._awaits_clock(call):
            return False  # the heartbeat that sets the clock comes first
        self._asked, self._has_changed = call_id, False
        try:
            is_done = call is None or await self._is_answered(call)
        except Exception:  # noqa: BLE001 - nothing that one call brings about may end the adapter
            self.faults += 1
            is_done = False
        self._asked = None
        if is_done and not self._has_changed and call_id in self._unreported:
            self._unreported.remove(call_id)
            self._keep()
        return is_done

    async def _is_answered(self, call):
        self._promise(self._correspondent.timeout_ms)
        try:
            await self._correspondent.ask(self._question(call), message.decode_call_report_answer)
        except LinkError:
            return False
        except MessageError:
            return True  # larger than any message: it can go nowhere
        except Refused as refusal:
            if refusal.reason == message.MALFORMED:
                self._is_taken = False
                self._log("call log: the service takes no reports")
            return refusal.reason == message.TOO_LARGE
        return True

    def _question(self, call):
        return {
            "message": "call_report",
            "version": _VERSION,
            "adapter_id": self._settings.adapter_id,
            "line": self._settings.line,
            "time_source": call.time_source,
            "call": described(call),
            "trace_outcome": call.trace_outcome if call.trace_outcome in _OUTCOMES else None,
        }

    def _awaits_clock(self, call):
        return self._clock_comes and call.time_source == "none" and call.at != UNKNOWN

    def _is_wanted(self):
        return self._settings.call_log and self._settings.line

    def _forget(self):
        if self._unreported:
            self._unreported = []
            self._keep()

    def _keep(self):
        try:
            self._record.write(json.dumps(self._unreported).encode())
        except StorageError:
            self.faults += 1

    def _load(self):
        payload = self._record.read()
        if payload is None:
            return []
        try:
            call_ids = json.loads(payload)
        except ValueError:
            call_ids = None
        if isinstance(call_ids, list) and all(_is_call_id(call_id) for call_id in call_ids):
            return call_ids[-_MOST_UNREPORTED:]
        self.faults += 1
        return []

    async def _sleep(self, wait_ms):
        self._promise(wait_ms)
        await asyncio.sleep_ms(wait_ms)

    async def _added_within(self, wait_ms):
        self._promise(wait_ms)
        try:
            await asyncio.wait_for_ms(self._added.wait(), wait_ms)
        except asyncio.TimeoutError:
            pass


def _is_call_id(value):
    return (
        isinstance(value, str)
        and len(value) == _CALL_ID_DIGITS
        and all(digit in "0123456789abcdef" for digit in value)
    )
