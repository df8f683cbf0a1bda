"""Notices: what happens on the line is told to the house at once (docs/protocol.md, "Notices"). Nobody answers them.

Who called is what caller ID presented to the household, and no more: what a trace found is never told.
"""

import asyncio
import json
from asyncio import core
from collections import deque

from micropython import const

from star57.line.state import IDLE
from star57.link.error import LinkError
from star57.link.frame import LONGEST_PAYLOAD_BYTES, NUMBERS
from star57.link.watched import Watched
from star57.trace.outcomes import STORED

# While these wait a whole call can come and go; who reads no faster than that hears the newest.
_MOST_WAITING = const(8)
_ALIVE_MS = const(30_000)
# Telcordia GR-31: a number of 20 digits, a name of 15 characters; ETSI EN 300 659-3: 50 characters. The rest of a
# notice takes 300 bytes at the most.
_LONGEST_NUMBER_BYTES = const(64)
_LONGEST_NAME_BYTES = const(160)
_CALL_ID_DIGITS = const(16)

# The states of line/state.py, in their order.
_STATES = ("idle", "ringing", "in_call", "dialling", "dialogue")
# What the adapter tells of a call is the house's name for it, but for one: each further ring is ringing, too.
_KINDS = ("ringing", "caller", "waiting", "answered", "ended")
_FURTHER_RING = "ring"


class Waiting:
    """The newest notices that have not gone out, eight at the most; `lost` counts those that made room."""

    def __init__(self):
        self._payloads = deque((), _MOST_WAITING)  # noqa: RUF037 - MicroPython has it so
        self._news = asyncio.Event()
        self.lost = 0

    def put(self, payload):
        """A notice is to go out."""
        if len(self._payloads) == _MOST_WAITING:
            self.lost += 1
        self._payloads.append(payload)
        self._news.set()

    def take(self):
        """The oldest, or None."""
        return self._payloads.popleft() if self._payloads else None

    async def comes_within(self, wait_ms):
        """Waits until a notice waits, and `wait_ms` at the most."""
        self._news.clear()
        if self._payloads:
            return
        try:
            await asyncio.wait_for_ms(self._news.wait(), wait_ms)
        except asyncio.TimeoutError:
            pass


class SerialWay(Watched):
    """Notices over a SerialLink, as frames of kind `e`; one that the stream does not take in time is lost."""

    def __init__(self, serial):
        super().__init__()
        self._serial = serial
        self._waiting = Waiting()
        self._number = 0

    @property
    def lost(self):
        """How many notices nobody heard."""
        return self._waiting.lost

    def put(self, payload):
        """A notice is to go out."""
        self._waiting.put(payload)

    async def run(self):
        """Sends until cancelled."""
        while True:
            self._promise(_ALIVE_MS)
            await self._waiting.comes_within(_ALIVE_MS)
            payload = self._waiting.take()
            if payload is not None:
                await self._send(payload)

    async def _send(self, payload):
        try:
            await self._serial.tell("e", self._number, payload)
        except LinkError:
            self._waiting.lost += 1
        self._number = (self._number + 1) % NUMBERS


class Notices(Watched):
    """Tells what the adapter's line does, over `ways`, each with put(payload) and `lost`; an observer of the adapter.

    `button` has press(call_id) as a TraceButton. `serial`, a SerialLink or None, brings its presses; others bring
    them by press().
    """

    def __init__(self, settings, calls, button, version, serial=None, alive_ms=_ALIVE_MS):
        super().__init__()
        self._settings = settings
        self._calls = calls
        self._button = button
        self._version = version
        self._alive_ms = alive_ms
        self._state = IDLE
        self._pressed = None
        self._woken = asyncio.Event()
        self.ways = () if serial is None else (SerialWay(serial),)
        if serial is not None:
            serial.pressed = self.press

    def call(self, call, what):
        """Something has happened to a call: what the adapter calls it."""
        if what == "traced":
            self._traced(call.call_id, call.trace_outcome or STORED)
        elif what == _FURTHER_RING:
            self._put(_of_call("ringing", call))
        elif what in _KINDS:
            self._put(_of_call(what, call))

    def line(self, state):
        """The line is in another state."""
        self._state = state
        self._put({"notice": "line", "state": _STATES[state]})

    def alive(self, **more):
        """The payload that says how the adapter is, with `more` in it."""
        last = self._calls.last
        notice = {
            "notice": "alive",
            "firmware": self._version,
            "state": _STATES[self._state],
            "last_call": None if last is None else last.call_id,
            "trace_button": self._settings.trace_button,
            "price_cents": self._settings.price_cents,
            "lost": sum(way.lost for way in self.ways),
        }
        notice.update(more)
        return self._payload(notice)

    def press(self, payload):
        """The household has pressed the button: the payload of a frame of kind `t`. One that is none is passed by."""
        call_id = _pressed_call(payload)
        if call_id is not None:
            self._pressed = call_id
            self._woken.set()

    async def run(self):
        """Says that the adapter is alive, and serves the button, until cancelled."""
        while True:
            payload = self.alive()
            for way in self.ways:
                way.put(payload)
            until = core.ticks_add(core.ticks(), self._alive_ms)
            while core.ticks_diff(until, core.ticks()) > 0:
                await self._pressed_within(core.ticks_diff(until, core.ticks()))
                self._serve_button()

    def _serve_button(self):
        call_id, self._pressed = self._pressed, None
        if call_id is not None:
            self._traced(call_id, self._button.press(call_id))

    async def _pressed_within(self, wait_ms):
        self._promise(wait_ms)
        try:
            await asyncio.wait_for_ms(self._woken.wait(), wait_ms)
        except asyncio.TimeoutError:
            return
        self._woken.clear()

    def _traced(self, call_id, outcome):
        self._put({"notice": "traced", "call_id": call_id, "outcome": outcome})

    def _put(self, notice):
        payload = self._payload(notice)
        for way in self.ways:
            way.put(payload)

    def _payload(self, notice):
        notice["adapter_id"] = self._settings.adapter_id
        return _ascii(json.dumps(notice, separators=(",", ":"))).encode()


def _of_call(kind, call):
    presented = call.caller_id or {}
    return {
        "notice": kind,
        "call_id": call.call_id,
        "at": call.at,
        "time_source": call.time_source,
        "rings": call.rings,
        "answered": call.answered,
        "call_waiting": call.call_waiting,
        "number": _cut(presented.get("number"), _LONGEST_NUMBER_BYTES),
        "name": _cut(presented.get("name"), _LONGEST_NAME_BYTES),
        "reason": _reason(presented.get("reason")),
        "name_reason": _reason(presented.get("name_reason")),
    }


def _reason(text):
    return text if text in ("P", "O") else None


def _cut(text, most_bytes):
    """As much of `text`, which may be None, as takes at most so many bytes of JSON in ASCII."""
    if text is None:
        return None
    count = 0
    for letter in text:
        most_bytes -= 1 if " " <= letter <= "~" and letter not in '"\\' else 6
        if most_bytes < 0:
            break
        count += 1
    return text[:count]


def _ascii(text):
    """JSON in printable ASCII (RFC 8259, 7); a letter beyond the first plane, which no caller ID has, is a "?"."""
    if all(" " <= letter <= "~" for letter in text):
        return text
    return "".join(letter if " " <= letter <= "~" else _escaped(ord(letter)) for letter in text)


def _escaped(code):
    return "\\u{:04x}".format(code) if code <= 0xFFFF else "?"


def _pressed_call(payload):
    """The call that is to be traced, by the payload of a frame of kind `t`; None when it is none."""
    # MicroPython's json takes an object whose end is missing for a whole one.
    if len(payload) > LONGEST_PAYLOAD_BYTES or not payload.endswith(b"}"):
        return None
    try:
        press = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(press, dict) or set(press) != {"trace"}:
        return None
    call_id = press["trace"]
    is_call_id = isinstance(call_id, str) and len(call_id) == _CALL_ID_DIGITS
    return call_id if is_call_id and all(digit in "0123456789abcdef" for digit in call_id) else None
