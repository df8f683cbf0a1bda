"""A call from the exchange to every screen of the home, and the button back: the firmware, its cable, and the house.

Line time counts on the line and on the cable; behind it, in the house, there is this machine's.
"""

from __future__ import annotations

import asyncio
import json
import os
import tty
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import CentralOffice, IncomingCall
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.gateway.daemon import Daemon as GatewayDaemon
from host_tools.gateway.frames import FrameReader
from host_tools.gateway.ports import PortFinder
from host_tools.house.daemon import Daemon
from host_tools.house.mqtt import Broker
from host_tools.house.settings import Settings
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.service.messages import Outcome, TraceAnswer, TraceRequest
from host_tools.stories.desk import Desk
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import Script, Stage
from tests.host.gateway.waiting import until
from tests.host.house.home_assistant import Button, HomeAssistant, home_assistant, publish
from tests.host.house.mosquitto import Mosquitto
from tests.host.house.ncid_client import NcidClient, fields
from tests.host.stories.conftest import LINE

KEY = bytes(range(32))
HOUSE_KEY = bytes(range(32, 64))
NUMBER = "5555550123"
DEVICE = "star57_test-01"


@dataclass(frozen=True)
class Noticed:
    """A notice as it left the cable, and when, in seconds of line time."""

    at_s: float
    notice: dict[str, object]


class Cable:
    """The board's serial line: a pseudo terminal with the house at its other end, and an ear on what passes."""

    def __init__(self) -> None:
        self._own, self._other = os.openpty()
        tty.setraw(self._other)
        os.set_blocking(self._own, False)
        self.port = os.ttyname(self._other)
        self.noticed: list[Noticed] = []
        self.now_s: Callable[[], float] = lambda: 0.0
        self._reader = FrameReader()

    def __call__(self, sent: bytes) -> bytes:
        """What the board has sent in a block; answers what goes to it."""
        for frame in self._reader.feed(sent):
            if frame.kind == "e":
                self.noticed.append(Noticed(self.now_s(), json.loads(frame.payload)))
        os.write(self._own, sent)
        with suppress(BlockingIOError):
            return os.read(self._own, 4096)
        return b""

    def first(self, kind: str) -> Noticed:
        """The first notice of that name."""
        return next(each for each in self.noticed if each.notice["notice"] == kind)

    def close(self) -> None:
        os.close(self._own)
        os.close(self._other)


class Home:
    """A line with a household and an adapter, and a desk that answers what the adapter asks over its cable."""

    def __init__(self, folder: Path, cable: Cable | None, **settings: object) -> None:
        flash = folder / "flash"
        flash.mkdir()
        own = {"adapter_id": "test-01", "adapter_key": KEY.hex(), "line": LINE, "trace_button": True}
        (flash / "settings.json").write_text(json.dumps({**own, **settings}))
        starts_at = int(STARTS_AT.timestamp())
        self.desk = Desk("test-01", KEY, now=lambda: starts_at + self.stage.now_s)
        self.desk.answer = _traced
        self.firmware = MicroPythonFirmware(
            BoardSettings(flash, wall_time=starts_at, serial=cable, network=cable is None)
        )
        office, telephone = CentralOffice(line=LINE, starts_at=STARTS_AT), Telephone()
        self.stage = Stage(office, telephone, Pair(office, telephone), self.firmware)

    async def forward(self, body: bytes) -> tuple[int, bytes]:
        """What the gateway asks goes to the desk."""
        return self.desk(body)

    def call(self, caller: CallerId) -> Script:
        """A call rings three times, and nobody answers."""
        self.stage.office.incoming_call(IncomingCall(caller, origin=NUMBER, rings=3))
        yield from self.stage.wait(24.0)

    def rings_at_s(self) -> list[float]:
        """When the line began to ring."""
        return [event.at_s for event in self.stage.events if event.what == "rings"]


def _traced(request: TraceRequest) -> TraceAnswer:
    return TraceAnswer(
        request_id=request.request_id,
        outcome=Outcome.TRACED,
        trace_id="T-00000003",
        charge_cents=500,
        action_open=False,
    )


@contextmanager
def powered(home: Home) -> Iterator[Home]:
    home.firmware.start()
    try:
        yield home
    finally:
        home.firmware.stop()


@contextmanager
def a_cable() -> Iterator[Cable]:
    cable = Cable()
    try:
        yield cable
    finally:
        cable.close()


@asynccontextmanager
async def running(daemon: Daemon, *beside: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """The house at work, and what works beside it."""
    started = asyncio.Event()
    tasks = [asyncio.create_task(work) for work in (daemon.run(started.set), *beside)]
    try:
        await started.wait()
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def played(home: Home, script: Script) -> None:
    """Plays a story beside the house."""
    await asyncio.to_thread(home.stage.play, script)


async def test_a_call_is_on_every_screen_and_the_button_traces_it(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto, a_cable() as cable, powered(Home(tmp_path, cable)) as home:
        cable.now_s = lambda: home.stage.now_s
        broker = Broker("127.0.0.1", mosquitto.port)
        daemon = Daemon(Settings(ncid_port=0, mqtt_host=broker.host, mqtt_port=broker.port), "1.0")
        gateway = GatewayDaemon(
            PortFinder([cable.port]),
            home.forward,
            noticed=lambda name, payload: daemon.noticed(name, payload, gateway.press),
        )
        async with running(daemon, gateway.run()), home_assistant(broker) as assistant:
            await until(lambda: any(state.connected for state in gateway.states.values()))
            async with NcidClient(daemon.ports["ncid"]) as client:
                await _is_on_every_screen(home, cable, client, assistant)
            await _is_traced_by_the_button(home, cable, assistant, broker)
        assert NUMBER not in home.firmware.log


async def _is_on_every_screen(home: Home, cable: Cable, client: NcidClient, assistant: HomeAssistant) -> None:
    await played(home, home.stage.wait(3.0))
    await until(lambda: DEVICE in assistant.devices and assistant.available(DEVICE))
    await played(home, home.call(CallerId(number=NUMBER, name="JOHN DOE")))

    rings = home.rings_at_s()
    assert cable.first("ringing").at_s - rings[0] < 0.5
    assert rings[0] < cable.first("caller").at_s < rings[1]
    assert cable.first("ended").notice["rings"] == 3

    ended = fields(await client.line_of("END:"))
    shown = fields(next(line for line in client.lines if line.startswith("CID:")))
    assert (shown["NMBR"], shown["NAME"], shown["LINE"]) == (NUMBER, "JOHN DOE", "test-01")
    assert ended["HTYPE"] == "CANCEL"
    counts = [fields(line)["RING"] for line in client.lines if line.startswith("CIDINFO:")]
    assert counts == ["1", "2", "3", "-1"]

    await until(lambda: len(assistant.events.get("star57_test-01_ring", [])) == 4)
    kinds = [event["event_type"] for event in assistant.events["star57_test-01_ring"]]
    assert kinds == ["ringing", "ringing", "ringing", "missed"]
    assert assistant.events["star57_test-01_caller"][0]["number"] == NUMBER
    assert assistant.states["star57_test-01_last_call"] == NUMBER


async def _is_traced_by_the_button(
    home: Home, cable: Cable, assistant: HomeAssistant, broker: Broker
) -> None:
    button = assistant.component(DEVICE, "trace")
    assert isinstance(button, Button)
    await publish(broker, button.command_topic, button.payload_press)

    def outcome() -> str:
        return assistant.states.get("star57_test-01_last_trace", "")

    await played(home, home.stage.until(lambda: outcome() == "traced", "the trace", within_s=600.0))
    (request,) = home.desk.requests
    assert request.call.call_id == cable.first("ringing").notice["call_id"]
    told = [each.notice["outcome"] for each in cable.noticed if each.notice["notice"] == "traced"]
    assert told == ["stored", "traced"]


async def test_an_adapter_on_the_network_is_heard_and_believes_who_has_its_house_key(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"test-01 {HOUSE_KEY.hex()}\n")
    daemon = Daemon(Settings(ncid_port=0, adapters_host="127.0.0.1", adapters_port=0, keys_file=keys), "1.0")
    async with running(daemon), NcidClient(daemon.ports["ncid"]) as client:
        home = Home(
            tmp_path,
            None,
            house_host="127.0.0.1",
            house_port=daemon.ports["adapters"],
            house_key=HOUSE_KEY.hex(),
            service_port=1,
        )
        with powered(home):
            heard = daemon.household.adapters
            await played(home, home.stage.until(lambda: "test-01" in heard, "the adapter", within_s=600.0))
            await played(home, home.call(CallerId(number=NUMBER, name="JOHN DOE")))
            assert fields(await client.line_of("CID:"))["NMBR"] == NUMBER
            await client.line_of("END:")
            pressing = asyncio.create_task(daemon.household.press("test-01"))
            adapter = heard["test-01"]
            await played(
                home, home.stage.until(lambda: adapter.outcome == "stored", "the press", within_s=600.0)
            )
            await pressing
            (entry,) = home.firmware.record("outbox")
            assert entry["request"]["call"]["caller_id"]["number"] == NUMBER
