"""An emulated Pico with a flash that a test has made, and a program on it that runs before the firmware."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np

from host_tools.exchange.pair import PairBlock
from host_tools.rig.chip_process import Ask, ChipProcess
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.flash_image import SLOTS, Layout
from host_tools.rig.micropython import ROOT
from host_tools.rig.pico_firmware import PicoFirmware, PicoSettings, pico_flash

LAYOUT = Layout.of_board(ROOT / "boards" / "pico" / "mpconfigboard.h")
RELAY_PIN = "pin 8"
NO_TRIAL, WANTED, BEGUN = range(3)

_BLOCK_SAMPLES = 160
_RECORD_BYTES = 16
_LONGEST_S = 6.0


def slot_binary(slot: str) -> bytes:
    """What the build has made for a slot."""
    return IMAGE.with_name(f"{IMAGE.stem}.{slot}.bin").read_bytes()


def put(flash: bytes, offset: int, data: bytes) -> bytes:
    """The flash with other bytes at a place."""
    return flash[:offset] + data + flash[offset + len(data) :]


def record(flash: bytes, sequence: int, good: str, trial: int, returned: bool = False) -> bytes:
    """The flash with one more record."""
    data = struct.pack("<4sI4B", b"S57R", sequence, SLOTS.index(good), trial, returned, 0)
    whole = data + struct.pack("<I", zlib.crc32(data))
    return put(flash, LAYOUT.records_offset + sequence * _RECORD_BYTES, whole)


def flash_with(program: str, slot_b: bytes = b"", **files: bytes) -> bytes:
    """The image's flash with a program and files, and with something in slot b."""
    named = {"boot.py": program.encode(), **{f"{name}.bin": data for name, data in files.items()}}
    return put(pico_flash(IMAGE, named), LAYOUT.slot_offset("b"), slot_b)


class PicoWithSlots(PicoFirmware):
    """The Pico; its flash is a quick one."""

    def __init__(self, flash: bytes) -> None:
        super().__init__(PicoSettings(erase_ms=3.0, program_ms=3.0))
        self._flash = flash

    @property
    def flash(self) -> bytes:
        """All of it, as it is now."""
        return self._running.ask(Ask.READ_FLASH)

    @property
    def relay_has_moved(self) -> bool:
        """Whether the relay was ever energised."""
        return any(happening.value for happening in self.latest(RELAY_PIN))

    def run_until(
        self, done: Callable[[], bool], most_s: float = _LONGEST_S, n: int = _BLOCK_SAMPLES
    ) -> None:
        """Runs on a silent line.

        Raises:
            TimeoutError: it is not done after `most_s` of the line's time.
        """
        silence = np.zeros(n, np.int16)
        for _ in range(round(most_s * 8000 / n)):
            self.exchange_block(PairBlock(n, silence, silence, []))
            if done():
                return
        raise TimeoutError(f"after {most_s} s: {self.log}")

    def run_until_told(self, text: str) -> None:
        """Runs until a line that ends with the text has come over UART0."""
        self.run_until(lambda: any(line.endswith(text) for line in self.log.splitlines()))

    def run_until_its_program_tells(self) -> None:
        """Runs until the program's first line."""
        self.run_until(lambda: bool(self.told))

    @property
    def told(self) -> list[str]:
        """The program's lines."""
        return [line for line in self.log.splitlines() if line.startswith("slots ")]

    def _placed(self) -> ChipProcess:
        options: dict[str, object] = {
            "seed": self.settings.seed,
            "eraseNs": self.settings.erase_ms * 1e6,
            "programNs": self.settings.program_ms * 1e6,
        }
        return ChipProcess(options, self._flash)
