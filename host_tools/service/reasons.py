"""Why a call is not traced: for the operator, never in an answer to an adapter."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A reason; `sentence` says it to the operator. The last two: trace is not offered; all others: not traceable."""

    NO_CALL_RECORD = "no_call_record"
    SEVERAL_CALLS = "several_calls"
    NEVER_RANG = "never_rang"
    NO_CONNECTION = "no_connection"
    CALL_TIME_UNKNOWN = "call_time_unknown"
    TOO_OLD = "too_old"
    OUT_OF_AREA = "out_of_area"
    ORIGIN_UNKNOWN = "origin_unknown"
    ORIGIN_WITHHELD = "origin_withheld"
    ORIGIN_DISAGREES = "origin_disagrees"
    LEGS_DISAGREE = "legs_disagree"
    NOT_OFFERED = "not_offered"
    LINE_OF_ANOTHER_ADAPTER = "line_of_another_adapter"

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NO_CALL_RECORD: "The exchange has no record of a call to this line at that time.",
    Reason.SEVERAL_CALLS: (
        "Several calls came to this line at that time, and nothing tells which of them is meant."
    ),
    Reason.NEVER_RANG: "The exchange's record says that the call never rang: busy, failed or congested.",
    Reason.NO_CONNECTION: "The line did not ring long enough for a connection, and nobody answered.",
    Reason.CALL_TIME_UNKNOWN: "The adapter had no clock, and cannot say how long ago the call came.",
    Reason.TOO_OLD: "The call came longer ago than calls are traced.",
    Reason.OUT_OF_AREA: "The call came from out of area: its number was never passed on to the exchange.",
    Reason.ORIGIN_UNKNOWN: "Nobody knows the calling number: it is unavailable or unknown.",
    Reason.ORIGIN_WITHHELD: "The number is private, and there are no call records to find it in.",
    Reason.ORIGIN_DISAGREES: (
        "The adapter had no clock, and the number that the line presented is not that of the call record."
    ),
    Reason.LEGS_DISAGREE: "The records of a forwarded call do not agree on who called.",
    Reason.NOT_OFFERED: "Trace is not offered on this line or in its area.",
    Reason.LINE_OF_ANOTHER_ADAPTER: "The line belongs to another adapter.",
}
