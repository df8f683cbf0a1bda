"""The emulated board: a MicroPython process in lock-step with the line, and the hardware that firmware cannot bend.

A block of samples goes to the firmware, and what the firmware made of it comes back; neither side runs ahead. Relay
and watchdog are hardware, so they live here: the relay falls to rest when the firmware ends, for whatever reason, and
the watchdog resets the firmware when it was not fed for 8.3 s of line time. A block whose answer does not come within
`hung_after_s` of real time finds the firmware hung: from then on only the watchdog can help, as on the board.
"""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from host_tools.exchange.pair import PairBlock
from host_tools.rig.firmware import BoardBlock, FirmwareFault
from host_tools.rig.flash import read_record
from host_tools.rig.micropython import ROOT, interpreter_command

WATCHDOG_SAMPLES = 8 * 8300
"""The RP2040's longest watchdog, 8.3 s, in samples."""

SERIAL_BYTES_PER_S = 115_200 // 10
"""A start bit, 8 data bits and a stop bit are a byte."""

_BEGINS_ANEW = 3
"""How firmware ends that has no fault: it tries its other slot, and the board begins as if it were switched on."""


@dataclass
class BoardSettings:
    """What the rig gives an emulated board.

    Attributes:
        flash: folder that survives power loss.
        prompts: folder with the prompt packs, one folder a language.
        wall_time: Unix seconds at power-on; 0 means that the board has no clock.
        seed: what the board's random bytes follow from.
        patience_ms: how long, in real time, the line stands still for the network.
        hung_after_s: real seconds after which firmware that does not answer is hung.
        program: the program that MicroPython starts.
        path: where its modules are.
        serial: what is at the other end of the board's serial port: called once a block, while the board runs, with
            what it has sent, also when that is nothing, it answers what goes to the board, as fast as the line takes
            it. None: the board has no serial port.
        network: whether the board has a network.
        name_server: the board's name server, an address, with a port behind a colon or without.
        slots: folder with its two firmware slots (boards/emulated/slots.py); None: the board has none.
    """

    flash: Path
    prompts: Path = ROOT / "firmware" / "prompts"
    wall_time: int = 1_795_000_000
    seed: int = 57
    patience_ms: int = 10_000
    hung_after_s: float = 30.0
    program: Path = ROOT / "firmware" / "main.py"
    path: Sequence[Path] = field(default_factory=lambda: [ROOT / "firmware", ROOT / "boards" / "emulated"])
    serial: Callable[[bytes], bytes] | None = None
    network: bool = True
    name_server: str | None = None
    slots: Path | None = None


class MicroPythonFirmware:
    """The firmware in a MicroPython process."""

    def __init__(self, settings: BoardSettings) -> None:
        self.settings = settings
        self.boots = 0
        self.relay_energised = False
        self._samples = 0
        self._unfed_samples = 0
        self._hung = False
        self._process: subprocess.Popen[bytes] | None = None
        self._to_board = -1
        self._from_board = -1
        self._serial_sent = b""
        self._serial_waiting = b""
        self._log: IO[bytes] = tempfile.TemporaryFile()
        self._logged = ""

    def start(self) -> None:
        """Powers the board on.

        Raises:
            FirmwareFault: the firmware did not come up.
        """
        self._boot("power_on")

    def exchange_block(self, block: PairBlock) -> BoardBlock:
        """Gives the firmware a block and answers what it did with it; restarts it where the hardware would."""
        self._samples += block.n
        self._unfed_samples += block.n
        if self._unfed_samples > WATCHDOG_SAMPLES:
            self._reset("watchdog")
        if self._hung or self._process is None:
            return BoardBlock(np.zeros(block.n, np.int16), self.relay_energised)
        answer = self._answer_to(block)
        self._pass_serial()
        if answer is None:
            return BoardBlock(np.zeros(block.n, np.int16), self.relay_energised)
        return answer

    def power_cut(self) -> None:
        """Takes the power away at once: the relay falls, the flash stays as it is."""
        self._end()

    def stop(self) -> None:
        """Ends the firmware."""
        self._end()
        self._logged = self.log
        self._log.close()

    def record(self, name: str) -> Any:
        """The newest whole payload of a record on its flash, parsed as JSON; None when there is none."""
        return read_record(self.settings.flash / name)

    @property
    def running(self) -> bool:
        """Whether a firmware process is up."""
        return self._process is not None

    @property
    def log(self) -> str:
        """What the firmware has logged since it was made."""
        if self._log.closed:
            return self._logged
        return os.pread(self._log.fileno(), 1 << 24, 0).decode(errors="replace")

    def _boot(self, reset_reason: str) -> None:
        self.boots += 1
        board_end_in, self._to_board = os.pipe()
        self._from_board, board_end_out = os.pipe()
        rig = {
            "from_rig": board_end_in,
            "to_rig": board_end_out,
            "flash": str(self.settings.flash),
            "prompts": str(self.settings.prompts),
            "reset_reason": reset_reason,
            "patience_ms": self.settings.patience_ms,
            "seed": self.settings.seed * 1_000_003 + self.boots,
            "serial": self.settings.serial is not None,
            "network": self.settings.network,
            "name_server": self.settings.name_server,
            "slots": str(self.settings.slots) if self.settings.slots else None,
            "wall_time": self.settings.wall_time and self.settings.wall_time + self._samples // 8000,
        }
        self._process = subprocess.Popen(
            [*interpreter_command(), "-X", "heapsize=4M", str(self.settings.program)],
            env={
                "MICROPYPATH": ":".join([*map(str, self.settings.path), ".frozen"]),
                "STAR57_RIG": json.dumps(rig),
            },
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[board_end_in, board_end_out],
        )
        os.close(board_end_in)
        os.close(board_end_out)
        self._unfed_samples = 0
        self._hung = False
        if self._read_answer() is None:
            raise FirmwareFault(f"the firmware did not start:\n{self.log}")

    def _reset(self, reason: str) -> None:
        self._end()
        self._boot(reason)

    def _end(self) -> None:
        self.relay_energised = False
        self._serial_sent = self._serial_waiting = b""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        os.close(self._to_board)
        os.close(self._from_board)
        self._process = None

    def _answer_to(self, block: PairBlock) -> BoardBlock | None:
        edges = b"".join(struct.pack("<HBB", *edge) for edge in block.edges)
        serial = self._serial_for(block.n)
        header = struct.pack("<HHHH", block.n, 0, len(block.edges), len(serial))
        samples = block.line_in.tobytes() + block.phone_in.tobytes()
        try:
            _write_all(self._to_board, header + samples + edges + serial)
        except BrokenPipeError:
            self._reset(self._end_reason())
            return None
        answer = self._read_answer()
        if answer is None and not self._hung:
            self._reset(self._end_reason())
        return answer

    def _end_reason(self) -> str:
        """Why firmware that has closed its pipes begins anew."""
        ended = self._process is not None and self._process.wait() == _BEGINS_ANEW
        return "power_on" if ended else "fault"

    def _read_answer(self) -> BoardBlock | None:
        """The firmware's answer; None when it has ended, or hangs (`_hung` tells which)."""
        header = self._read(6)
        if header is None:
            return None
        n, relay, fed, serial_bytes = struct.unpack("<HBBH", header)
        samples = self._read(2 * n)
        serial = self._read(serial_bytes)
        if samples is None or serial is None:
            return None
        self._serial_sent = serial
        if fed:
            self._unfed_samples = 0
        self.relay_energised = bool(relay)
        return BoardBlock(np.frombuffer(samples, np.int16), self.relay_energised)

    def _serial_for(self, samples: int) -> bytes:
        """What reaches the board's serial port while so many samples pass."""
        count = samples * SERIAL_BYTES_PER_S // 8000
        arriving, self._serial_waiting = self._serial_waiting[:count], self._serial_waiting[count:]
        return arriving

    def _pass_serial(self) -> None:
        sent, self._serial_sent = self._serial_sent, b""
        if self.settings.serial is not None:
            self._serial_waiting += self.settings.serial(sent)

    def _read(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            if not select.select([self._from_board], [], [], self.settings.hung_after_s)[0]:
                self._hung = True
                return None
            part = os.read(self._from_board, count - len(data))
            if not part:
                return None
            data += part
        return data


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
