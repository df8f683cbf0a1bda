from __future__ import annotations

import numpy as np
import pytest

from host_tools.prompts.level import (
    RMS_0_DBM0,
    SAMPLE_RATE_HZ,
    active_level_dbm0,
    frame_levels_dbm0,
    level_dbm0,
)


def _sine(seconds: float, dbm0: float) -> np.ndarray:
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.asarray(np.sqrt(2) * RMS_0_DBM0 * 10 ** (dbm0 / 20) * np.sin(2 * np.pi * 1000 * time_s))


def test_0_dbm0_has_the_peak_of_g711() -> None:
    assert pytest.approx(22748, abs=1) == np.sqrt(2) * RMS_0_DBM0


def test_level_of_a_sine_and_of_silence() -> None:
    assert level_dbm0(_sine(1, -18)) == pytest.approx(-18, abs=0.01)
    assert level_dbm0(np.zeros(100)) == float("-inf")


def test_frame_levels() -> None:
    levels = frame_levels_dbm0(np.concatenate([np.zeros(800), _sine(0.1, -9)]))
    assert levels[0] == pytest.approx(-120)
    assert levels[-1] == pytest.approx(-9, abs=0.01)


def test_pauses_do_not_count_as_speech() -> None:
    spoken = np.concatenate([_sine(1, -18), np.zeros(16000), _sine(1, -18), np.zeros(16000)])
    assert level_dbm0(spoken) == pytest.approx(-22.8, abs=0.1)
    # The hangover of 0.2 s after each stretch counts as speech: 2.4 s in place of 2 s.
    assert active_level_dbm0(spoken) == pytest.approx(-18.8, abs=0.3)


def test_a_peak_at_the_very_end_is_not_all_that_counts() -> None:
    spoken = np.concatenate([_sine(0.4, -18), _sine(0.06, -12)])
    assert active_level_dbm0(spoken) == pytest.approx(level_dbm0(spoken), abs=0.5)
