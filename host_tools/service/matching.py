"""Which call of the exchange's call records a request means, and who made it: pure functions.

A call is all of its records: those with one linked id, or one unique id. Calls are told apart by evidence alone (what
never rang, the number that was presented, what only call waiting can have put through), and where evidence does not
leave exactly one, there is a reason instead.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from host_tools.service.call_records.record import CONNECTS, CallRecord
from host_tools.service.messages import TraceRequest
from host_tools.service.reasons import Reason

# A clock set from caller ID knows the minute and not the second (MDMF date and time parameter, MMDDHHMM).
_CLOCK_BEHIND_S = {"network": 0, "caller_id": 59}
# ITU-T E.164, 6.1: a number has 15 digits at most. One digit calls nobody.
_NUMBER = re.compile(r"\+?[0-9]{2,15}", re.ASCII)
# North American numbers: ten digits, behind country code 1 or not. Without it they have no plus.
_NORTH_AMERICAN = re.compile(r"(?:\+?1)?([2-9][0-9]{9})", re.ASCII)
_INTERNATIONAL = re.compile(r"[1-9][0-9]{10,14}", re.ASCII)
_IN_BRACKETS = re.compile(r"<([^<>]*)>\s*\Z")
# Absence of number (ETSI EN 300 659-3, 5.4.3; Telcordia GR-31): "P" private, "O" unavailable.
_WHY_ABSENT: dict[str | None, Reason] = {"P": Reason.ORIGIN_WITHHELD, "O": Reason.OUT_OF_AREA}


@dataclass(frozen=True)
class Search:
    """Where in the call records the call must be: the line's only one from `earliest` to `latest`, and not
    after `latest_call`. Unix seconds, included."""

    earliest: int
    latest_call: int
    latest: int


@dataclass(frozen=True)
class FoundCall:
    """The one call that a request means.

    Attributes:
        calling_number: who called, as the exchange writes it: digits, with or without a plus.
        called_line: the line that it came to.
        called_at: when it came to the line, Unix seconds, by the exchange's clock; without call records by the
            adapter's, and None when that did not know.
        forwarded_from: the number that forwarded it to the line; None when it was not forwarded.
        is_answered: whether it was answered on its way to this line, by whomever.
    """

    calling_number: str
    called_line: str
    called_at: int | None
    forwarded_from: str | None
    is_answered: bool


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
    called_at = _called_at(request, received_at)
    if called_at is None:
        return Reason.CALL_TIME_UNKNOWN
    latest_call = called_at + match_within_s
    return Search(called_at - match_within_s, latest_call, max(received_at, latest_call))


def match(request: TraceRequest, records: Sequence[CallRecord], where: Search) -> FoundCall | Reason:
    """The request's call among `records`, which are all legs of all calls to its line within `where`."""
    calls = _calls_to(request.line, records, where)
    rang = [call for call in calls if call.arrivals]
    if not rang:
        return Reason.NEVER_RANG if calls else Reason.NO_CALL_RECORD
    call = _last(rang, where) if request.time_source == "none" else _told_apart(request, rang)
    return call if isinstance(call, Reason) else _found(request, call)


def presented_call(request: TraceRequest, received_at: int) -> FoundCall | Reason:
    """The request's call where the exchange keeps no call records for us: the presented number is all that there is."""
    presented = _presented(request)
    if not _is_number(presented):
        return _why_unknown(request)
    called_at = _called_at(request, received_at)
    return FoundCall(presented, request.line, called_at, None, request.call.answered)


def comparable(number: str) -> str:
    """The number as it is compared and counted: the exchange, its trunks and a caller ID write one in several ways.

    A North American one is given its country code, and others of more digits than it a plus, which ends the ways to
    read them. What is no number is left as it is.
    """
    american = _NORTH_AMERICAN.fullmatch(number)
    if american:
        return f"+1{american[1]}"
    return f"+{number}" if _INTERNATIONAL.fullmatch(number) else number


@dataclass(frozen=True)
class _Call:
    """A call to the line.

    Attributes:
        legs: all that is known of it, in the order of their beginning.
        arrivals: those that may have rung the line at the time in question.
    """

    legs: tuple[CallRecord, ...]
    arrivals: tuple[CallRecord, ...]

    @property
    def came_at(self) -> int:
        """Unix seconds."""
        return self.arrivals[0].called_at

    @property
    def before_arrival(self) -> tuple[CallRecord, ...]:
        """The legs that certainly began before the one to the line."""
        return tuple(leg for leg in self.legs if _place(leg) < _place(self.arrivals[0]))

    @property
    def witnesses(self) -> frozenset[str]:
        """The numbers that the line may have presented, comparable."""
        shown = [_IN_BRACKETS.search(leg.caller_id) for leg in self.arrivals]
        numbers = [
            self.legs[0].source,
            *(leg.source for leg in self.arrivals),
            *(in_it[1] for in_it in shown if in_it),
        ]
        return frozenset(comparable(number) for number in numbers if number)

    def occupied_line_at(self, at: int) -> bool:
        """Whether the line was certainly in this call, and no machine or other line had answered it."""
        if len({leg.destination for leg in self.legs}) > 1:
            return False
        return any(
            leg.answered_at is not None
            and leg.application == CONNECTS
            and leg.answered_at < at < leg.ended_at
            for leg in self.arrivals
        )


def _called_at(request: TraceRequest, received_at: int) -> int | None:
    if request.time_source != "none":
        return request.call.at
    age_s = request.requested_at - request.call.at
    return received_at - age_s if age_s >= 0 else None


def _calls_to(line: str, records: Sequence[CallRecord], where: Search) -> list[_Call]:
    by_call: defaultdict[object, set[CallRecord]] = defaultdict(set)
    for record in records:
        # A record that says nothing of its call is a call of its own.
        by_call[record.call_key or record].add(record)
    calls = []
    for call in by_call.values():
        legs = tuple(sorted(call, key=_order))
        to_line = [
            leg for leg in legs if leg.destination == line and where.earliest <= leg.called_at <= where.latest
        ]
        if to_line:
            calls.append(_Call(legs, tuple(leg for leg in to_line if leg.has_rung)))
    return calls


def _place(leg: CallRecord) -> tuple[int, bool, int]:
    """When the leg began, among those of one call: a record knows the second, and may know more."""
    return leg.called_at, leg.unique_id != leg.linked_id, leg.sequence


def _order(leg: CallRecord) -> tuple[object, ...]:
    return (*_place(leg), *astuple(leg))


def _last(calls: Sequence[_Call], where: Search) -> _Call | Reason:
    """The only call, if it may be the line's last one."""
    if len(calls) > 1:
        return Reason.SEVERAL_CALLS
    return calls[0] if calls[0].came_at <= where.latest_call else Reason.NO_CALL_RECORD


def _told_apart(request: TraceRequest, calls: Sequence[_Call]) -> _Call | Reason:
    """The call that all evidence agrees on. A presented number that is no call's is false, and says nothing."""
    presented = comparable(_presented(request))
    with_number = [call for call in calls if presented in call.witnesses]
    waited = [
        call
        for call in calls
        if any(other.occupied_line_at(call.came_at) for other in calls if other is not call)
    ]
    left = [call for call in calls if not with_number or call in with_number]
    if not request.call.call_waiting:
        left = [call for call in left if call not in waited]
    elif waited:
        left = [call for call in left if call in waited]
    return left[0] if len(left) == 1 else Reason.SEVERAL_CALLS


def _found(request: TraceRequest, call: _Call) -> FoundCall | Reason:
    origin = _origin(call)
    if isinstance(origin, Reason):
        return origin
    if not _is_number(origin):
        return _why_unknown(request)
    # Without a clock only the presented number bears witness to which call it was: a private one has no witness.
    if request.time_source == "none" and comparable(_presented(request)) != comparable(origin):
        return Reason.ORIGIN_DISAGREES
    return FoundCall(
        calling_number=origin,
        called_line=request.line,
        called_at=call.came_at,
        forwarded_from=_forwarded_from(request.line, call),
        is_answered=any(leg.is_answered for leg in call.arrivals),
    )


def _origin(call: _Call) -> str | Reason:
    """Who began the call. Where it was forwarded the leg to the line may name the one who forwarded it instead."""
    first = call.legs[0]
    beginnings = [leg for leg in call.legs if _place(leg) == _place(first)]
    if any(comparable(leg.source) != comparable(first.source) for leg in beginnings):
        return Reason.LEGS_DISAGREE
    for arrival in call.arrivals:
        says_the_same = comparable(arrival.source) == comparable(first.source)
        if (
            _is_number(arrival.source)
            and not says_the_same
            and not _is_forwarded(arrival, call.before_arrival)
        ):
            return Reason.LEGS_DISAGREE
    return first.source


def _is_forwarded(arrival: CallRecord, before: Sequence[CallRecord]) -> bool:
    """Whether the source of a leg forwarded a call that it had not answered: it may have called by itself otherwise."""
    return any(
        comparable(leg.destination) == comparable(arrival.source)
        and (leg.answered_at is None or leg.answered_at >= arrival.called_at)
        for leg in before
    )


def _forwarded_from(line: str, call: _Call) -> str | None:
    others = [leg.destination for leg in call.before_arrival if leg.destination != line]
    return others[-1] if others and _is_number(others[-1]) else None


def _presented(request: TraceRequest) -> str:
    return (request.call.caller_id.number if request.call.caller_id else None) or ""


def _why_unknown(request: TraceRequest) -> Reason:
    said = request.call.caller_id.reason if request.call.caller_id else None
    return _WHY_ABSENT.get(said, Reason.ORIGIN_UNKNOWN)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None
