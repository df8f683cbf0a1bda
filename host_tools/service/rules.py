"""The rules of a trace: pure functions of the request, the call that was found, and what the operator has set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from host_tools.service.matching import FoundCall
from host_tools.service.messages import MAX_CHARGE_CENTS, Outcome, TraceRequest
from host_tools.service.reasons import Reason

_DAY_S = 86400

Setting = TypeVar("Setting")


class OwnTerms(Protocol):
    """What a line or an area has of its own; None is that of whatever is above it."""

    @property
    def is_offered(self) -> bool | None:
        """Whether trace is offered."""

    @property
    def price_cents(self) -> int | None:
        """Of a successful trace."""

    @property
    def monthly_cap_cents(self) -> int | None:
        """The most that is charged in a month."""


@dataclass(frozen=True)
class Policy:
    """What holds on one line.

    Attributes:
        is_offered: whether trace is offered.
        price_cents: of a successful trace, 0 to 1000.
        monthly_cap_cents: the most that is charged in a month; None for no such limit.
    """

    is_offered: bool
    price_cents: int
    monthly_cap_cents: int | None


@dataclass(frozen=True)
class Decision:
    """What is answered and stored.

    Attributes:
        outcome: of the request.
        price_cents: what the trace costs; 0 unless traced.
        charge_cents: what is charged of it, under the month's cap.
        reason: why it is not traceable or not offered; None otherwise.
    """

    outcome: Outcome
    price_cents: int = 0
    charge_cents: int = 0
    reason: Reason | None = None


def policy(own: OwnTerms | None, areas: Mapping[str, OwnTerms], *, line: str, operator: Policy) -> Policy:
    """What holds on `line`: what it has of its own, else its area, else the operator's settings.

    Args:
        own: the line's row, if it has one.
        areas: rows of areas by prefix, of which the line's is the one with its longest prefix.
    """
    prefixes = (line[:digits] for digits in range(len(line), 0, -1))
    area = next((areas[prefix] for prefix in prefixes if prefix in areas), None)
    levels = [terms for terms in (own, area) if terms is not None]
    return Policy(
        is_offered=_first_set((terms.is_offered for terms in levels), operator.is_offered),
        price_cents=_first_set((terms.price_cents for terms in levels), operator.price_cents),
        monthly_cap_cents=_first_set(
            (terms.monthly_cap_cents for terms in levels), operator.monthly_cap_cents
        ),
    )


def decide(
    request: TraceRequest,
    call: FoundCall | Reason,
    *,
    policy: Policy,
    is_of_another: bool,
    already_traced: bool,
    spent_cents: int,
    rings_needed: int,
    too_old_days: int,
) -> Decision:
    """The decision on `request`.

    Args:
        call: the request's call, or why it is not known.
        policy: of the request's line.
        is_of_another: the line is not this adapter's (`is_of_another_adapter`).
        already_traced: this call of this line was traced by an earlier request.
        spent_cents: what the line was charged in this month so far.
        rings_needed: complete rings after which a connection was made, 1 or 2.
        too_old_days: a call that came longer before its request is not traced.
    """
    refused = _not_offered(policy, is_of_another)
    if refused:
        return Decision(Outcome.NOT_OFFERED, reason=refused)
    if already_traced:
        return Decision(Outcome.ALREADY_TRACED)
    reason = _not_traceable(request, rings_needed, too_old_days) or (
        call if isinstance(call, Reason) else None
    )
    if reason:
        return Decision(Outcome.NOT_TRACEABLE, reason=reason)
    price_cents = min(policy.price_cents, MAX_CHARGE_CENTS)
    return Decision(Outcome.TRACED, price_cents, charge(price_cents, policy.monthly_cap_cents, spent_cents))


def charge(price_cents: int, monthly_cap_cents: int | None, spent_cents: int) -> int:
    """What is charged of a price, when `spent_cents` of the month's cap are spent: the price, or what is left."""
    if monthly_cap_cents is None:
        return price_cents
    return max(0, min(price_cents, monthly_cap_cents - spent_cents))


def is_actionable(traces_before: int, traces_for_action: int, *, immediate_danger: bool = False) -> bool:
    """Whether a successful trace opens the way to action, after `traces_before` of the same origin by the same line."""
    return immediate_danger or traces_before + 1 >= traces_for_action


def is_of_another_adapter(line: str, adapter_id: str, owner: str | None, own_lines: Collection[str]) -> bool:
    """Whether an adapter must not trace for a line: it is bound to another, or the adapter has lines, and not this one.

    Args:
        owner: the adapter that the line is bound to; None for none.
        own_lines: the lines that are bound to this adapter.
    """
    return owner not in (None, adapter_id) or (bool(own_lines) and line not in own_lines)


def _not_offered(policy: Policy, is_of_another: bool) -> Reason | None:
    if is_of_another:
        return Reason.LINE_OF_ANOTHER_ADAPTER
    return None if policy.is_offered else Reason.NOT_OFFERED


def _not_traceable(request: TraceRequest, rings_needed: int, too_old_days: int) -> Reason | None:
    """Why the call is not traceable, whoever made it."""
    if request.requested_at - request.call.at > too_old_days * _DAY_S:
        return Reason.TOO_OLD
    call = request.call
    is_connected = call.answered or call.call_waiting or call.rings >= rings_needed
    return None if is_connected else Reason.NO_CONNECTION


def _first_set(values: Iterable[Setting | None], otherwise: Setting) -> Setting:
    return next((value for value in values if value is not None), otherwise)
