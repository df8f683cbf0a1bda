"""`star57 monitor` in a terminal: the real command on a pty, read by a terminal emulator, as it is seen by SSH."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from host_tools.rig.micropython import ROOT
from host_tools.technician.ports import USB_FOLDER
from tests.host.technician.calls_on_line import united_states
from tests.host.technician.live_board import LiveBoard, event_frame, frames_of

COLUMNS, LINES = 100, 32
WITHIN_S = 60.0
COMMAND = [sys.executable, "-c", "from host_tools.cli.main import app; app()", "monitor"]


class Terminal:
    """The command in a terminal of 100 columns and 32 lines."""

    def __init__(self, *options: str, usb: Path) -> None:
        self._own, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = {**os.environ, USB_FOLDER: str(usb), "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [*COMMAND, *options], cwd=ROOT, env=environment, stdin=other, stdout=other, stderr=other
        )
        os.close(other)
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self._screen.display)

    def type(self, keys: str) -> None:
        """Types on its keyboard."""
        os.write(self._own, keys.encode())

    def wait_for(self, holds: Callable[[str], bool]) -> str:
        """Reads on until the screen shows what is waited for; answers the screen."""
        end_s = time.monotonic() + WITHIN_S
        while not holds(self.text) and time.monotonic() < end_s:
            self._read()
        return self.text

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        end_s = time.monotonic() + WITHIN_S
        while self.process.poll() is None and time.monotonic() < end_s:
            self._read()
        return self.process.wait(1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._own)

    def _read(self) -> None:
        if not select.select([self._own], [], [], 0.1)[0]:
            return
        try:
            self._stream.feed(os.read(self._own, 65_536))
        except OSError:
            return  # the command has ended


@pytest.fixture
def board(tmp_path: Path) -> Iterator[LiveBoard]:
    calls = [event_frame({"event": "line", "state": "ringing"}), event_frame({"event": "off_hook"})]
    with LiveBoard(tmp_path, calls + frames_of(united_states().samples[:16_000])) as live_board:
        yield live_board


def test_it_shows_the_line_and_quits(tmp_path: Path, board: LiveBoard) -> None:
    terminal = Terminal("--folder", str(tmp_path), usb=tmp_path)
    try:
        screen = terminal.wait_for(lambda text: "A-7" in text and "dBm0" in text and "is lifted" in text)
        for words in ("line 5555550100", "healthy", "Spectrum, 0 to 4000 Hz", "the receiver is lifted"):
            assert words in screen
        board.unplug()
        assert "NO BOARD" in terminal.wait_for(lambda text: "NO BOARD" in text)
        terminal.type("q")
        assert terminal.ended() == 0
    finally:
        terminal.close()
