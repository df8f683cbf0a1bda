"""The bench of traces a second, with a load of seconds: what it says is what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import trace_rate
from bench.load_processes import LoadFailed
from bench.trace_rate import SETUPS, Plan, Rate, Setup, measure, page
from tests.host.postgresql import binaries

SMALL = Plan(connections=4, traces=10)


@pytest.mark.parametrize("setup", [SETUPS[0], SETUPS[2]], ids=lambda setup: setup.name)
def test_each_answer_is_what_is_stored(setup: Setup, tmp_path: Path) -> None:
    if setup.is_postgresql and binaries() is None:
        pytest.skip("there is no PostgreSQL here: apt install postgresql")
    rate = measure(setup, SMALL, tmp_path)
    assert rate.stored == 40
    assert rate.per_second > 0
    assert 0 < rate.median_ms <= rate.percentile_99_ms <= rate.maximum_ms
    assert len(rate.peak_bytes) == setup.replicas


def test_an_answer_that_is_not_stored_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = trace_rate._load

    def forgetful(tokens: list[list[str]], plan: Plan, folder: Path, port: int) -> dict[str, object]:
        loaded = load(tokens, plan, folder, port)
        loaded["signed"].pop()
        return loaded

    monkeypatch.setattr(trace_rate, "_load", forgetful)
    with pytest.raises(LoadFailed, match="39 answers, 40 traces"):
        measure(SETUPS[0], SMALL, tmp_path)


def test_the_page_has_a_row_for_each() -> None:
    rate = Rate(SETUPS[2], 1234.5, 10.4, 99.6, 120.0, [187_000_000, 188_000_000], 1.234, 40)
    assert (
        "| PostgreSQL, two replicas | **1,234** | 10 ms | 100 ms | 120 ms | 187 + 188 MB | 1.23 ms | 40 |"
        in page([rate], SMALL)
    )
