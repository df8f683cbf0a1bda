"""The boards that a story can be told on: each as the line's adapter, with its way to the trace service."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host_tools.gateway.forward import blocking_forward
from host_tools.gateway.gateway import Gateway
from host_tools.rig.board_on_line import Bench, BoardOnLine
from host_tools.rig.firmware import Firmware
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.rig.pico_firmware import PicoFirmware, PicoSettings
from host_tools.rig.real_boards import RealBoards
from host_tools.rig.wired_picos import WiredPicos


@dataclass(frozen=True)
class Placement:
    """Where an adapter is put.

    Attributes:
        folder: for its files.
        settings: of the household's line, for settings.json.
        service_url: where the trace service takes requests.
        starts_at: Unix seconds at power-on.
    """

    folder: Path
    settings: Mapping[str, object]
    service_url: str
    starts_at: int


def emulated(placement: Placement) -> Firmware:
    """MicroPython's unix port; it reaches the service over the network."""
    flash = placement.folder / "flash"
    flash.mkdir(parents=True)
    (flash / "settings.json").write_text(json.dumps(placement.settings))
    return MicroPythonFirmware(BoardSettings(flash=flash, wall_time=placement.starts_at))


def pico(placement: Placement) -> Firmware:
    """The image in an emulated Pico; a gateway at the other end of its UART0 reaches the service."""
    gateway = Gateway(blocking_forward(placement.service_url))
    files = {"settings.json": json.dumps(placement.settings).encode()}
    return PicoFirmware(PicoSettings(files=files, serial=gateway.receive))


def wired_picos(placement: Placement) -> Firmware:
    """As `pico`, and a second emulated Pico, wired to it, is the line: what two boards on a table do."""
    return _on_line(WiredPicos({"settings.json": json.dumps(placement.settings).encode()}), placement)


def real_boards(board_port: str, line_port: str) -> Callable[[Placement], Firmware]:
    """Two boards on a table, at USB ports of this machine: to be put among the ADAPTERS, with their ports."""

    def place(placement: Placement) -> Firmware:
        return _on_line(RealBoards(board_port, line_port, placement.settings), placement)

    return place


def _on_line(bench: Bench, placement: Placement) -> BoardOnLine:
    return BoardOnLine(bench, Gateway(blocking_forward(placement.service_url)).receive)


ADAPTERS: dict[str, Callable[[Placement], Firmware]] = {
    "emulated": emulated,
    "pico": pico,
    "wired-picos": wired_picos,
}
