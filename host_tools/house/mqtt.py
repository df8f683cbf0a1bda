"""MQTT for Home Assistant: the household's telephones as devices, and a trace button where they have one."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiomqtt import Client, Message, MqttError, Will

from host_tools.house import discovery
from host_tools.house.discovery import OFFLINE, ONLINE, PRESS, Topics
from host_tools.house.household import Adapter, Call
from host_tools.house.notices import Alive, CallNotice, Line, Notice, Traced

_FIRST_PAUSE_S = 1.0
_ANSWERS_WITHIN_S = 5.0
_LONGEST_PAUSE_S = 60.0
_KEEPALIVE_S = 30
_MOST_WAITING = 256

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Broker:
    """Where the broker is, and how it is spoken to.

    Attributes:
        user, password: None where the broker asks for none.
        ca_file: PEM of the only authorities that are trusted; None: the system's.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class _Publication:
    topic: str
    payload: str
    retained: bool


class Mqtt:
    """Publishes what the household hears; a listener of it.

    States are kept by the broker, and published anew at each connection, also what was missed meanwhile; what happens
    while there is no connection is no event any more when there is one again.

    Args:
        press: is awaited with the adapter id when the trace button is pressed.
        names: of lines, by adapter id; an adapter without one has its id.
        pause_s: after a connection that failed; then twice that, up to a minute.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        press: Callable[[str], Awaitable[None]],
        *,
        names: dict[str, str],
        version: str,
        pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._press = press
        self._names = names
        self._version = version
        self._pause_s = pause_s
        self._adapters: dict[str, Adapter] = {}
        self._configs: dict[str, str] = {}
        self._waiting: asyncio.Queue[_Publication] = asyncio.Queue(_MOST_WAITING)
        self._presses: set[asyncio.Task[None]] = set()
        self.connections = 0

    def heard(self, adapter: Adapter, notice: Notice, call: Call | None) -> None:
        """Publishes it, if there is a connection."""
        is_new = adapter.adapter_id not in self._adapters
        self._adapters[adapter.adapter_id] = adapter
        if isinstance(notice, Alive):
            self._publish_config(adapter)
        if is_new:
            self._publish_states(adapter)
        if isinstance(notice, Alive | Line):
            self._put(self._topics.line(adapter.adapter_id), adapter.state, retained=True)
        elif isinstance(notice, Traced):
            self._put(self._topics.trace(adapter.adapter_id), notice.outcome, retained=True)
        elif call is not None:
            self._publish_call(adapter, notice, call)

    def online_changed(self, adapter: Adapter) -> None:
        """Publishes it, if there is a connection."""
        self._publish_availability(adapter)

    async def run(self) -> None:
        """Stays connected until cancelled."""
        pause_s = self._pause_s
        while True:
            connections = self.connections
            try:
                await self._stay_connected()
            except (MqttError, OSError) as error:
                logger.warning("mqtt: %s: %s", self._broker, str(error) or type(error).__name__)
            if self.connections > connections:
                pause_s = self._pause_s
            _end_if_cancelled()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _stay_connected(self) -> None:
        async with self._client() as client:
            _end_if_cancelled()
            self.connections += 1
            logger.info("mqtt: connected to %s", self._broker)
            await client.subscribe([(topic, 1) for topic in self._subscribed()])
            _end_if_cancelled()
            self._forget_waiting()
            self._publish_all()
            try:
                await _until_one_ends(self._send(client), self._receive(client))
            except asyncio.CancelledError:
                # Told to stop: the broker's last will is for who was not.
                with suppress(MqttError):
                    await client.publish(self._topics.house, OFFLINE, qos=1, retain=True)
                raise

    def _client(self) -> Client:
        broker = self._broker
        return Client(
            broker.host,
            broker.port,
            username=broker.user,
            password=broker.password,
            tls_context=ssl.create_default_context(cafile=broker.ca_file) if broker.tls else None,
            will=Will(self._topics.house, OFFLINE, qos=1, retain=True),
            keepalive=_KEEPALIVE_S,
            timeout=_ANSWERS_WITHIN_S,
        )

    def _subscribed(self) -> tuple[str, ...]:
        return self._topics.birth, self._topics.any_press, self._topics.any_availability

    async def _send(self, client: Client) -> None:
        while True:
            publication = await self._waiting.get()
            await client.publish(publication.topic, publication.payload, qos=1, retain=publication.retained)
            _end_if_cancelled()

    async def _receive(self, client: Client) -> None:
        async for message in client.messages:
            self._received(message)

    def _received(self, message: Message) -> None:
        topic = message.topic.value
        payload = message.payload if isinstance(message.payload, bytes) else b""
        if topic == self._topics.birth:
            if payload == ONLINE.encode():
                self._publish_all()
        elif message.topic.matches(self._topics.any_press):
            # One that the broker kept was pressed some time ago, by whoever.
            if payload == PRESS.encode() and not message.retain:
                self._pressed(self._topics.adapter_of(topic))
        elif message.retain and payload == ONLINE.encode() and topic != self._topics.house:
            self._disown(topic)

    def _disown(self, topic: str) -> None:
        """An adapter that was there when this program ended, and has not been heard since, is not there."""
        if self._topics.adapter_of(topic) not in self._adapters:
            self._put(topic, OFFLINE, retained=True)

    def _pressed(self, adapter_id: str) -> None:
        task = asyncio.ensure_future(self._press(adapter_id))
        self._presses.add(task)
        task.add_done_callback(self._presses.discard)

    def _forget_waiting(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait()

    def _publish_all(self) -> None:
        self._configs.clear()
        self._put(self._topics.house, ONLINE, retained=True)
        for adapter in self._adapters.values():
            self._publish_config(adapter)
            self._publish_states(adapter)

    def _publish_config(self, adapter: Adapter) -> None:
        if adapter.alive is None:
            return
        name = self._names.get(adapter.adapter_id, f"Telephone {adapter.adapter_id}")
        config = json.dumps(discovery.device(adapter, name, self._topics, self._version))
        if self._configs.get(adapter.adapter_id) != config:
            self._configs[adapter.adapter_id] = config
            self._put(self._topics.config(adapter.adapter_id), config, retained=True)

    def _publish_states(self, adapter: Adapter) -> None:
        self._publish_availability(adapter)
        self._put(self._topics.line(adapter.adapter_id), adapter.state, retained=True)
        if adapter.call is not None:
            self._publish_last_call(adapter, adapter.call)
        if adapter.outcome is not None:
            self._put(self._topics.trace(adapter.adapter_id), adapter.outcome, retained=True)

    def _publish_availability(self, adapter: Adapter) -> None:
        self._put(
            self._topics.availability(adapter.adapter_id),
            ONLINE if adapter.online else OFFLINE,
            retained=True,
        )

    def _publish_call(self, adapter: Adapter, notice: CallNotice, call: Call) -> None:
        if call is adapter.call:
            self._publish_last_call(adapter, call)
        if notice.notice == "caller":
            self._put_json(self._topics.caller(adapter.adapter_id), discovery.caller_event(call))
            return
        is_missed = notice.notice == "ended" and not call.answered
        kind = "missed" if is_missed else notice.notice
        self._put_json(self._topics.ring(adapter.adapter_id), discovery.ring_event(kind, call))

    def _publish_last_call(self, adapter: Adapter, call: Call) -> None:
        self._put_json(self._topics.call(adapter.adapter_id), discovery.last_call(call), retained=True)

    def _put_json(self, topic: str, document: dict[str, object], *, retained: bool = False) -> None:
        self._put(topic, json.dumps(document), retained=retained)

    def _put(self, topic: str, payload: str, *, retained: bool) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(_Publication(topic, payload, retained))


def _end_if_cancelled() -> None:
    """The client waits by asyncio.wait_for, which before Python 3.12 may lose a cancellation (cpython 86296)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _until_one_ends(*coroutines: Coroutine[None, None, None]) -> None:
    """Runs them until one ends, and raises what it raised."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in ended:
        task.result()
