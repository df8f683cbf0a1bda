"""The host's end of the serial carrier (`docs/protocol.md`): questions come in parts, and answers go in parts."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from host_tools.gateway.frames import Frame, FrameReader, build
from host_tools.gateway.messages import MAX_BODY_BYTES, UNAVAILABLE

MAX_PART_BYTES = 512
MAX_NOTICES = 16

_COUNT = rb"(0|[1-9][0-9]{0,3})"
_PART = re.compile(_COUNT + b" " + _COUNT + rb" ([ -~]{1,%d})" % MAX_PART_BYTES)
_MORE = re.compile(_COUNT + b" " + _COUNT)
_PRINTABLE = re.compile(rb"[ -~]*")


@dataclass(frozen=True)
class Question:
    """A question that is whole: `number` 0 to 999, and the `body` that is to be posted, 1 to 3000 bytes."""

    number: int
    body: bytes


@dataclass
class _Kept:
    """The one question that is kept, and its answer.

    Attributes:
        body: what is there of it, without a hole, of `total` bytes.
        part_bytes: the longest part of it that came.
        is_taken: the whole question was given out.
        answer: status, space and body; empty before it is there.
    """

    number: int
    total: int
    body: bytearray = field(default_factory=bytearray)
    part_bytes: int = 0
    is_taken: bool = False
    answer: bytes = b""

    @property
    def is_whole(self) -> bool:
        return len(self.body) == self.total


class AdapterEnd:
    """Speaks with one adapter; no I/O and no clock. It keeps one question, its answer, and an unfinished line.

    `questions` counts those that were whole and taken. Of notices that nobody takes, the newest are kept.
    """

    def __init__(self) -> None:
        self._reader = FrameReader()
        self._kept: _Kept | None = None
        self._notices: deque[bytes] = deque(maxlen=MAX_NOTICES)
        self.questions = 0

    @property
    def damaged_frames(self) -> int:
        """How many lines began as a frame and were none."""
        return self._reader.damaged

    def receive(self, data: bytes) -> bytes:
        """Takes what came from the adapter, in any pieces; answers what to send to it."""
        return b"".join(self._reply(frame) for frame in self._reader.feed(data))

    def take_question(self) -> Question | None:
        """The question that is kept, when it is whole and was not taken before."""
        kept = self._kept
        if kept is None or not kept.is_whole or kept.is_taken:
            return None
        kept.is_taken = True
        self.questions += 1
        return Question(kept.number, bytes(kept.body))

    def take_notices(self) -> list[bytes]:
        """The payloads of the notices that have come and were not taken before, the oldest first."""
        notices = list(self._notices)
        self._notices.clear()
        return notices

    def answered(self, number: int, status: int, body: bytes) -> bytes:
        """The question that was taken under `number` is answered; answers what to send: the first part.

        Nothing is sent, and nothing changes, when that question is no longer kept, or has its answer. What no frame
        can carry, or no adapter would take, becomes `unavailable`.
        """
        kept = self._kept
        if kept is None or kept.number != number or not kept.is_taken or kept.answer:
            return b""
        if not 100 <= status <= 599 or len(body) > MAX_BODY_BYTES or not _PRINTABLE.fullmatch(body):
            status, body = UNAVAILABLE
        kept.answer = b"%d %s" % (status, body)
        return _part_of_answer(kept, 0, kept.part_bytes)

    def _reply(self, frame: Frame) -> bytes:
        if frame.kind == "q":
            return self._take_part(frame)
        if frame.kind == "m":
            return self._give_part(frame)
        if frame.kind == "e":
            self._notices.append(frame.payload)
        return b""

    def _take_part(self, frame: Frame) -> bytes:
        found = _PART.fullmatch(frame.payload)
        if found is None:
            return b""
        offset, total, part = int(found[1]), int(found[2]), found[3]
        if offset + len(part) > total or total > MAX_BODY_BYTES:
            return b""
        if offset == 0 and not self._is_kept(frame.number, total, part):
            self._kept = _Kept(frame.number, total)
        kept = self._kept
        if kept is None or kept.number != frame.number:
            return _unknown(frame.number)
        if offset == len(kept.body) and total == kept.total:
            kept.body += part
        kept.part_bytes = max(kept.part_bytes, len(part))
        return _progress(kept)

    def _is_kept(self, number: int, total: int, part: bytes) -> bool:
        kept = self._kept
        return (
            kept is not None
            and (kept.number, kept.total) == (number, total)
            and kept.body[: len(part)] == part
        )

    def _give_part(self, frame: Frame) -> bytes:
        found = _MORE.fullmatch(frame.payload)
        if found is None:
            return b""
        offset, most = int(found[1]), int(found[2])
        if not 1 <= most <= MAX_PART_BYTES:
            return b""
        kept = self._kept
        if kept is None or kept.number != frame.number or not kept.is_whole:
            return _unknown(frame.number)
        if not kept.answer:
            return _progress(kept)
        return _part_of_answer(kept, offset, most) if offset < len(kept.answer) else b""


def _progress(kept: _Kept) -> bytes:
    if kept.is_whole and not kept.answer:
        return build(Frame("w", kept.number, b""))
    return build(Frame("g", kept.number, b"%d" % len(kept.body)))


def _part_of_answer(kept: _Kept, offset: int, most: int) -> bytes:
    part = kept.answer[offset : offset + most]
    return build(Frame("a", kept.number, b"%d %d %s" % (offset, len(kept.answer), part)))


def _unknown(number: int) -> bytes:
    return build(Frame("x", number, b""))
