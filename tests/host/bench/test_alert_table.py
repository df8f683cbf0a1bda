"""The bench of alerts: what counts as told, and that a talker is active whenever an alert begins."""

from __future__ import annotations

import numpy as np

from bench.alert_table import AlertBench, Burst, Sent, Told, in_silence, score, under_talker
from host_tools.exchange.levels import RATE_HZ


def test_a_burst_is_right_when_told_once_in_time_and_by_its_kind() -> None:
    bursts = [Burst()] * 4
    sent = Sent(bursts, [8000, 16000, 24000, 32000], np.zeros(40000, np.int16))
    told = [
        Told("cas", 8160, 640),
        Told("sas", 16160, 640),
        Told("cas", 24160, 640),
        Told("cas", 24240, 640),
        Told("cas", 33600, 640),
    ]
    found = score(sent, told)
    assert (found.sent, found.right, found.extra) == (4, 1, 4)


def test_bursts_lie_where_their_ends_are() -> None:
    sent = in_silence([Burst(80), Burst(300, -13, None)], np.random.default_rng(57))
    for burst, end in zip(sent.bursts, sent.ends, strict=True):
        n = round(burst.duration_ms * RATE_HZ / 1000)
        assert sent.samples[end - n : end].any()
        assert not sent.samples[end : end + 400].any()
        assert not sent.samples[end - n - 400 : end - n].any()


def test_alerts_begin_while_the_talker_is_active() -> None:
    rng = np.random.default_rng(57)
    pauses = np.repeat(np.arange(40) % 2, RATE_HZ // 2)
    talk = np.round(3000 * rng.standard_normal(len(pauses)) * pauses).astype(np.int16)
    sent = under_talker(talk, [Burst()] * 50, rng)
    assert 5 < len(sent.bursts) < 50
    for end in sent.ends:
        assert pauses[end - 640]


def test_a_row_of_each_standard_holds() -> None:
    bench = AlertBench(8)
    assert bench.expect("CAS", [Burst()], 1).holds
    assert bench.expect("too short", [Burst(70)], 0, "BT").holds
    assert not bench.expect("too short", [Burst(70)], 1, "BT").holds
