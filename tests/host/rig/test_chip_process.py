"""The emulator's process: it says what is missing, and that it has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.rig import chip_process
from host_tools.rig.chip_process import Ask, ChipProcess, EmulatorMissing, emulator_command
from host_tools.rig.firmware import FirmwareFault
from host_tools.rig.flash_image import FLASH_BYTES
from tests.host.stories.on_a_pico import reason_to_skip

OPTIONS: dict[str, object] = {"seed": 57, "eraseNs": 45e6, "programNs": 4e5}


def test_without_node_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EmulatorMissing, match="nodejs"):
        emulator_command()


@pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "-")
def test_without_rp2040js_it_says_how_to_fetch_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(chip_process, "NODE_MODULES", tmp_path)
    with pytest.raises(EmulatorMissing, match="make emulator"):
        emulator_command()


@pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "-")
def test_a_flash_is_what_was_put_in_and_an_ended_process_says_so() -> None:
    flash = bytes(range(256)) * (FLASH_BYTES // 256)
    chip = ChipProcess(OPTIONS, flash)
    assert chip.ask(Ask.READ_FLASH) == flash
    chip.end()
    with pytest.raises(FirmwareFault, match="ended"):
        chip.ask(Ask.READ_FLASH)
