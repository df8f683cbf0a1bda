"""Metrics for Prometheus: what this process has counted and measured. Nothing in them is about anybody.

Rooms count for themselves, in plain numbers; they are read when somebody asks. docs/service.md lists the metrics.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Annotated

import prometheus_client as prometheus
from fastapi import FastAPI, Request, Response
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_tools.service import door
from host_tools.service.access import public
from host_tools.service.batching import MOST_AT_ONCE, Batching
from host_tools.service.desk import Desk
from host_tools.service.messages import Outcome, RefusalReason
from host_tools.service.store import Store

NO_ROUTE = "none"
"""The route of what is asked for and is not there: its path is anybody's."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"
MESSAGE_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_BATCH_BUCKETS = tuple(2**n for n in range(MOST_AT_ONCE.bit_length()))


def add_to(app: FastAPI) -> None:
    """Counts every request of `app` from now on, and adds `GET /metrics`.

    `app.state` has its `desk` and `store`. It comes last: what is added later is not counted.
    """
    registry = prometheus.CollectorRegistry()
    registry.register(_Counts(app.state.desk, app.state.store))
    prometheus.ProcessCollector(registry=registry)

    @app.get("/metrics", response_class=Response, include_in_schema=False)
    async def metrics(request: Request, _: Annotated[None, public()]) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    app.add_middleware(Counted, registry=registry)


class Counted:
    """ASGI middleware that counts requests by the route's template, and takes the time of messages."""

    def __init__(self, app: ASGIApp, registry: prometheus.CollectorRegistry) -> None:
        self._app = app
        self._requests = prometheus.Counter(
            "star57_http_requests",
            "Requests that were answered.",
            ["route", "method", "status"],
            registry=registry,
        )
        self._message_seconds = prometheus.Histogram(
            "star57_message_seconds",
            "From an adapter's message, when its head has come, to the end of the answer.",
            buckets=MESSAGE_BUCKETS_S,
            registry=registry,
        )
        # The library's own look-up by labels costs more than all the rest.
        self._known: dict[tuple[str, str, int], prometheus.Counter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = 500  # what answers an exception stands before this

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._note(scope, status, time.perf_counter() - began_s)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        route = door.PATH if scope["path"] == door.PATH else _template(scope)
        if route is door.PATH:
            self._message_seconds.observe(took_s)
        labels = route, scope["method"], status
        counter = self._known.get(labels)
        if counter is None:
            method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
            counter = self._requests.labels(route, method, str(status))
            if method is not OTHER_METHOD:
                self._known[labels] = counter
        counter.inc()


def _template(scope: Scope) -> str:
    """The route's path with its names of variable parts; that of a folder of files is the folder's."""
    route = scope.get("route")
    template: str = scope.get("root_path", "") if route is None else route.path
    return template or NO_ROUTE


class _Counts(Collector):
    """What the rooms have counted."""

    def __init__(self, desk: Desk, store: Store) -> None:
        self._desk = desk
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        tracing = self._desk.tracing
        yield InfoMetricFamily("star57_build", "What runs.", {"version": version("star57")})
        yield _by_label(
            "star57_traces",
            "Trace requests that were answered, by outcome.",
            "outcome",
            {outcome.value: tracing.outcomes[outcome] for outcome in Outcome},
        )
        yield _by_label(
            "star57_refusals",
            "Messages of adapters that were refused, by reason.",
            "reason",
            {reason.value: self._desk.refusals.counts[reason] for reason in RefusalReason},
        )
        yield CounterMetricFamily(
            "star57_call_record_failures",
            "How many times the exchange's call records could not be read.",
            tracing.call_record_failures,
        )
        yield CounterMetricFamily(
            "star57_directory_failures",
            "How many times the directory of subscribers could not be read.",
            tracing.directory_failures,
        )
        yield _batch_sizes({**tracing.batchings, **self._store.batchings})


def _by_label(name: str, documentation: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, documentation, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _batch_sizes(batchings: Mapping[str, Batching[object, object]]) -> Metric:
    family = HistogramMetricFamily(
        "star57_batch_size", "How many were done at once, in one transaction or query.", labels=["of"]
    )
    for name, batching in batchings.items():
        buckets = [(str(bound), _up_to(batching.sizes, bound)) for bound in _BATCH_BUCKETS]
        total = batching.sizes.total()
        done = sum(size * times for size, times in batching.sizes.items())
        family.add_metric([name], buckets=[*buckets, ("+Inf", total)], sum_value=done)
    return family


def _up_to(sizes: Counter[int], bound: int) -> int:
    return sum(times for size, times in sizes.items() if size <= bound)
