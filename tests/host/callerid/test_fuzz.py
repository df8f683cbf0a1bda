"""A short run of the fuzz: that it finds nothing, and that it gets everywhere. `make soak` is the long one."""

from __future__ import annotations

from tests.host.callerid.fuzzing import MOST_GROWTH_BYTES, fuzz_bursts, fuzz_messages

SEED = 57
MESSAGES = 20_000
BURSTS = 250


def test_messages() -> None:
    run = fuzz_messages(MESSAGES, SEED)
    assert run.cases == MESSAGES
    assert run.growth_bytes <= MOST_GROWTH_BYTES
    # Every error, every field, every result of a framer, every scheme of DTMF, every limit.
    for counts in (run.report["forms"], run.report["outcomes"], run.report["fields"], run.report["depths"]):
        assert [outcome for outcome, count in counts.items() if not count] == []


def test_bursts() -> None:
    run = fuzz_bursts(BURSTS, SEED)
    assert run.cases == BURSTS
    assert run.growth_bytes <= MOST_GROWTH_BYTES
    # A message that was sent damaged may be mended to another one, once in a great while.
    assert [case for case in run.never_sent if case["kind"] != "damaged message"] == []
    assert len(run.never_sent) <= 1
    kinds = run.report["kinds"]
    assert all(counts["cases"] >= 5 for counts in kinds.values())
    for result in ("message", "checksum wrong", "truncated", "garbage", "no carrier"):
        assert sum(counts[result] for counts in kinds.values()) > 0
    for kind in ("message", "message of any length", "two messages in a burst", "NTT frame"):
        assert kinds[kind]["read"] > 0
    assert kinds["digits"]["digits heard"] > kinds["digits"]["digits sent"] // 3
    assert sum(counts["digits heard"] for kind, counts in kinds.items() if kind != "digits") == 0


def test_a_burst_whose_bits_may_change_in_two_ways_that_fit_alike() -> None:
    assert fuzz_bursts(1, SEED, first=486).cases == 1
