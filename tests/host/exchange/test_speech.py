"""Active speech level (ITU-T P.56)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange.levels import Wave, dbm0_of
from host_tools.exchange.speech import active_level_dbm0

SECOND = 8000


def babble(seed: int, level: float = 1500.0, seconds: int = 8) -> Wave:
    """Syllables of noise, four a second, each with a level of its own."""
    rng = np.random.default_rng(seed)
    syllables = np.repeat(rng.uniform(0.3, 1, 4 * seconds), SECOND // 4)
    swell = np.sin(np.pi * np.arange(len(syllables)) / (SECOND // 4)) ** 2
    wave: Wave = level * syllables * swell * rng.normal(size=len(syllables))
    return wave


@pytest.mark.parametrize("peak", [100.0, 3000.0, 30_000.0])
def test_a_steady_tone_is_active_all_the_time(peak: float) -> None:
    tone = peak * np.sin(0.7 * np.arange(10 * SECOND))
    assert active_level_dbm0(tone) == pytest.approx(dbm0_of(tone), abs=0.1)


def test_pauses_do_not_count() -> None:
    speech = babble(1)
    pause = np.zeros(len(speech))
    level = active_level_dbm0(speech)
    for apart in (
        np.concatenate([speech, pause]),
        np.concatenate([pause, speech[:32_000], pause, speech[32_000:]]),
    ):
        assert active_level_dbm0(apart) == pytest.approx(level, abs=0.15)
        assert dbm0_of(apart) < level - 2.8


def test_faint_noise_in_the_pauses_does_not_count() -> None:
    speech = np.concatenate([babble(1), np.zeros(8 * SECOND)])
    noisy = speech + np.random.default_rng(2).normal(0, 15, len(speech))
    assert active_level_dbm0(noisy) == pytest.approx(active_level_dbm0(speech), abs=0.15)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), gain_db=st.floats(-20, 20))
def test_louder_by_so_much_is_louder_by_so_much(seed: int, gain_db: float) -> None:
    speech = babble(seed, seconds=4)
    louder = speech * 10 ** (gain_db / 20)
    assert active_level_dbm0(louder) - active_level_dbm0(speech) == pytest.approx(gain_db, abs=0.3)


@pytest.mark.parametrize("n", [0, 1, 80, 20_000])
def test_silence_has_no_level(n: int) -> None:
    assert active_level_dbm0(np.zeros(n, np.int16)) == -math.inf


@given(st.lists(st.integers(-32768, 32767), max_size=50))
def test_any_samples_have_a_level(values: list[int]) -> None:
    assert active_level_dbm0(np.array(values, np.int16)) < 100
