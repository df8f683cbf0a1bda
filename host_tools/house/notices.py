"""What an adapter tells the house (`docs/protocol.md`, "Notices"), checked at the door."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MAX_NOTICE_BYTES = 528

LineStateName = Literal["idle", "ringing", "in_call", "dialling", "dialogue"]
Outcome = Literal[
    "stored",
    "traced",
    "not_traceable",
    "already_traced",
    "not_offered",
    "no_call",
    "store_full",
    "store_failed",
    "switched_off",
    "not_last",
]
AdapterId = Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,32}$")]
CallId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
_Count = Annotated[int, Field(ge=0, le=9_007_199_254_740_991)]
_Presented = Annotated[str, Field(max_length=64)]
_Reason = Literal["P", "O"]


class NoticeError(Exception):
    """These bytes are no notice that is known here."""


class _Notice(BaseModel):
    # What a later adapter tells beside is passed by.
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    adapter_id: AdapterId


class Alive(_Notice):
    """How the adapter is; at the beginning, then every 30 s."""

    notice: Literal["alive"]
    firmware: Annotated[str, Field(max_length=64)]
    state: LineStateName
    last_call: CallId | None
    trace_button: bool
    price_cents: Annotated[int, Field(ge=0, le=1000)]
    lost: _Count
    hello: str | None = None


class Line(_Notice):
    """The line is in another state."""

    notice: Literal["line"]
    state: LineStateName


class CallNotice(_Notice):
    """Something has happened to a call: the fields of a trace request's call, and what the line has presented."""

    notice: Literal["ringing", "caller", "waiting", "answered", "ended"]
    call_id: CallId
    at: Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
    time_source: Literal["network", "caller_id", "none"]
    rings: Annotated[int, Field(ge=0, le=255)]
    answered: bool
    call_waiting: bool
    number: _Presented | None
    name: _Presented | None
    reason: _Reason | None
    name_reason: _Reason | None


class Traced(_Notice):
    """What has become of the trace of a call; never who called."""

    notice: Literal["traced"]
    call_id: CallId
    outcome: Outcome


Notice = Alive | Line | CallNotice | Traced

_ADAPTER: TypeAdapter[Notice] = TypeAdapter(Annotated[Notice, Field(discriminator="notice")])


def read(payload: bytes) -> Notice:
    """The notice in `payload`.

    Raises:
        NoticeError: it is none.
    """
    if len(payload) > MAX_NOTICE_BYTES:
        raise NoticeError("too long")
    try:
        return _ADAPTER.validate_json(payload)
    except ValidationError:
        # Without its cause, whose text could repeat who called.
        raise NoticeError("no notice") from None


def press(call_id: str) -> bytes:
    """The payload of a press of the trace button, for the call of this identity."""
    return f'{{"trace":"{call_id}"}}'.encode()
