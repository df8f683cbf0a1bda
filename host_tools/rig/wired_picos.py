"""Two emulated Picos on a table, a board under test and a line emulator, wired as boards/pico/WIRING.md shows."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from host_tools.exchange.impairments import PicoAdc
from host_tools.exchange.levels import Samples
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
_MOST_BYTES = 0xFFFF


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

    def due(self, most: int) -> bytes:
        """What goes to the chip now."""
        data, self.to_chip = self.to_chip[:most], self.to_chip[most:]
        return data

    def take(self) -> bytes:
        data, self.from_chip = self.from_chip, b""
        return data


class WiredPicos:
    """The two, in one process.

    Args:
        files: on the board's file system, by name.
        board_usb: whether a host is on the board's USB, too; its end is `board_console`.

    Attributes:
        line: the line emulator's console.
        board: the host's end of the board's UART0.
        resets: of the board, by itself.

    Raises:
        ImageMissing, EmulatorMissing: there is nothing to run, or nothing to run it in.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        board_image: Path = IMAGE,
        seed: int = 57,
        board_usb: bool = False,
    ) -> None:
        options: dict[str, object] = {
            "seed": seed,
            "eraseNs": 45e6,
            "programNs": 4e5,
            "boardUsb": board_usb,
        }
        self._chips = ChipProcess(
            options, pico_flash(board_image, files), pico_flash(LINE_EMULATOR_IMAGE, {})
        )
        self.line = _EmulatedPort(self)
        self.board = _EmulatedPort(self)
        self.board_console = _EmulatedPort(self)
        self.resets = 0
        self._codes: tuple[list[int], list[int]] = ([], [])
        self._is_on = False
        self._has_ended = False
        self._flash_writes = 0
        self._files: Files | None = None
        self._files_of_writes = -1

    def power_on(self) -> None:
        """Power for both, and half a second to boot in; later on, for the board alone, while the line goes on."""
        self._chips.ask(Ask.POWER_ON)
        for _ in range(0 if self._is_on else _BOOT_STEPS):
            self.step()
        self._is_on = True

    def power_cut(self) -> None:
        """Takes the board's power away."""
        self._chips.ask(Ask.POWER_OFF)

    def step(self) -> None:
        """Lets a millisecond go by."""
        ports = (self.board, self.line, self.board_console)
        incoming = [
            self.board.due(_MOST_BYTES_A_STEP),
            self.line.due(_MOST_BYTES),
            self.board_console.due(_MOST_BYTES),
        ]
        head = struct.pack("<HHHH", _STEP_SAMPLES, *map(len, incoming))
        answer = self._chips.ask(Ask.PASS, head + b"".join(incoming))
        at = 6
        for port, count in zip(ports, struct.unpack_from("<HHH", answer), strict=True):
            port.from_chip += answer[at : at + count]
            at += count
        told = json.loads(answer[at:])
        self.resets = told["resets"]
        self._flash_writes = told["flash_writes"]
        for side, codes in zip(self._codes, told["read"], strict=True):
            side.extend(codes)

    @property
    def line_heard(self) -> Samples:
        """What the board's ADC has read of the line's side since power-on, as samples."""
        return _samples(self._codes[0])

    @property
    def phone_heard(self) -> Samples:
        """As `line_heard`, of the phone's side."""
        return _samples(self._codes[1])

    def file(self, name: str) -> bytes | None:
        """What is in a file on the board's flash."""
        if not self._has_ended and self._files_of_writes != self._flash_writes:
            self._read_flash()
        return None if self._files is None else self._files.read(name)

    def end(self) -> None:
        """Ends the process; the board's files can still be read."""
        if not self._has_ended:
            self._read_flash()
            self._chips.end()
            self._has_ended = True

    def _read_flash(self) -> None:
        self._files = Files(bytearray(self._chips.ask(Ask.READ_FLASH)))
        self._files_of_writes = self._flash_writes


def _samples(codes: list[int]) -> Samples:
    return ((np.array(codes, np.int32) - PicoAdc.CODES // 2) * PicoAdc.STEP_SAMPLES).astype(np.int16)
