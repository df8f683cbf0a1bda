"""An emulated Pico at the end of a USB cable: its console is a pseudo terminal, as a real one's is /dev/ttyACM0.

Emulated time goes as fast as this machine runs it, about as fast as the line while the firmware listens, and faster at
MicroPython's prompt.
"""

from __future__ import annotations

import binascii
import json
import queue
import struct
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from host_tools.exchange.levels import RATE_HZ
from host_tools.rig.boot_loader_drive import BootLoaderDrive
from host_tools.rig.chip_process import Ask, ChipProcess
from host_tools.rig.usb_port import UsbPort

SERIAL_NUMBER = "E6614103E7452D2F"

_STEP_SAMPLES = 8  # a millisecond
_UART_BYTES_A_STEP = 11  # what a UART of 115200 baud takes in a millisecond
_MOST_UNTAKEN_BYTES = 512
_LOOKS_AT_DRIVE_EACH_S = 0.01
_BOOT_STAGE_BYTES = 256
_ANSWERS_WITHIN_S = 60.0
_RELAY_TO_HOOK = (8, 7)

_Answer = TypeVar("_Answer")


class PicoOnUsb:
    """One Pico, powered by the cable; a context manager, in which it runs in a thread of its own.

    Args:
        flash: all of it (pico_firmware.pico_flash makes one).
        serial_number: as its USB descriptor has it.
        loop_back: whether the loop-back plug of WIRING.md is in: what GP2 gives comes back at both inputs, 0.3 dB
            lower.
        wires: pins that are joined, an output and an input each; with `loop_back` a phone that is off-hook at J2, which
            makes HOOK follow RELAY.
        folder: where the port stands, as in /dev/serial/by-id, and the boot loader's drive, RPI-RP2; several boards may
            share one. Without it, one that is removed at the end.
        serial: what the other end of UART0 answers to each piece that comes.
        seed: of what is random in it.
        line: a file of what the line carries, in codes of the converter, 16 bits each, 8000 a second, from when the
            board first samples.
        edges: on that line: (sample, pin, level).

    Attributes:
        name: of its port; the port is there from when the firmware has begun USB, and goes when the board does.
        drive: the folder of its boot loader's drive, which is there while the boot loader runs.
        cut_after_blocks: the cable is pulled when so many blocks of a UF2 have been written to the drive.
        fault: what ended the thread before its time.
        busy_s, line_s: of the emulated time so far, how long the core was busy, and all of it.
    """

    def __init__(
        self,
        flash: bytes,
        serial_number: str = SERIAL_NUMBER,
        loop_back: bool = False,
        *,
        wires: Sequence[tuple[int, int]] | None = None,
        folder: Path | None = None,
        serial: Callable[[bytes], bytes] = lambda _data: b"",
        seed: int = 57,
        line: Path | None = None,
        edges: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        self._own_folder = None if folder else tempfile.TemporaryDirectory(prefix="star57-usb-")
        folder = folder or Path(self._own_folder.name if self._own_folder else "")
        if wires is None:
            wires = (_RELAY_TO_HOOK,) if loop_back else ()
        self._options: dict[str, object] = {
            "seed": seed,
            "eraseNs": 45e6,
            "programNs": 4e5,
            "usb": True,
            "loopBack": loop_back,
            "wires": wires,
            "line": None if line is None else str(line),
            "edges": edges,
        }
        self._port = UsbPort(folder, serial_number)
        self._drive = BootLoaderDrive(folder / f"{serial_number}-drive" / "RPI-RP2")
        self.name = self._port.name
        self.drive = self._drive.folder
        self.cut_after_blocks: int | None = None
        self.fault: Exception | None = None
        self.busy_s = self.line_s = 0.0
        self._serial = serial
        self._flash = bytearray(flash)
        self._chip: ChipProcess | None = None
        self._to_uart = b""
        self._told: dict[str, Any] = {}
        self._resets = 0
        self._resets_seen = 0
        self._relay_moves = 0
        self._is_on = False
        self._in_boot_loader = False
        self._due_ms = 0
        self._is_due = threading.Event()
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> PicoOnUsb:
        self._thread.start()
        self.power_on()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._port.pull_out()
        self._drive.pull_out()
        if self._own_folder:
            self._own_folder.cleanup()

    @property
    def relay(self) -> bool:
        """Whether the board energises its relay now."""
        return bool(self._told.get("relay", False))

    @property
    def relay_moves(self) -> int:
        """How often the relay has been energised."""
        return self._relay_moves + int(self._told.get("relay_moves", 0))

    @property
    def resets(self) -> int:
        """How often the board has begun anew by itself, the end of its boot loader included."""
        return self._resets + int(self._told.get("resets", 0))

    @property
    def in_boot_loader(self) -> bool:
        """Whether its boot loader runs, and shows its drive."""
        return self._in_boot_loader

    @property
    def blocks(self) -> int:
        """How many blocks of a UF2 its boot loader has written since it began."""
        return self._drive.blocks

    def flash(self) -> bytes:
        """All of its flash, as it is now."""
        return self._in_thread(self._read_flash)

    def cut(self) -> None:
        """Pulls the cable: the port or the drive is gone, and so is the power."""
        self._in_thread(self._cut)

    def power_on(self, boot_button: bool = False) -> None:
        """Plugs the cable in; the boot loader begins with BOOTSEL held, or with no boot stage in the flash."""
        self._in_thread(lambda: self._power_on(boot_button))

    def wait_for_emulated_ms(self, milliseconds: int) -> None:
        """Comes back when so much emulated time has gone by, or the board has no power or is in its boot loader.

        Raises:
            TimeoutError: it took a minute and more.
        """
        self._in_thread(lambda: self._begin_to_wait(milliseconds))
        if not self._is_due.wait(_ANSWERS_WITHIN_S):
            raise TimeoutError(f"{milliseconds} ms of emulated time take too long")

    def set_pin(self, pin: int, level: int) -> None:
        """What stands at one of its inputs, from now on."""
        self._in_thread(lambda: self._chip.ask(Ask.SET_PIN, bytes((pin, level))) if self._chip else None)

    def _in_thread(self, action: Callable[[], _Answer]) -> _Answer:
        if not self._thread.is_alive():
            return action()
        answer: Future[_Answer] = Future()

        def do() -> None:
            try:
                answer.set_result(action())
            except Exception as fault:  # noqa: BLE001 - raised where it was asked
                answer.set_exception(fault)

        self._asked.put(do)
        return answer.result(_ANSWERS_WITHIN_S)

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self._do_asked()
                self._due_ms -= 1
                if self._due_ms < 0 or self._chip is None:
                    self._is_due.set()
                if self._in_boot_loader:
                    self._load()
                elif self._is_on:
                    self._step()
                else:
                    self._ended.wait(_LOOKS_AT_DRIVE_EACH_S)
            self._flash = bytearray(self._read_flash())
        except Exception as fault:  # noqa: BLE001 - told by the test, which waits in another thread
            self.fault = fault
        finally:
            if self._chip is not None:
                self._chip.end()
                self._chip = None

    def _begin_to_wait(self, milliseconds: int) -> None:
        self._due_ms = milliseconds
        self._is_due.clear()

    def _do_asked(self) -> None:
        while not self._asked.empty():
            self._asked.get()()

    def _read_flash(self) -> bytes:
        return bytes(self._flash) if self._chip is None else self._chip.ask(Ask.READ_FLASH)

    def _power_on(self, boot_button: bool) -> None:
        if self._is_on:
            return
        self._is_on = True
        if boot_button or not _has_boot_stage(self._flash):
            self._begin_boot_loader()
        else:
            self._chip = ChipProcess(self._options, bytes(self._flash))
            self._chip.ask(Ask.POWER_ON)

    def _cut(self) -> None:
        self._port.pull_out()
        self._drive.pull_out()
        self._end_chip()
        self._is_on = self._in_boot_loader = False

    def _end_chip(self) -> None:
        if self._chip is None:
            return
        self._flash = bytearray(self._chip.ask(Ask.READ_FLASH))
        self._chip.end()
        self._chip = None
        self._resets, self._relay_moves = self.resets, self.relay_moves
        self._told = {}
        self._resets_seen = 0
        self._to_uart = b""

    def _begin_boot_loader(self) -> None:
        self._port.pull_out()
        self._end_chip()
        self._in_boot_loader = True
        self._drive.plug_in()

    def _load(self) -> None:
        is_whole = self._drive.take(self._flash, self.cut_after_blocks)
        if self.cut_after_blocks is not None and self._drive.blocks >= self.cut_after_blocks:
            self.cut_after_blocks = None
            self._cut()
        elif is_whole:
            self._drive.pull_out()
            self._in_boot_loader = self._is_on = False
            self._resets += 1
            self._power_on(boot_button=False)
        else:
            self._ended.wait(_LOOKS_AT_DRIVE_EACH_S)

    def _step(self) -> None:
        """Lets a millisecond go by."""
        if self._chip is None:
            return
        typed = b"" if self._told.get("untaken", 0) > _MOST_UNTAKEN_BYTES else self._port.received()
        uart, self._to_uart = self._to_uart[:_UART_BYTES_A_STEP], self._to_uart[_UART_BYTES_A_STEP:]
        head = struct.pack("<BHHHH", self._port.is_open, _STEP_SAMPLES, len(uart), len(typed), 0)
        answer = self._chip.ask(Ask.PASS_ON_USB, head + uart + typed)
        uart_count, said_count, _ = struct.unpack_from("<HHH", answer)
        from_uart = answer[6 : 6 + uart_count]
        said = answer[6 + uart_count : 6 + uart_count + said_count]
        self._told = json.loads(answer[6 + uart_count + said_count :])
        self.busy_s += self._told["busy_ns"] / 1e9
        self.line_s += _STEP_SAMPLES / RATE_HZ
        self._to_uart += self._serial(from_uart) if from_uart else b""
        self._follow(said)

    def _follow(self, said: bytes) -> None:
        """The port comes and goes with the board, which leaves the bus when it begins anew."""
        if self._told["in_boot_loader"]:
            self._begin_boot_loader()
            return
        if self._told["resets"] != self._resets_seen:
            self._resets_seen = self._told["resets"]
            self._port.pull_out()
        if self._told["is_connected"] and not self._port.is_plugged_in:
            self._port.plug_in()
        self._port.send(said)


def _has_boot_stage(flash: bytearray) -> bool:
    """As the boot ROM checks it (RP2040 data sheet 2.8.1.3.1): 252 bytes, and their CRC-32."""
    stage = bytes(flash[:_BOOT_STAGE_BYTES])
    return _crc32_mpeg2(stage[:-4]) == int.from_bytes(stage[-4:], "little")


def _crc32_mpeg2(data: bytes) -> int:
    """CRC-32 of polynomial 04C11DB7, not reflected, from all ones and with nothing added at the end."""
    reflected = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
    return int(f"{binascii.crc32(reflected) ^ 0xFFFFFFFF:032b}"[::-1], 2)
