"""Metrics: what was counted is told to Prometheus, under labels that nobody outside can make."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Message, Scope

from host_tools.service import door
from host_tools.service.messages import Outcome, RefusalReason
from host_tools.service.metrics import NO_ROUTE, OTHER_METHOD, Counted
from tests.host.service.conftest import (
    LINE,
    NO_ROOTS,
    Adapter,
    Centre,
    Service,
    new_heartbeat,
    new_request,
    post,
)

Serve = Callable[..., Service]
Samples = dict[str, float]


def samples(address: str) -> Samples:
    """Every sample, as `name{labels}`, without those of time."""
    text = httpx.get(f"{address}/metrics", verify=NO_ROOTS).text
    return {
        f"{sample.name}{{{','.join(f'{name}={value}' for name, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_all_is_there_before_anything_happened(centre: Centre, serve: Serve) -> None:
    found = samples(serve(centre.settings()))
    for outcome in Outcome:
        assert found[f"star57_traces_total{{outcome={outcome.value}}}"] == 0
    for reason in RefusalReason:
        assert found[f"star57_refusals_total{{reason={reason.value}}}"] == 0
    assert found["star57_call_record_failures_total{}"] == 0
    assert found["star57_directory_failures_total{}"] == 0
    assert found["star57_message_seconds_count{}"] == 0
    assert found["star57_batch_size_count{of=traces}"] == 0
    assert found["process_open_fds{}"] > 0
    assert [name for name in found if name.startswith("star57_build_info{version=")]


def test_messages_are_counted_by_what_became_of_them(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    request = new_request()
    for ask in (request, request, new_request(caller=None), new_heartbeat()):
        assert adapter.ask(address, ask).status == 200
    assert post(address, b"nothing signed").status_code == 400
    assert post(address, Adapter("stranger").token(new_heartbeat())).status_code == 403
    found = samples(address)
    assert found["star57_traces_total{outcome=traced}"] == 2  # the same request again is answered the same
    assert found["star57_traces_total{outcome=not_traceable}"] == 1
    assert found["star57_refusals_total{reason=malformed}"] == 1
    assert found["star57_refusals_total{reason=unknown_adapter}"] == 1
    assert found["star57_http_requests_total{method=POST,route=/v1/messages,status=200}"] == 4
    assert found["star57_http_requests_total{method=POST,route=/v1/messages,status=400}"] == 1
    assert found["star57_message_seconds_count{}"] == 6
    assert found["star57_message_seconds_bucket{le=10.0}"] == 6
    assert found["star57_batch_size_bucket{le=1,of=traces}"] == 3
    assert found["star57_batch_size_sum{of=traces}"] == 3
    assert found["star57_batch_size_count{of=plain}"] == 1


def test_what_cannot_be_read_is_counted(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    missing = {"call_records": "sqlite:////no/cdr.sqlite", "subscribers": "/no/subscribers.csv"}
    address = serve(centre.settings(**missing))
    assert adapter.ask(address, new_request()).status == 503
    assert samples(address)["star57_call_record_failures_total{}"] == 1
    address = serve(centre.settings(subscribers=missing["subscribers"]))
    assert adapter.ask(address, new_request()).status == 200
    assert samples(address)["star57_directory_failures_total{}"] == 1


def test_a_path_is_counted_under_its_route(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    for path in ("/health", "/adapters/one", "/adapters/two", "/api/cases/C-00000001", "/static/style.css"):
        httpx.get(f"{address}{path}", verify=NO_ROOTS)
    for path in ("/nowhere", "/v1/", "/v1/messages/7", "/api/5555550123"):
        httpx.get(f"{address}{path}", verify=NO_ROOTS)
    httpx.request("MKCOL", f"{address}/health")
    found = samples(address)
    requests = {name for name in found if name.startswith("star57_http_requests_total")}
    assert requests >= {
        "star57_http_requests_total{method=GET,route=/health,status=200}",
        "star57_http_requests_total{method=GET,route=/adapters/{adapter_id},status=303}",
        "star57_http_requests_total{method=GET,route=/api/cases/{case_id},status=401}",
        "star57_http_requests_total{method=GET,route=/static,status=200}",
        f"star57_http_requests_total{{method={OTHER_METHOD},route=/health,status=405}}",
    }
    assert sum(found[name] for name in requests if f"route={NO_ROUTE}," in name) == 4
    assert not [name for name in found if "5555550123" in name or "nowhere" in name]


def test_nobody_is_in_them(centre: Centre, adapter: Adapter, serve: Serve) -> None:
    address = serve(centre.settings())
    assert adapter.ask(address, new_request()).status == 200
    httpx.post(
        f"{address}/api/sessions", verify=NO_ROOTS, json={"name": "mallory", "password": "not the right one"}
    )
    text = httpx.get(f"{address}/metrics", verify=NO_ROOTS).text
    for secret in (LINE, "5555550123", "JANE", "mallory", "right one", adapter.adapter_id, "T-0000"):
        assert secret not in text
    assert not re.search(r"[0-9a-f]{32}", text)


def test_openmetrics_is_spoken_to_who_asks_for_it(centre: Centre, serve: Serve) -> None:
    address = serve(centre.settings())
    answer = httpx.get(
        f"{address}/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}
    )
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize("raises", [False, True])
async def test_an_application_that_fails_has_answered_500(raises: bool) -> None:
    async def app(_: Scope, __: Any, send: Callable[[Message], Any]) -> None:
        if raises:
            raise ValueError
        await send({"type": "http.response.start", "status": 500, "headers": []})

    async def send(_: Message) -> None:
        return

    registry = CollectorRegistry()
    counted = Counted(app, registry)
    scope = {"type": "http", "method": "GET", "path": "/"}
    try:
        await counted(scope, send, send)  # type: ignore[arg-type]
    except ValueError:
        assert raises
    labels = {"method": "GET", "route": NO_ROUTE, "status": "500"}
    assert registry.get_sample_value("star57_http_requests_total", labels) == 1


async def test_a_message_costs_less_than_10_us() -> None:
    async def app(_: Scope, __: Any, send: Callable[[Message], Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(_: Message) -> None:
        return

    counted = Counted(app, CollectorRegistry())
    scope = {"type": "http", "method": "POST", "path": door.PATH}

    async def least_us(application: Any) -> float:
        times = []
        for _ in range(200):
            began = time.process_time()
            for _ in range(20):
                await application(dict(scope), send, send)
            times.append((time.process_time() - began) / 20 * 1e6)
        return min(times)

    assert await least_us(counted) - await least_us(app) < 10
