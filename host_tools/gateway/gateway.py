"""Bytes of one adapter in, bytes for it out: requests are forwarded and answered, reports kept and answered."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.gateway.frames import Frame, FrameReader, build
from host_tools.gateway.messages import (
    MAX_MESSAGE_BYTES,
    UNAVAILABLE,
    MessageError,
    Report,
    Time,
    parse_report,
)


class Gateway:
    """One adapter's side of the serial carrier; it does no I/O of its own, and holds one unfinished line at most.

    Args:
        forward: takes a request's body to the trace service; answers status and body, and raises nothing.
        now: the Unix seconds that a report is answered with.
    """

    def __init__(self, forward: Callable[[bytes], tuple[int, bytes]], now: Callable[[], int]) -> None:
        self._forward = forward
        self._now = now
        self._reader = FrameReader()
        self.last_report: Report | None = None
        self.malformed_reports = 0

    @property
    def damaged_frames(self) -> int:
        """How many lines began as a frame and were none."""
        return self._reader.damaged

    def receive(self, data: bytes) -> bytes:
        """Takes what came from the adapter, in any pieces; answers what to send to it."""
        return b"".join(self._answer(frame) for frame in self._reader.feed(data))

    def _answer(self, frame: Frame) -> bytes:
        if frame.kind == "request":
            return build(Frame("answer", frame.number, self._answer_from_service(frame.payload)))
        if frame.kind == "report":
            return self._answer_to_report(frame)
        return b""

    def _answer_from_service(self, body: bytes) -> bytes:
        status, answer = self._forward(body)
        # What no frame can carry no adapter could read either.
        if not 100 <= status <= 599 or len(answer) > MAX_MESSAGE_BYTES:
            status, answer = UNAVAILABLE
        # In JSON a line break can only stand where a space can.
        one_line = answer.replace(b"\n", b" ").replace(b"\r", b" ")
        return b"%d %s" % (status, one_line)

    def _answer_to_report(self, frame: Frame) -> bytes:
        try:
            self.last_report = parse_report(frame.payload)
        except MessageError:
            self.malformed_reports += 1
            return b""
        time = Time(unix_seconds=self._now())
        return build(Frame("time", frame.number, time.model_dump_json().encode()))
