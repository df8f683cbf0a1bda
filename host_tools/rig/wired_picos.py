"""Two emulated Picos on a table, a board under test and a line emulator, wired as boards/pico/WIRING.md shows."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from host_tools.rig.chip_process import Ask, ChipProcess
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.firmware import FirmwareFault
from host_tools.rig.pico_firmware import pico_flash
from host_tools.rig.pico_flash import Files

LINE_EMULATOR_IMAGE = IMAGE.with_name("line_emulator.uf2")

_STEP_SAMPLES = 8  # a millisecond
_BOOT_STEPS = 600
_PATIENCE_STEPS = 2000
_MOST_BYTES_A_STEP = 11  # what a UART of 115200 baud takes in a millisecond


class _EmulatedPort:
    """One end of a connection to a chip; reading lets emulated time go by."""

    def __init__(self, bench: WiredPicos) -> None:
        self._bench = bench
        self.to_chip = b""
        self.from_chip = b""

    def write(self, data: bytes) -> None:
        self.to_chip += data

    def read(self, count: int) -> bytes:
        steps = 0
        while len(self.from_chip) < count:
            if steps == _PATIENCE_STEPS:
                raise FirmwareFault(f"nothing came for {steps} ms: {self.from_chip[:200]!r}")
            self._bench.step()
            steps += 1
        data, self.from_chip = self.from_chip[:count], self.from_chip[count:]
        return data

    def take(self) -> bytes:
        data, self.from_chip = self.from_chip, b""
        return data


class WiredPicos:
    """The two, in one process.

    Args:
        files: on the board's file system, by name.

    Raises:
        ImageMissing, EmulatorMissing: there is nothing to run, or nothing to run it in.
    """

    def __init__(self, files: Mapping[str, bytes], board_image: Path = IMAGE, seed: int = 57) -> None:
        options: dict[str, object] = {"seed": seed, "eraseNs": 45e6, "programNs": 4e5}
        self._chips = ChipProcess(
            options, pico_flash(board_image, files), pico_flash(LINE_EMULATOR_IMAGE, {})
        )
        self.line = _EmulatedPort(self)
        self.board = _EmulatedPort(self)
        self.line_codes: list[int] = []
        self.phone_codes: list[int] = []
        self.resets = 0
        self._flash = b""

    def power_on(self) -> None:
        """Power for both, and half a second to boot in."""
        self._chips.ask(Ask.POWER_ON)
        for _ in range(_BOOT_STEPS):
            self.step()

    def power_cut(self) -> None:
        """Takes the board's power away."""
        self._chips.ask(Ask.POWER_OFF)

    def step(self) -> None:
        """Lets a millisecond go by."""
        uart, self.board.to_chip = (
            self.board.to_chip[:_MOST_BYTES_A_STEP],
            self.board.to_chip[_MOST_BYTES_A_STEP:],
        )
        console, self.line.to_chip = self.line.to_chip, b""
        head = struct.pack("<HHH", _STEP_SAMPLES, len(uart), len(console))
        answer = self._chips.ask(Ask.PASS, head + uart + console)
        uart_count, console_count = struct.unpack_from("<HH", answer)
        console_at = 4 + uart_count
        self.board.from_chip += answer[4:console_at]
        self.line.from_chip += answer[console_at : console_at + console_count]
        told = json.loads(answer[console_at + console_count :])
        self.resets = told["resets"]
        for side, codes in zip((self.line_codes, self.phone_codes), told["read"], strict=True):
            side += codes

    def file(self, name: str) -> bytes | None:
        """What is in a file on the board's flash."""
        flash = self._flash or self._chips.ask(Ask.READ_FLASH)
        return Files(bytearray(flash)).read(name)

    def end(self) -> None:
        """Ends the process; the board's files can still be read."""
        self._flash = self._chips.ask(Ask.READ_FLASH)
        self._chips.end()
