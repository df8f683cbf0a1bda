"""What a load came to: adapters' words held against the service's store, and the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.load_table import Counts, Fact, Kept, Load, Use, counted, page, times


def fact(number: int, **changed: Any) -> Fact:
    answer = {"outcome": "traced", "trace_id": f"T-{number:08}", "charge_cents": 500}
    whole = Fact(f"load-{number}", "serial", f"request-{number}", answer, 10.0 * number, 2, 0, 0)
    return replace(whole, **changed)


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "request_id": f"request-{number}",
        "line": f"line-{number}",
        "call_id": "call",
        "adapter_id": f"load-{number}",
        "outcome": "traced",
        "trace_id": f"T-{number:08}",
        "charge_cents": 500,
        **changed,
    }


def kept(*rows: dict[str, Any], asked: int = 3) -> Kept:
    ids = ["load-1", "load-2"]
    return Kept(rows, dict.fromkeys(ids, asked), frozenset(ids))


RIGHT = counted([fact(1), fact(2)], kept(row(1), row(2)))


def test_all_is_well() -> None:
    assert (
        Counts(2, 4, 0, accepted=2, answered=2, lost=0, twice=0, wrong=0, unanswered=0, refusals=0, faults=0)
        == RIGHT
    )
    assert RIGHT.holds


@pytest.mark.parametrize(
    ("facts", "store", "name", "count"),
    [
        ([fact(1), fact(2)], kept(row(1)), "lost", 1),
        ([fact(1), fact(2, answer=None)], kept(row(1), row(2)), "answered", 1),
        ([fact(1), fact(2)], kept(row(1), row(2), row(2, request_id="other")), "twice", 1),
        ([fact(1), fact(2)], kept(row(1), row(2), row(2, request_id="other", call_id="other")), "wrong", 1),
        ([fact(1), fact(2)], kept(row(1), row(2, trace_id="T-00000007")), "wrong", 1),
        ([fact(1), fact(2)], kept(row(1), row(2, adapter_id="load-1")), "wrong", 1),
        ([fact(1), fact(2)], Kept((row(1), row(2)), {}, frozenset({"load-1"})), "unheard", 1),
        ([fact(1), fact(2, faults=1)], kept(row(1), row(2)), "faults", 1),
    ],
)
def test_what_is_not_well_is_counted(facts: list[Fact], store: Kept, name: str, count: int) -> None:
    counts = counted(facts, store)
    assert getattr(counts, name) == count
    assert not counts.holds


def test_an_ask_without_an_answer_has_used_a_number() -> None:
    counts = counted([fact(1), fact(2)], kept(row(1), row(2), asked=5))
    assert counts.unanswered == 4
    assert counts.holds


def test_times() -> None:
    taken = times(float(took_ms) for took_ms in range(101))
    assert (taken.count, taken.median_ms, taken.percentile_99_ms, taken.longest_ms) == (101, 50, 99, 100)
    assert times([]).count == 0


def test_the_page_has_every_figure() -> None:
    facts = [fact(1), fact(2, carrier="network")]
    use = Use(1.25, 2.5, 100 * 2**20)
    load = Load(57, 4, 10, 60.0, 10.0, facts, RIGHT, use, replace(use, peak_bytes=50 * 2**20), 30.0)
    lines = page(load).splitlines()
    for line in (
        "| adapters | 2 |",
        "| heartbeats answered | 4 |",
        "| traces accepted | 2 |",
        "| lost | 0 |",
        "| serial | 1 | 10 ms | 10 ms | 10 ms |",
        "| network | 1 | 20 ms | 20 ms | 20 ms |",
        "| both | 2 | 15 ms | 20 ms | 20 ms |",
        "| gateway | 1.2 s | 2.5 s | 100 MB |",
        "| service | 1.2 s | 2.5 s | 50 MB |",
        "The adapters themselves took 30.0 s of processor.",
    ):
        assert line in lines
    assert all(len(line) <= 120 for line in lines)
