"""The household: what it makes of what adapters tell, and the trace button."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from host_tools.house import household as household_room
from host_tools.house.household import MOST_ADAPTERS, Adapter, Call, Household
from host_tools.house.notices import Notice
from tests.host.gateway.waiting import until
from tests.host.house.telling import AT, CALL_ID, JOHN, Wire, alive, call, line, traced

OTHER = "ffeeddccbbaa9988"


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Call | None]] = []
        self.online: list[bool] = []

    def heard(self, adapter: Adapter, notice: Notice, call: Call | None) -> None:
        self.told.append((notice.notice, call))

    def online_changed(self, adapter: Adapter) -> None:
        self.online.append(adapter.online)


def heard(*payloads: bytes, wire: Wire | None = None) -> tuple[Household, Listener]:
    listener = Listener()
    household = Household([listener], clock=lambda: AT + 60.0)
    for payload in payloads:
        household.heard(wire or Wire(), payload)
    return household, listener


def test_a_call_is_put_together_from_its_notices() -> None:
    household, listener = heard(
        call("ringing"),
        call("caller", rings=1, **JOHN),
        call("answered", rings=2, answered=True, **JOHN),
    )
    began = datetime.fromtimestamp(AT, UTC)
    assert household.adapters["adapter-1"].call == Call(
        CALL_ID, began, rings=2, answered=True, number="5555550123", name="JOHN DOE"
    )
    assert [kind for kind, _ in listener.told] == ["ringing", "caller", "answered"]


def test_without_a_clock_a_call_began_when_it_was_heard_of() -> None:
    household, _ = heard(call("ringing", at=42, time_source="none"), call("ended", at=42, time_source="none"))
    known = household.adapters["adapter-1"].call
    assert known is not None
    assert known.began == datetime.fromtimestamp(AT + 60, UTC)


def test_the_last_call_is_the_one_that_began_last() -> None:
    household, listener = heard(
        call("ringing"),
        call("answered", answered=True),
        call("waiting", call_id=OTHER, call_waiting=True),
        call("ended", answered=True, **JOHN),
    )
    known = household.adapters["adapter-1"].call
    assert known is not None
    assert known.call_id == OTHER
    assert listener.told[-1][1] is not None
    assert listener.told[-1][1].call_id == CALL_ID


def test_a_house_that_starts_during_a_call_takes_it_for_the_last() -> None:
    household, _ = heard(call("ended", rings=3))
    assert household.adapters["adapter-1"].last_call_id == CALL_ID


def test_of_ended_calls_few_are_kept() -> None:
    household, _ = heard(*(call("ringing", call_id=f"{number:016x}") for number in range(50)))
    assert len(household.adapters["adapter-1"]._calls) == household_room._MOST_CALLS


def test_line_and_trace_are_known() -> None:
    household, _ = heard(alive(), line("in_call"), traced("not_traceable"))
    adapter = household.adapters["adapter-1"]
    assert (adapter.state, adapter.outcome) == ("in_call", "not_traceable")


def test_what_is_no_notice_is_counted_and_nothing_else() -> None:
    household, listener = heard(b"garbage")
    assert (household.passed_by, household.adapters, listener.told) == (1, {}, [])


def test_no_more_adapters_than_a_household_has() -> None:
    household, _ = heard(*(line("idle", f"a{number}") for number in range(MOST_ADAPTERS + 3)))
    assert len(household.adapters) == MOST_ADAPTERS
    assert household.passed_by == 3


def test_who_cannot_show_that_it_is_the_adapter_does_not_take_its_place() -> None:
    household, _ = heard(alive())
    household.heard(Wire("stranger", may_press=False), line("in_call"))
    assert household.adapters["adapter-1"].state == "idle"
    assert household.adapters["adapter-1"].source.name == "wire"


def test_who_called_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        heard(alive(), call("ringing"), call("caller", **JOHN), call("ended", **JOHN), traced("traced"))
    assert "JOHN" not in caplog.text
    assert "5555550123" not in caplog.text
    assert f"call {CALL_ID}: caller" in caplog.text


async def test_an_adapter_that_says_nothing_is_not_there_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(household_room, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(household_room, "ALIVE_WITHIN_S", 0.05)
    household, listener = heard(alive())
    watching = asyncio.create_task(household.watch())
    await until(lambda: listener.online == [False])
    household.heard(Wire(), alive())
    assert listener.online == [False, True]
    watching.cancel()


async def test_the_button_asks_for_the_last_call_until_something_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(household_room, "_PRESS_AGAIN_AFTER_S", 0.01)
    wire = Wire()
    household, _ = heard(alive(), call("ringing"), wire=wire)
    await household.press("adapter-1")
    assert wire.pressed == [b'{"trace":"%s"}' % CALL_ID.encode()] * 3


async def test_an_answer_ends_the_pressing() -> None:
    wire = Wire()
    household, _ = heard(alive(last_call=CALL_ID), wire=wire)
    pressing = asyncio.create_task(household.press("adapter-1"))
    await until(lambda: len(wire.pressed) == 1)
    await household.press("adapter-1")  # again, while the first is under way
    household.heard(wire, traced("stored"))
    await pressing
    assert len(wire.pressed) == 1


@pytest.mark.parametrize(
    "payloads",
    [
        [],
        [alive(trace_button=False, last_call=CALL_ID)],
        [alive()],
        [call("ringing")],
    ],
)
async def test_the_button_does_nothing_where_there_is_none_or_no_call(payloads: list[bytes]) -> None:
    wire = Wire()
    household, _ = heard(*payloads, wire=wire)
    await household.press("adapter-1")
    assert wire.pressed == []


async def test_an_adapter_that_would_not_believe_a_press_has_no_button() -> None:
    wire = Wire(may_press=False)
    household, _ = heard(alive(last_call=CALL_ID), wire=wire)
    await household.press("adapter-1")
    assert wire.pressed == []
