"""The outbox: trace requests that the household confirmed, kept until the service has answered."""

import asyncio
import json

from star57.calls import UNKNOWN
from star57.storage import StorageError


class OutboxFull(Exception):
    """Every place is taken by a request that waits for its answer."""


class Outbox:
    """Requests in the order dialled, their answers, and whether the household has heard them, in a DurableRecord.

    At most `capacity` entries. A pending one never makes room. Of the settled ones those that the household has
    heard do, the oldest first; one that it has not heard only where no other is left, the oldest first: the
    service still has what became of it. What is on flash is read once. Content that is no outbox counts in
    `faults`, and the outbox starts empty. `settled(call_id, answer)` is called when an answer has come.
    """

    def __init__(self, record, capacity=16, settled=None):
        self._record = record
        self._capacity = capacity
        self._settled_with = settled
        self._waiting = []
        self._since_start = set()
        self.added = asyncio.Event()
        self.clock_wanted = asyncio.Event()
        self.faults = 0
        self._entries = self._load()

    @property
    def pending(self):
        """The requests without an answer, in the order dialled; a new list."""
        return [entry["request"] for entry in self._entries if entry["answer"] is None]

    @property
    def newest(self):
        """(request_id, answer) of the request that was made last, its answer None while pending; None without any."""
        if not self._entries:
            return None
        return self._entries[-1]["request"]["request_id"], self._entries[-1]["answer"]

    def add(self, request):
        """Keeps `request`: it is on flash when this returns, and `added` is set. A known one changes nothing.

        Raises OutboxFull, or StorageError; nothing was kept then.
        """
        if self._entry(request["request_id"]):
            return
        entries = self._with_room()
        entries.append({"request": request, "answer": None, "told": False})
        self._record.write(_encode(entries))
        self._entries = entries
        self._since_start.add(request["request_id"])
        self.added.set()
        if self.awaits_clock(request["request_id"]):
            self.clock_wanted.set()

    def settle(self, request_id, answer):
        """Ends the wait of a request with the service's `answer`. A settled or unknown one changes nothing.

        An answer that cannot be written counts in `faults` and holds until the power goes; then the service
        is asked once more, and answers alike.
        """
        entry = self._entry(request_id)
        if entry is None or entry["answer"] is not None:
            return
        entry["answer"] = answer
        self._since_start.discard(request_id)
        entry["request"] = _identity(entry["request"])
        self._keep()
        if self._settled_with is not None:
            self._settled_with(entry["request"]["call"]["call_id"], answer)
        for waiting_id, event in self._waiting:
            if waiting_id == request_id:
                event.set()

    def awaits_clock(self, request_id):
        """Whether a request has its times by the seconds since this start, so that clock_set() will put them right."""
        entry = self._entry(request_id)
        return entry is not None and self._is_awaiting_clock(entry)

    def clock_set(self, ahead_s):
        """The clock, of which nothing was known, is set, and `ahead_s` ahead: so are requests made since this start.

        What cannot be written counts in `faults`, and holds until the power goes.
        """
        awaiting = [entry for entry in self._entries if self._is_awaiting_clock(entry)]
        for entry in awaiting:
            _set_times(entry["request"], ahead_s)
        if awaiting:
            self._keep()
            self.added.set()

    def clock_unknown(self):
        """The service does not know the time either: what waited for that waits no longer."""
        self._since_start.clear()
        self.added.set()

    def _is_awaiting_clock(self, entry):
        request = entry["request"]
        if entry["answer"] is not None or request["request_id"] not in self._since_start:
            return False
        return request.get("time_source") == "none" and request["call"]["at"] != UNKNOWN

    def _keep(self):
        try:
            self._record.write(_encode(self._entries))
        except StorageError:
            self.faults += 1

    def untold(self):
        """(request_id, call_id, answer) of what was answered and not heard yet, the oldest first; a new list."""
        return [
            (entry["request"]["request_id"], entry["request"]["call"]["call_id"], entry["answer"])
            for entry in self._entries
            if _is_untold(entry)
        ]

    def tell(self, request_id):
        """The household has heard the answer to a request. A pending or unknown one changes nothing.

        What cannot be written counts in `faults` and holds until the power goes; then it is told again.
        """
        entry = self._entry(request_id)
        if entry is None or not _is_untold(entry):
            return
        entry["told"] = True
        self._keep()

    def answer_for(self, request_id):
        """The answer to a request; None while it is pending, or when it is not known."""
        entry = self._entry(request_id)
        return entry and entry["answer"]

    def request_for_call(self, call_id):
        """The request_id of the request to trace a call, or None when there is none."""
        for entry in self._entries:
            if entry["request"]["call"]["call_id"] == call_id:
                return entry["request"]["request_id"]
        return None

    async def answered(self, request_id, timeout_ms):
        """Waits up to `timeout_ms` for the answer to a pending request: the answer, or None."""
        entry = self._entry(request_id)
        if entry and entry["answer"] is None:
            await self._settled(request_id, timeout_ms)
        return self.answer_for(request_id)

    async def _settled(self, request_id, timeout_ms):
        waiting = (request_id, asyncio.Event())
        self._waiting.append(waiting)
        try:
            await asyncio.wait_for_ms(waiting[1].wait(), timeout_ms)
        except asyncio.TimeoutError:
            pass
        finally:
            self._waiting.remove(waiting)

    def _entry(self, request_id):
        for entry in self._entries:
            if entry["request"]["request_id"] == request_id:
                return entry
        return None

    def _with_room(self):
        """The entries without those that make room for one more. Raises OutboxFull."""
        entries = list(self._entries)
        while len(entries) >= self._capacity:
            entries.remove(_least_needed(entries))
        return entries

    def _load(self):
        payload = self._record.read()
        if payload is None:
            return []
        try:
            entries = json.loads(payload)
        except ValueError:
            entries = None
        if isinstance(entries, list) and all(_is_entry(entry) for entry in entries):
            return [_as_of_today(entry) for entry in entries]
        self.faults += 1
        return []


def _encode(entries):
    try:
        return json.dumps(entries).encode()
    except MemoryError:
        raise StorageError("no memory in one piece") from None


def _identity(request):
    # Who called need not be kept once the service has answered; which call it was must be.
    return {"request_id": request["request_id"], "call": {"call_id": request["call"]["call_id"]}}


def _set_times(request, ahead_s):
    # A call behind its request came before this start, by a clock that was right.
    if request["call"]["at"] <= request["requested_at"]:
        request["call"]["at"] += ahead_s
    request["requested_at"] += ahead_s
    request["time_source"] = "network"


def _is_untold(entry):
    return entry["answer"] is not None and not entry["told"]


def _least_needed(entries):
    """The settled entry that makes room. Raises OutboxFull when all are pending."""
    settled = [entry for entry in entries if entry["answer"] is not None]
    if not settled:
        raise OutboxFull
    for entry in settled:
        if entry["told"]:
            return entry
    return settled[0]


def _as_of_today(entry):
    # A record from before there was `told`: nobody can say, and the household is not told of old things anew.
    if "told" not in entry:
        entry["told"] = entry["answer"] is not None
    # An answer from before there was `action_open`: no service had said so.
    if entry["answer"] is not None and "action_open" not in entry["answer"]:
        entry["answer"]["action_open"] = False
    return entry


def _is_entry(entry):
    if not isinstance(entry, dict) or set(entry) - {"told"} != {"request", "answer"}:
        return False
    if not isinstance(entry.get("told", False), bool):
        return False
    return _is_request(entry["request"]) and (entry["answer"] is None or _is_answer(entry["answer"]))


def _is_request(request):
    if not isinstance(request, dict) or not isinstance(request.get("request_id"), str):
        return False
    call = request.get("call")
    return isinstance(call, dict) and isinstance(call.get("call_id"), str)


def _is_answer(answer):
    if not isinstance(answer, dict) or not isinstance(answer.get("outcome"), str):
        return False
    if not isinstance(answer.get("action_open", False), bool):
        return False
    return isinstance(answer.get("charge_cents"), int)
