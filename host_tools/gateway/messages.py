"""The messages that only the serial carrier has (`docs/protocol.md`): the adapter's report, and the time in answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

MAX_MESSAGE_BYTES = 2048
UNAVAILABLE = 503, b'{"message":"refusal","reason":"unavailable"}'
"""Status and body of what an adapter is told while the service cannot be reached: it keeps the request."""

AdapterId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,32}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,64}$")]
# The largest that every reader of JSON takes for the integer it is.
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
Version = Annotated[int, Field(ge=1, le=1)]


class MessageError(Exception):
    """These bytes are no such message."""


class Message(BaseModel):
    """Exactly the fields named, of exactly the kind named."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Report(Message):
    """Adapter to host: how it is."""

    message: Literal["report"]
    version: Version
    adapter_id: AdapterId
    board: Label
    firmware: Label
    commit: Label | Literal[""]
    reset_reason: Literal["power_on", "watchdog", "fault"]
    uptime_s: Count
    free_heap_bytes: Count
    lost_samples: Count
    underruns: Count
    longest_gap_ms: Count
    outbox: Annotated[int, Field(ge=0, le=255)]


class Time(Message):
    """Host to adapter, in answer to a report."""

    message: Literal["time"] = "time"
    version: Version = 1
    unix_seconds: Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]


def parse_report(body: bytes) -> Report:
    """The report in `body`.

    Raises:
        MessageError: it is none, or longer than 2048 bytes.
    """
    if len(body) > MAX_MESSAGE_BYTES:
        raise MessageError("too large")
    try:
        return Report.model_validate_json(body)
    except ValidationError as error:
        raise MessageError("malformed") from error
