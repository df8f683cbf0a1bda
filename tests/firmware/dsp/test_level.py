"""Levels in dBm0, in integers."""

import math
from array import array

import micropython
import signals
from star57.dsp import level as levels
from star57.dsp.level import LOWEST_DBM0, LevelMeter, dbm0, peak


def test_the_tables():
    assert list(levels._PEAKS) == [round(22748 * 10 ** (dbm0 / 20)) for dbm0 in range(-60, 4)]
    assert list(levels._BETWEEN) == [round(1000 * math.log10(1 + (k + 0.5) / 32)) for k in range(32)]


def test_peaks():
    assert peak(0) == 22748
    assert abs(peak(3) - 32132) <= 1
    assert peak(-20) == 2275
    assert (peak(9), peak(-99)) == (peak(3), peak(-60))


def test_a_sine_reads_its_level():
    meter = LevelMeter()
    for level in range(3, -46, -3):
        samples = signals.sine(1600, 1000, level)
        meter.feed(samples, len(samples))
        assert abs(meter.level_dbm0 - level) <= 1, level


def test_silence_is_the_lowest_level():
    meter = LevelMeter()
    samples = signals.sine(160, 1000, 0)
    meter.feed(samples, 160)
    silent = signals.sine(160, 0, 0)
    meter.feed(silent, 160)
    assert meter.level_dbm0 == LOWEST_DBM0
    assert dbm0(0) == LOWEST_DBM0


def test_the_largest_mean_square():
    assert dbm0(32768 * 32768) == 6


def test_the_largest_mean_square_of_a_meter_is_a_small_integer():
    meter = LevelMeter()
    samples = array("h", [-32768] * 160)
    largest = 0

    def note(mean_square):
        nonlocal largest
        largest = max(largest, mean_square)
        return dbm0(mean_square)

    levels.dbm0 = note
    micropython.heap_lock()
    try:
        meter.feed(samples, 160)
    finally:
        micropython.heap_unlock()
        levels.dbm0 = dbm0
    assert (1 << 29) < largest < 1 << 30
    assert meter.level_dbm0 == 6
