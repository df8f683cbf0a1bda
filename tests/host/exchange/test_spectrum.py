"""Filters by their response, and power by its band."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange.levels import RATE_HZ, Wave
from host_tools.exchange.spectrum import band_power, convolved, filtered


def sine(frequency_hz: float, n: int, phase: float = 0.0) -> Wave:
    wave: Wave = np.sin(2 * np.pi * (frequency_hz * np.arange(n) / RATE_HZ + phase))
    return wave


@pytest.mark.parametrize("n", [0, 1, 2, 79, 8000, 8001, 200_001])
def test_a_filter_of_gain_1_changes_nothing(n: int) -> None:
    wave = np.random.default_rng(n).normal(0, 1000, n)
    after = filtered(wave, np.ones_like)
    assert len(after) == n
    assert np.allclose(after, wave, atol=1e-9)


@pytest.mark.parametrize("delay", [-40, 3, 500])
def test_a_linear_phase_is_a_delay(delay: int) -> None:
    wave = np.random.default_rng(1).normal(0, 1, 90_000)
    after = filtered(wave, lambda hz: np.exp(-2j * np.pi * hz * delay / RATE_HZ))
    assert np.allclose(np.roll(after, -delay)[1000:-1000], wave[1000:-1000], atol=1e-9)


@pytest.mark.parametrize("frequency_hz", [310.0, 1004.0, 3390.0])
def test_a_tone_has_the_gain_and_the_phase_of_the_response(frequency_hz: float) -> None:
    after = filtered(sine(frequency_hz, 16_000), lambda hz: (1 + hz / 1000) * np.exp(-1j * hz / 1000))
    wanted = (1 + frequency_hz / 1000) * sine(frequency_hz, 16_000, -frequency_hz / 2000 / np.pi)
    assert np.allclose(after[4000:-4000], wanted[4000:-4000], atol=2e-3)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 3000), taps=st.integers(1, 3000), seed=st.integers(0, 1000))
def test_convolution_is_that_of_the_definition(n: int, taps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wave, impulse = rng.normal(size=n), rng.normal(size=taps)
    assert np.allclose(convolved(wave, impulse), np.convolve(wave, impulse), atol=1e-8)


def test_convolution_of_many_blocks() -> None:
    rng = np.random.default_rng(5)
    wave, impulse = rng.normal(size=150_000), rng.normal(size=300)
    assert np.allclose(convolved(wave, impulse), np.convolve(wave, impulse), atol=1e-8)


@settings(deadline=None)
@given(n=st.integers(1, 400), seed=st.integers(0, 1000))
def test_all_bands_together_are_the_power(n: int, seed: int) -> None:
    wave = np.random.default_rng(seed).normal(0, 100, n)
    assert band_power(wave, 0, 4000) == pytest.approx(float(wave @ wave) / n)


def test_a_tone_is_in_its_band_alone() -> None:
    wave = 8 * sine(1000, 8000)
    assert band_power(wave) == pytest.approx(32)
    assert band_power(wave, 1001, 4000) == pytest.approx(0, abs=1e-12)
    assert band_power(np.zeros(0)) == 0
