"""MQTT against a real Mosquitto, listened to as Home Assistant does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from aiomqtt import Client, MqttError

from host_tools.house.discovery import Topics
from host_tools.house.household import Household
from host_tools.house.mqtt import Broker, Mqtt
from tests.host.gateway.waiting import until
from tests.host.house.home_assistant import Button, Removed, home_assistant, publish
from tests.host.house.mosquitto import PASSWORD, USER, Mosquitto
from tests.host.house.telling import CALL_ID, JOHN, Wire, alive, call, line, traced

TOPICS = Topics("star57", "homeassistant")
DEVICE = "star57_adapter-1"


@dataclass
class Told:
    """A household that publishes to a broker."""

    household: Household
    mqtt: Mqtt
    wire: Wire = field(default_factory=Wire)

    def hear(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.household.heard(self.wire, payload)


@asynccontextmanager
async def publishing(broker: Broker) -> AsyncIterator[Told]:
    household = Household([])
    mqtt = Mqtt(broker, TOPICS, household.press, names={"adapter-1": "Home"}, version="1.0", pause_s=0.02)
    household.listeners.append(mqtt)
    running = asyncio.create_task(mqtt.run())
    try:
        yield Told(household, mqtt)
        assert not running.done()
    finally:
        running.cancel()
        ended, _ = await asyncio.wait([running], timeout=10)
        assert ended


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Mosquitto(tmp_path) as mosquitto:
        yield Broker("127.0.0.1", mosquitto.port)


async def test_an_adapter_becomes_a_device_with_its_entities(broker: Broker) -> None:
    async with home_assistant(broker) as home, publishing(broker) as told:
        told.hear(alive(last_call=CALL_ID))
        await until(lambda: DEVICE in home.devices and home.available(DEVICE))
        device = home.devices[DEVICE]
        assert (device.device.name, device.device.sw_version) == ("Home", "1.2.3")
        assert {key: part.platform for key, part in device.components.items()} == {
            "ring": "event",
            "caller": "event",
            "last_call": "sensor",
            "line": "sensor",
            "last_trace": "sensor",
            "trace": "button",
        }
        button = home.component(DEVICE, "trace")
        assert isinstance(button, Button)
        assert button.name == "Trace the last call (costs $5.00)"
        await until(lambda: home.states.get("star57_adapter-1_line") == "idle")


async def test_a_call_is_told_by_events_and_kept_by_sensors(broker: Broker) -> None:
    async with home_assistant(broker) as home, publishing(broker) as told:
        told.hear(alive())
        await until(lambda: DEVICE in home.devices and home.available(DEVICE))
        told.hear(
            call("ringing"),
            line("ringing"),
            call("caller", rings=1, **JOHN),
            call("ringing", rings=1, **JOHN),
            call("answered", rings=2, answered=True, **JOHN),
            line("in_call"),
            call("ended", rings=2, answered=True, **JOHN),
            line("idle"),
            traced("stored"),
        )
        await until(lambda: home.states.get("star57_adapter-1_last_trace") == "stored")
        rings = home.events["star57_adapter-1_ring"]
        assert [event["event_type"] for event in rings] == ["ringing", "ringing", "answered", "ended"]
        assert home.events["star57_adapter-1_caller"] == [
            {"event_type": "number", "call_id": CALL_ID, "number": "5555550123", "name": "JOHN DOE"}
        ]
        assert home.states["star57_adapter-1_last_call"] == "5555550123"
        assert home.attributes["star57_adapter-1_last_call"] == {
            "caller": "5555550123",
            "number": "5555550123",
            "name": "JOHN DOE",
            "time": "2026-01-01T12:00:00+00:00",
            "rings": 2,
            "answered": True,
            "call_waiting": False,
            "call_id": CALL_ID,
        }
        assert home.states["star57_adapter-1_line"] == "idle"


@pytest.mark.parametrize(("reason", "kind"), [("P", "private"), ("O", "out_of_area"), (None, "unknown")])
async def test_a_caller_who_is_not_presented_is_told_as_such(
    broker: Broker, reason: str | None, kind: str
) -> None:
    async with home_assistant(broker) as home, publishing(broker) as told:
        told.hear(alive())
        await until(lambda: DEVICE in home.devices and home.available(DEVICE))
        told.hear(
            call("waiting", call_waiting=True), call("caller", reason=reason), call("ended", reason=reason)
        )
        await until(lambda: len(home.events.get("star57_adapter-1_ring", [])) == 2)
        assert [event["event_type"] for event in home.events["star57_adapter-1_caller"]] == [kind]
        assert [event["event_type"] for event in home.events["star57_adapter-1_ring"]] == [
            "waiting",
            "missed",
        ]
        assert home.states["star57_adapter-1_last_call"] == kind


async def test_the_button_presses_for_the_last_call(broker: Broker) -> None:
    async with home_assistant(broker) as home, publishing(broker) as told:
        told.hear(alive(), call("ringing"))
        await until(lambda: DEVICE in home.devices and home.available(DEVICE))
        button = home.component(DEVICE, "trace")
        assert isinstance(button, Button)
        await publish(broker, button.command_topic, button.payload_press)
        await until(lambda: bool(told.wire.pressed))
        assert told.wire.pressed[0] == b'{"trace":"%s"}' % CALL_ID.encode()
        told.hear(traced("stored"))
        await until(lambda: home.states.get("star57_adapter-1_last_trace") == "stored")


async def test_a_press_that_the_broker_kept_and_other_words_are_no_press(broker: Broker) -> None:
    topic = TOPICS.press("adapter-1")
    await publish(broker, topic, "TRACE", retain=True)
    async with home_assistant(broker) as home, publishing(broker) as told:
        told.hear(alive(), call("ringing"))
        await until(lambda: DEVICE in home.devices and home.available(DEVICE))
        await publish(broker, topic, "PLEASE")
        told.hear(call("ended"))
        await until(lambda: "star57_adapter-1_ring" in home.events)
        assert told.wire.pressed == []


async def test_a_household_that_switches_the_button_off_has_none(broker: Broker) -> None:
    async with home_assistant(broker) as home, publishing(broker) as told:
        told.hear(alive())
        await until(lambda: DEVICE in home.devices)
        told.hear(alive(trace_button=False))
        await until(lambda: isinstance(home.component(DEVICE, "trace"), Removed))


async def test_an_adapter_that_is_not_heard_is_not_available(broker: Broker) -> None:
    async with home_assistant(broker) as home, publishing(broker) as told:
        told.hear(alive())
        await until(lambda: DEVICE in home.devices and home.available(DEVICE))
        told.household._set_online(told.household.adapters["adapter-1"], online=False)
        await until(lambda: not home.available(DEVICE))
        told.hear(line("idle"))
        await until(lambda: home.available(DEVICE))


async def test_a_house_that_ends_says_so(broker: Broker) -> None:
    async with home_assistant(broker) as home:
        async with publishing(broker) as told:
            told.hear(alive())
            await until(lambda: DEVICE in home.devices and home.available(DEVICE))
        await until(lambda: not home.available(DEVICE))


async def test_home_assistant_that_starts_again_is_told_all_again(broker: Broker) -> None:
    async with publishing(broker) as told:
        told.hear(alive(), call("caller", **JOHN))
        async with home_assistant(broker) as home:
            await until(lambda: DEVICE in home.devices and home.available(DEVICE))
            assert home.events == {}
            home.devices.clear()
            await publish(broker, TOPICS.birth, "offline")
            await publish(broker, TOPICS.birth, "online")
            await until(lambda: DEVICE in home.devices)
            await until(lambda: home.states.get("star57_adapter-1_last_call") == "5555550123")


async def test_a_broker_that_goes_away_is_found_again_and_what_was_missed_is_a_state(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mosquitto = Mosquitto(tmp_path)
    broker = Broker("127.0.0.1", mosquitto.port)
    with mosquitto:
        async with publishing(broker) as told:
            await until(lambda: told.mqtt.connections == 1)
            mosquitto.stop()
            await until(lambda: "mqtt: 127.0.0.1" in caplog.text)
            told.hear(alive(), call("ringing"), call("caller", **JOHN))
            mosquitto.start()
            # A broker that is half gone may have taken a connection that it never answers.
            await until(lambda: told.mqtt.connections == 2, within_s=30)
            async with home_assistant(broker) as home:
                await until(lambda: home.states.get("star57_adapter-1_last_call") == "5555550123")
                assert home.events == {}
    assert "5555550123" not in caplog.text


async def test_an_adapter_of_another_time_is_not_available(broker: Broker) -> None:
    await publish(broker, TOPICS.availability("adapter-9"), "online", retain=True)
    async with publishing(broker), Client(broker.host, broker.port) as client:
        await client.subscribe(TOPICS.availability("adapter-9"), 1)
        async with asyncio.timeout(10):
            async for message in client.messages:
                if message.payload == b"offline":
                    break


async def test_a_broker_with_users_is_spoken_to_by_name_and_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(tmp_path, secured=True) as mosquitto, caplog.at_level(logging.DEBUG):
        right = Broker("127.0.0.1", mosquitto.port, USER, PASSWORD)
        with pytest.raises(MqttError):
            async with Client(right.host, right.port):
                pass
        async with home_assistant(right) as home, publishing(right) as told:
            told.hear(alive())
            await until(lambda: DEVICE in home.devices and home.available(DEVICE))
        async with publishing(Broker("127.0.0.1", mosquitto.port, USER, "wrong")) as told:
            await until(lambda: "ot authorized" in caplog.text or "refused" in caplog.text)
            assert told.mqtt.connections == 0
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(right)


# The MQTT library leaves the socket of a broker that it does not trust to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_with_tls_must_be_of_the_authorities_that_are_trusted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    with Mosquitto(tmp_path, certificate=(tmp_path / "cert.pem", tmp_path / "key.pem")) as mosquitto:
        broker = Broker("127.0.0.1", mosquitto.port, tls=True, ca_file=tmp_path / "ca.pem")
        async with publishing(broker) as told:
            await until(lambda: told.mqtt.connections == 1)
        stranger = Broker("127.0.0.1", mosquitto.port, tls=True, ca_file=tmp_path / "other.pem")
        async with publishing(stranger) as told:
            await until(lambda: "CERTIFICATE_VERIFY_FAILED" in caplog.text)
            assert told.mqtt.connections == 0
