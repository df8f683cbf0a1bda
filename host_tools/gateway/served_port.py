"""One serial port: kept open whatever happens to its device, its adapter's questions forwarded and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from host_tools.gateway.forward import Forward
from host_tools.gateway.frames import Frame, build
from host_tools.gateway.messages import UNAVAILABLE
from host_tools.gateway.questions import AdapterEnd, Question
from host_tools.gateway.serial_port import PortError, SerialPort, open_port

Noticed = Callable[[str, bytes], None]
"""Is given a port's name and the payload of a notice that its adapter has sent (docs/protocol.md)."""

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True)
class PortState:
    """How a port is, and what came over it since the gateway started.

    Attributes:
        connected: whether it is open.
        questions: that arrived whole.
        answered, unavailable: of these, those that the service answered, and those that it did not.
        damaged_frames: lines that began as a frame and were none.
        reconnects: how often it was opened again.
        fault: why it cannot be opened; empty when it can, or is not there.
    """

    connected: bool = False
    questions: int = 0
    answered: int = 0
    unavailable: int = 0
    damaged_frames: int = 0
    reconnects: int = 0
    fault: str = ""

    def __str__(self) -> str:
        """In one line of `name=value`."""
        counts = (
            f"connected={'yes' if self.connected else 'no'} questions={self.questions} answered={self.answered} "
            f"unavailable={self.unavailable} damaged_frames={self.damaged_frames} reconnects={self.reconnects}"
        )
        return f"{counts} fault={self.fault!r}" if self.fault else counts


class ServedPort:
    """It holds one question, one answer, and some frames that are not sent yet; `run` it as a task.

    Args:
        name: for the log.
        forward: takes a question to the service; raises nothing.
        executor: where opening and closing may wait.
        noticed: None when nobody wants to know.
    """

    def __init__(
        self, name: str, forward: Forward, executor: Executor, noticed: Noticed | None = None
    ) -> None:
        self.name = name
        self._forward = forward
        self._executor = executor
        self._noticed = noticed
        self._path = ""
        self._is_there = asyncio.Event()
        self._heard = asyncio.Event()
        self._end = AdapterEnd()
        self._port: SerialPort | None = None
        self._opened = 0
        self._answered = 0
        self._unavailable = 0
        self._fault = ""

    @property
    def state(self) -> PortState:
        """How it is now."""
        return PortState(
            connected=self._port is not None,
            questions=self._end.questions,
            answered=self._answered,
            unavailable=self._unavailable,
            damaged_frames=self._end.damaged_frames,
            reconnects=max(0, self._opened - 1),
            fault=self._fault,
        )

    def found_at(self, path: str | None) -> None:
        """Tells where the port is now; None: nowhere."""
        if path is None:
            self._is_there.clear()
            self._fault = ""
        else:
            self._path = path
            self._is_there.set()

    def press(self, payload: bytes) -> None:
        """Sends a press of the trace button, at most 528 printable bytes; to nobody when the port is not open."""
        self._send(build(Frame("t", 0, payload)))

    async def run(self) -> None:
        """Serves the port until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected())
            tasks.create_task(self._forward_questions())

    async def _stay_connected(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            if not self._is_there.is_set():
                await self._is_there.wait()
                pause_s = _FIRST_PAUSE_S
            if await self._connect(self._path) > _LONGEST_PAUSE_S:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _connect(self, path: str) -> float:
        """Comes back when the port is gone, or cannot be opened; answers for how many seconds it was open."""
        try:
            port = await open_port(path, self._received, self._executor)
        except PortError as error:
            self._fault = str(error)
            return 0.0
        self._fault = ""
        self._opened += 1
        opened_at_s = asyncio.get_running_loop().time()
        async with port:
            self._port = port
            try:
                await port.wait_until_gone()
            finally:
                self._port = None
        return asyncio.get_running_loop().time() - opened_at_s

    def _received(self, data: bytes) -> None:
        self._send(self._end.receive(data))
        self._heard.set()
        for payload in self._end.take_notices():
            if self._noticed is not None:
                self._noticed(self.name, payload)

    def _send(self, data: bytes) -> None:
        if data and self._port is not None:
            self._port.send(data)

    async def _forward_questions(self) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            while (question := self._end.take_question()) is not None:
                await self._answer(question)

    async def _answer(self, question: Question) -> None:
        status, body = await self._forward(question.body)
        if (status, body) == UNAVAILABLE:
            self._unavailable += 1
        else:
            self._answered += 1
        self._send(self._end.answered(question.number, status, body))
