"""The real trace service that faults are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from host_tools.exchange.call_records import CallRecords
from host_tools.stories.trace_service import TraceService


@dataclass(frozen=True)
class Place:
    """A folder, the exchange's call records in it, and the service that keeps its store there."""

    folder: Path
    records: Path
    service: TraceService


def place_in(folder: Path) -> Place:
    """A service whose exchange knows the calls that wait in the outbox of each `Delivery`, and no other."""
    records = folder / "cdr.sqlite"
    CallRecords(records)
    return Place(folder, records, TraceService(folder, records, "*"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all tests of a file."""
    place = place_in(tmp_path_factory.mktemp("faults"))
    with place.service:
        place.service.start()
        yield place
