"""Unix seconds as the operator's people read them: in the operator's time zone, which is named."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def local_time(at: int, zone: ZoneInfo) -> datetime:
    """The moment `at` (Unix seconds) by the clocks of `zone`."""
    return datetime.fromtimestamp(at, zone)


def month_of(at: int, zone: ZoneInfo) -> str:
    """The month of a bill that the moment `at` (Unix seconds) lies in, YYYY-MM."""
    return f"{local_time(at, zone):%Y-%m}"


def in_words(at: int, zone: ZoneInfo) -> str:
    """Date and time to the second, and the zone's name at that moment: 2026-11-01 01:30:00 EDT."""
    return f"{local_time(at, zone):%Y-%m-%d %H:%M:%S %Z}"
