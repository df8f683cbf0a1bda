"""The last incoming calls, kept through power loss. Each has its identity from its first ring on."""

import json

_MOST_RINGS = const(255)
# Behind every time that can be: nothing is known of when the call came.
UNKNOWN = const(0xFFFF_FFFF)
_LONGEST_TEXT = const(64)
_CALL_ID_DIGITS = const(16)
_TEXTS = ("number", "name", "reason", "name_reason", "date_time")
_TIME_SOURCES = ("network", "caller_id", "none")


class Call:
    """One incoming call.

    call_id: 16 hex digits; at: Unix seconds of its first ring, by the clock that time_source names; without a clock
        ("none") seconds since the adapter started, and 0xFFFFFFFF once it has started again
    rings: 0 to 255; answered, call_waiting: booleans
    caller_id: what the line presented (number, name, reason, name_reason, date_time), or None
    trace_outcome: what became of its trace, or None
    """

    def __init__(self, call_id, at, time_source):
        self.call_id = call_id
        self.at = at
        self.time_source = time_source
        self.rings = 0
        self.answered = False
        self.call_waiting = False
        self.caller_id = None
        self.trace_outcome = None


_FIELDS = {
    "call_id": str,
    "at": int,
    "time_source": str,
    "rings": int,
    "answered": bool,
    "call_waiting": bool,
}


class CallHistory:
    """The newest `capacity` calls, oldest first, in a DurableRecord. Content that is no history is an empty one."""

    def __init__(self, record, random_bytes, capacity=10):
        self._record = record
        self._random_bytes = random_bytes
        self._capacity = capacity
        self.faults = 0
        self._calls = self._load()

    @property
    def count(self):
        """How many calls are kept."""
        return len(self._calls)

    @property
    def last(self):
        """The last call, or None."""
        return self._calls[-1] if self._calls else None

    @property
    def newest_first(self):
        """The calls that are kept, the newest first; a new list."""
        return self._calls[::-1]

    def call(self, call_id):
        """The call of this identity, or None when it is no longer kept."""
        for call in self._calls:
            if call.call_id == call_id:
                return call
        return None

    def first_ring(self, at, time_source):
        """A call has begun to ring: it gets its identity, and is the last call from now on."""
        call = Call(self._random_bytes(8).hex(), at, time_source)
        self._calls.append(call)
        if len(self._calls) > self._capacity:
            self._calls.pop(0)
        return call

    def ring(self, call):
        """A ring of the call is over."""
        call.rings = min(call.rings + 1, _MOST_RINGS)

    def caller(self, call, caller_id):
        """The line has presented a caller; a dict with any of the texts above."""
        call.caller_id = _texts(caller_id)

    def answered(self, call):
        """The household has answered the call."""
        call.answered = True

    def call_waiting(self, at, time_source):
        """A call waits behind the one that is spoken to: it is the last call, whether it is answered or not."""
        call = self.first_ring(at, time_source)
        call.call_waiting = True
        return call

    def clock_set(self, ahead_s):
        """The clock, of which nothing was known, is set, and `ahead_s` ahead of what it was: so are its calls.

        Answers whether there were any.
        """
        timed = [call for call in self._calls if call.time_source == "none" and call.at != UNKNOWN]
        for call in timed:
            call.at += ahead_s
            call.time_source = "network"
        return bool(timed)

    def traced(self, call_id, outcome):
        """A trace of a call has come to an end: answers whether that is new, of a call that is still kept."""
        call = self.call(call_id)
        is_new = call is not None and call.trace_outcome != outcome
        if is_new:
            call.trace_outcome = outcome
        return is_new

    def save(self):
        """Writes the history to flash. Raises StorageError."""
        self._record.write(json.dumps([call.__dict__ for call in self._calls]).encode())

    def _load(self):
        payload = self._record.read()
        if payload is None:
            return []
        try:
            return [_call(row) for row in json.loads(payload)][-self._capacity :]
        except (ValueError, TypeError, KeyError):
            self.faults += 1
            return []


def _call(row):
    """The call of one row on flash. Raises KeyError, TypeError or ValueError when it is none."""
    for name, kind in _FIELDS.items():
        if type(row[name]) is not kind:
            raise TypeError(name)
    if len(row["call_id"]) != _CALL_ID_DIGITS or row["time_source"] not in _TIME_SOURCES:
        raise ValueError("identity")
    if not 0 <= row["rings"] <= _MOST_RINGS:
        raise ValueError("rings")
    call = Call(row["call_id"], UNKNOWN if row["time_source"] == "none" else row["at"], row["time_source"])
    call.rings = row["rings"]
    call.answered = row["answered"]
    call.call_waiting = row["call_waiting"]
    if row["caller_id"] is not None:
        call.caller_id = _texts(row["caller_id"])
    call.trace_outcome = _bounded(row["trace_outcome"])
    return call


def _texts(caller_id):
    """The texts of a caller that are kept, and no longer than they are kept. Raises TypeError when it is no dict."""
    if not isinstance(caller_id, dict):
        raise TypeError("caller_id")
    return {name: _bounded(caller_id.get(name)) for name in _TEXTS}


def _bounded(text):
    return text[:_LONGEST_TEXT] if isinstance(text, str) else None
