"""A line to try things on: exchange, adapter and telephone, with or without a trace service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tools.exchange.call_records import CallRecords
from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import CentralOffice, IncomingCall
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.rig.micropython import ROOT
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import Script, Stage

MAIN = ROOT / "firmware" / "main.py"
LINE = "5555550101"
NOBODY_LISTENS_PORT = 9

CALLER = CallerId(number="5555550123", name="A CALLER", date_time="12011730")
CALL = IncomingCall(origin="5555550123", caller_id=CALLER)

LineFactory = Callable[..., Stage]


def a_call(stage: Stage) -> Script:
    """CALL rings twice, and is not answered."""
    yield from stage.wait(0.5)
    stage.office.incoming_call(CALL)
    yield from stage.wait(10.0)
    stage.office.caller_clears()
    yield from stage.wait(8.0)


@pytest.fixture
def new_line(tmp_path: Path) -> Iterator[LineFactory]:
    """Makes a line whose adapter has the settings that are given."""
    stages: list[Stage] = []

    def make(
        program: Path = MAIN, files: dict[str, str] | None = None, type_two: bool = True, **settings: object
    ) -> Stage:
        flash = tmp_path / "flash"
        flash.mkdir(exist_ok=True)
        for name, content in (files or {}).items():
            (flash / name).write_text(content)
        own = {"adapter_id": "test-01", "line": LINE, "service_port": NOBODY_LISTENS_PORT, **settings}
        (flash / "settings.json").write_text(json.dumps(own))
        records = CallRecords(tmp_path / "cdr.sqlite")
        office = CentralOffice(line=LINE, starts_at=STARTS_AT, records=records)
        telephone = Telephone(type_two=type_two)
        firmware = MicroPythonFirmware(
            BoardSettings(flash, wall_time=int(STARTS_AT.timestamp()), patience_ms=500, program=program)
        )
        stage = Stage(office, telephone, Pair(office, telephone), firmware)
        firmware.start()
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        stage.firmware.stop()
