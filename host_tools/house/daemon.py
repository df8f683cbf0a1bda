"""The house as it runs: what adapters tell, by network or cable, goes to NCID clients and to Home Assistant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from host_tools.house.adapter_server import AdapterServer
from host_tools.house.call_log import CallLog
from host_tools.house.discovery import Topics
from host_tools.house.household import Household
from host_tools.house.mqtt import Broker, Mqtt
from host_tools.house.ncid_server import NcidServer
from host_tools.house.settings import Settings


@dataclass(frozen=True)
class CableSource:
    """An adapter at a serial port: who has the cable may press the button.

    Attributes:
        name: the port's.
        send: sends a press there.
    """

    name: str
    send: Callable[[str, bytes], None]
    may_press: bool = True

    def press(self, payload: bytes) -> None:
        """Sends a press."""
        self.send(self.name, payload)


class Daemon:
    """A household with what its settings ask for.

    Raises:
        SecretUnreadable: the file of keys, or of the broker's password, cannot be read.
    """

    def __init__(self, settings: Settings, version: str) -> None:
        self._settings = settings
        self.household = Household([])
        self._keys = settings.keys()
        self._ncid = NcidServer(
            CallLog(settings.log_lines, settings.log_file), settings.names, version, settings.zone
        )
        self.household.listeners.append(self._ncid)
        self.mqtt = self._make_mqtt(version)
        if self.mqtt is not None:
            self.household.listeners.append(self.mqtt)
        self.ports: dict[str, int] = {}

    def _make_mqtt(self, version: str) -> Mqtt | None:
        settings = self._settings
        if settings.mqtt_host is None:
            return None
        broker = Broker(
            settings.mqtt_host,
            settings.broker_port,
            settings.mqtt_user,
            settings.password(),
            tls=settings.mqtt_tls,
            ca_file=settings.mqtt_ca_file,
        )
        topics = Topics(settings.mqtt_topic, settings.mqtt_discovery_prefix)
        return Mqtt(broker, topics, self.household.press, names=settings.names, version=version)

    def noticed(self, port: str, payload: bytes, send: Callable[[str, bytes], None]) -> None:
        """An adapter at a serial port has told something; `send` sends to a port."""
        self.household.heard(CableSource(port, send), payload)

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Serves until cancelled; `started` is called once everything listens, and `ports` says where.

        Raises:
            OSError: an address is another program's.
        """
        async with AsyncExitStack() as entered:
            await self._listen(entered)
            started()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.household.watch())
                if self.mqtt is not None:
                    tasks.create_task(self.mqtt.run())

    async def _listen(self, entered: AsyncExitStack) -> None:
        settings = self._settings
        if settings.ncid_host is not None:
            ncid = self._ncid.listening(settings.ncid_host, settings.ncid_port)
            self.ports["ncid"] = await entered.enter_async_context(ncid)
        if settings.adapters_host is not None:
            adapters = AdapterServer(self.household.heard, self._keys, takes_unsigned=settings.take_unsigned)
            listening = adapters.listening(settings.adapters_host, settings.adapters_port)
            self.ports["adapters"] = await entered.enter_async_context(listening)
