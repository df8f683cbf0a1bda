"""The serial carrier: frames over a UART or USB, each answer matched to its request by number."""

import asyncio
import json

from micropython import const

from star57.link import message
from star57.link.error import LinkError
from star57.link.frame import NUMBERS, FrameReceiver, build
from star57.link.message import MessageError
from star57.link.watched import Watched

# At 115200 baud 64 bytes take 5.6 ms, so parts of this size, with a pause between, keep up with the line; and a
# UART, which waits for the next byte while one is coming, holds up the audio path no longer than that.
_PART_BYTES = const(64)
_PAUSE_MS = const(5)
# While nothing comes: as long as a block of samples. 230 bytes may come meanwhile; the stream keeps them.
_IDLE_MS = const(20)


class _Exchange:
    """What was asked, and waits for a frame of kind `answer`."""

    def __init__(self, answer):
        self.answer = answer
        self.payload = None
        self.answered = asyncio.Event()


class SerialLink(Watched):
    """The host at the other end of `stream`; an exchange may take `timeout_ms` in all, sending included.

    `stream` has readinto(buffer) and write(buffer), which answer how many bytes they took, None or 0 when that is
    none, and do not wait. asyncio's own streams are no help here: its poller has one entry for both directions, and
    a writer that is cancelled takes the reader's wait with it.

    Frames are numbered from `first_number` on, 0 to NUMBERS - 1. After a restart it should be another one, or an
    answer that comes late may be taken for that to a new request. Nothing is heard unless run() runs.
    """

    def __init__(self, stream, timeout_ms=5000, first_number=0):
        super().__init__()
        self._stream = stream
        self.timeout_ms = timeout_ms
        self._number = first_number
        self._writing = asyncio.Lock()
        self._exchanges = {}
        self._frames = FrameReceiver(self)
        self._part = bytearray(_PART_BYTES)

    async def run(self):
        """Reads what comes, until cancelled."""
        while True:
            self._promise(_IDLE_MS)
            count = self._read()
            if count:
                self._frames.feed(self._part, count)
            await asyncio.sleep_ms(_PAUSE_MS if count else _IDLE_MS)

    async def post(self, body):
        """Sends a JSON `body` of at most 2048 bytes; answers the status and the body of the answer, at most 2048.

        Raises LinkError: "timeout" nothing came back, or damaged; "garbage" an answer without a status; "closed"
        the stream failed; "too_large" a `body` beyond 2048 bytes.
        """
        return _status_and_body(await self._exchange("request", body, "answer"))

    async def report(self, report):
        """Sends a health report, the dict of its fields; answers the host's Unix seconds, None when none came."""
        try:
            body = json.dumps(report, separators=(",", ":")).encode()
            return message.decode_time(await self._exchange("report", body, "time"))
        except (LinkError, MessageError):
            return None

    def frame(self, kind, number, payload):
        """A frame came. One that nobody waits for, late or a second time, is passed by."""
        exchange = self._exchanges.get(number)
        if exchange is not None and exchange.answer == kind and exchange.payload is None:
            exchange.payload = payload
            exchange.answered.set()

    async def _exchange(self, kind, body, answer):
        if len(body) > message.LONGEST_BYTES:
            raise LinkError("too_large")
        number = self._number
        self._number = (number + 1) % NUMBERS
        exchange = _Exchange(answer)
        self._exchanges[number] = exchange
        try:
            await asyncio.wait_for_ms(self._deliver(build(kind, number, body), exchange), self.timeout_ms)
        except asyncio.TimeoutError:
            raise LinkError("timeout") from None
        finally:
            del self._exchanges[number]
        return exchange.payload

    async def _deliver(self, frame, exchange):
        async with self._writing:
            await self._write(memoryview(frame))
        await exchange.answered.wait()

    async def _write(self, data):
        written = 0
        while written < len(data):
            # All at once if the stream has room: then no line of the log can come in between.
            try:
                written += self._stream.write(data[written:]) or 0
            except OSError:
                raise LinkError("closed") from None
            if written < len(data):
                await asyncio.sleep_ms(_PAUSE_MS)

    def _read(self):
        try:
            return self._stream.readinto(self._part)
        except OSError:
            return 0  # a cable that is pulled is silence, until it is plugged in again


def _status_and_body(payload):
    status, space, body = payload[:3], payload[3:4], payload[4:]
    if space != b" " or not status.isdigit() or not 100 <= int(status) <= 599:
        raise LinkError("garbage")
    return int(status), body
