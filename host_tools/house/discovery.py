"""What Home Assistant is told of an adapter over MQTT: discovery of a device (home-assistant.io/integrations/mqtt)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from host_tools.house.household import Adapter, Call
from host_tools.house.notices import LineStateName, Outcome

RING_EVENTS = ("ringing", "waiting", "answered", "missed", "ended")
CALLER_EVENTS = ("number", "private", "out_of_area", "unknown")
PRESS = "TRACE"
ONLINE, OFFLINE = "online", "offline"

_WITHOUT_NUMBER = {"P": "private", "O": "out_of_area"}


@dataclass(frozen=True)
class Topics:
    """The topics of one house: all begin with `base`, but those that Home Assistant gives, with `prefix`."""

    base: str
    prefix: str

    @property
    def house(self) -> str:
        """Whether the program that says all this runs; the broker's last will for it."""
        return f"{self.base}/house/availability"

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.prefix}/status"

    @property
    def any_availability(self) -> str:
        return f"{self.base}/+/availability"

    @property
    def any_press(self) -> str:
        return f"{self.base}/+/trace/press"

    def config(self, adapter_id: str) -> str:
        return f"{self.prefix}/device/star57_{adapter_id}/config"

    def availability(self, adapter_id: str) -> str:
        return f"{self.base}/{adapter_id}/availability"

    def ring(self, adapter_id: str) -> str:
        return f"{self.base}/{adapter_id}/ring"

    def caller(self, adapter_id: str) -> str:
        return f"{self.base}/{adapter_id}/caller"

    def call(self, adapter_id: str) -> str:
        return f"{self.base}/{adapter_id}/call"

    def line(self, adapter_id: str) -> str:
        return f"{self.base}/{adapter_id}/line"

    def trace(self, adapter_id: str) -> str:
        return f"{self.base}/{adapter_id}/trace"

    def press(self, adapter_id: str) -> str:
        return f"{self.base}/{adapter_id}/trace/press"

    def adapter_of(self, topic: str) -> str:
        """The adapter whose topic of this house it is."""
        return topic.removeprefix(f"{self.base}/").partition("/")[0]


def device(adapter: Adapter, name: str, topics: Topics, version: str) -> dict[str, Any]:
    """The configuration of an adapter that has said how it is; `name` is the line's, `version` this program's."""
    adapter_id = adapter.adapter_id
    firmware = "" if adapter.alive is None else adapter.alive.firmware
    return {
        "device": {
            "identifiers": [f"star57_{adapter_id}"],
            "name": name,
            "manufacturer": "Star57",
            "model": "Telephone adapter",
            "serial_number": adapter_id,
            "sw_version": firmware,
        },
        "origin": {"name": "Star57 house", "sw_version": version},
        "availability": [{"topic": topics.house}, {"topic": topics.availability(adapter_id)}],
        "availability_mode": "all",
        "qos": 1,
        "components": {
            "ring": _entity(
                adapter_id,
                "ring",
                platform="event",
                name="Ring",
                state_topic=topics.ring(adapter_id),
                event_types=list(RING_EVENTS),
                icon="mdi:phone-ring",
            ),
            "caller": _entity(
                adapter_id,
                "caller",
                platform="event",
                name="Caller",
                state_topic=topics.caller(adapter_id),
                event_types=list(CALLER_EVENTS),
                icon="mdi:phone-incoming",
            ),
            "last_call": _entity(
                adapter_id,
                "last_call",
                platform="sensor",
                name="Last call",
                state_topic=topics.call(adapter_id),
                value_template="{{ value_json.caller }}",
                json_attributes_topic=topics.call(adapter_id),
                icon="mdi:phone-log",
            ),
            "line": _entity(
                adapter_id,
                "line",
                platform="sensor",
                name="Line",
                state_topic=topics.line(adapter_id),
                device_class="enum",
                options=list(get_args(LineStateName)),
                icon="mdi:phone-classic",
            ),
            "last_trace": _entity(
                adapter_id,
                "last_trace",
                platform="sensor",
                name="Last trace",
                state_topic=topics.trace(adapter_id),
                device_class="enum",
                options=list(get_args(Outcome)),
                icon="mdi:phone-alert",
            ),
            "trace": _button(adapter, topics),
        },
    }


def ring_event(kind: str, call: Call) -> dict[str, Any]:
    """The payload of the ring entity: `kind` is one of RING_EVENTS."""
    return {
        "event_type": kind,
        "call_id": call.call_id,
        "rings": call.rings,
        "call_waiting": call.call_waiting,
    }


def caller_event(call: Call) -> dict[str, Any]:
    """The payload of the caller entity."""
    return {
        "event_type": caller_kind(call),
        "call_id": call.call_id,
        "number": call.number,
        "name": call.name,
    }


def caller_kind(call: Call) -> str:
    """Which of CALLER_EVENTS it is."""
    return "number" if call.number else _WITHOUT_NUMBER.get(call.reason or "", "unknown")


def last_call(call: Call) -> dict[str, Any]:
    """The state of the sensor of the last call, and its attributes."""
    return {
        "caller": call.number or caller_kind(call),
        "number": call.number,
        "name": call.name,
        "time": call.began.isoformat(timespec="seconds"),
        "rings": call.rings,
        "answered": call.answered,
        "call_waiting": call.call_waiting,
        "call_id": call.call_id,
    }


def _entity(adapter_id: str, key: str, **fields: Any) -> dict[str, Any]:
    return {"unique_id": f"star57_{adapter_id}_{key}", **fields}


def _button(adapter: Adapter, topics: Topics) -> dict[str, Any]:
    """The trace button; where the household has none, what takes one away that was there before."""
    if adapter.alive is None or not adapter.has_button:
        return {"platform": "button"}
    cents = adapter.alive.price_cents
    return _entity(
        adapter.adapter_id,
        "trace",
        platform="button",
        name=f"Trace the last call (costs ${cents // 100}.{cents % 100:02d})",
        command_topic=topics.press(adapter.adapter_id),
        payload_press=PRESS,
        icon="mdi:account-search",
    )
