"""The messages between adapter and service, as `docs/protocol.md` has them."""

from __future__ import annotations

from base64 import b64decode
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    model_validator,
)

MAX_MESSAGE_BYTES = 2048
MAX_CHARGE_CENTS = 1000
MAX_COUNT = 2**53 - 1
MAX_PROMPT_BYTES = 65536
MAX_PART_BYTES = 960
MAX_FIRMWARE_BYTES = 2**20


class Outcome(StrEnum):
    """What became of a trace request."""

    TRACED = "traced"
    NOT_TRACEABLE = "not_traceable"
    ALREADY_TRACED = "already_traced"
    NOT_OFFERED = "not_offered"


class RefusalReason(StrEnum):
    """Why an ask was not taken."""

    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_ADAPTER = "unknown_adapter"
    OLD_SEQUENCE = "old_sequence"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"


class Refused(Exception):
    """An ask is not taken, and nothing of it is stored.

    `newest_sequence` is the greatest sequence number that was taken; of `old_sequence` only.
    """

    def __init__(self, reason: RefusalReason, newest_sequence: int | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.newest_sequence = newest_sequence


RequestId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
CallId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
AdapterId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,32}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
TraceId = Annotated[str, StringConstraints(pattern=r"^T-[0-9]{8}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,64}$")]
PromptName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,32}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Presented = Annotated[str, StringConstraints(max_length=64)]
Slot = Literal["a", "b"]
TimeSource = Literal["network", "caller_id", "none"]
LogLine = Annotated[str, StringConstraints(max_length=100)]
UnixSeconds = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Measured = Annotated[int, Field(ge=-128, le=127)]
Version = Annotated[int, Field(ge=1, le=1)]


class Message(BaseModel):
    """Exactly the fields named, of exactly the kind named; an error's text never repeats what was sent."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
    newer_fields: ClassVar[frozenset[str]] = frozenset()
    """What those that were sent before an adapter's update do not have: all of it, or none."""

    @model_validator(mode="after")
    def _is_whole(self, info: ValidationInfo) -> Self:
        # A default is for whoever makes a message, and not for one that came.
        missing = type(self).model_fields.keys() - self.model_fields_set
        if info.mode == "json" and missing and missing != self.newer_fields:
            raise ValueError("a field is missing")
        return self


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
    time_source: TimeSource
    call: Call


class TraceAnswer(Message):
    """Service to adapter. It holds nothing about who called.

    `action_open`: the line now has traces of one origin enough for action.
    """

    message: Literal["trace_answer"] = "trace_answer"
    version: Version = 1
    request_id: RequestId
    outcome: Outcome
    trace_id: TraceId | None
    charge_cents: Annotated[int, Field(ge=0, le=MAX_CHARGE_CENTS)]
    action_open: bool = False

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.trace_id is not None) != (self.outcome in (Outcome.TRACED, Outcome.ALREADY_TRACED)):
            raise ValueError("a trace has a trace_id, and nothing else has")
        if self.charge_cents and self.outcome is not Outcome.TRACED:
            raise ValueError("only a trace is charged")
        if self.action_open and self.outcome is not Outcome.TRACED:
            raise ValueError("only a trace opens the way to action")
        return self


class Decoded(Message):
    """How well the last caller ID by FSK was heard; what was not measured is None."""

    standard: Label
    level_dbm0: Measured | None
    snr_db: Measured | None
    twist_db: Measured | None


class PromptProgress(Message):
    """How far the prompt that was pushed last has come to the adapter; `received` in bytes."""

    name: PromptName
    sha256: Sha256
    received: Count
    state: Literal["receiving", "kept", "failed"]


class UpdateProgress(Message):
    """How far the firmware that was pushed last has come; `received` in bytes.

    `sha256` is that of the signed release, `release` its number, 0 while the adapter does not believe it.
    """

    release: Count
    sha256: Sha256
    received: Count
    state: Literal["receiving", "kept", "trying", "confirmed", "returned", "refused"]
    reason: Label | None


class Heartbeat(Message):
    """Adapter to service: how it is.

    Without `slot` and `update` it is of an adapter of before there were updates.
    """

    newer_fields: ClassVar[frozenset[str]] = frozenset({"slot", "update"})

    message: Literal["heartbeat"]
    version: Version
    adapter_id: AdapterId
    board: Label
    firmware: Label
    commit: Label | Literal[""]
    carrier: Literal["network", "serial"]
    reset_reason: Literal["power_on", "watchdog", "fault"]
    uptime_s: Count
    unix_seconds: UnixSeconds
    time_source: Literal["network", "none"]
    free_heap_bytes: Count
    lost_samples: Count
    underruns: Count
    longest_gap_ms: Count
    outbox: Annotated[int, Field(ge=0, le=255)]
    refusals: Count
    decoded: Decoded | None
    settings_revision: Count
    settings_refused: Annotated[list[Label], Field(max_length=16)]
    prompt: PromptProgress | None
    log_lines: Count
    slot: Slot | None = None
    update: UpdateProgress | None = None

    @property
    def knows_updates(self) -> bool:
        """Whether its answer may have the field `update`."""
        return self.newer_fields <= self.model_fields_set


class SettingsPush(Message):
    """Settings that the adapter is to take."""

    revision: Annotated[int, Field(ge=1, le=MAX_COUNT)]
    values: Annotated[dict[str, JsonValue], Field(max_length=16)]


class PromptPart(Message):
    """A part of a prompt; `size` and `sha256` are those of the whole file, `data` is base64."""

    name: PromptName
    size: Annotated[int, Field(ge=1, le=MAX_PROMPT_BYTES)]
    sha256: Sha256
    offset: Annotated[int, Field(ge=0, lt=MAX_PROMPT_BYTES)]
    data: str

    @model_validator(mode="after")
    def _is_part(self) -> Self:
        data_bytes = len(b64decode(self.data, validate=True))
        if not 1 <= data_bytes <= min(MAX_PART_BYTES, self.size - self.offset):
            raise ValueError("not a part of the file")
        return self


class UpdatePart(Message):
    """A part of the firmware for `slot`, in base64; without a slot, the signed release, whose hash `sha256` is."""

    sha256: Sha256
    slot: Slot | None
    offset: Annotated[int, Field(ge=0, lt=MAX_FIRMWARE_BYTES)]
    data: str

    @model_validator(mode="after")
    def _is_part(self) -> Self:
        data_bytes = len(b64decode(self.data, validate=True))
        if not 1 <= data_bytes <= min(MAX_PART_BYTES, MAX_FIRMWARE_BYTES - self.offset):
            raise ValueError("not a part of the firmware")
        if self.slot is None and self.offset:
            raise ValueError("a release is one part")
        return self


class HeartbeatAnswerOfBefore(Message):
    """Service to adapter, one of before there were updates: the time, and what it is to do."""

    message: Literal["heartbeat_answer"] = "heartbeat_answer"
    version: Version = 1
    unix_seconds: UnixSeconds
    settings: SettingsPush | None = None
    prompt: PromptPart | None = None
    log_from: Count | None = None
    again: bool = False


class HeartbeatAnswer(HeartbeatAnswerOfBefore):
    """Service to adapter: the time, and what it is to do."""

    update: UpdatePart | None = None


class Log(Message):
    """Adapter to service: lines of its log; `first` is the number of the first, counted since start."""

    message: Literal["log"]
    version: Version
    adapter_id: AdapterId
    first: Count
    lines: Annotated[list[LogLine], Field(max_length=16)]


class LogAnswer(Message):
    """Service to adapter: the lines are there."""

    message: Literal["log_answer"] = "log_answer"
    version: Version = 1


class CallReport(Message):
    """Adapter to service: a call that is over, for the household's own log; `trace_outcome` of its trace, if any."""

    message: Literal["call_report"]
    version: Version
    adapter_id: AdapterId
    line: Line
    time_source: TimeSource
    call: Call
    trace_outcome: Outcome | None


class CallReportAnswer(Message):
    """Service to adapter: the report is there."""

    message: Literal["call_report_answer"] = "call_report_answer"
    version: Version = 1


class Refusal(Message):
    """Service to adapter, with status 4xx or 5xx."""

    message: Literal["refusal"] = "refusal"
    reason: RefusalReason
    newest_sequence: Count | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.newest_sequence is not None) != (self.reason is RefusalReason.OLD_SEQUENCE):
            raise ValueError("an old sequence number has a newest one, and nothing else has")
        return self


Ask = TraceRequest | Heartbeat | Log | CallReport
Answer = TraceAnswer | HeartbeatAnswerOfBefore | LogAnswer | CallReportAnswer

_ASK: TypeAdapter[Ask] = TypeAdapter(Annotated[Ask, Field(discriminator="message")])


def parse_ask(payload: bytes, adapter_id: str) -> Ask:
    """The ask in `payload`, which `adapter_id` has signed.

    Raises:
        Refused: `too_large` beyond 2048 bytes, `malformed` when it is not what the protocol says, or another adapter's.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise Refused(RefusalReason.TOO_LARGE)
    try:
        ask = _ASK.validate_json(payload)
    except ValidationError:
        # Without its cause, whose text may repeat the kind of message that was sent.
        raise Refused(RefusalReason.MALFORMED) from None
    if ask.adapter_id != adapter_id:
        raise Refused(RefusalReason.MALFORMED)
    return ask
