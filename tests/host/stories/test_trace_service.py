"""The trace service of a story: a real process, in line time, that knows the adapters that it is told of."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from host_tools.service import signing
from host_tools.stories.service_on_line_time import LineClock
from host_tools.stories.trace_service import ServiceNotStarted, TraceService

HEARTBEAT: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "vectors" / "heartbeat.json").read_text()
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[TraceService]:
    with TraceService(tmp_path, tmp_path / "cdr.sqlite", "*") as service:
        yield service


def told_time(service: TraceService, key: bytes, sequence: int) -> int:
    """The time that the service tells adapter-1 in the answer to a heartbeat."""
    heartbeat = HEARTBEAT["heartbeats"]["valid"][0]["body"].encode()
    token = signing.sign(heartbeat, key, "adapter-1", sequence, "ask")
    response = httpx.post(service.url, content=token, timeout=30)
    assert response.status_code == 200
    unix_seconds: int = json.loads(signing.verify(response.content, key, "answer"))["unix_seconds"]
    return unix_seconds


def test_it_tells_the_time_of_the_line(service: TraceService) -> None:
    key = bytes.fromhex(service.add_adapter("adapter-1"))
    service.start()
    assert abs(told_time(service, key, 1) - time.time()) < 60
    service.set_time(1796146200.9)
    assert told_time(service, key, 2) == 1796146200
    service.stop()
    service.set_time(1796146300.0)
    service.start()
    assert told_time(service, key, 3) == 1796146300


def test_an_adapter_is_added_while_it_runs(service: TraceService) -> None:
    service.start()
    key = bytes.fromhex(service.add_adapter("adapter-1"))
    assert told_time(service, key, 0)


def test_it_is_killed_and_starts_again(service: TraceService) -> None:
    key = bytes.fromhex(service.add_adapter("adapter-1"))
    service.start()
    assert told_time(service, key, 7)
    assert service.store_bytes() > 0
    first = service.process_id
    service.kill()
    with pytest.raises(ServiceNotStarted):
        _ = service.process_id
    service.start()
    assert service.process_id != first
    assert told_time(service, key, 8)


def test_a_line_clock_is_real_until_it_is_set(tmp_path: Path) -> None:
    setting, reading = LineClock(tmp_path / "clock"), LineClock(tmp_path / "clock")
    assert abs(reading.now() - time.time()) < 60
    setting.set(12.5)
    assert reading.now() == 12.5
    setting.close()
    reading.close()
