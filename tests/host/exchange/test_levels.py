"""dBm0 and samples, against the table of TELEPHONY 9 (ITU-T G.711)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.exchange.levels import (
    dbm0_of,
    dbm0_of_peak,
    fitted,
    mean_power_of,
    mixed,
    peak_of,
    power_of,
    samples_of,
    to_samples,
    to_wave,
)


@pytest.mark.parametrize(
    ("level_dbm0", "peak"),
    [(3.17, 32767), (0, 22748), (-3, 16104), (-9, 8071), (-10, 7193), (-13, 5093), (-24, 1435), (-42, 181)],
)
def test_peak_of_a_sine(level_dbm0: float, peak: int) -> None:
    assert round(peak_of(level_dbm0)) == peak


@given(st.floats(-90, 3.17))
def test_level_and_peak_are_inverse(level_dbm0: float) -> None:
    assert dbm0_of_peak(peak_of(level_dbm0)) == pytest.approx(level_dbm0)


def test_level_of_samples_is_that_of_the_sine() -> None:
    sine = to_samples(peak_of(-13) * np.sin(2 * np.pi * 1000 * np.arange(800) / 8000))
    assert dbm0_of(sine) == pytest.approx(-13, abs=0.01)


@given(st.floats(-90, 10))
def test_power_is_that_of_the_sine(level_dbm0: float) -> None:
    sine = peak_of(level_dbm0) * np.sin(2 * np.pi * np.arange(8) / 8 + 0.3)
    assert power_of(level_dbm0) == pytest.approx(mean_power_of(sine))
    assert dbm0_of(sine) == pytest.approx(level_dbm0)


@given(st.lists(st.integers(-32768, 32767), max_size=50))
def test_samples_survive_as_a_wave(values: list[int]) -> None:
    samples = np.array(values, np.int16)
    assert to_wave(samples).dtype == np.float64
    assert np.array_equal(to_samples(to_wave(samples)), samples)
    assert mean_power_of(to_wave(samples)) == pytest.approx(
        sum(value**2 for value in values) / max(1, len(values))
    )


@pytest.mark.parametrize("n", [0, 80])
def test_silence_has_no_level(n: int) -> None:
    assert dbm0_of(np.zeros(n, np.int16)) == -math.inf


def test_too_loud_is_clipped() -> None:
    loud = np.array([32767, -32768, 100], np.int16)
    assert mixed(loud, loud).tolist() == [32767, -32768, 200]
    assert to_samples(np.array([1e6, -1e6, 0.6])).tolist() == [32767, -32768, 1]


def test_fitted_cuts_and_fills() -> None:
    samples = np.array([1, 2, 3], np.int16)
    assert [fitted(samples, n).tolist() for n in (0, 2, 3, 5)] == [[], [1, 2], [1, 2, 3], [1, 2, 3, 0, 0]]


def test_samples_of_milliseconds() -> None:
    assert samples_of(0.5) == 4
    assert samples_of(1000) == 8000
