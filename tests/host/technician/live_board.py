"""A stand-in for a board that is listened to: a pty on which frames come as firmware/star57/bench.py sends them."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

from host_tools.exchange.levels import Samples
from host_tools.gateway.frames import NUMBERS, Frame, build
from host_tools.rig.usb_port import UsbPort
from host_tools.technician.live_line import BLOCK_SAMPLES

SERIAL_NUMBER = "E6614103E7452D2F"
STATUS = {
    "adapter_id": "A-7",
    "line": "5555550100",
    "country": "US",
    "board": "pico",
    "version": "0.7.0",
    "slot": "a",
    "uptime_s": 4711,
    "state": "idle",
    "relay": False,
    "loop_closed": False,
    "healthy": True,
    "reasons": [],
    "call": None,
    "decoded": None,
}


def sound_frame(number: int, samples: Samples) -> bytes:
    """A block of what the line carries."""
    return build(Frame("s", number % NUMBERS, base64.b64encode(samples.astype("<i2").tobytes())))


def event_frame(event: dict[str, Any], number: int = 0) -> bytes:
    """Something that happened."""
    return build(Frame("v", number % NUMBERS, json.dumps(event, separators=(",", ":")).encode()))


def frames_of(samples: Samples, first: int = 0) -> list[bytes]:
    """A whole recording, block by block."""
    return [
        sound_frame(first + place, samples[at : at + BLOCK_SAMPLES])
        for place, at in enumerate(range(0, len(samples) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES))
    ]


class LiveBoard:
    """A board on a pty; a context manager. It sends what it is given once it is asked to, and again when plugged in.

    Attributes:
        typed: what has been typed on its console.
    """

    def __init__(self, folder: Path, script: list[bytes]) -> None:
        self._port = UsbPort(folder, SERIAL_NUMBER)
        self.name = self._port.name
        self.typed = b""
        self._script = script
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._sent = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> LiveBoard:
        self._port.plug_in()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._port.pull_out()

    def unplug(self) -> None:
        """The cable is pulled."""
        with self._lock:
            self._port.pull_out()

    def plug_in(self, script: list[bytes]) -> None:
        """It is plugged in again, and has this to say."""
        with self._lock:
            self._script, self._sent = script, 0
            self.typed = b""
            self._port.plug_in()

    def _run(self) -> None:
        while not self._ended.wait(0.002):
            with self._lock:
                self._step()

    def _step(self) -> None:
        typed = self._port.received()
        self.typed += typed
        for line in typed.split(b"\r"):
            if line == b"bench.status()":
                answer = f"{line.decode()}\r\n{json.dumps(STATUS)!r}\r\n"
                self._port.send(answer.encode())
        if b"bench.tap(" in self.typed and self._sent < len(self._script):
            self._port.send(self._script[self._sent])
            self._sent += 1
