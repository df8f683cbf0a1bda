"""What Home Assistant makes of MQTT, by its documents alone.

The schemas are those of home-assistant.io/integrations/mqtt ("MQTT discovery", "Device discovery payload", "Using
availability topics"), /event.mqtt, /sensor.mqtt and /button.mqtt: which fields there are, which are required, and what
they may hold. Home Assistant passes by what it does not know; here that is an error, for it would be a mistake.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, Self

from aiomqtt import Client
from pydantic import BaseModel, ConfigDict, Field, model_validator

from host_tools.house.mqtt import Broker

_PublishTopic = Annotated[str, Field(pattern="^[^+#\0]+$", max_length=65535)]
_Icon = Annotated[str, Field(pattern="^mdi:[a-z0-9-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Device(_Strict):
    """`device`: at least one of identifiers and connections."""

    identifiers: Annotated[list[str], Field(min_length=1)]
    name: str
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    sw_version: str | None = None


class Origin(_Strict):
    """`origin`: required for device discovery."""

    name: str
    sw_version: str | None = None
    support_url: str | None = None


class Availability(_Strict):
    """One of the `availability` topics."""

    topic: _PublishTopic
    payload_available: str = "online"
    payload_not_available: str = "offline"


class Event(_Strict):
    """An `event` component."""

    platform: Literal["event"]
    unique_id: str
    name: str
    state_topic: _PublishTopic
    event_types: Annotated[list[str], Field(min_length=1)]
    icon: _Icon | None = None


class Sensor(_Strict):
    """A `sensor` component: options are for the device class enum alone."""

    platform: Literal["sensor"]
    unique_id: str
    name: str
    state_topic: _PublishTopic
    value_template: str | None = None
    json_attributes_topic: _PublishTopic | None = None
    device_class: Literal["enum"] | None = None
    options: list[str] | None = None
    icon: _Icon | None = None

    @model_validator(mode="after")
    def _options_are_of_an_enum(self) -> Self:
        if (self.device_class == "enum") != bool(self.options):
            raise ValueError("options and the device class enum go together")
        return self


class Button(_Strict):
    """A `button` component."""

    platform: Literal["button"]
    unique_id: str
    name: str
    command_topic: _PublishTopic
    payload_press: str = "PRESS"
    icon: _Icon | None = None


class Removed(_Strict):
    """A component that is to be removed: its platform alone."""

    platform: Literal["event", "sensor", "button"]


class DeviceDiscovery(_Strict):
    """The payload of `<prefix>/device/<object_id>/config`."""

    device: Device
    origin: Origin
    availability: Annotated[list[Availability], Field(min_length=1)]
    availability_mode: Literal["all", "any", "latest"] = "latest"
    qos: Literal[0, 1, 2] = 0
    components: dict[str, Event | Sensor | Button | Removed]

    @model_validator(mode="after")
    def _unique_ids_are_unique(self) -> Self:
        entities = [part for part in self.components.values() if not isinstance(part, Removed)]
        if len({entity.unique_id for entity in entities}) != len(entities):
            raise ValueError("a unique_id twice")
        return self


class HomeAssistant:
    """Takes messages as Home Assistant does, and keeps entities and their states; raises where it would complain.

    `kept` is the newest payload of each topic; `states`, `attributes` and `events` are by unique_id.
    """

    def __init__(self, prefix: str = "homeassistant") -> None:
        self._prefix = prefix
        self.devices: dict[str, DeviceDiscovery] = {}
        self.states: dict[str, str] = {}
        self.attributes: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.kept: dict[str, str] = {}

    def take(self, topic: str, payload: str, *, retained: bool) -> None:
        """A message came; `retained`: the broker had kept it."""
        parts = topic.split("/")
        if parts[0] == self._prefix and parts[1] == "device" and parts[-1] == "config":
            self.devices[parts[2]] = DeviceDiscovery.model_validate_json(payload)
            for kept_topic, kept in self.kept.items():
                self._take_state(kept_topic, kept, retained=True)
            return
        self.kept[topic] = payload
        self._take_state(topic, payload, retained=retained)

    def available(self, object_id: str) -> bool:
        """Whether the entities of a device are available: `availability_mode` all."""
        device = self.devices[object_id]
        assert device.availability_mode == "all"
        return all(self.states.get(each.topic) == each.payload_available for each in device.availability)

    def component(self, object_id: str, key: str) -> Event | Sensor | Button | Removed:
        """One of a device's components."""
        return self.devices[object_id].components[key]

    def _take_state(self, topic: str, payload: str, *, retained: bool) -> None:
        for device in self.devices.values():
            if any(each.topic == topic for each in device.availability):
                self.states[topic] = payload
            for part in device.components.values():
                if isinstance(part, Sensor) and part.state_topic == topic:
                    self._take_sensor(part, payload)
                elif isinstance(part, Event) and part.state_topic == topic and not retained:
                    self._take_event(part, payload)

    def _take_sensor(self, sensor: Sensor, payload: str) -> None:
        state = payload
        if sensor.value_template is not None:
            # The one template that is used: {{ value_json.NAME }}.
            name = sensor.value_template.removeprefix("{{ value_json.").removesuffix(" }}")
            state = str(json.loads(payload)[name])
        assert len(state) <= 255
        assert sensor.options is None or state in sensor.options
        self.states[sensor.unique_id] = state
        if sensor.json_attributes_topic == sensor.state_topic:
            self.attributes[sensor.unique_id] = json.loads(payload)

    def _take_event(self, entity: Event, payload: str) -> None:
        attributes = json.loads(payload)
        assert attributes["event_type"] in entity.event_types
        self.events.setdefault(entity.unique_id, []).append(attributes)


@asynccontextmanager
async def home_assistant(broker: Broker) -> AsyncIterator[HomeAssistant]:
    """One that listens, as long as its broker lives."""
    home = HomeAssistant()
    client = Client(
        broker.host,
        broker.port,
        username=broker.user,
        password=broker.password,
    )

    async def listen() -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            home.take(message.topic.value, message.payload.decode(), retained=bool(message.retain))

    async with client:
        await client.subscribe("#", 1)
        listening = asyncio.create_task(listen())
        try:
            yield home
            assert not listening.done(), listening
        finally:
            listening.cancel()
            await asyncio.wait([listening])


async def publish(broker: Broker, topic: str, payload: str, *, retain: bool = False) -> None:
    """Publishes one message, as anybody with the broker's password can."""
    async with Client(broker.host, broker.port, username=broker.user, password=broker.password) as client:
        await client.publish(topic, payload, qos=1, retain=retain)
