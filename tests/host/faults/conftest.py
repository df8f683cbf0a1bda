"""The real trace service that faults are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from host_tools.exchange.call_records import CallRecord, CallRecords
from host_tools.stories.trace_service import TraceService
from tests.host.faults.delivery import CALLED_AT, CALLER, LINE, MOST_PENDING


@dataclass(frozen=True)
class Place:
    """A folder, the exchange's call records in it, and the service that keeps its store there."""

    folder: Path
    records: Path
    service: TraceService


def place_in(folder: Path) -> Place:
    """A service whose exchange knows the calls that wait in the outbox of a `Delivery`, and no other."""
    records = folder / "cdr.sqlite"
    exchange = CallRecords(records)
    for number in range(MOST_PENDING):
        exchange.write(_call(number))
    return Place(folder, records, TraceService(folder, records, "*"))


def _call(number: int) -> CallRecord:
    """The call of the request of that number (tests/firmware/programs/fill_outbox.py)."""
    called_at = CALLED_AT + 60 * number
    return CallRecord(
        calldate=datetime.fromtimestamp(called_at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        clid=f'"A CALLER" <{CALLER}>',
        src=CALLER,
        dst=LINE,
        dcontext="",
        channel="",
        dstchannel="",
        lastapp="",
        lastdata="",
        duration=20,
        billsec=0,
        disposition="NO ANSWER",
        amaflags=3,
        accountcode="",
        uniqueid=f"{called_at}.{number}",
        userfield="",
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all tests of a file."""
    place = place_in(tmp_path_factory.mktemp("faults"))
    with place.service:
        place.service.start()
        yield place
