"""The household's telephone."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.exchange import dtmf, tones
from host_tools.exchange.levels import Samples
from host_tools.exchange.telephone import OnHook, Telephone


def sent_by(telephone: Telephone, lengths: list[int]) -> tuple[Samples, list[bool]]:
    """What it sends, and its hook at every sample."""
    blocks = [telephone.send(n) for n in lengths]
    hook = [off_hook for block in blocks for count, off_hook in block.runs for _ in range(count)]
    return np.concatenate([block.samples for block in blocks]), hook


def breaks_in(hook: list[bool]) -> list[tuple[int, int]]:
    """(first sample, length) of every time on-hook."""
    changes = np.flatnonzero(np.diff(np.array([True, *hook, True]).astype(int)))
    return [(int(a), int(b - a)) for a, b in zip(changes[::2], changes[1::2], strict=True)]


@given(st.lists(st.integers(1, 900), min_size=20, max_size=40))
def test_keys_are_sent_whatever_the_blocks(lengths: list[int]) -> None:
    telephone = Telephone()
    telephone.lift()
    telephone.press("*57", on_ms=50, off_ms=50)
    samples, hook = sent_by(telephone, [*lengths, 3000])
    expected = np.concatenate([dtmf.digit(key, 50, 50) for key in "*57"])
    assert samples[:2400].tolist() == expected.tolist()
    assert not samples[2400:].any()
    assert all(hook)
    assert not telephone.busy


def test_pulses_are_60_ms_open_40_ms_closed_to_the_sample() -> None:
    telephone = Telephone()
    telephone.lift()
    telephone.pulse("20")
    _, hook = sent_by(telephone, [77] * 400)
    breaks = breaks_in(hook)
    assert [length for _, length in breaks] == [480] * 12
    assert [start for start, _ in breaks[:3]] == [0, 800, 800 + 800 + 5600]


def test_flash_is_600_ms() -> None:
    telephone = Telephone()
    telephone.lift()
    telephone.flash()
    _, hook = sent_by(telephone, [160] * 40)
    assert breaks_in(hook) == [(0, 4800)]
    assert telephone.off_hook


def test_hanging_up_drops_what_was_to_be_sent() -> None:
    telephone = Telephone()
    telephone.lift()
    telephone.press("911")
    sent_by(telephone, [100])
    telephone.hang_up()
    samples, hook = sent_by(telephone, [100])
    assert not samples.any()
    assert not any(hook)
    assert not telephone.busy


@pytest.mark.parametrize(
    "dial", [lambda phone: phone.press("1"), lambda phone: phone.pulse("1"), lambda phone: phone.flash()]
)
def test_nobody_dials_on_hook(dial: Callable[[Telephone], None]) -> None:
    with pytest.raises(OnHook):
        dial(Telephone())


def test_it_rings_only_on_hook() -> None:
    telephone = Telephone()
    telephone.hear(np.zeros(80, np.int16), ring_voltage=True)
    assert telephone.ringing
    telephone.lift()
    telephone.hear(np.zeros(80, np.int16), ring_voltage=True)
    assert not telephone.ringing


def test_heard_level() -> None:
    telephone = Telephone()
    assert telephone.heard_level_dbm0 == -math.inf
    telephone.hear(tones.ToneGenerator(tones.DIAL).samples(800), ring_voltage=False)
    assert telephone.heard_level_dbm0 == pytest.approx(-10, abs=0.5)


def alerted(telephone: Telephone, alert: Samples, lead_samples: int, block_samples: int = 160) -> int | None:
    """Milliseconds from the end of the alert to the acknowledgement; None when there is none."""
    telephone.lift()
    heard = np.concatenate([np.zeros(lead_samples, np.int16), alert, np.zeros(2000, np.int16)])
    for at in range(0, len(heard) - block_samples, block_samples):
        sent = telephone.send(block_samples).samples
        if sent.any():
            return (at + int(np.flatnonzero(sent)[0]) - lead_samples - len(alert)) // 8
        telephone.hear(heard[at : at + block_samples], ring_voltage=False)
    return None


@given(st.integers(0, 200))
def test_a_type_two_set_acknowledges_within_100_ms(lead_samples: int) -> None:
    """TELEPHONY 3: from the end of the CAS to the acknowledgement 0 to 100 ms."""
    after_ms = alerted(Telephone(type_two=True), tones.burst(tones.CPE_ALERT), lead_samples)
    assert after_ms is not None
    assert 0 <= after_ms <= 100


@pytest.mark.parametrize(
    "alert",
    [
        tones.ToneGenerator(tones.CPE_ALERT).samples(320),
        tones.ToneGenerator(tones.CPE_ALERT).samples(1200),
        tones.burst(tones.CALL_WAITING),
        tones.noise(-10, 2000, np.random.default_rng(5)),
        dtmf.digit("D", 80, 0),
    ],
    ids=["too short", "too long", "SAS", "noise", "a digit"],
)
def test_nothing_else_is_acknowledged(alert: Samples) -> None:
    assert alerted(Telephone(type_two=True), alert, 0) is None


def test_the_acknowledgement_is_60_ms_of_d() -> None:
    telephone = Telephone(type_two=True)
    telephone.lift()
    for part in (tones.burst(tones.CPE_ALERT), np.zeros(160, np.int16)):
        telephone.hear(part, ring_voltage=False)
    assert telephone.send(800).samples[:480].tolist() == dtmf.digit("D", 60, 0).tolist()


def test_a_plain_set_does_not_acknowledge() -> None:
    assert alerted(Telephone(), tones.burst(tones.CPE_ALERT), 0) is None
