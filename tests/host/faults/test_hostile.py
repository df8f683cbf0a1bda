"""Peers that mean harm: a short run of each, that nothing of it is believed, and that it gets everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from host_tools.service.messages import RefusalReason
from tests.host.faults.conftest import Place
from tests.host.faults.hostile import (
    FIRMWARE_KINDS,
    at_the_desk,
    at_the_firmware,
    at_the_gateway,
    at_the_service,
)
from tests.host.faults.mutation import damaged

SEED = 57
REASONS = [f"refused: {reason}" for reason in RefusalReason if reason is not RefusalReason.UNAVAILABLE]
SEEN: dict[str, list[str]] = {
    "frames": ["garbage", "malformed", "old_sequence"],
    "tokens": ["too_large", "malformed", "bad_signature", "other_sequence"],
    "payloads": ["too_large", "malformed", "other_request", "a message after all", "obeyed"],
    "responses": ["closed", "garbage", "too_large", "a body, bad_signature", "a body, other_sequence"],
}
CASES = {"frames": 6000, "tokens": 3000, "payloads": 20_000, "responses": 3000}


def _counted(more: Mapping[str, object], names: list[str]) -> list[Any]:
    return [more.get(name, 0) for name in names]


def test_a_hostile_line_at_the_gateway() -> None:
    tally = at_the_gateway(SEED, 3000)
    assert tally.faults == 3000
    assert tally.holds, tally
    seen = [
        "questions taken as sent",
        "other questions taken, all refused by their signature",
        "damaged frames",
    ]
    assert all(count > 10 for count in _counted(tally.more, seen)), tally


@pytest.mark.parametrize("kind", FIRMWARE_KINDS)
def test_a_hostile_peer_at_the_firmware(kind: str, tmp_path: Path) -> None:
    tally = at_the_firmware(kind, SEED, CASES[kind], tmp_path)
    assert tally.faults >= CASES[kind]
    assert tally.holds, tally
    assert all(count > 0 for count in _counted(tally.more, SEEN[kind])), tally
    if kind != "payloads":
        assert tally.more["believed, as the service gave it"], tally


def test_hostile_tokens_at_the_desk(tmp_path: Path) -> None:
    tally = at_the_desk(SEED, 2000, tmp_path)
    assert tally.faults == 2000
    assert tally.holds, tally
    assert all(count > 10 for count in _counted(tally.more, REASONS)), tally


def test_hostile_tokens_at_the_service(place: Place) -> None:
    tally = at_the_service(SEED, 300, place.service)
    assert tally.faults == 300
    assert tally.holds, tally
    assert all(count > 0 for count in _counted(tally.more, REASONS)), tally


def test_the_same_seed_makes_the_same_attack() -> None:
    seen = ["lines", "questions taken as sent", "damaged frames"]
    first, second = (_counted(at_the_gateway(SEED, 200).more, seen) for _ in range(2))
    assert first == second
    assert first != _counted(at_the_gateway(SEED + 1, 200).more, seen)


def test_damage_damages() -> None:
    chance = Random(SEED)
    data = bytes(range(100))
    assert sum(damaged(chance, data) == data for _ in range(1000)) < 50
    assert damaged(Random(1), data) == damaged(Random(1), data)
    assert all(len(damaged(chance, b"")) <= 48 for _ in range(1000))
