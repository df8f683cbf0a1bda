from __future__ import annotations

import numpy as np
import pytest

from host_tools.prompts import shaping
from host_tools.prompts.level import SAMPLE_RATE_HZ, active_level_dbm0, frame_levels_dbm0, level_dbm0


def _sine(seconds: float, hz: float, peak: float) -> np.ndarray:
    return peak * np.sin(2 * np.pi * hz * np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ)


@pytest.mark.parametrize(
    ("hz", "kept"), [(150, False), (400, True), (1000, True), (3300, True), (3600, False)]
)
def test_the_band(hz: float, kept: bool) -> None:
    sine = _sine(1, hz, 10_000)
    change_db = level_dbm0(shaping.band_limited(sine)[2000:6000]) - level_dbm0(sine[2000:6000])
    assert abs(change_db) < 0.5 if kept else change_db < -40


def test_silence_goes_and_the_ends_are_faded() -> None:
    trimmed = shaping.trimmed(np.concatenate([np.zeros(4000), _sine(0.5, 1000, 8000), np.zeros(4000)]))
    assert 4000 <= len(trimmed) <= 4160
    assert abs(trimmed[0]) < 1
    assert abs(trimmed[-1]) < 1


def test_a_shout_is_turned_down_and_the_rest_keeps_its_level() -> None:
    speech = np.concatenate([_sine(2, 1000, 1000), _sine(0.2, 1000, 12_000), _sine(2, 1000, 1000)])
    levelled = shaping.levelled(speech)
    assert frame_levels_dbm0(levelled).max() < shaping.LOUDEST_FRAME_DBM0
    assert active_level_dbm0(levelled) == pytest.approx(shaping.ACTIVE_LEVEL_DBM0, abs=0.5)
