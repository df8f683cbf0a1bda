"""A desk instead of a trace service: it answers one adapter by the time of its line, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.service import signing
from host_tools.service.messages import (
    Ask,
    Heartbeat,
    HeartbeatAnswer,
    LogAnswer,
    Message,
    Refusal,
    RefusalReason,
    TraceAnswer,
    TraceRequest,
    parse_ask,
)


class Desk:
    """Answers the adapter of `adapter_id` and `key`; called with a signed message, it answers status and body.

    Attributes:
        heartbeats, requests: those that came, in order.
        answer: to a request; None refuses it as `unavailable`.
    """

    def __init__(self, adapter_id: str, key: bytes, now: Callable[[], float]) -> None:
        self.heartbeats: list[Heartbeat] = []
        self.requests: list[TraceRequest] = []
        self.answer: Callable[[TraceRequest], TraceAnswer | None] = lambda _request: None
        self._adapter_id = adapter_id
        self._key = key
        self._now = now

    @property
    def last_heartbeat(self) -> Heartbeat:
        """The newest one."""
        return self.heartbeats[-1]

    def __call__(self, token: bytes) -> tuple[int, bytes]:
        """Raises Refused for what its adapter has not signed."""
        asked = signing.read(token)
        ask = parse_ask(signing.verify(token, self._key), self._adapter_id)
        answer = self._answer(ask)
        status = 503 if isinstance(answer, Refusal) else 200
        body = answer.model_dump_json().encode()
        return status, signing.sign(body, self._key, self._adapter_id, asked.sequence)

    def _answer(self, ask: Ask) -> Message:
        match ask:
            case Heartbeat():
                self.heartbeats.append(ask)
                return HeartbeatAnswer(unix_seconds=int(self._now()))
            case TraceRequest():
                self.requests.append(ask)
                return self.answer(ask) or Refusal(reason=RefusalReason.UNAVAILABLE)
            case _:
                return LogAnswer()
