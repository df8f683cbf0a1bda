"""The Pico's page: rows from what a line told, and what the converter's model says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.pico_line import Told, converter, rows, states
from host_tools.service.messages import Heartbeat


def heartbeat(**fields: object) -> Heartbeat:
    told = {
        "message": "heartbeat", "version": 1, "adapter_id": "bench-01", "board": "pico", "firmware": "0.1.0",
        "commit": "0123abc", "carrier": "serial", "reset_reason": "power_on", "uptime_s": 0,
        "unix_seconds": 1_795_000_000, "time_source": "network", "free_heap_bytes": 128_000, "lost_samples": 0,
        "underruns": 0, "longest_gap_ms": 40, "outbox": 0, "refusals": 0, "decoded": None, "settings_revision": 0,
        "settings_refused": [], "prompt": None, "log_lines": 1,
    }  # fmt: skip
    return Heartbeat.model_validate({**told, **fields})


FLAT = [heartbeat(), *[heartbeat(free_heap_bytes=125_000)] * 30]
TOLD = Told({"starts": [1.0], "at rest": [0.2] * 50 + [0.4] * 50}, FLAT, 0.06, 10.0, 10.1, 10.05, 0)


def held(told: Told, digit_ms: int | None = 0) -> dict[str, bool]:
    return {row.name: row.holds for row in rows(told, told, told, digit_ms)}


def test_everything_holds_on_a_good_board() -> None:
    assert all(held(TOLD).values())


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (replace(TOLD, first_sample_s=1.5), "boot to the first sample"),
        (replace(TOLD, sound_s=10.3), "end of the last digit"),
        (replace(TOLD, busy={"at rest": [0.5] * 100}), "mean load, at rest"),
        (replace(TOLD, heartbeats=[heartbeat(free_heap_bytes=119_000), *FLAT]), "free heap after boot"),
        (replace(TOLD, heartbeats=[*FLAT, heartbeat(free_heap_bytes=119_000)]), "free heap at the least"),
        (replace(TOLD, heartbeats=[*FLAT[:28], heartbeat(), *FLAT[28:]]), "free heap at rest"),
        (replace(TOLD, heartbeats=[*FLAT, heartbeat()]), "free heap, 52 calls"),
        (replace(TOLD, heartbeats=[*FLAT, heartbeat(lost_samples=1)]), "samples of the line lost"),
        (replace(TOLD, heartbeats=[*FLAT, heartbeat(longest_gap_ms=300)]), "longest time"),
        (replace(TOLD, resets=1), "samples of the line lost"),
    ],
)
def test_what_is_bad_does_not_hold(told: Told, name: str) -> None:
    assert [row for row, holds in held(told).items() if not holds and row.startswith(name)]


def test_a_hook_that_is_not_heard_at_once_does_not_hold() -> None:
    assert not held(TOLD, None)["hook lift to listening"]
    assert not held(TOLD, 20)["hook lift to listening"]


def test_a_state_has_its_mean_its_worst_second_and_its_worst_block() -> None:
    assert list(states(TOLD.busy))[1:] == ["| at rest | 30.0% | 40.0% | 40% |\n"]


def test_averaging_twice_as_many_conversions_gains_three_decibels() -> None:
    table = list(converter())[1:]
    snrs_db = [float(line.split("|")[3].split()[0]) for line in table]
    assert [later - sooner for sooner, later in pairwise(snrs_db)] == pytest.approx([3.0] * 3, abs=0.3)
