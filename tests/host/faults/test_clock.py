"""A clock that is none, or jumps: order and identity stay, and each record says where its time came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from host_tools.exchange.call_records import CallRecords
from host_tools.exchange.central_office import CentralOffice, IncomingCall
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import Script, Stage
from tests.host.faults.accepted import accepted
from tests.host.faults.clock import DAY_S, JUMPS, YEAR_S, deliver_with_jumps
from tests.host.faults.conftest import Place, place_in

LINE = "5555550100"
STARTED = STARTS_AT.timestamp()


@pytest.mark.parametrize("name", JUMPS)
def test_jumps_change_neither_order_nor_identity(place: Place, name: str) -> None:
    tally = deliver_with_jumps(name, 400 + list(JUMPS).index(name), place.service, place.folder, requests=6)
    assert tally.messages == 6
    assert tally.holds, tally


def _calls_and_traces(stage: Stage) -> Script:
    """A call rings, unanswered; its household traces it and hangs up. What it hears of an earlier one it cuts short."""
    stage.office.incoming_call(IncomingCall(origin="5555550123", caller_id=None))
    yield from stage.wait(5.0)
    stage.office.caller_clears()
    yield from stage.wait(8.0)
    stage.lift()
    yield from stage.wait(1.0)
    yield from stage.press("*57")
    yield from stage.wait(2.0)
    yield from stage.press("1")
    yield from stage.wait(2.0)
    yield from stage.press("1")
    yield from stage.wait(12.0)
    stage.hang_up()
    yield from stage.wait(2.0)


def _pending(stage: Stage) -> list[dict[str, Any]]:
    return [entry["request"] for entry in stage.firmware.record("outbox") or [] if not entry["answer"]]


def test_each_record_says_where_its_time_came_from(tmp_path: Path) -> None:
    """Without a clock, then with one that is set, that goes back a day, and ahead a year."""
    place = place_in(tmp_path)
    with place.service as service:
        flash = tmp_path / "flash"
        flash.mkdir()
        own = {
            "adapter_id": "clock-01",
            "adapter_key": service.add_adapter("clock-01"),
            "line": LINE,
            "service_port": service.port,
            "answer_timeout_ms": 500,
        }
        (flash / "settings.json").write_text(json.dumps(own))
        firmware = MicroPythonFirmware(BoardSettings(flash, wall_time=0, patience_ms=5000))
        office = CentralOffice(line=LINE, starts_at=STARTS_AT, records=CallRecords(tmp_path / "other.sqlite"))
        telephone = Telephone(type_two=False)
        stage = Stage(office, telephone, Pair(office, telephone), firmware)
        firmware.start()
        requests = []
        try:
            stage.play(_calls_and_traces(stage))
            requests += _pending(stage)
            for jump_s in (0.0, -DAY_S, YEAR_S):
                service.set_time(STARTED + jump_s)
                service.start()
                stage.play(stage.until(lambda: not _pending(stage), "the delivery", 70.0))
                stage.play(stage.wait(65.0))  # a heartbeat is answered meanwhile
                service.stop()
                stage.play(_calls_and_traces(stage))
                requests += _pending(stage)
            service.start()
            stage.play(stage.until(lambda: not _pending(stage), "the last delivery", 70.0))
        finally:
            firmware.stop()
        rows = accepted(service.database, "clock-01")
    assert [request["time_source"] for request in requests] == ["none", "network", "network", "network"]
    first, *others = requests
    assert 10 <= first["requested_at"] - first["call"]["at"] <= 25
    assert first["requested_at"] < 60
    for request, jump_s in zip(others, (0.0, -DAY_S, YEAR_S), strict=True):
        assert abs(request["requested_at"] - STARTED - jump_s) < 300
        assert 10 <= request["requested_at"] - request["call"]["at"] <= 25
    assert [row["request_id"] for row in rows] == [request["request_id"] for request in requests]
    # What was asked without a clock has its time since the service has told it, before it was asked.
    assert abs(rows[0]["requested_at"] - STARTED) < 60
    assert [row["requested_at"] for row in rows[1:]] == [request["requested_at"] for request in others]
