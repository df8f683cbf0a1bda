"""A line whose adapter is an emulated Pico, and what a test of it needs to know."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest

from host_tools.exchange.central_office import CentralOffice
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.gateway.gateway import Gateway
from host_tools.rig.chip_process import EmulatorMissing, emulator_command
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.pico_firmware import PicoFirmware, PicoSettings
from host_tools.stories.desk import Desk
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import Stage
from tests.host.stories.conftest import LINE


def reason_to_skip() -> str:
    """Why nothing can be run on an emulated Pico; empty when it can."""
    if not IMAGE.exists():
        return "no image has been built: make image"
    try:
        emulator_command()
    except EmulatorMissing as missing:
        return str(missing)
    return ""


needs_emulated_pico = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "-")


KEY = bytes(range(32))


@dataclass
class PicoLine:
    """A line with an emulated Pico on it, and a gateway with a desk at the other end of its UART0."""

    settings: PicoSettings = field(default_factory=PicoSettings)

    def __post_init__(self) -> None:
        own = {"adapter_id": "test-01", "adapter_key": KEY.hex(), "line": LINE}
        files = {"settings.json": json.dumps(own).encode(), **self.settings.files}
        self.desk = Desk("test-01", KEY, now=lambda: STARTS_AT.timestamp() + self.pico.line_time_s)
        gateway = Gateway(self.desk)
        self.pico = PicoFirmware(replace(self.settings, files=files, serial=gateway.receive))
        office = CentralOffice(line=LINE, starts_at=STARTS_AT)
        telephone = Telephone(type_two=True)
        self.stage = Stage(office, telephone, Pair(office, telephone), self.pico)

    def __enter__(self) -> PicoLine:
        self.pico.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self.pico.stop()
