"""Twenty adapters on a real gateway and a real service: all is accepted once, and answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.link_load import Plan, run
from bench.load_processes import LoadFailed, Star57


def test_twenty_adapters(tmp_path: Path) -> None:
    load = run(Plan(adapters=20, per_process=10, period_s=1.5, burst_s=0.5), tmp_path)
    counts = load.counts
    assert counts.holds, counts
    assert (counts.adapters, counts.accepted, counts.answered, counts.refusals) == (20, 20, 20, 0)
    assert counts.heartbeats >= 20
    assert {fact.answer["outcome"] for fact in load.facts if fact.answer} == {"traced"}
    assert [load.took_ms(carrier).count for carrier in ("serial", "network")] == [10, 10]
    assert all(0 < use.peak_bytes < 2**30 for use in (load.gateway, load.service))
    assert load.service.burst_cpu_s > 0


def test_a_process_that_does_not_come_up_is_told(tmp_path: Path) -> None:
    with (
        Star57("service", ["--port", "none"], {}, tmp_path / "service.log") as service,
        pytest.raises(LoadFailed, match="Invalid value for"),
    ):
        service.wait_for("listening")
