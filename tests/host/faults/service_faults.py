"""Faults of the trace service itself: killed while it commits, without room on its disk, two replicas of it."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from random import Random

from host_tools.rig.faulty_network import Fault, FaultyProxy
from host_tools.stories.trace_service import TraceService
from tests.host.faults.delivery import MOST_PENDING, Delivery
from tests.host.faults.tally import Tally

_KILLED_WITHIN_S = 0.02
_UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class KillingProxy(FaultyProxy):
    """A way to a service that one time in `one_in` is killed (SIGKILL) when it has got a request, and started again.

    The moment is drawn from the time that a request takes, so that the kill falls before, within and after a commit.
    """

    def __init__(self, service: TraceService, seed: int, one_in: int) -> None:
        super().__init__(("127.0.0.1", service.port), seed, {})
        self.kills = 0
        self._service = service
        self._one_in = one_in
        self._chance = Random(seed)

    async def _ask(self, request: bytes) -> bytes:
        if self._chance.randrange(self._one_in):
            return await super()._ask(request)
        self.kills += 1
        asking = asyncio.ensure_future(super()._ask(request))
        await asyncio.sleep(self._chance.uniform(0, _KILLED_WITHIN_S))
        self._service.kill()
        await asyncio.wait([asking])
        asking.exception()
        await asyncio.to_thread(self._service.start)
        raise ConnectionResetError


class FillingProxy(FaultyProxy):
    """A way to a service on whose disk there is no room for a request, most of the time."""

    def __init__(self, service: TraceService, seed: int, full: float) -> None:
        super().__init__(("127.0.0.1", service.port), seed, {})
        self.full = 0
        self._service = service
        self._chance_of_full = full
        self._chance = Random(seed)

    async def _ask(self, request: bytes) -> bytes:
        if self._chance.random() < self._chance_of_full:
            self.full += 1
            self._limit((self._service.store_bytes(), resource.RLIM_INFINITY))
        try:
            return await super()._ask(request)
        finally:
            self._limit(_UNLIMITED)

    def _limit(self, limits: tuple[int, int]) -> None:
        resource.prlimit(self._service.process_id, resource.RLIMIT_FSIZE, limits)


class OneAddress(FaultyProxy):
    """One address for several services: each request goes to another one.

    Answers are lost, and requests sent twice: so one service is asked for what the other has accepted.
    """

    def __init__(self, ports: Sequence[int], seed: int) -> None:
        super().__init__(("127.0.0.1", ports[0]), seed, {Fault.ANSWER_LOST: 0.4, Fault.SENT_TWICE: 0.3})
        self._ports = cycle(ports)

    async def _ask(self, request: bytes) -> bytes:
        self.target = ("127.0.0.1", next(self._ports))
        return await super()._ask(request)


def deliver_to_a_killed_service(
    seed: int, service: TraceService, folder: Path, requests: int = MOST_PENDING, one_in: int = 2
) -> Tally:
    """Delivers to a service that is killed and started again and again."""
    with KillingProxy(service, seed, one_in) as proxy:
        delivery = _delivery(seed, service, proxy, requests)
        return delivery.run(folder, "service: killed about its commit", lambda: proxy.kills)


def deliver_to_a_full_disk(
    seed: int, service: TraceService, folder: Path, requests: int = MOST_PENDING
) -> Tally:
    """Delivers to a service whose disk is full for three requests of five."""
    with FillingProxy(service, seed, 0.6) as proxy:
        delivery = _delivery(seed, service, proxy, requests)
        return delivery.run(folder, "service: disk full", lambda: proxy.full)


def deliver_to_replicas(
    seed: int, services: Sequence[TraceService], folder: Path, requests: int = MOST_PENDING
) -> Tally:
    """Delivers to several services on one store, in turn."""
    with OneAddress([service.port for service in services], seed) as proxy:
        delivery = _delivery(seed, services[0], proxy, requests)
        tally = delivery.run(folder, "service: two replicas behind one address", proxy.happened.total)
    return replace(tally, more={**tally.more, "asked": proxy.requests})


@contextmanager
def second_replica(folder: Path, records: Path) -> Iterator[TraceService]:
    """Another service on the store in `folder`."""
    with TraceService(folder, records, "*") as replica:
        replica.start()
        yield replica


def _delivery(seed: int, service: TraceService, proxy: FaultyProxy, requests: int) -> Delivery:
    return Delivery(
        seed,
        service,
        requests,
        settings={"service_port": proxy.port},
        within_s=6000.0,
        patience_ms=5000,
    )
