"""The serial carrier: a question and its answer in parts, over a UART or USB, each part repeated until it arrives."""

import asyncio
from asyncio import core

from micropython import const

from star57.link.error import LinkError
from star57.link.frame import NUMBERS, FrameReceiver, build
from star57.link.watched import Watched

LONGEST_BODY_BYTES = const(3000)
# Three digits of status and a space.
_STATUS_BYTES = const(4)

# At 115200 baud 64 bytes take 5.6 ms, so pieces of this size, with a pause between, keep up with the line; and a
# UART, which waits for the next byte while one is coming, holds up the audio path no longer than that.
_PIECE_BYTES = const(64)
_PAUSE_MS = const(5)
# While nobody asks: as long as a block of samples. 230 bytes may come meanwhile; the stream keeps them.
_IDLE_MS = const(20)

_LONGEST_PART_BYTES = const(512)
_SHORTEST_PART_BYTES = const(16)
# What lies around a part, and a frame without one.
_FRAME_BYTES = const(35)
_BYTES_PER_MS = const(11)
# How long an answer may take beyond what the line takes for it: a USB adapter holds bytes for 16 ms, a busy host more.
_REPEAT_MS = const(100)
# So often nothing may be heard before the time doubles, twice: a host with too much to do gets less of it.
_PATIENT_TRIES = const(8)
_STUCK_MS = const(5000)
# The host may work on an answer for so long, and for the time in which nothing needs to move behind it.
_WORKED_ON_MS = const(5000)
_TIMEOUT_MS = const(60_000)
# A frame that nobody waits for: a stream that takes nothing has nobody at its other end.
_TELL_MS = const(1000)


class _Question:
    """What is asked, how far it has got, and what has come of its answer."""

    def __init__(self, number, body):
        self.number = number
        self._body = body
        self._sent = 0
        self._got = 0
        self._whole_at = None
        self._answer = None
        self._answer_got = 0
        self._moved_at = core.ticks()
        self._news = asyncio.Event()
        self.is_worked_on = False

    @property
    def moved_bytes(self):
        """How many bytes have arrived, of question and answer."""
        return self._got + self._answer_got

    @property
    def answer(self):
        """The whole answer; None before it is whole."""
        return self._answer if self._answer and self._answer_got == len(self._answer) else None

    def stuck_in_ms(self):
        """After how long the question is given up, when nothing moves until then."""
        return _STUCK_MS - core.ticks_diff(core.ticks(), self._moved_at)

    def next_frame(self, part_bytes):
        """The frame that is to be sent now, of a part of the question or for a part of the answer."""
        self._news.clear()  # what has come until now is known here
        if self._got == len(self._body):
            return build("m", self.number, b"%d %d" % (self._answer_got, part_bytes))
        end = min(self._got + part_bytes, len(self._body))
        self._sent = max(self._sent, end)
        part = self._body[self._got : end]
        return build("q", self.number, b"%d %d %s" % (self._got, len(self._body), part))

    async def heard_within(self, wait_ms):
        """Whether anything new comes from the host in this time."""
        try:
            await asyncio.wait_for_ms(self._news.wait(), max(0, wait_ms))
        except asyncio.TimeoutError:
            return False
        self._news.clear()
        return True

    def frame(self, kind, payload):
        """A frame came. What is not new, late or a second time, is passed by."""
        if kind == "g":
            self._got_question(_count(payload))
        elif kind == "w" and not payload:
            self._waits()
        elif kind == "a":
            self._got_answer(payload)
        elif kind == "x" and not payload:
            self._begin_anew()

    def _got_question(self, received):
        if received is not None and self._got < received <= self._sent:
            self._got = received
            self._moved()

    def _waits(self):
        if self._sent < len(self._body) or self._answer is not None:
            return
        self._got = len(self._body)
        if self._whole_at is None:
            self._whole_at = core.ticks()
        self.is_worked_on = True
        if core.ticks_diff(core.ticks(), self._whole_at) < _WORKED_ON_MS:
            self._moved_at = core.ticks()
        self._news.set()

    def _got_answer(self, payload):
        offset, total, part = _part(payload)
        if offset != self._answer_got or self._sent < len(self._body):
            return
        if self._answer is None:
            self._answer = bytearray(total)
        elif total != len(self._answer):
            return
        self._got = len(self._body)
        self._answer[offset : offset + len(part)] = part
        self._answer_got += len(part)
        self._moved()

    def _begin_anew(self):
        if self.moved_bytes:
            self._sent = self._got = self._answer_got = 0
            self._whole_at = self._answer = None
            self.is_worked_on = False
            self._news.set()

    def _moved(self):
        self._moved_at = core.ticks()
        self.is_worked_on = False
        self._news.set()


class SerialLink(Watched):
    """The host at the other end of `stream`; a question may take `timeout_ms` in all.

    `stream` has readinto(buffer) and write(buffer), which answer how many bytes they took, None or 0 when that is
    none, and do not wait. asyncio's own streams are no help here: its poller has one entry for both directions, and
    a writer that is cancelled takes the reader's wait with it.

    Questions are numbered from `first_number` on, 0 to NUMBERS - 1. After a restart it should be another one, or an
    answer that comes late may be taken for that to a new question. Nothing is heard unless run() runs.
    `pressed` is called with the payload of each frame of kind `t`; None: nobody wants to know.
    """

    name = "serial"
    timeout_ms = _TIMEOUT_MS

    def __init__(self, stream, first_number=0):
        super().__init__()
        self._stream = stream
        self._number = first_number
        self._asking = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._question = None
        self.pressed = None
        self._part_bytes = _LONGEST_PART_BYTES
        self._frames = FrameReceiver(self)
        self._piece = bytearray(_PIECE_BYTES)

    async def run(self):
        """Reads what comes, until cancelled."""
        while True:
            self._promise(_IDLE_MS)
            count = self._read()
            if count:
                self._frames.feed(self._piece, count)
            await asyncio.sleep_ms(_PAUSE_MS if count or self._question else _IDLE_MS)

    async def post(self, body):
        """Asks `body`, 1 to 3000 bytes of printable ASCII; answers the status and the body of the answer.

        One question is asked at a time; others wait for their turn. Raises LinkError: "timeout" the answer did not
        come whole; "garbage" an answer without a status; "closed" the stream failed; "too_large" a `body` beyond
        3000 bytes.
        """
        if len(body) > LONGEST_BODY_BYTES:
            raise LinkError("too_large")
        async with self._asking:
            self._question = _Question(self._number, body)
            self._number = (self._number + 1) % NUMBERS
            try:
                return _status_and_body(await self._ask(self._question))
            finally:
                self._question = None

    async def tell(self, kind, number, payload):
        """Sends a frame that is no part of a question, and that nobody answers, between those that are.

        Raises LinkError: "timeout" the stream did not take it within 1 s; "closed" the stream failed.
        """
        until = core.ticks_add(core.ticks(), _TELL_MS)
        await self._write(build(kind, number, payload), lambda: core.ticks_diff(until, core.ticks()))

    def distrust(self):
        """What came last was no answer of the service's; which service it asks is the gateway's to say."""

    def frame(self, kind, number, payload):
        """A frame came. One that is no press, and belongs to no question that is asked now, is passed by."""
        if kind == "t":
            if self.pressed is not None:
                self.pressed(payload)
        elif self._question is not None and number == self._question.number:
            self._question.frame(kind, payload)

    async def _ask(self, question):
        """Sends, and repeats what was not answered, until the answer is whole; answers that."""
        until = core.ticks_add(core.ticks(), self.timeout_ms)
        silent_tries = 0
        while question.answer is None:
            moved_bytes = question.moved_bytes
            await self._write(question.next_frame(self._part_bytes), lambda: _time_left_ms(question, until))
            # The part, there or back, and what goes the other way, take their time on the line.
            line_ms = (self._part_bytes + 2 * _FRAME_BYTES) // _BYTES_PER_MS
            wait_ms = line_ms + (_REPEAT_MS << min(2, silent_tries // _PATIENT_TRIES))
            is_heard = await question.heard_within(min(wait_ms, _time_left_ms(question, until)))
            if question.is_worked_on:
                # The first part of the answer comes by itself.
                await question.heard_within(min(wait_ms, _time_left_ms(question, until)))
            silent_tries = 0 if is_heard else silent_tries + 1
            if question.moved_bytes > moved_bytes:
                self._part_bytes = min(2 * self._part_bytes, _LONGEST_PART_BYTES)
            elif not is_heard:
                self._part_bytes = max(self._part_bytes // 2, _SHORTEST_PART_BYTES)
        return question.answer

    async def _write(self, frame, time_left_ms):
        data = memoryview(frame)
        written = 0
        async with self._writing:
            while written < len(data):
                if time_left_ms() <= 0:
                    raise LinkError("timeout")
                # All at once if the stream has room: then no line of the log can come in between.
                try:
                    written += self._stream.write(data[written:]) or 0
                except OSError:
                    raise LinkError("closed") from None
                if written < len(data):
                    await asyncio.sleep_ms(_PAUSE_MS)

    def _read(self):
        try:
            return self._stream.readinto(self._piece)
        except OSError:
            return 0  # a cable that is pulled is silence, until it is plugged in again


def _time_left_ms(question, until):
    return min(question.stuck_in_ms(), core.ticks_diff(until, core.ticks()))


def _count(word):
    """The number in `word`, without leading zeros; None when it is none."""
    if not word.isdigit() or len(word) > 4 or (word[:1] == b"0" and len(word) > 1):
        return None
    return int(word)


def _part(payload):
    """Offset, total and bytes of a part of an answer; an offset of None when it is none."""
    words = payload.split(b" ", 2)
    if len(words) != 3:
        return None, 0, b""
    offset, total, part = _count(words[0]), _count(words[1]), words[2]
    if offset is None or total is None or not 1 <= len(part) <= _LONGEST_PART_BYTES:
        return None, 0, b""
    if not offset + len(part) <= total <= _STATUS_BYTES + LONGEST_BODY_BYTES:
        return None, 0, b""
    return offset, total, part


def _status_and_body(answer):
    status, space = answer[:3], answer[3:_STATUS_BYTES]
    if space != b" " or not status.isdigit() or not 100 <= int(status) <= 599:
        raise LinkError("garbage")
    return int(status), bytes(memoryview(answer)[_STATUS_BYTES:])
