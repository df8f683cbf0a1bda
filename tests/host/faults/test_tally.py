"""Tallies: sums, and what holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.host.faults.tally import Tally, added, table

GOOD = Tally("a fault", 3, 16, 0, 0, 0, more={"line seconds": 10})


def test_only_none_lost_none_twice_and_none_wrong_holds() -> None:
    assert GOOD.holds


@pytest.mark.parametrize(
    "tally",
    [replace(GOOD, lost=1), replace(GOOD, twice=1), replace(GOOD, wrong=1), replace(GOOD, samples_lost=1)],
)
def test_one_of_anything_does_not_hold(tally: Tally) -> None:
    assert not tally.holds


def test_runs_of_a_row_are_added() -> None:
    other = Tally("a fault", 4, 16, 1, 2, 3, 5, more={"line seconds": 7, "asked": 9})
    assert added(GOOD, other) == Tally("a fault", 7, 32, 1, 2, 3, 5, {"line seconds": 17, "asked": 9})


def test_a_row_has_its_counts() -> None:
    assert table([replace(GOOD, faults=1234)]).splitlines()[-1] == (
        "| a fault | 1,234 | 16 | 0 | 0 | 0 | 0 | line seconds 10 |"
    )
