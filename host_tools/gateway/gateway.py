"""Bytes of one adapter in, bytes for it out: each question is forwarded and answered before anything else is done."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.gateway.questions import AdapterEnd


class Gateway:
    """One adapter's side of the serial carrier, with the service behind it; it does no I/O of its own.

    Args:
        forward: takes a question's body to the trace service; answers status and body, and raises nothing.
    """

    def __init__(self, forward: Callable[[bytes], tuple[int, bytes]]) -> None:
        self._forward = forward
        self._end = AdapterEnd()

    @property
    def damaged_frames(self) -> int:
        """How many lines began as a frame and were none."""
        return self._end.damaged_frames

    @property
    def questions(self) -> int:
        """How many questions were forwarded."""
        return self._end.questions

    def receive(self, data: bytes) -> bytes:
        """Takes what came from the adapter, in any pieces; answers what to send to it."""
        reply = self._end.receive(data)
        question = self._end.take_question()
        if question is None:
            return reply
        return reply + self._end.answered(question.number, *self._forward(question.body))
