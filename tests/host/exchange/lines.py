"""A line for tests: an office, a telephone, the pair between them, and everything that the adapter saw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from host_tools.exchange.call_records import CallRecords
from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import CentralOffice, IncomingCall
from host_tools.exchange.levels import Samples
from host_tools.exchange.pair import RING_EDGE, Pair
from host_tools.exchange.telephone import Telephone

NUMBER = "5555550123"
SMITH = IncomingCall(CallerId(NUMBER, "SMITH JOHN"), origin=NUMBER)
STARTS_AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class Line:
    """A line that advances by milliseconds."""

    def __init__(
        self, type_two: bool = False, records: Path | None = None, block_samples: int = 80, seed: int = 57
    ) -> None:
        self.block_samples = block_samples
        self.telephone = Telephone(type_two)
        self.office = CentralOffice(
            starts_at=STARTS_AT, records=CallRecords(records) if records else None, seed=seed
        )
        self.pair = Pair(self.office, self.telephone)
        self.relay_energised = False
        self.phone_out: Samples = np.zeros(block_samples, np.int16)
        self.edges: list[tuple[int, int, int]] = []
        self._blocks: list[Samples] = []

    @property
    def now(self) -> int:
        """Samples so far."""
        return self.office.now_samples

    def run(self, duration_ms: float) -> Samples:
        """Lets time pass, whole blocks; answers what the adapter heard on the exchange's side."""
        heard = [np.zeros(0, np.int16)]
        until = self.now + duration_ms * 8
        while self.now < until:
            at = self.now
            block = self.pair.advance(self.block_samples, self.relay_energised, self.phone_out)
            self.edges.extend((at + offset, kind, level) for offset, kind, level in block.edges)
            heard.append(block.line_in)
        return np.concatenate(heard)

    def until(self, condition: Callable[[], bool], within_ms: float = 10_000) -> None:
        """Lets time pass until something is so."""
        end = self.now + within_ms * 8
        while not condition():
            assert self.now < end, "not in time"
            self.run(1)

    def ring_edges(self) -> list[tuple[int, int]]:
        """(sample, level) of the ring detector so far."""
        return [(at, level) for at, kind, level in self.edges if kind == RING_EDGE]

    def seize(self) -> None:
        """Lifts the telephone and waits until dial tone has come."""
        self.telephone.lift()
        self.run(400)

    def dial(self, keys: str) -> None:
        """Presses keys, and waits until they are sent."""
        self.telephone.press(keys)
        self.until(lambda: not self.telephone.busy)
        self.run(50)

    def talk(self) -> None:
        """A call comes in and is answered."""
        self.office.incoming_call(SMITH)
        self.run(500)
        self.telephone.lift()
        self.run(500)
