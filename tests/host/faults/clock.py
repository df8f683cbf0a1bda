"""Clocks that are none, and clocks that jump: order and identity of requests do not hang on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from host_tools.rig.faulty_network import FaultyProxy
from host_tools.stories.trace_service import TraceService
from tests.host.faults.delivery import MOST_PENDING, Delivery
from tests.host.faults.tally import Tally

NOW = 1_795_000_000.0
DAY_S = 86_400.0
YEAR_S = 365 * DAY_S

JUMPS = {
    "jumps back an hour": [0.0, -3600.0],
    "jumps back and forth a year": [0.0, YEAR_S, 0.0, -YEAR_S],
    "says 1970, and the end of time": [0.0, 1.0 - NOW, 0xFFFF_FFFF - NOW],
}
"""Where the service's clock stands at each of its next answers, from NOW."""


class JumpingProxy(FaultyProxy):
    """A way to a service whose clock is somewhere else at each request."""

    def __init__(self, service: TraceService, seed: int, jumps: list[float]) -> None:
        super().__init__(("127.0.0.1", service.port), seed, {})
        self._service = service
        self._jumps = jumps

    async def _ask(self, request: bytes) -> bytes:
        self._service.set_time(NOW + self._jumps[self.requests % len(self._jumps)])
        return await super()._ask(request)


def deliver_with_jumps(
    name: str, seed: int, service: TraceService, folder: Path, requests: int = MOST_PENDING
) -> Tally:
    """Delivers, from an adapter without a clock, to a service whose clock jumps."""
    with JumpingProxy(service, seed, JUMPS[name]) as proxy:
        delivery = Delivery(
            seed,
            service,
            requests,
            settings={"service_port": proxy.port},
            wall_time=0,
            more_s=130.0,
            patience_ms=5000,
        )
        tally = delivery.run(folder, f"clock: {name}", lambda: proxy.requests)
    return replace(tally, more={**tally.more, "asked": proxy.requests})
