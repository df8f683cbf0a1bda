"""The tone plan and what plays it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.exchange import tones
from host_tools.exchange.levels import dbm0_of
from host_tools.exchange.tones import Playback, Tone, ToneGenerator
from tests.host.exchange.hearing import level_at


@pytest.mark.parametrize(
    "tone", [tones.DIAL, tones.RINGBACK, tones.BUSY, tones.REORDER, tones.CALL_WAITING, tones.CPE_ALERT]
)
def test_each_frequency_has_its_level(tone: Tone) -> None:
    heard = ToneGenerator(tone).samples(8000 if not tone.cadence_ms else 8 * tone.cadence_ms[0])
    for frequency_hz in tone.frequencies_hz:
        assert level_at(heard, frequency_hz) == pytest.approx(tone.level_dbm0, abs=0.1)


def test_reorder_is_120_interruptions_a_minute() -> None:
    heard = ToneGenerator(tones.REORDER).samples(60 * 8000).reshape(-1, 2000)
    assert [bool(part.any()) for part in heard] == [True, False] * 120


def test_every_second_burst_of_australian_reorder_is_10_db_down() -> None:
    heard = ToneGenerator(tones.PLANS["AU"].reorder).samples(4 * 6000).reshape(-1, 3000)
    levels = [level_at(part, 425) for part in heard[::2]]
    assert levels == pytest.approx([-13, -23, -13, -23], abs=0.1)
    assert not heard[1::2].any()


@given(
    st.sampled_from([tones.DIAL, tones.BUSY, tones.RINGBACK]),
    st.lists(st.integers(0, 700), min_size=1, max_size=20),
)
def test_blocks_of_any_length_are_one_signal(tone: Tone, lengths: list[int]) -> None:
    generator = ToneGenerator(tone)
    parts = np.concatenate([generator.samples(n) for n in lengths])
    assert parts.tolist() == ToneGenerator(tone).samples(sum(lengths)).tolist()


def test_burst_is_the_first_on_time() -> None:
    assert len(tones.burst(tones.CALL_WAITING)) == 2400
    assert len(tones.burst(tones.CPE_ALERT)) == 640


def test_playback_once_and_again() -> None:
    recording = np.array([1, 2, 3], np.int16)
    once, again = Playback(recording), Playback(recording, repeat=True)
    assert np.concatenate([once.samples(2), once.samples(3)]).tolist() == [1, 2, 3, 0, 0]
    assert np.concatenate([again.samples(2), again.samples(5)]).tolist() == [1, 2, 3, 1, 2, 3, 1]
    assert not tones.silence().samples(100).any()


def test_noise_has_its_level_and_follows_its_seed() -> None:
    noise = tones.noise(-40, 1000, np.random.default_rng(1))
    assert dbm0_of(noise) == pytest.approx(-40, abs=0.3)
    assert noise.tolist() == tones.noise(-40, 1000, np.random.default_rng(1)).tolist()
