"""The trace that opens the way to action: the household hears so, at once or when the answer comes late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools.exchange.central_office import CentralOffice
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.gateway.gateway import Gateway
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.service.messages import Outcome, TraceAnswer, TraceRequest
from host_tools.stories.catalogue import STUTTER_OVER_S, Scene, Story
from host_tools.stories.catalogue import traced as traced_story
from host_tools.stories.desk import Desk
from host_tools.stories.performance import STARTS_AT, perform
from host_tools.stories.stage import Script, Stage
from tests.host.stories.conftest import LINE, a_call

KEY = bytes(range(32))
OTHER_ADVICE = {"three_traces": "action_open", "action_open": "three_traces"}


class House:
    """A line with a household, an adapter and a desk that answers it over its serial port."""

    def __init__(self, folder: Path) -> None:
        flash = folder / "flash"
        flash.mkdir()
        own = {"adapter_id": "test-01", "adapter_key": KEY.hex(), "line": LINE, "answer_timeout_ms": 2000}
        (flash / "settings.json").write_text(json.dumps(own))
        starts_at = int(STARTS_AT.timestamp())
        self.desk = Desk("test-01", KEY, now=lambda: starts_at + self.stage.now_s)
        serial = Gateway(self.desk).receive
        firmware = MicroPythonFirmware(
            BoardSettings(flash, wall_time=starts_at, serial=serial, network=False)
        )
        office, telephone = CentralOffice(line=LINE, starts_at=STARTS_AT), Telephone()
        self.stage = Stage(office, telephone, Pair(office, telephone), firmware)

    def traces(self) -> Script:
        """A call comes in, and the household has it traced."""
        yield from a_call(self.stage)
        yield from self._dials_trace(after_s=0.5)
        yield from self.stage.listen()
        yield from self.stage.press("1")
        yield from self.stage.listen(quiet_s=4.0)
        self.stage.hang_up()

    def asks_again(self) -> Script:
        """The answer comes when nobody listens; the household dials the code for it."""
        yield from self.stage.until(self._is_delivered, "the delivery", within_s=70.0)
        yield from self._dials_trace(after_s=STUTTER_OVER_S)
        yield from self.stage.listen()
        self.stage.hang_up()

    def _dials_trace(self, after_s: float) -> Script:
        self.stage.lift()
        yield from self.stage.wait(after_s)
        yield from self.stage.press("*57")
        yield from self.stage.until(lambda: self.stage.relay_energised, "the relay", within_s=1.0)

    def _is_delivered(self) -> bool:
        return all(entry["answer"] for entry in self.stage.firmware.record("outbox"))

    def heard_since(self, name: str) -> list[str]:
        """The prompts that the earpiece carried, from the one of this name on."""
        names = [heard for sentence in self.stage.heard for heard in sentence.names]
        return names[names.index(name) :]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.stage.firmware.start()
    yield house
    house.stage.firmware.stop()


def answered(request: TraceRequest, action_open: bool) -> TraceAnswer:
    return TraceAnswer(
        request_id=request.request_id,
        outcome=Outcome.TRACED,
        trace_id="T-00000003",
        charge_cents=500,
        action_open=action_open,
    )


@pytest.mark.parametrize(("action_open", "advice"), [(True, "action_open"), (False, "three_traces")])
def test_the_announcement_of_a_trace_changes(house: House, action_open: bool, advice: str) -> None:
    house.desk.answer = lambda request: answered(request, action_open)
    house.stage.play(house.traces())
    heard = house.heard_since("traced")
    assert heard[:4] == ["traced", "charge_is", "5", "dollars"]
    assert heard[-3:] == ["danger", advice, "who_acts"]
    assert OTHER_ADVICE[advice] not in heard


def test_an_answer_that_comes_late_says_so_too(house: House) -> None:
    house.stage.play(house.traces())
    assert "stored" in house.heard_since("please_wait")
    house.desk.answer = lambda request: answered(request, True)
    house.stage.play(house.asks_again())
    heard = house.heard_since("earlier_traced")
    assert heard[:4] == ["earlier_traced", "charge_is", "5", "dollars"]
    assert heard[-3:] == ["danger", "action_open", "who_acts"]
    assert "three_traces" not in heard


def three_times(scene: Scene) -> Script:
    """The same caller calls three times, and each call is traced."""
    for _ in range(3):
        yield from traced_story(scene)


def test_the_third_trace_of_one_caller_opens_the_way_to_action(tmp_path: Path) -> None:
    story = Story("three_times", "", LINE, three_times)
    performance = perform(story, tmp_path / story.name, lambda _event: None)
    advice = [name for sentence in performance.stage.heard for name in sentence.names if name in OTHER_ADVICE]
    assert advice == ["three_traces", "three_traces", "action_open"]
    assert (performance.result.outcome, performance.result.trace_id) == ("traced", "T-00000003")
