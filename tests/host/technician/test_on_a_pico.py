"""An emulated Pico on the bench: its own image, and files by the real mpremote, its boot loader, its cable pulled."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.flash_image import BLOCK_BYTES
from host_tools.rig.pico_firmware import pico_flash
from host_tools.rig.pico_flash import Files
from host_tools.rig.pico_on_usb import SERIAL_NUMBER, PicoOnUsb
from host_tools.technician.boards import Board, Kind, survey
from host_tools.technician.console import Console
from host_tools.technician.faults import BenchFault, NotHealthy
from host_tools.technician.firmware_image import Image, image_for
from host_tools.technician.flashing import flash_files, flash_image
from host_tools.technician.kept_files import KeptFiles
from host_tools.technician.overlay import put_files
from host_tools.technician.ports import FolderUsb
from host_tools.technician.waiting import Patience, wait_for_drive, wait_for_prompt, wait_until_well
from tests.host.rig.wired_on_ptys import needs_wired_picos

pytestmark = needs_wired_picos

SETTINGS = json.dumps({"adapter_id": "bench-01", "line": "5555550101", "adapter_key": "57" * 32}).encode()
CALLS = b"S57R of the calls"
# An emulated Pico may take many times a real one's time, on a machine that is busy.
PATIENCE = Patience(drive_s=60.0, port_s=60.0, well_s=120.0, answer_s=30.0)
SHORT = Patience(drive_s=60.0, port_s=1.0, well_s=1.0, answer_s=30.0)


@dataclass
class Bench:
    """The Pico, and the image that was built for it."""

    pico: PicoOnUsb
    usb: FolderUsb
    image: Image
    kept: KeptFiles

    def flash(self, board: Board, patience: Patience = PATIENCE) -> Board:
        """Puts the image on; answers the board as it is then."""
        return flash_image(self.usb, board, self.image, quiet, kept=self.kept, patience=patience).board

    def cut_off(self, board: Board, blocks: int) -> None:
        """Begins to put the image on, and pulls the cable when so many blocks are written."""
        self.pico.cut_after_blocks = blocks
        with pytest.raises(BenchFault):
            self.flash(board, SHORT)
        assert not self.pico.in_boot_loader
        self.assert_kept()

    def assert_kept(self) -> None:
        """Its settings and calls are what they were, and its phone was on the exchange all the time."""
        files = Files(bytearray(self.pico.flash()))
        assert (files.read("settings.json"), files.read("calls.a")) == (SETTINGS, CALLS)
        assert (self.pico.relay_moves, self.pico.fault) == (0, None)


def quiet(_step: str, _done: int, _total: int) -> None:
    """Nobody looks."""


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A Pico that runs, with an image that nobody builds anew meanwhile."""
    path = Path(shutil.copy(IMAGE, folder))
    shutil.copy(IMAGE.with_suffix(".json"), folder)
    flash = pico_flash(path, {"settings.json": SETTINGS, "calls.a": CALLS})
    usb = folder / "usb"
    usb.mkdir()
    with PicoOnUsb(flash, folder=usb) as pico:
        yield Bench(pico, FolderUsb(usb), image_for("pico", path), KeptFiles(folder / "kept"))


def at_port(pico: PicoOnUsb) -> Board:
    """The board, before anything is known of it."""
    return Board(SERIAL_NUMBER, pico.name, Kind.STAR57, SERIAL_NUMBER)


def test_files_and_then_an_image_that_is_cut_off_first(tmp_path: Path) -> None:
    """The whole way once, which on an emulated Pico takes its time."""
    changed = tmp_path / "wav.py"
    firmware = Path(__file__).resolve().parents[3] / "firmware"
    changed.write_text(f"{(firmware / 'star57' / 'wav.py').read_text()}\nPROBE = const(57)\n")
    with bench(tmp_path) as at:
        _, prompt = wait_for_prompt(at.usb, at_port(at.pico), PATIENCE)
        with prompt:
            outcome = put_files(prompt, {"star57/wav.py": changed})
            prompt.reset()
        assert outcome.written == ("star57.wav",)
        board = wait_until_well(at.usb, at_port(at.pico), None, PATIENCE)
        with Console(board.port, PATIENCE.answer_s) as console:
            assert console.ask("__import__('star57.wav',None,None,('x',)).PROBE") == 57
        at.assert_kept()

        # The image's first sector comes last: without it the boot ROM itself shows the drive again.
        at.cut_off(board, len(at.image.uf2) // BLOCK_BYTES - 1)
        at.pico.power_on()
        assert wait_for_drive(at.usb, board, PATIENCE).board_id == "RPI-RP2"
        (loading,) = survey(at.usb, PATIENCE.answer_s)
        flashed = at.flash(loading)
        with Console(flashed.port, PATIENCE.answer_s) as console:
            assert console.ask("hasattr(__import__('star57.wav',None,None,('x',)),'PROBE')") is False
            assert "boot.py" not in console.ask("__import__('os').listdir('/')")
        at.assert_kept()
    assert (flashed.board, flashed.chip, flashed.adapter_id) == ("pico", "RP2040", "bench-01")
    assert (flashed.version, flashed.commit) == (at.image.version, at.image.commit)


@pytest.mark.hil
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.9, 0.99])
def test_wherever_an_image_is_cut_off_a_pico_can_be_flashed_again(tmp_path: Path, share: float) -> None:
    with bench(tmp_path) as at:
        board = wait_until_well(at.usb, at_port(at.pico), None, PATIENCE)
        at.cut_off(board, 1 + int(share * len(at.image.uf2) / BLOCK_BYTES))
        # Whatever is in its flash runs for a while, and leaves the relay alone.
        at.pico.power_on()
        at.pico.wait_for_emulated_ms(3_000)
        at.assert_kept()
        at.pico.cut()
        at.pico.power_on(boot_button=True)
        (loading,) = survey(at.usb, PATIENCE.answer_s)
        assert at.flash(loading).commit == at.image.commit
        at.assert_kept()


@pytest.mark.hil
def test_a_firmware_that_fails_with_its_files_runs_without_them(tmp_path: Path) -> None:
    broken = tmp_path / "logbook.py"
    broken.write_text("class LogBook:\n    pass\n")
    with bench(tmp_path) as at:
        board = wait_until_well(at.usb, at_port(at.pico), None, PATIENCE)
        modules = {"star57/logbook.py": broken}
        with pytest.raises(NotHealthy, match="fails with these files"):
            flash_files(at.usb, board, quiet, patience=PATIENCE, modules=modules)
        assert at.pico.resets == 2
        at.assert_kept()
