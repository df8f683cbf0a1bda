"""Faults of a network between the adapter and the real trace service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from host_tools.rig.faulty_network import Fault, FaultyProxy
from host_tools.stories.trace_service import TraceService
from tests.host.faults.delivery import MOST_PENDING, Delivery
from tests.host.faults.tally import Tally

FAULTS: Mapping[str, Mapping[Fault, float]] = {
    "connections refused": {Fault.REFUSED: 0.3},
    "reset before the service had it": {Fault.RESET: 0.5},
    "half-open": {Fault.HALF_OPEN: 0.3},
    "a byte a second": {Fault.SLOW: 0.3},
    "answers lost after commit": {Fault.ANSWER_LOST: 0.5},
    "requests duplicated": {Fault.SENT_TWICE: 0.7},
    "answers duplicated": {Fault.ANSWER_TWICE: 0.7},
    "answers out of order": {Fault.OUT_OF_ORDER: 0.4, Fault.EARLIER_ANSWER: 0.3},
    "all of these": dict.fromkeys(Fault, 0.08),
}
"""How likely each fault is for a request, by the name of its row."""


def deliver_through(
    name: str, seed: int, service: TraceService, folder: Path, requests: int = MOST_PENDING
) -> Tally:
    """Delivers over a network with those faults.

    Raises:
        StoryStuck: not all was delivered in time.
    """
    with FaultyProxy(("127.0.0.1", service.port), seed, FAULTS[name], refused_s=0.1) as proxy:
        delivery = Delivery(
            seed, service, requests, settings={"service_port": proxy.port}, within_s=6000.0, patience_ms=60
        )
        tally = delivery.run(folder, f"network: {name}", proxy.happened.total)
    return replace(tally, more={**tally.more, "asked": proxy.requests})
