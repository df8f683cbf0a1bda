"""Moments by the clocks of a zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from host_tools.service.local_time import in_words, month_of

NEW_YORK = ZoneInfo("America/New_York")
CLOCKS_BACK = 1793512800  # 2026-11-01 06:00:00 UTC: 2 o'clock becomes 1 o'clock in New York


@pytest.mark.parametrize(
    ("at", "zone", "words"),
    [
        (0, "UTC", "1970-01-01 00:00:00 UTC"),
        (CLOCKS_BACK - 1, "America/New_York", "2026-11-01 01:59:59 EDT"),
        (CLOCKS_BACK, "America/New_York", "2026-11-01 01:00:00 EST"),
        (1767268800, "America/Sao_Paulo", "2026-01-01 09:00:00 -03"),
    ],
)
def test_a_moment_names_its_zone(at: int, zone: str, words: str) -> None:
    assert in_words(at, ZoneInfo(zone)) == words


def test_a_month_ends_at_local_midnight() -> None:
    midnight = 1769922000  # 2026-02-01 00:00:00 in New York
    assert month_of(midnight - 1, NEW_YORK) == "2026-01"
    assert month_of(midnight, NEW_YORK) == "2026-02"
    assert month_of(midnight - 1, ZoneInfo("UTC")) == "2026-02"
