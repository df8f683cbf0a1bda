"""What every source of call records promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from host_tools.service.call_records.record import CallRecord


class CallRecordsUnreadable(Exception):
    """The call records cannot be read now, or hold something else than Asterisk writes."""


class CallRecordUnreadable(CallRecordsUnreadable):
    """Of what was asked for, some record holds something else than Asterisk writes; others may be read."""


class Wanted(NamedTuple):
    """Calls to `line` that began from `earliest` to `latest`: Unix seconds, included."""

    line: str
    earliest: int
    latest: int


class CallRecords(Protocol):
    """The exchange's call records. Every method but `close` raises CallRecordsUnreadable, and nothing else."""

    async def calls(self, line: str, earliest: int, latest: int) -> list[CallRecord]:
        """The records of the calls that came to `line` from `earliest` to `latest` (Unix seconds, included).

        All legs of these calls that are known, those to other lines and outside these times too.
        """

    async def calls_of_many(self, wanted: Sequence[Wanted]) -> list[list[CallRecord]]:
        """As `calls`, for many at once: in their order, and in one query."""

    async def check(self) -> list[str]:
        """Reads a little; answers, a sentence each, what the operator should know: what is slow, what was passed by."""

    async def close(self) -> None:
        """Closes what is open."""
