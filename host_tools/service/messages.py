"""The messages between adapter and service, as `docs/protocol.md` has them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

MAX_MESSAGE_BYTES = 2048
MAX_CHARGE_CENTS = 1000


class Outcome(StrEnum):
    """What became of a trace request."""

    TRACED = "traced"
    NOT_TRACEABLE = "not_traceable"
    ALREADY_TRACED = "already_traced"
    NOT_OFFERED = "not_offered"


class RefusalReason(StrEnum):
    """Why a request was not accepted."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNKNOWN_ADAPTER = "unknown_adapter"
    UNAVAILABLE = "unavailable"


class Refused(Exception):
    """A request is not accepted, and nothing of it is stored."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


RequestId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
CallId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
AdapterId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,32}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
TraceId = Annotated[str, StringConstraints(pattern=r"^T-[0-9]{8}$")]
Presented = Annotated[str, StringConstraints(max_length=64)]
UnixSeconds = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
Version = Annotated[int, Field(ge=1, le=1)]


class Message(BaseModel):
    """Exactly the fields named, of exactly the kind named; an error's text never repeats what was sent."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class CallerId(Message):
    """What the line presented, which may be false or nothing."""

    number: Presented | None
    name: Presented | None
    reason: Presented | None
    date_time: Presented | None


class Call(Message):
    """The one call that is to be traced; `at` is the Unix second of its first ring."""

    call_id: CallId
    at: UnixSeconds
    rings: Annotated[int, Field(ge=0, le=255)]
    answered: bool
    call_waiting: bool
    caller_id: CallerId | None


class TraceRequest(Message):
    """Adapter to service."""

    message: Literal["trace_request"]
    version: Version
    request_id: RequestId
    adapter_id: AdapterId
    line: Line
    requested_at: UnixSeconds
    time_source: Literal["network", "caller_id", "none"]
    call: Call


class TraceAnswer(Message):
    """Service to adapter. It holds nothing about who called."""

    message: Literal["trace_answer"]
    version: Version
    request_id: RequestId
    outcome: Outcome
    trace_id: TraceId | None
    charge_cents: Annotated[int, Field(ge=0, le=MAX_CHARGE_CENTS)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.trace_id is not None) != (self.outcome in (Outcome.TRACED, Outcome.ALREADY_TRACED)):
            raise ValueError("a trace has a trace_id, and nothing else has")
        if self.charge_cents and self.outcome is not Outcome.TRACED:
            raise ValueError("only a trace is charged")
        return self


class Refusal(Message):
    """Service to adapter, with status 4xx or 5xx."""

    message: Literal["refusal"]
    reason: RefusalReason


def parse_request(body: bytes) -> TraceRequest:
    """The request in `body`.

    Raises:
        Refused: `too_large` beyond 2048 bytes, `malformed` when it is not what the protocol says.
    """
    if len(body) > MAX_MESSAGE_BYTES:
        raise Refused(RefusalReason.TOO_LARGE)
    try:
        return TraceRequest.model_validate_json(body)
    except ValidationError as error:
        raise Refused(RefusalReason.MALFORMED) from error
