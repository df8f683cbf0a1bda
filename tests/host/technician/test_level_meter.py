"""Levels, bars and the spectrum: a sine shows the level that it has, where it lies."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.exchange.levels import Samples, peak_of, to_samples
from host_tools.technician.level_meter import LOWEST_DBM0, LevelMeter, bar, share_of
from host_tools.technician.spectrum import BIN_HZ, Spectrum, axis, bars, column_of


def sine(hz: float, level_dbm0: float, n: int = 800) -> Samples:
    return to_samples(peak_of(level_dbm0) * np.sin(2 * np.pi * hz / 8000 * np.arange(n)))


def test_a_meter_reads_a_sine_and_holds_its_peak() -> None:
    meter = LevelMeter()
    meter.feed(sine(1000, -13.5))
    assert meter.level_dbm0 == pytest.approx(-13.5, abs=0.1)
    silence = np.zeros(160, np.int16)
    for _ in range(95):
        meter.feed(silence)
    assert meter.level_dbm0 == LOWEST_DBM0
    assert meter.peak_dbm0 == pytest.approx(-13.5, abs=0.1)
    for _ in range(56):
        meter.feed(silence)
    assert meter.peak_dbm0 == pytest.approx(-25.7, abs=0.6)


def test_a_bar_is_as_long_as_the_level() -> None:
    assert bar(LOWEST_DBM0, LOWEST_DBM0, 10) == "│         "
    assert bar(3.17, 3.17, 10) == "█" * 10
    drawn = bar(-33.4, 0.0, 20)
    assert drawn.startswith("█" * 10)
    assert drawn.index("│") == 18
    assert all(len(bar(level, -20, 17)) == 17 for level in range(-80, 10))
    assert (share_of(-200), share_of(50)) == (0, 1)


@pytest.mark.parametrize(("hz", "level_dbm0"), [(1200, -13.5), (2200, -30), (437.5, -3)])
def test_a_spectrum_shows_a_sine_at_its_level(hz: float, level_dbm0: float) -> None:
    spectrum = Spectrum()
    for start in range(0, 800, 160):
        spectrum.feed(sine(hz, level_dbm0)[start : start + 160])
    loudest = int(spectrum.levels_dbm0.argmax())
    assert loudest * BIN_HZ == pytest.approx(hz, abs=BIN_HZ)
    assert spectrum.levels_dbm0[loudest] == pytest.approx(level_dbm0, abs=1.5)
    columns = spectrum.columns(80)
    assert len(columns) == 80
    assert abs(int(np.argmax(columns)) - column_of(hz, 80)) <= 1


def test_a_spectrum_fades() -> None:
    spectrum = Spectrum()
    spectrum.feed(sine(1000, -10, 256))
    before = float(spectrum.levels_dbm0.max())
    for _ in range(10):
        spectrum.feed(np.zeros(160, np.int16))
    assert before - float(spectrum.levels_dbm0.max()) == pytest.approx(13.5, abs=1.6)


def test_bars() -> None:
    assert bars([-90, 0, -45], 2) == [" █ ", " ██"]
    assert bars([-86], 1) == [" "]
    assert bars([-34, 99, -999], 1) == ["▅█ "]


@pytest.mark.parametrize("width", [1, 10, 37, 80, 200])
def test_an_axis_fits(width: int) -> None:
    ticks, labels = axis(width)
    assert len(ticks) == len(labels) == width
    if width >= 80:
        for hz in (1200, 2200, 2750):
            assert abs(labels.index(str(hz)) + 2 - column_of(hz, width)) <= 1
            assert ticks[column_of(hz, width)] == "╵"
