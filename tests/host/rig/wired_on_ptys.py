"""The two wired emulated Picos at the ends of two pseudo terminals, as real ones are at USB ports."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Mapping
from types import TracebackType

import pytest

from host_tools.rig.chip_process import EmulatorMissing, emulator_command
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.wired_picos import LINE_EMULATOR_IMAGE, WiredPicos

_AT_ONCE_BYTES = 4096


def _reason_to_skip() -> str:
    """Why the two cannot be run here; empty when they can."""
    for image in (IMAGE, LINE_EMULATOR_IMAGE):
        if not image.exists():
            return f"no image has been built: make image BOARD={image.stem}"
    try:
        emulator_command()
    except EmulatorMissing as missing:
        return str(missing)
    return ""


needs_wired_picos = pytest.mark.skipif(bool(_reason_to_skip()), reason=_reason_to_skip() or "-")


class PtyPort:
    """A pseudo terminal: `name` is what a program opens."""

    def __init__(self) -> None:
        self._own, self._other = os.openpty()
        tty.setraw(self._other)
        self.name = os.ttyname(self._other)

    def received(self) -> bytes:
        """What a program has sent, without waiting."""
        ready = select.select([self._own], [], [], 0)[0]
        return os.read(self._own, _AT_ONCE_BYTES) if ready else b""

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._own, data) :]

    def close(self) -> None:
        os.close(self._own)
        os.close(self._other)


class WiredOnPtys:
    """Runs them, as fast as they go, in a thread of its own.

    Args:
        files: on the board's file system, by name.

    Attributes:
        board, line: their ports.
        fault: what ended the thread before its time.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.board = PtyPort()
        self.line = PtyPort()
        self.fault: Exception | None = None
        self._picos = WiredPicos(files, board_usb=True)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def resets(self) -> int:
        """Of the board."""
        return self._picos.resets

    def __enter__(self) -> WiredOnPtys:
        self._picos.power_on()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._picos.end()
        self.board.close()
        self.line.close()

    def _run(self) -> None:
        pairs = ((self.board, self._picos.board_console), (self.line, self._picos.line))
        try:
            while not self._ended.is_set():
                for port, console in pairs:
                    console.write(port.received())
                self._picos.step()
                for port, console in pairs:
                    port.send(console.take())
        except Exception as fault:  # noqa: BLE001 - told by the test, which waits in another thread
            self.fault = fault
