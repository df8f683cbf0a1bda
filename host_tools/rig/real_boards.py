"""A board under test and a line emulator on a table: real ones, each at a USB port of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import serial

from host_tools.rig.firmware import FirmwareFault

# What is on the board's flash, a file a line: binary, which mpremote's `fs cat` does not leave as it is.
READ_FILES = """
import os
for name, kind, *_ in os.ilistdir("/"):
    if kind == 0x8000:
        with open("/" + name, "rb") as file:
            print(name, file.read().hex())
"""
FORGET = """
import os
for name in os.listdir("/"):
    if name.endswith((".a", ".b")):
        os.remove("/" + name)
"""

_ANSWERS_WITHIN_S = 2.0
_COMES_BACK_WITHIN_S = 10.0
_TRY_AGAIN_S = 0.1
_TAKES_AT_MOST_S = 60.0
_IS_QUIET_AFTER_S = 0.3
# mpremote's reset comes 100 ms after it has said so, and then the port goes away.
_RESET_TAKES_S = 1.0
# Ends a session of the line emulator that was left in the middle: its longest frame, and a block of no samples.
_LONGEST_FRAME_BYTES = 8 + 2 * 2 * 160 + 4 * 64
_END_OF_ANY_SESSION = bytes(_LONGEST_FRAME_BYTES + 8) + b"\n"


class CannotBeDone(Exception):
    """What a story asks for cannot be done with real boards; the text says what."""


class SerialPort:
    """One end of a serial connection, as BoardOnLine's Port.

    Args:
        name: of the port; it may come back only in some seconds, as one does whose board is reset.

    Raises:
        FirmwareFault: it cannot be opened.
    """

    def __init__(self, name: str) -> None:
        self._serial = _opened(name)

    def write(self, data: bytes) -> None:
        """Sends all of it. Raises FirmwareFault when nobody takes it."""
        try:
            self._serial.write(data)
        except serial.SerialException as fault:
            raise FirmwareFault(f"nothing can be sent: {fault}") from fault

    def read(self, count: int) -> bytes:
        """Waits for exactly `count` bytes. Raises FirmwareFault when they do not come."""
        data = self._received(count)
        if len(data) < count:
            raise FirmwareFault(
                f"of {count} bytes {len(data)} came in {_ANSWERS_WITHIN_S:g} s: {data[:200]!r}"
            )
        return data

    def take(self) -> bytes:
        """What has come, without waiting."""
        return self._received(None)

    def close(self) -> None:
        """Gives the port back."""
        self._serial.close()

    def _received(self, count: int | None) -> bytes:
        try:
            return bytes(self._serial.read(self._serial.in_waiting if count is None else count))
        except (serial.SerialException, OSError) as fault:
            raise FirmwareFault(f"the port is gone: {fault}") from fault


class RealBoards:
    """The two. What is on the board's flash is read when the story has ended, for that stops the firmware.

    Args:
        board_port: the name of the board's USB port. The board's link is there, too.
        line_port: that of the line emulator.
        settings: for the board's settings.json.

    Raises:
        FirmwareFault: there is nothing at the line emulator's port.
    """

    def __init__(self, board_port: str, line_port: str, settings: Mapping[str, object]) -> None:
        self._board_port = board_port
        self._settings = settings
        self._files: dict[str, bytes] | None = None
        self._board: SerialPort | None = None
        self.line = SerialPort(line_port)

    @property
    def board(self) -> SerialPort:
        """The board's end of its link. Raises FirmwareFault before it is switched on."""
        if self._board is None:
            raise FirmwareFault("the board has not been started")
        return self._board

    def power_on(self) -> None:
        """Gives the board its settings and no memory of earlier calls, starts it anew, and brings the line to rest."""
        with tempfile.TemporaryDirectory(prefix="star57-") as folder:
            settings = Path(folder) / "settings.json"
            settings.write_text(json.dumps(self._settings))
            self._mpremote("exec", FORGET, "+", "fs", "cp", str(settings), ":settings.json", "+", "reset")
        time.sleep(_RESET_TAKES_S)
        self._board = SerialPort(self._board_port)
        self.line.write(_END_OF_ANY_SESSION)
        time.sleep(_IS_QUIET_AFTER_S)
        while self.line.take():
            time.sleep(_IS_QUIET_AFTER_S)

    def power_cut(self) -> None:
        """Raises CannotBeDone: the power comes by the cable."""
        raise CannotBeDone("the power of a real board cannot be cut from here")

    def file(self, name: str) -> bytes | None:
        """What was in a file on the board's flash at the end; None when there was none.

        Raises:
            CannotBeDone: the firmware is still running.
        """
        if self._files is None:
            raise CannotBeDone("the files of a real board cannot be read while it runs")
        return self._files.get(name)

    def end(self) -> None:
        """Reads the board's files, and starts it anew: the phone is on the exchange."""
        if self._files is not None:
            return
        self._files = {}
        self.line.close()
        if self._board is None:
            return
        self._board.close()
        listing = self._mpremote("exec", READ_FILES, "+", "reset")
        for line in listing.splitlines():
            name, _, data = line.partition(" ")
            self._files[name] = bytes.fromhex(data)

    def _mpremote(self, *commands: str) -> str:
        """Runs them on the board, whose program is interrupted; answers what they print."""
        command = [sys.executable, "-m", "mpremote", "connect", self._board_port, *commands]
        try:
            finished = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=_TAKES_AT_MOST_S
            )
        except subprocess.CalledProcessError as fault:
            raise FirmwareFault(f"mpremote: {(fault.stderr or fault.stdout).strip()}") from fault
        except subprocess.TimeoutExpired as fault:
            raise FirmwareFault(f"the board's prompt did not come within {fault.timeout:g} s") from fault
        return finished.stdout


def _opened(name: str) -> serial.Serial:
    end_s = time.monotonic() + _COMES_BACK_WITHIN_S
    while True:
        try:
            return serial.Serial(name, timeout=_ANSWERS_WITHIN_S, write_timeout=_ANSWERS_WITHIN_S)
        except serial.SerialException as fault:
            if time.monotonic() > end_s:
                raise FirmwareFault(f"{name} cannot be opened: {fault}") from fault
            time.sleep(_TRY_AGAIN_S)
