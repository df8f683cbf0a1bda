"""The firmware in an emulated Pico: the image that is flashed, on a line, in exact emulated time.

The line's samples come into the ADC, its edges into the pins; duties of the PWM are samples again; the host's end of
UART0 is a function. A block of samples goes to the chip, and what the chip made of its time comes back.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from host_tools.exchange.impairments import PicoAdc
from host_tools.exchange.pair import HOOK_EDGE, RING_EDGE, PairBlock
from host_tools.rig.chip_process import Ask, ChipProcess
from host_tools.rig.emulated_pico import IMAGE, ImageMissing
from host_tools.rig.firmware import BoardBlock, FirmwareFault
from host_tools.rig.flash import record_among
from host_tools.rig.link_log import LinkLog
from host_tools.rig.pico_flash import Files, flash_of

SAMPLE_NS = 125_000
DUTIES = 2000

_PINS = {RING_EDGE: 6, HOOK_EDGE: 7}


@dataclass(frozen=True)
class Happening:
    """Something that the chip did.

    Attributes:
        at_s: emulated time since the rig was made.
        what: "power on", "reset", "first sample" (since then), "sound" (the first duty that is not silence), or "pin"
            and its number.
        value: a pin's level; 1 otherwise.
    """

    at_s: float
    what: str
    value: int


@dataclass
class PicoSettings:
    """What the rig gives an emulated Pico.

    Attributes:
        image: the UF2 in its flash.
        files: put on its file system before it starts, by name.
        serial: the host's end of UART0: bytes that came, and the bytes that go back with the next block.
        seed: of its random bits and of the converter's noise.
        erase_ms, program_ms: how long the flash takes for a sector and a page (W25Q16JV: 45 and 0.4 typically, 400
            and 3 at most).
        adc: the converter; None: exact.
    """

    image: Path = IMAGE
    files: Mapping[str, bytes] = field(default_factory=dict)
    serial: Callable[[bytes], bytes] = lambda _data: b""
    seed: int = 57
    erase_ms: float = 45.0
    program_ms: float = 0.4
    adc: PicoAdc | None = field(default_factory=PicoAdc)


class PicoFirmware:
    """The firmware on an emulated Pico.

    Attributes:
        happenings: what the chip did, in order.
        busy_share: of the core, in each block.
    """

    def __init__(self, settings: PicoSettings) -> None:
        self.settings = settings
        self.happenings: list[Happening] = []
        self.busy_share: list[float] = []
        self.resets = 0
        self.relay_energised = False
        self._rng = np.random.default_rng(settings.seed)
        self._to_pico = b""
        self._log = LinkLog()
        self._chip: ChipProcess | None = None
        self._files: Files | None = None
        self.flash_writes = 0
        self._files_of_writes = -1
        self._samples = 0

    def start(self) -> None:
        """Powers the Pico on.

        Raises:
            ImageMissing, EmulatorMissing: there is nothing to run, or nothing to run it in.
        """
        if self._chip is None:
            self._chip = self._placed()
        self._chip.ask(Ask.POWER_ON)

    def exchange_block(self, block: PairBlock) -> BoardBlock:
        """Lets the Pico run for the block's time, and answers what it did.

        Raises:
            FirmwareFault: the emulator ended.
        """
        edges = [(offset, _PINS[kind], level) for offset, kind, level in block.edges]
        to_pico, self._to_pico = self._to_pico[:0xFFFF], self._to_pico[0xFFFF:]
        phone_in = block.phone_in if self.relay_energised else np.zeros(block.n, np.int16)
        answer = self._running.ask(
            Ask.BLOCK,
            struct.pack("<HHH", block.n, len(edges), len(to_pico))
            + self._codes(block.line_in)
            + self._codes(phone_in)
            + b"".join(struct.pack("<HBB", *edge) for edge in edges)
            + to_pico,
        )
        return self._take(answer, block.n)

    def power_cut(self) -> None:
        """Takes the power away at once."""
        self._running.ask(Ask.POWER_OFF)
        self.relay_energised = False

    def stop(self) -> None:
        """Ends the emulator."""
        if self._chip is None:
            return
        self._open_files()
        self._chip.end()
        self._chip = None

    @property
    def log(self) -> str:
        """The lines that it has sent over UART0 which are no frames of the link."""
        return self._log.text

    def record(self, name: str) -> Any:
        """The newest whole payload of a DurableRecord on its flash, parsed as JSON; None when there is none."""
        return record_among(self.file, name)

    def file(self, name: str) -> bytes | None:
        """What is in a file on its flash."""
        return self._open_files().read(name)

    def latest(self, what: str, since_s: float = 0.0) -> list[Happening]:
        """The happenings of that kind from a moment on."""
        return [
            happening for happening in self.happenings if happening.what == what and happening.at_s >= since_s
        ]

    @property
    def line_time_s(self) -> float:
        """Of the blocks so far."""
        return self._samples * SAMPLE_NS / 1e9

    def _open_files(self) -> Files:
        if self._chip is not None and (self._files is None or self._files_of_writes != self.flash_writes):
            self._files = Files(bytearray(self._chip.ask(Ask.READ_FLASH)))
            self._files_of_writes = self.flash_writes
        if self._files is None:
            raise FirmwareFault("the emulated Pico has not been started")
        return self._files

    @property
    def _running(self) -> ChipProcess:
        if self._chip is None:
            raise FirmwareFault("the emulated Pico is not running")
        return self._chip

    def _placed(self) -> ChipProcess:
        flash = pico_flash(self.settings.image, self.settings.files)
        options: dict[str, object] = {
            "seed": self.settings.seed,
            "eraseNs": self.settings.erase_ms * 1e6,
            "programNs": self.settings.program_ms * 1e6,
        }
        return ChipProcess(options, flash)

    def _codes(self, samples: npt.NDArray[np.int16]) -> bytes:
        if self.settings.adc is None:
            codes = np.clip(
                np.rint(samples / PicoAdc.STEP_SAMPLES) + PicoAdc.CODES // 2, 0, PicoAdc.CODES - 1
            )
        else:
            codes = self.settings.adc.codes(samples, self._rng)
        return bytes(codes.astype("<u2").tobytes())

    def _take(self, answer: bytes, n: int) -> BoardBlock:
        _, uart_count, relay = struct.unpack_from("<HHB", answer)
        duties = np.frombuffer(answer, "<u2", n, 5).astype(np.int32)
        uart_at = 5 + 2 * n
        self._receive(answer[uart_at : uart_at + uart_count])
        rest = json.loads(answer[uart_at + uart_count :])
        self.happenings += [Happening(at_ns / 1e9, what, value) for at_ns, what, value in rest["events"]]
        self.busy_share.append(rest["busy_ns"] / (n * SAMPLE_NS))
        self.resets = rest["resets"]
        self.flash_writes = rest["flash_writes"]
        self._samples += n
        self.relay_energised = bool(relay)
        return BoardBlock(_samples(duties), self.relay_energised)

    def _receive(self, data: bytes) -> None:
        self._to_pico += self.settings.serial(data)
        self._log.feed(data)


def pico_flash(image: Path, files: Mapping[str, bytes]) -> bytes:
    """A flash with an image and files on its file system.

    Raises:
        ImageMissing: there is no such image.
    """
    if not image.exists():
        raise ImageMissing(f"there is no {image.name}: make image builds it")
    flash = flash_of(image.read_bytes())
    system = Files(flash)
    for name, data in files.items():
        system.write(name, data)
    return bytes(flash)


def _samples(duties: npt.NDArray[np.int32]) -> npt.NDArray[np.int16]:
    return (duties * 65536 // DUTIES - 32768).astype(np.int16)
