"""Accepts trace requests, many in one transaction: what is known is read at once, one after another is decided, and all
is written at once. A transaction is alone in doing so: no cap, count or number is given twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy.engine import Connection

from host_tools.service.adapters import Adapters, Standing
from host_tools.service.audit.log import Entry, append_all
from host_tools.service.cases import open_for_three
from host_tools.service.charges import Charge, Charges
from host_tools.service.directory import Subscriber
from host_tools.service.lines import Lines, rows_for
from host_tools.service.local_time import month_of
from host_tools.service.matching import FoundCall, comparable
from host_tools.service.messages import (
    Decoded,
    Heartbeat,
    Outcome,
    RefusalReason,
    Refused,
    TraceAnswer,
    TraceRequest,
)
from host_tools.service.origins import OriginKeys
from host_tools.service.reasons import Reason
from host_tools.service.rules import Decision, Policy, decide, is_actionable, is_of_another_adapter, policy
from host_tools.service.sealing import Seal, WhoCalled, presentation_of
from host_tools.service.settings import Settings
from host_tools.service.signing import Signed
from host_tools.service.traces import Trace, Traces

# Of an origin that never ends to call: more than a desk looks at, and fewer than a query takes.
_MOST_INTO_A_CASE = 1000


@dataclass(frozen=True)
class Terms:
    """What holds for every request: the operator's settings, the centre's seal, and the keys of origins."""

    settings: Settings
    seal: Seal
    origin_keys: OriginKeys


@dataclass(frozen=True)
class Pending:
    """A request that waits to be accepted.

    Attributes:
        call: the call that it asks for, or why it is not known.
        subscriber: whom the operator knows by the calling number.
        received_at: Unix seconds.
    """

    request: TraceRequest
    signed: Signed
    call: FoundCall | Reason
    subscriber: Subscriber | None
    received_at: int

    @property
    def identity(self) -> tuple[str, str]:
        """What a request is accepted under, once."""
        return self.signed.adapter_id, self.request.request_id

    @property
    def of_call(self) -> tuple[str, str]:
        """The call, as its adapter names it."""
        return self.request.line, self.request.call.call_id


@dataclass
class Accepted:
    """A request that is decided now; `trace_id` is there once numbers were given."""

    pending: Pending
    decision: Decision
    charge: Charge | None = None
    origin_key: str | None = None
    origin_tag: str | None = None
    same_origin: list[str | Accepted] = field(default_factory=list)
    """The traces of this origin by this line before."""
    earlier: str | Accepted | None = None
    """The trace of the same call."""
    is_actionable: bool = False
    trace_id: str | None = None

    @property
    def is_traced(self) -> bool:
        """Whether it is a successful trace."""
        return self.decision.outcome is Outcome.TRACED


Known = Trace | Accepted


class _Traced(NamedTuple):
    """A successful trace, and when its call came: Unix seconds."""

    trace: str | Accepted
    called_at: int | None


def accept(connection: Connection, terms: Terms, pendings: Sequence[Pending]) -> list[TraceAnswer | Refused]:
    """The answers to `pendings`, in order, and what they bring about.

    Raises:
        TraceIdsExhausted: nothing is written.
    """
    book = _Book(connection, terms, pendings)
    verdicts = [book.verdict(pending) for pending in pendings]
    book.write()
    return [verdict if isinstance(verdict, Refused) else _answer(verdict) for verdict in verdicts]


class _Book:
    """What is known about the calls of one transaction, and what they add to it."""

    def __init__(self, connection: Connection, terms: Terms, pendings: Sequence[Pending]) -> None:
        self._connection = connection
        self._terms = terms
        self._new: list[Accepted] = []
        self._newest: dict[str, int] = {}
        lines = {pending.request.line for pending in pendings}
        adapter_ids = {pending.signed.adapter_id for pending in pendings}
        self._standing = Adapters(connection).standing(adapter_ids)
        self._lines_of = Lines(connection).of_adapters(adapter_ids)
        traces = Traces(connection)
        self._accepted: dict[tuple[str, str], Known] = dict(traces.accepted(p.identity for p in pendings))
        self._traced: dict[tuple[str, str], str | Accepted] = dict(
            traces.of_calls(p.of_call for p in pendings)
        )
        self._lines, self._areas = rows_for(connection, lines)
        months = {month_of(pending.received_at, terms.settings.zone) for pending in pendings}
        self._spent = Charges(connection).spent([(line, month) for line in lines for month in months])
        self._origins: dict[tuple[str, str], list[_Traced]] = {
            of: [_Traced(*one) for one in found]
            for of, found in traces.of_origins(lines, self._tags_of(pendings)).items()
        }

    def verdict(self, pending: Pending) -> Known | Refused:
        """What becomes of a request, after all before it."""
        refused = self._take(pending.signed)
        if refused is not None:
            return refused
        known = self._accepted.get(pending.identity)
        if known is None:
            known = self._accepted[pending.identity] = self._decided(pending)
            self._new.append(known)
        return known

    def write(self) -> None:
        """Gives the traces their numbers, and writes all that is new."""
        connection = self._connection
        Adapters(connection).taken(self._newest)
        traced = [accepted for accepted in self._new if accepted.is_traced]
        for accepted, trace_id in zip(traced, Traces(connection).next_trace_ids(len(traced)), strict=True):
            accepted.trace_id = trace_id
        rows = [self._row(accepted) for accepted in self._new]
        Traces(connection).add_all(rows)
        Charges(connection).add_all(_charges(traced))
        append_all(connection, [_entry(*each) for each in zip(self._new, rows, strict=True)])
        for accepted in traced:
            if accepted.is_actionable:
                ids = [_id_of(trace) for trace in [*accepted.same_origin, accepted][-_MOST_INTO_A_CASE:]]
                line, at = accepted.pending.request.line, accepted.pending.received_at
                open_for_three(connection, line, ids, at)

    def _take(self, signed: Signed) -> Refused | None:
        standing = self._standing.get(signed.adapter_id)
        if standing is None or standing.key != signed.key:
            return Refused(RefusalReason.UNKNOWN_ADAPTER)
        newest = self._newest.get(signed.adapter_id, standing.newest_sequence)
        if newest is not None and signed.sequence <= newest:
            return Refused(RefusalReason.OLD_SEQUENCE, newest)
        self._newest[signed.adapter_id] = signed.sequence
        return None

    def _decided(self, pending: Pending) -> Accepted:
        request, settings = pending.request, self._terms.settings
        month = request.line, month_of(pending.received_at, settings.zone)
        adapter_id, line = pending.signed.adapter_id, self._lines.get(request.line)
        earlier = self._traced.get(pending.of_call) or self._of_same_record(pending)
        decision = decide(
            request,
            pending.call,
            policy=policy(
                line, self._areas, line=request.line, operator=_of_operator(settings, request.line)
            ),
            is_of_another=is_of_another_adapter(
                request.line,
                adapter_id,
                line.adapter_id if line else None,
                self._lines_of.get(adapter_id, ()),
            ),
            already_traced=earlier is not None,
            spent_cents=self._spent[month],
            rings_needed=settings.rings_needed,
            too_old_days=settings.too_old_days,
        )
        accepted = Accepted(pending, decision)
        if decision.outcome is Outcome.ALREADY_TRACED:
            accepted.earlier = earlier
        if accepted.is_traced and isinstance(pending.call, FoundCall):
            self._count(accepted, pending.call.calling_number, month)
        return accepted

    def _count(self, accepted: Accepted, origin: str, month: tuple[str, str]) -> None:
        request, decision = accepted.pending.request, accepted.decision
        self._traced[accepted.pending.of_call] = accepted
        self._spent[month] += decision.charge_cents
        accepted.charge = Charge(
            "", *month, accepted.pending.received_at, decision.price_cents, decision.charge_cents
        )
        accepted.same_origin = [traced.trace for traced in self._of_origin(request.line, origin)]
        keys = self._terms.origin_keys
        accepted.origin_key, accepted.origin_tag = keys.tag(request.line, comparable(origin))
        of = self._origins.setdefault((request.line, accepted.origin_tag), [])
        of.append(_Traced(accepted, _called_at(accepted.pending)))
        needed = self._terms.settings.traces_for_action
        accepted.is_actionable = is_actionable(len(accepted.same_origin), needed)

    def _of_origin(self, line: str, origin: str) -> list[_Traced]:
        """The traces of an origin by a line so far, the oldest first."""
        tags = self._terms.origin_keys.tags(line, comparable(origin))
        return [traced for tag in tags for traced in self._origins.get((line, tag), [])]

    def _of_same_record(self, pending: Pending) -> str | Accepted | None:
        """The trace of the same call of the call records, under whatever name: an adapter that starts anew, or is
        another one, may name it anew."""
        call = pending.call
        if self._terms.settings.call_records is None or not isinstance(call, FoundCall):
            return None
        of_origin = self._of_origin(pending.request.line, call.calling_number)
        return next((traced.trace for traced in of_origin if traced.called_at == call.called_at), None)

    def _tags_of(self, pendings: Sequence[Pending]) -> set[str]:
        return {
            tag
            for pending in pendings
            if isinstance(pending.call, FoundCall)
            for tag in self._terms.origin_keys.tags(
                pending.request.line, comparable(pending.call.calling_number)
            )
        }

    def _row(self, accepted: Accepted) -> Trace:
        pending = accepted.pending
        request = pending.request
        return Trace(
            request_id=request.request_id,
            adapter_id=pending.signed.adapter_id,
            line=request.line,
            call_id=request.call.call_id,
            called_at=_called_at(pending),
            requested_at=request.requested_at,
            received_at=pending.received_at,
            outcome=accepted.decision.outcome.value,
            reason=accepted.decision.reason.value if accepted.decision.reason else None,
            trace_id=_public_number(accepted),
            charge_cents=accepted.decision.charge_cents,
            is_actionable=accepted.is_actionable,
            origin_tag=accepted.origin_tag,
            origin_key=accepted.origin_key,
            sealed=self._terms.seal.seal(_captured(accepted, self._standing[pending.signed.adapter_id])),
            sealed_to=self._terms.seal.fingerprint,
        )


def _of_operator(settings: Settings, line: str) -> Policy:
    is_offered = settings.lines_offered == "*" or line in settings.lines_offered
    return Policy(is_offered, settings.price_cents, settings.monthly_cap_cents)


def _captured(accepted: Accepted, standing: Standing) -> WhoCalled:
    pending = accepted.pending
    request, call = pending.request, pending.call
    found = call if accepted.is_traced and isinstance(call, FoundCall) else None
    subscriber = pending.subscriber if found else None
    return WhoCalled(
        trace_id=_public_number(accepted),
        line=request.line,
        origin=found.calling_number if found else None,
        name=subscriber.name if subscriber else None,
        address=subscriber.address if subscriber else None,
        presented=request.call.caller_id,
        presentation=presentation_of(request.call.caller_id),
        time_source=request.time_source,
        called_at=_called_at(pending),
        requested_at=request.requested_at,
        received_at=pending.received_at,
        rings=request.call.rings,
        answered=found.is_answered if found else request.call.answered,
        forwarded_from=found.forwarded_from if found else None,
        call_waiting=request.call.call_waiting,
        decoded=_decoded(standing),
        request=pending.signed.token,
    )


def _decoded(standing: Standing) -> Decoded | None:
    if standing.heartbeat is None:
        return None
    try:
        return Heartbeat.model_validate_json(standing.heartbeat).decoded
    except ValidationError:
        return None  # an older service has kept it


def _called_at(pending: Pending) -> int | None:
    if isinstance(pending.call, FoundCall):
        return pending.call.called_at
    return None if pending.request.time_source == "none" else pending.request.call.at


def _charges(traced: Sequence[Accepted]) -> Iterator[Charge]:
    for accepted in traced:
        if accepted.charge is not None and accepted.trace_id is not None:
            yield Charge(**{**vars(accepted.charge), "trace_id": accepted.trace_id})


def _entry(accepted: Accepted, row: Trace) -> Entry:
    pending, decision = accepted.pending, accepted.decision
    return Entry(
        pending.received_at,
        f"adapter:{pending.signed.adapter_id}",
        "trace.decided",
        _public_number(accepted) or pending.request.request_id,
        {
            "outcome": decision.outcome.value,
            "reason": decision.reason.value if decision.reason else None,
            "line": pending.request.line,
            "charge_cents": decision.charge_cents,
            # Anybody can seal to a public key: only a record that the log vouches for is released.
            "sealed_sha256": sha256(row.sealed or b"").hexdigest(),
        },
    )


def _answer(known: Known) -> TraceAnswer:
    if isinstance(known, Trace):
        return TraceAnswer(
            request_id=known.request_id,
            outcome=Outcome(known.outcome),
            trace_id=known.trace_id,
            charge_cents=known.charge_cents,
            action_open=known.is_actionable,
        )
    return TraceAnswer(
        request_id=known.pending.request.request_id,
        outcome=known.decision.outcome,
        trace_id=_public_number(known),
        charge_cents=known.decision.charge_cents,
        action_open=known.is_actionable,
    )


def _public_number(accepted: Accepted) -> str | None:
    return _id_of(accepted.earlier) if accepted.earlier is not None else accepted.trace_id


def _id_of(trace: str | Accepted) -> str:
    return trace if isinstance(trace, str) else trace.trace_id or ""
