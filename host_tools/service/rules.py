"""The rules of a trace: pure functions of the request, the exchange's call records and the settings.

A wrong answer here names a wrong person, so nothing is guessed: one call fits and its origin is known, or
it is not traceable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from host_tools.service.call_records import CallRecord
from host_tools.service.messages import Outcome, TraceRequest

# A clock set from caller ID knows the minute and not the second (MDMF date and time parameter, MMDDHHMM).
_CLOCK_BEHIND_S = {"network": 0, "caller_id": 59}
_NUMBER = re.compile(r"\+?[0-9]{2,15}", re.ASCII)


class Reason(StrEnum):
    """Why a call is not traceable; for the operator, never in an answer."""

    NO_CALL_RECORD = "no_call_record"
    SEVERAL_CALLS = "several_calls"
    CALL_TIME_UNKNOWN = "call_time_unknown"
    ORIGIN_UNKNOWN = "origin_unknown"
    ORIGIN_DISAGREES = "origin_disagrees"


@dataclass(frozen=True)
class Search:
    """Where in the call records the call must be: the line's only one from `earliest` to `latest`, and not
    after `latest_call`. Unix seconds, included."""

    earliest: int
    latest_call: int
    latest: int


@dataclass(frozen=True)
class Decision:
    """What is answered and stored. `origin` is set when traced, and only then."""

    outcome: Outcome
    charge_cents: int = 0
    origin: str | None = None
    reason: Reason | None = None


def search(request: TraceRequest, received_at: int, match_within_s: int) -> Search | Reason:
    """Where to look for the request's call in the call records.

    An adapter without a clock knows only how long before the request the call came. That age counts back from
    `received_at`, and holds for a request that was delivered at once: so the call must also be the line's
    last, and a request that waited in the adapter's outbox finds none.
    """
    if request.time_source != "none":
        earliest = request.call.at - match_within_s
        latest = request.call.at + match_within_s + _CLOCK_BEHIND_S[request.time_source]
        return Search(earliest, latest, latest)
    age_s = request.requested_at - request.call.at
    if age_s < 0:
        return Reason.CALL_TIME_UNKNOWN
    called_at = received_at - age_s
    latest_call = called_at + match_within_s
    return Search(called_at - match_within_s, latest_call, max(received_at, latest_call))


def match(calls: Sequence[CallRecord], where: Search) -> CallRecord | Reason:
    """The one call among `calls`, which are all of the line's from `where.earliest` to `where.latest`."""
    if len(calls) > 1:
        return Reason.SEVERAL_CALLS
    if not calls or calls[0].called_at > where.latest_call:
        return Reason.NO_CALL_RECORD
    return calls[0]


def decide(
    request: TraceRequest,
    call: CallRecord | Reason | None,
    *,
    offered: bool,
    already_traced: bool,
    price_cents: int,
) -> Decision:
    """The decision on `request`.

    Args:
        call: the request's call in the call records, or why it is not known; None when the exchange keeps no
            call records for us, and the presented number is all that there is.
        offered: trace is offered on the line.
        already_traced: this call of this line was traced by an earlier request.
        price_cents: of a successful trace.
    """
    if not offered:
        return Decision(Outcome.NOT_OFFERED)
    if already_traced:
        return Decision(Outcome.ALREADY_TRACED)
    origin = _origin(request, call)
    if isinstance(origin, Reason):
        return Decision(Outcome.NOT_TRACEABLE, reason=origin)
    return Decision(Outcome.TRACED, price_cents, origin)


def _origin(request: TraceRequest, call: CallRecord | Reason | None) -> str | Reason:
    if isinstance(call, Reason):
        return call
    presented = request.call.caller_id.number if request.call.caller_id else None
    origin = call.source if call else presented
    if not origin or not _NUMBER.fullmatch(origin):
        return Reason.ORIGIN_UNKNOWN
    # Without a clock only the presented number bears witness to which call it was: a private one has no witness.
    if request.time_source == "none" and presented != origin:
        return Reason.ORIGIN_DISAGREES
    return origin
