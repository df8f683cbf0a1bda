"""An adapter's health in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from host_tools.service.adapter_health import OF_OLDER_SERVICE, AdapterHealth, adapter_health, ago
from tests.host.service.conftest import CALLED_AT, new_heartbeat


def health(heard_at: int = CALLED_AT, now: int = CALLED_AT + 60, **fields: Any) -> AdapterHealth:
    """How an adapter is with these fields in its last heartbeat."""
    return adapter_health(json.dumps(new_heartbeat(**fields)), heard_at, now)


def updating(state: str, reason: str | None = None, release: int = 7) -> dict[str, Any]:
    return {"release": release, "sha256": "0" * 64, "received": 960, "state": state, "reason": reason}


def test_an_adapter_that_was_never_heard() -> None:
    assert adapter_health(None, None, CALLED_AT) == AdapterHealth("never")
    assert AdapterHealth("never").words == ""


def test_an_adapter_that_is_well() -> None:
    well = health()
    assert (well.last_heard, well.firmware, well.words) == ("1 min ago", "pico_w 0.1.0 0123456789", "well")


def test_a_heartbeat_that_an_older_service_has_kept() -> None:
    older = adapter_health('{"message": "heartbeat"}', CALLED_AT, CALLED_AT + 300)
    assert (older.last_heard, older.firmware, older.heartbeat) == ("5 min ago", "", None)
    assert older.complaints == ("silent for 5 min", OF_OLDER_SERVICE)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reset_reason": "watchdog"}, "started after a watchdog reset"),
        ({"time_source": "none"}, "has no clock"),
        ({"outbox": 3}, "3 waiting"),
        ({"lost_samples": 160}, "160 samples lost"),
        ({"underruns": 2}, "2 underruns"),
        ({"longest_gap_ms": 61}, "61 ms late"),
        ({"longest_gap_ms": 60}, "well"),
        ({"refusals": 1}, "1 refusals"),
        ({"settings_refused": ["price_cents", "two_stage"]}, "refused price_cents, two_stage"),
        (
            {"prompt": {"name": "traced", "sha256": "0" * 64, "received": 5, "state": "failed"}},
            "prompt traced failed",
        ),
        ({"prompt": {"name": "traced", "sha256": "0" * 64, "received": 5, "state": "kept"}}, "well"),
        ({"update": updating("receiving"), "longest_gap_ms": 170}, "well"),
        ({"update": updating("receiving"), "longest_gap_ms": 301}, "301 ms late"),
        ({"update": updating("confirmed"), "longest_gap_ms": 61}, "61 ms late"),
        ({"update": updating("returned", "watchdog")}, "update: release 7 returned: watchdog"),
        ({"update": updating("refused", "bad_signature", 0)}, "update: refused: bad_signature"),
        ({"outbox": 1, "refusals": 2}, "1 waiting, 2 refusals"),
    ],
)
def test_what_is_wrong_with_an_adapter(fields: dict[str, Any], words: str) -> None:
    assert health(**fields).words == words


def test_an_adapter_that_is_silent() -> None:
    assert health(now=CALLED_AT + 150).words == "well"
    assert health(now=CALLED_AT + 151).words == "silent for 2 min"
    assert health(now=CALLED_AT - 5).last_heard == "0 s ago"  # the service's clock was set back


@pytest.mark.parametrize(
    ("decoded", "words"),
    [
        (None, ""),
        (
            {"standard": "bell_202", "level_dbm0": -20, "snr_db": 25, "twist_db": 0},
            "bell_202, -20 dBm0, S/N 25 dB, twist 0 dB",
        ),
        ({"standard": "v23", "level_dbm0": None, "snr_db": 9, "twist_db": None}, "v23, S/N 9 dB"),
    ],
)
def test_how_well_the_last_caller_id_was_heard(decoded: dict[str, Any] | None, words: str) -> None:
    assert health(decoded=decoded).decode_quality == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7200, "2 h"), (90000, "1 d")],
)
def test_a_time_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    assert ago(seconds) == words
