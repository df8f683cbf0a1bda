"""What a monitor shows of a live line: its state, from what is heard, without any view."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from host_tools.exchange.levels import RATE_HZ
from host_tools.rig.explanation import STANDARD_NAMES
from host_tools.technician.level_meter import LOWEST_DBM0, LevelMeter
from host_tools.technician.live_line import (
    MOST_EDGES_OF_A_REVERSAL,
    Gaps,
    Happened,
    Heard,
    Plugged,
    Said,
    Sound,
    Status,
    Unheard,
    Unplugged,
)
from host_tools.technician.spectrum import Spectrum

STATES = {
    "idle": "IDLE",
    "ringing": "RINGING",
    "in_call": "IN A CALL",
    "dialling": "DIALLING",
    "dialogue": "TRACE DIALOGUE",
}
UNHEALTHY = {
    "tasks_late": "a task of the firmware does not check in",
    "samples_lost": "samples were lost in the last minute",
    "heap_low": "little memory is free",
    "settings_wrong": "settings are wrong",
    "link_silent": "the service does not answer",
}

_KEPT_EVENTS = 500
_KEPT_LINES = 500
_KEPT_LEVELS = 600
_LEVEL_EACH_SAMPLES = RATE_HZ // 10

_SENTENCES = {
    "ring_started": "a ring begins",
    "off_hook": "the receiver is lifted",
    "on_hook": "hung up",
    "flash": "flash",
    "digit": "a digit is dialled",
    "alert": "alert tone (CAS)",
    "subscriber_alert": "call-waiting tone",
}
_CALLS = {
    "ringing": "a call comes",
    "caller": "its caller is known",
    "waiting": "a call waits",
    "answered": "answered",
    "ended": "the call is over",
    "traced": "traced",
}
_RESULTS = {
    "checksum_wrong": "the checksum is wrong",
    "truncated": "cut short",
    "garbage": "a carrier without a message",
    "no_carrier": "none came",
}


@dataclass(frozen=True)
class Entry:
    """Something that happened, when, and whether it is a good thing (True), a bad one (False) or neither."""

    at: datetime
    text: str
    is_good: bool | None = None


class MonitorState:
    """Everything that is shown; `take` is told what is heard, in its order.

    Attributes:
        connection: what the port is doing, in words; is_connected: whether it is open.
        line: a name of STATES; relay, loop_closed: None until they are known.
        decoded: the quality of the last burst of caller ID; caller: its number, result: what came of it.
        status: the adapter's own account, or {}.
        levels_dbm0: the loudest of each tenth of a second.
        missing_samples: how many were lost, on the board or on the way.
    """

    def __init__(self) -> None:
        self.connection = "looking for the board"
        self.is_connected = False
        self.line = "idle"
        self.relay: bool | None = None
        self.loop_closed: bool | None = None
        self.decoded: dict[str, Any] | None = None
        self.caller: str | None = None
        self.result: str | None = None
        self.status: dict[str, Any] = {}
        self.meter = LevelMeter()
        self.spectrum = Spectrum()
        self.levels_dbm0: deque[float] = deque(maxlen=_KEPT_LEVELS)
        self.events: deque[Entry] = deque(maxlen=_KEPT_EVENTS)
        self.log: deque[str] = deque(maxlen=_KEPT_LINES)
        self.missing_samples = 0
        self.samples = 0
        self._gaps = Gaps()
        self._tenth = 0
        self._tenth_dbm0 = LOWEST_DBM0

    def take(self, heard: Heard, at: datetime) -> None:
        """This was heard, now."""
        if isinstance(heard, Sound):
            self._take_sound(heard)
        elif isinstance(heard, Happened):
            self._take_event(heard.event, at)
        elif isinstance(heard, Status):
            self._take_status(heard.values)
        elif isinstance(heard, Said):
            self.log.append(heard.text)
        else:
            self._take_connection(heard, at)

    def _take_sound(self, sound: Sound) -> None:
        self.missing_samples += self._gaps.before(sound)
        self.samples += len(sound.samples)
        self.meter.feed(sound.samples)
        self.spectrum.feed(sound.samples)
        self._tenth_dbm0 = max(self._tenth_dbm0, self.meter.level_dbm0)
        self._tenth += len(sound.samples)
        if self._tenth >= _LEVEL_EACH_SAMPLES:
            self._tenth -= _LEVEL_EACH_SAMPLES
            self.levels_dbm0.append(self._tenth_dbm0)
            self._tenth_dbm0 = LOWEST_DBM0

    def _take_connection(self, heard: Plugged | Unplugged | Unheard, at: datetime) -> None:
        self.is_connected = isinstance(heard, Plugged)
        self._gaps.begin_anew()
        if isinstance(heard, Plugged):
            self.connection = PurePath(heard.port).name
            self.events.append(Entry(at, "the board is there", is_good=True))
        else:
            self.connection = heard.why
            self.relay = self.loop_closed = None
            self.events.append(Entry(at, f"the board is not there: {heard.why}", is_good=False))

    def _take_status(self, values: dict[str, Any]) -> None:
        self.status = values
        self.line = values.get("state", self.line)
        self.relay = values.get("relay", self.relay)
        self.loop_closed = values.get("loop_closed", self.loop_closed)
        if self.decoded is None:
            self.decoded = values.get("decoded")

    def _take_event(self, event: dict[str, Any], at: datetime) -> None:
        kind = event["event"]
        self.line = event.get("state", self.line)
        self.loop_closed = {"off_hook": True, "on_hook": False}.get(
            kind, event.get("loop_closed", self.loop_closed)
        )
        if kind in ("tap", "relay"):
            self.relay = event.get("relay", event.get("energised", self.relay))
        if kind == "lost":
            self.missing_samples += int(event.get("samples", 0))
        if kind == "caller":
            self.result, self.caller = event.get("result"), event.get("number")
            self.decoded = event.get("quality") or self.decoded
        entry = entry_of(event, at)
        if entry is not None:
            self.events.append(entry)


def entry_of(event: dict[str, Any], at: datetime) -> Entry | None:
    """An event in words; None for one that is not worth a line."""
    kind = event["event"]
    if kind == "caller":
        return _caller(event, at)
    if kind == "lost":
        lost_ms = 1000 * int(event.get("samples", 0)) / RATE_HZ
        return Entry(at, f"{lost_ms:.0f} ms of the line were lost on the board", is_good=False)
    text = _text(kind, event)
    return None if text is None else Entry(at, text)


def _text(kind: str, event: dict[str, Any]) -> str | None:
    told = _TOLD.get(kind)
    return _SENTENCES.get(kind) if told is None else told(event)


def _relay(event: dict[str, Any]) -> str:
    return "relay: the phone is on the adapter" if event.get("energised") else "relay: at rest"


def _ring(event: dict[str, Any]) -> str:
    edges, lasted = int(event.get("edges", 0)), int(event.get("lasted_samples", 0))
    if edges <= MOST_EDGES_OF_A_REVERSAL or not lasted:
        return "polarity reversed, or a click"
    return f"ring voltage: {lasted / RATE_HZ:.1f} s at {edges / 2 * RATE_HZ / lasted:.0f} Hz"


def _caller(event: dict[str, Any], at: datetime) -> Entry:
    if event.get("result") != "message":
        reason = _RESULTS.get(event.get("result") or "", "not read")
        return Entry(at, f"caller ID: {reason}", is_good=False)
    standard = str((event.get("quality") or {}).get("standard"))
    number = event.get("number") or "no number"
    return Entry(at, f"caller ID: {number} ({STANDARD_NAMES.get(standard, standard)})", is_good=True)


_TOLD: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "line": lambda event: f"line: {STATES.get(event.get('state', ''), '?').lower()}",
    "call": lambda event: _CALLS.get(event.get("what", "")),
    "ring_ended": lambda event: f"ring {event.get('value')} is over",
    "ringing_stopped": lambda event: f"no more rings, {event.get('value')} came",
    "relay": _relay,
    "ring_signal": _ring,
}
