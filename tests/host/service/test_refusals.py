"""Refusals: each is counted, and a flood of them does not fill the log."""

from __future__ import annotations

import logging
import time

import pytest

from host_tools.service.messages import RefusalReason
from host_tools.service.refusals import Refusals


def test_a_flood_is_counted_and_logged_once_a_second(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    refusals = Refusals()
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            refusals.note(RefusalReason.MALFORMED)
        refusals.note(RefusalReason.OLD_SEQUENCE, "adapter-1")
        now += 1.0
        refusals.note(RefusalReason.MALFORMED, "adapter-1")
    assert refusals.counts == {RefusalReason.MALFORMED: 1001, RefusalReason.OLD_SEQUENCE: 1}
    assert [record.message for record in caplog.records] == [
        "refused: malformed",
        "refused: old_sequence, adapter adapter-1",
        "refused: malformed, adapter adapter-1, 1000 of them",
    ]
