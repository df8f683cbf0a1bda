"""Firmware over the link, with the real service and the real slots of a board: pushed, tried, confirmed or returned."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from host_tools.exchange.call_records import CallRecords
from host_tools.exchange.central_office import CentralOffice, IncomingCall
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.gateway.forward import blocking_forward
from host_tools.gateway.gateway import Gateway
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.service.adapters import Adapters
from host_tools.service.firmware import Firmware, FirmwareReleases
from host_tools.service.messages import Heartbeat, UpdateProgress
from host_tools.service.orders import cancel_update, push_update
from host_tools.service.store import run_once
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import Script, Stage
from host_tools.stories.trace_service import TraceService
from host_tools.technician import release as releases
from host_tools.technician.release import Release
from tests.host.stories.conftest import CALLER
from tests.host.technician.test_release import KEY, RELEASE_KEY

LINE = "5555550101"
STARTS_AT_S = int(STARTS_AT.timestamp())


def image(version: str, size: int = 20_000) -> bytes:
    """Firmware of that version, as the emulated slots take it: what runs is the same from either."""
    head = f"star57 {version}\n".encode()
    return head + bytes((place * 7 + place // 251) & 0xFF for place in range(size - len(head)))


def release(number: int = 7, board: str = "emulated", version: str = "0.2.0", size: int = 20_000) -> Release:
    """A signed release for the emulated board."""
    built = releases.new(board, version, "0123abc", number, {"a": b"a", "b": image(version, size)})
    return releases.sign(built, KEY)


class House:
    """A household's line, its adapter with two slots, and the operator's service, which pushes."""

    def __init__(self, folder: Path, over: str, **settings: object) -> None:
        self.service = TraceService(folder, folder / "cdr.sqlite", "*")
        self._url = f"sqlite:///{self.service.database}"
        key = self.service.add_adapter("adapter-1")
        self._flash, self.slots = folder / "flash", folder / "slots"
        self._flash.mkdir()
        self.slots.mkdir()
        (self.slots / "a.bin").write_bytes(image("0.1.0"))
        chosen = {
            "adapter_id": "adapter-1",
            "adapter_key": key,
            "line": LINE,
            "service_port": self.service.port,
            "release_key": RELEASE_KEY,
            **settings,
        }
        (self._flash / "settings.json").write_text(json.dumps(chosen))
        serial = Gateway(blocking_forward(self.service.url)).receive if over == "serial" else None
        self.firmware = MicroPythonFirmware(
            BoardSettings(
                flash=self._flash,
                slots=self.slots,
                wall_time=STARTS_AT_S,
                serial=serial,
                network=serial is None,
            )
        )
        records = CallRecords(folder / "cdr.sqlite")
        self.office, self.telephone = (
            CentralOffice(line=LINE, starts_at=STARTS_AT, records=records),
            Telephone(),
        )
        self.stage = Stage(
            self.office,
            self.telephone,
            Pair(self.office, self.telephone),
            self.firmware,
            clock=lambda now_s: self.service.set_time(STARTS_AT_S + now_s),
        )
        self.service.set_time(STARTS_AT_S)
        self.service.start()

    def push(self, pushed: Release) -> None:
        """As `star57 update push`."""
        manifest, images = pushed.manifest, pushed.firmware
        firmware = Firmware(
            pushed.sha256,
            manifest.board,
            manifest.version,
            manifest.release,
            pushed.signed,
            images["a"],
            images["b"],
            STARTS_AT_S,
        )
        run_once(self._url, lambda connection: FirmwareReleases(connection).put(firmware))
        self.change(**push_update(pushed.sha256))

    def change(self, **changed: Any) -> None:
        """Changes the adapter's row."""
        run_once(self._url, lambda connection: Adapters(connection).change("adapter-1", **changed))

    def _row(self, column: str) -> Any:
        # Often asked: by itself, for that is quick.
        with closing(sqlite3.connect(self.service.database)) as connection:
            return connection.execute(f"SELECT {column} FROM adapters").fetchone()[0]  # noqa: S608 - ours

    @property
    def is_wanted(self) -> bool:
        """Whether the adapter is still to have what was pushed."""
        return self._row("update_sha256") is not None

    @property
    def heartbeat(self) -> Heartbeat | None:
        """The last one that the service took."""
        told = self._row("heartbeat")
        return Heartbeat.model_validate_json(told) if told else None

    @property
    def progress(self) -> UpdateProgress | None:
        """What it says of the update."""
        return self.heartbeat.update if self.heartbeat else None

    def until_it_is(self, state: str, within_s: float = 120.0) -> Script:
        """Waits until the service has heard that the update is in this state."""

        def is_so() -> bool:
            return self.stage.blocks % 5 == 0 and self.progress is not None and self.progress.state == state

        yield from self.stage.until(is_so, f"an update that is {state}", within_s)

    def until_some_is_written(self, size: int = 1) -> Script:
        """Waits until so many bytes are in the idle slot."""
        yield from self.stage.until(lambda: self.written >= size, "the idle slot written to", 60.0)

    @property
    def traces(self) -> int:
        """How many the service has made."""
        with closing(sqlite3.connect(self.service.database)) as connection:
            found: int = connection.execute("SELECT count(*) FROM traces").fetchone()[0]
        return found

    @property
    def written(self) -> int:
        """Bytes in slot b."""
        slot = self.slots / "b.bin"
        return slot.stat().st_size if slot.exists() else 0

    @property
    def good(self) -> str:
        """The slot that the board runs when nothing is tried."""
        good: str = json.loads((self.slots / "slots.json").read_text())["good"]
        return good

    def close(self) -> None:
        """Ends the firmware and the service."""
        self.firmware.stop()
        self.service.__exit__(None, None, None)


@pytest.fixture
def new_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Makes a house; its adapter is not switched on yet."""
    houses: list[House] = []

    def make(over: str = "network", **settings: object) -> House:
        houses.append(House(tmp_path, over, **settings))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


def test_a_release_is_received_tried_and_confirmed(new_house: Callable[..., House]) -> None:
    """A trial takes a minute, and as long as the firmware needs for its samples."""
    house = new_house()
    house.push(release())
    house.firmware.start()
    house.stage.play(house.until_it_is("trying"))
    assert (house.slots / "b.bin").read_bytes() == image("0.2.0")
    assert house.good == "a"
    house.stage.play(house.stage.until(lambda: house.good == "b", "the new version confirmed", 90.0))
    house.firmware.power_cut()  # so that the next heartbeat comes at once
    house.firmware.start()
    house.stage.play(house.until_it_is("confirmed"))
    heartbeat = house.heartbeat
    assert heartbeat is not None
    assert (heartbeat.slot, heartbeat.firmware, house.good) == ("b", "0.2.0", "b")
    assert (house.is_wanted, house.firmware.boots) == (False, 3)
    assert "update: release 7 confirmed" in house.firmware.log


def test_a_release_comes_over_a_serial_line_too(new_house: Callable[..., House]) -> None:
    house = new_house("serial")
    house.push(release())
    house.firmware.start()
    house.stage.play(house.until_it_is("trying"))
    assert (house.slots / "b.bin").read_bytes() == image("0.2.0")


@pytest.mark.hil
def test_a_release_that_reaches_no_service_goes_back(new_house: Callable[..., House]) -> None:
    """It has ten minutes, which take as long as the firmware needs for their samples."""
    house = new_house()
    house.push(release())
    house.firmware.start()
    house.stage.play(house.stage.until(lambda: house.firmware.boots == 2, "the try", 60.0))
    house.service.stop()
    house.stage.play(house.stage.until(lambda: house.firmware.boots == 3, "the old version", 660.0))
    house.service.start()
    house.stage.play(house.until_it_is("returned"))
    assert house.progress is not None
    assert (house.progress.reason, house.good) == ("not_healthy", "a")
    assert house.heartbeat is not None
    assert (house.heartbeat.slot, house.heartbeat.firmware) == ("a", "0.1.0")
    house.stage.play(house.stage.wait(5.0))
    assert (house.firmware.boots, house.is_wanted) == (3, False)  # it is not tried again


def test_power_that_is_cut_while_it_is_tried_brings_the_old_version_back(
    new_house: Callable[..., House],
) -> None:
    house = new_house()
    house.push(release())
    house.firmware.start()
    house.stage.play(house.until_it_is("trying"))
    house.firmware.power_cut()
    house.firmware.start()
    house.stage.play(house.until_it_is("returned"))
    assert house.progress is not None
    assert (house.progress.reason, house.good) == ("power_on", "a")


def test_power_that_is_cut_while_it_comes_costs_no_more_than_what_comes_again(
    new_house: Callable[..., House],
) -> None:
    house = new_house()
    pushed = release(size=90_000)
    house.push(pushed)
    house.firmware.start()
    for written in (4_096, 30_000, 66_000, 80_000):
        house.stage.play(house.until_some_is_written(written))
        house.firmware.power_cut()
        house.firmware.start()
    house.stage.play(house.until_it_is("trying"))
    assert (house.slots / "b.bin").read_bytes() == pushed.firmware["b"]


def watched(house: House, script: Script) -> Script:
    """The script; fails when the idle slot changes while the household or the exchange has the line."""
    before = house.written
    for _ in script:
        busy = house.telephone.off_hook or house.telephone.ringing
        yield
        if busy and (house.telephone.off_hook or house.telephone.ringing):
            assert house.written == before, f"written at sample {house.stage.blocks * 160}"
        before = house.written


def test_a_line_that_is_in_use_is_not_written_over_and_a_trace_goes_first(
    new_house: Callable[..., House],
) -> None:
    house = new_house(two_stage=False)
    house.push(release(size=60_000))
    house.firmware.start()
    stage, office, telephone = house.stage, house.office, house.telephone
    call = IncomingCall(origin="5555550123", caller_id=CALLER)

    def story() -> Script:
        yield from house.until_some_is_written(8_192)
        office.incoming_call(call)
        yield from stage.wait(8.0)
        telephone.lift()
        yield from stage.wait(5.0)
        telephone.hang_up()
        office.caller_clears()
        yield from stage.wait(2.0)
        at_hand = house.written
        telephone.lift()
        yield from stage.wait(2.0)
        telephone.press("*57")
        yield from stage.until(lambda: house.traces == 1, "the trace", 20.0)
        telephone.hang_up()
        assert house.written - at_hand <= 3 * 4096

    stage.play(watched(house, story()))
    house.firmware.power_cut()  # so that the next heartbeat comes at once
    house.firmware.start()
    stage.play(house.until_it_is("trying"))


def test_what_is_not_for_it_is_refused_before_a_byte_is_written(new_house: Callable[..., House]) -> None:
    house = new_house()
    forged = replace(release(), manifest_json=release(8).manifest_json)
    cases = [
        (forged, "bad_signature"),
        (release(board="pico"), "other_board"),
        (release(size=592 * 1024 + 1), "too_large"),
    ]
    for pushed, reason in cases:
        house.push(pushed)
        house.firmware.start()
        house.stage.play(house.until_it_is("refused"))
        assert house.progress is not None
        assert (house.progress.reason, house.progress.sha256) == (reason, pushed.sha256)
        house.firmware.power_cut()
        assert (house.written, house.is_wanted) == (0, False)


def test_what_is_cancelled_stays_where_it_is_until_another_comes(new_house: Callable[..., House]) -> None:
    house = new_house()
    house.push(release(size=60_000))
    house.firmware.start()
    house.stage.play(house.until_some_is_written(8_192))
    house.change(**cancel_update())
    house.stage.play(house.stage.wait(1.0))
    written = house.written
    house.stage.play(house.stage.wait(3.0))
    assert (house.written, house.firmware.boots) == (written, 1)
    other = release(8, version="0.3.0")
    house.push(other)
    house.firmware.power_cut()  # so that the next heartbeat comes at once
    house.firmware.start()
    house.stage.play(house.until_it_is("trying"))
    assert (house.slots / "b.bin").read_bytes() == other.firmware["b"]
