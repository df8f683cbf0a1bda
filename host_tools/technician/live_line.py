"""What a board's line carries, live: the frames that firmware/star57/bench.py sends on USB, while the firmware goes on.

docs/protocol.md, "Serial carrier", has the frames; the console beside them is asked by typing.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import binascii
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.exchange.levels import RATE_HZ, Samples
from host_tools.gateway.frames import NUMBERS, PREFIX, Frame, FrameError, parse
from host_tools.gateway.serial_port import PortError, SerialPort, open_port
from host_tools.technician.faults import BoardGone
from host_tools.technician.ports import Port, Usb

BLOCK_SAMPLES = 160

MOST_EDGES_OF_A_REVERSAL = 3
"""The ring detector answers a reversal of polarity, or a click, with one pulse, two edges; a ring has dozens."""

_TAP_S = 30
# Of the line, which an emulated board's may be slower than ours; of ours, when nothing comes.
_ASKED_EACH_S = 2.0
_ASK = f"\rbench.tap({_TAP_S})\rbench.status()\r".encode()
_STOP = b"\rbench.tap(0)\r"
_LOOKED_FOR_EACH_S = 0.25
_LOOKED_AT_EACH_S = 0.05
# Three times asked: by then a board that has a bench has answered.
_SILENT_FOR_S = 6.5
_LONGEST_LINE_BYTES = 4096

_STATUS = re.compile(r"""(['"])\{.*\}\1""")
_TYPED = re.compile(r"^(>>> )*(bench\.(tap\(\d+\)|status\(\)))?$")
_NO_BENCH = re.compile(r"NameError.*bench")


@dataclass(frozen=True)
class Sound:
    """A block of what the line carries; `number` counts blocks, modulo 1000."""

    number: int
    samples: Samples


@dataclass(frozen=True)
class Happened:
    """Something happened on the line: `event` has its name in "event"; bench.py has the others."""

    event: dict[str, Any]


@dataclass(frozen=True)
class Status:
    """How the adapter is, by its own account; bench.py has the names."""

    values: dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A line of the adapter's log."""

    text: str


@dataclass(frozen=True)
class Plugged:
    """The port has been opened."""

    port: str


@dataclass(frozen=True)
class Unplugged:
    """The port cannot be opened, or is gone; it is looked for."""

    why: str


@dataclass(frozen=True)
class Unheard:
    """A board is there, and cannot be listened to."""

    why: str


Heard = Sound | Happened | Status | Said | Plugged | Unplugged | Unheard


class LineReader:
    """Finds what a board says in a stream of bytes.

    Attributes:
        damaged: lines that began as a frame and are none.
    """

    def __init__(self) -> None:
        self._rest = b""
        self.damaged = 0

    def feed(self, data: bytes) -> list[Heard]:
        """What `data` completes."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LONGEST_LINE_BYTES:]
        heard = (self._of_line(line.rstrip(b"\r")) for line in lines)
        return [one for one in heard if one is not None]

    def _of_line(self, line: bytes) -> Heard | None:
        if not line.startswith(PREFIX):
            return _of_text(line.decode(errors="replace").strip("\r"))
        try:
            return _of_frame(parse(line))
        except (FrameError, ValueError, binascii.Error):
            self.damaged += 1
            return None


def _of_frame(frame: Frame) -> Heard | None:
    if frame.kind == "s":
        samples = np.frombuffer(base64.b64decode(frame.payload, validate=True), "<i2").astype(np.int16)
        return Sound(frame.number, samples)
    if frame.kind == "v":
        event = json.loads(frame.payload)
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            raise FrameError("no event")
        return Happened(event)
    return None


def _of_text(text: str) -> Heard | None:
    text = text.rpartition("\r")[2]
    if _TYPED.match(text):
        return None
    if _NO_BENCH.search(text):
        return Unheard("its firmware has no bench, or does not run: star57 flash puts this one on")
    if _STATUS.fullmatch(text):
        with suppress(ValueError, SyntaxError):
            values = json.loads(ast.literal_eval(text))
            if isinstance(values, dict):
                return Status(values)
    return Said(text)


class Gaps:
    """Tells, from the numbers of the blocks, how many samples did not come before one."""

    def __init__(self) -> None:
        self._expected: int | None = None

    def before(self, sound: Sound) -> int:
        """How many samples are missing before this block."""
        missing = 0 if self._expected is None else (sound.number - self._expected) % NUMBERS
        self._expected = (sound.number + 1) % NUMBERS
        return missing * BLOCK_SAMPLES

    def begin_anew(self) -> None:
        """The board counts from somewhere else."""
        self._expected = None


def chosen_port(usb: Usb, name: str | None) -> Port:
    """The port of this name, or the one of the only board that is plugged in.

    Raises:
        BoardGone: there is none, or there are several and none was named.
    """
    ports = usb.ports()
    if name is not None:
        for port in ports:
            if name in (port.name, port.serial_number):
                return port
        if "/" in name and not Path(name).exists():
            raise BoardGone(f"there is no {name}: star57 boards lists what is plugged in")
        # A path need not be a USB device's; a serial number is waited for.
        return Port(name, "" if "/" in name else name, "", is_micropython=True)
    boards = [port for port in ports if port.is_micropython]
    if not boards:
        raise BoardGone("no board is plugged in: star57 boards lists those that are")
    if len(boards) > 1:
        names = ", ".join(port.name for port in boards)
        raise BoardGone(f"{len(boards)} boards are plugged in: name one of them with --port ({names})")
    return boards[0]


class LiveLine:
    """One board, listened to until cancelled; one that is unplugged is waited for, by its serial number.

    Args:
        usb: where it is plugged in.
        port: as `chosen_port` finds it.
        take: is told what is heard, in the event loop.
    """

    def __init__(self, usb: Usb, port: Port, take: Callable[[Heard], None]) -> None:
        self._usb = usb
        self._port = port
        self._take = take
        self._told_why = ""
        self._last_heard_at = 0.0
        self._samples_since_asked = 0
        self.damaged = 0

    async def run(self) -> None:
        """Listens until cancelled."""
        with ThreadPoolExecutor(1, thread_name_prefix="port") as executor:
            while True:
                name = self._name_now()
                if name is None:
                    self._is_away("unplugged")
                else:
                    try:
                        await self._listen(name, executor)
                    except PortError as fault:
                        self._is_away(str(fault))
                await asyncio.sleep(_LOOKED_FOR_EACH_S)

    def _name_now(self) -> str | None:
        """The port's name, which may be another one each time; None when it is not there."""
        if not self._port.serial_number:
            return self._port.name
        named = (port.name for port in self._usb.ports() if port.serial_number == self._port.serial_number)
        return next(named, None)

    def _is_away(self, why: str) -> None:
        if why != self._told_why:
            self._told_why = why
            self._take(Unplugged(why))

    async def _listen(self, name: str, executor: ThreadPoolExecutor) -> None:
        reader = LineReader()

        def received(data: bytes) -> None:
            for heard in reader.feed(data):
                if isinstance(heard, Sound | Happened | Status | Unheard):
                    self._last_heard_at = loop.time()
                if isinstance(heard, Sound):
                    self._samples_since_asked += len(heard.samples)
                self._take(heard)
            self.damaged = damaged_before + reader.damaged

        loop, damaged_before = asyncio.get_running_loop(), self.damaged
        async with await open_port(name, received, executor) as port:
            self._told_why = ""
            self._last_heard_at = loop.time()
            self._take(Plugged(name))
            asking = asyncio.create_task(self._ask(port))
            try:
                await port.wait_until_gone()
            finally:
                asking.cancel()
                port.send(_STOP)
        self._is_away("unplugged")

    async def _ask(self, port: SerialPort) -> None:
        """Asks again and again, so that a board that is left alone soon stops by itself."""
        loop = asyncio.get_running_loop()
        asked_at: float | None = None
        while True:
            if self._is_to_be_asked(loop.time(), asked_at):
                asked_at = loop.time()
                self._samples_since_asked = 0
                port.send(_ASK)
            if loop.time() - self._last_heard_at > _SILENT_FOR_S:
                self._last_heard_at = loop.time()
                self._take(Unheard("nothing answers behind this port: is it a board of this firmware?"))
            await asyncio.sleep(_LOOKED_AT_EACH_S)

    def _is_to_be_asked(self, now: float, asked_at: float | None) -> bool:
        if asked_at is None or self._samples_since_asked >= _ASKED_EACH_S * RATE_HZ:
            return True
        return now - max(asked_at, self._last_heard_at) >= _ASKED_EACH_S
