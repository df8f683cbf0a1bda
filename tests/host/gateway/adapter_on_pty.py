"""An adapter at a serial port that is one end of a pseudo terminal: it can be plugged in and out, and asks."""

from __future__ import annotations

import asyncio
import os
import tty
from contextlib import suppress
from pathlib import Path

from host_tools.gateway.frames import Frame, FrameReader, build

_PART_BYTES = 512
_REPEAT_AFTER_S = 0.3
_GIVE_UP_AFTER_S = 15.0


class AdapterOnPty:
    """Its port is the path `port`, a link, as udev makes them; the device behind it is another each time.

    Attributes:
        received: all that the gateway has sent.
    """

    def __init__(self, port: Path) -> None:
        self.port = port
        self.received = b""
        self._own: int | None = None
        self._other: int | None = None
        self._number = 998
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()

    @property
    def device(self) -> str:
        """The path of the device, while it is plugged in."""
        assert self._other is not None
        return os.ttyname(self._other)

    def plug_in(self) -> None:
        """The port appears."""
        self._own, self._other = os.openpty()
        tty.setraw(self._other)
        os.set_blocking(self._own, False)
        self.port.symlink_to(self.device)
        reader = FrameReader()
        asyncio.get_running_loop().add_reader(self._own, self._read, reader)

    def unplug(self) -> None:
        """The port is gone, and whoever has it open is told so."""
        if self._own is None or self._other is None:
            return
        self.port.unlink()
        asyncio.get_running_loop().remove_reader(self._own)
        os.close(self._own)
        os.close(self._other)
        self._own = self._other = None

    def send(self, data: bytes) -> None:
        """Sends as much of it as the port takes."""
        assert self._own is not None
        os.write(self._own, data)

    def stop_reading(self) -> None:
        """From now on the adapter takes nothing."""
        assert self._own is not None
        asyncio.get_running_loop().remove_reader(self._own)

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to `body`. Raises TimeoutError when none comes."""
        async with asyncio.timeout(_GIVE_UP_AFTER_S):
            await self.put(body)
            answer, total = await self._part_of_answer(0)
            while len(answer) < total:
                answer += (await self._part_of_answer(len(answer)))[0]
        status, _, rest = answer.partition(b" ")
        return int(status), rest

    async def put(self, body: bytes) -> None:
        """Sends the question, and comes back when the gateway has all of it. Raises TimeoutError when it never has."""
        self._number = (self._number + 1) % 1000
        offset = 0
        async with asyncio.timeout(_GIVE_UP_AFTER_S):
            while offset < len(body):
                part = body[offset : offset + _PART_BYTES]
                reply = await self._reply("q", b"%d %d %s" % (offset, len(body), part), "gw")
                offset = len(body) if reply.kind == "w" else int(reply.payload)

    async def _part_of_answer(self, offset: int) -> tuple[bytes, int]:
        """The part from `offset` on, and how long the answer is."""
        while True:
            reply = await self._reply("m", b"%d %d" % (offset, _PART_BYTES), "a")
            start, total, part = reply.payload.split(b" ", 2)
            if int(start) == offset:
                return part, int(total)

    async def _reply(self, kind: str, payload: bytes, kinds: str) -> Frame:
        """The next frame of one of these kinds; the question for it is repeated."""
        while True:
            if self._own is not None:
                self.send(build(Frame(kind, self._number, payload)))
            with suppress(TimeoutError):
                async with asyncio.timeout(_REPEAT_AFTER_S):
                    return await self._next(kinds)

    async def _next(self, kinds: str) -> Frame:
        while True:
            frame = await self._frames.get()
            if frame.number == self._number and frame.kind in kinds:
                return frame

    def _read(self, reader: FrameReader) -> None:
        assert self._own is not None
        try:
            data = os.read(self._own, 4096)
        except OSError:  # nobody has the port open
            return
        self.received += data
        for frame in reader.feed(data):
            self._frames.put_nowait(frame)
