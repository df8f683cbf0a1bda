"""Goertzel filters: what they measure, and their limits."""

import math
from array import array

import micropython
import signals
from star57.dsp import goertzel


def coefficient(hz):
    return round(2 * 8192 * math.cos(2 * math.pi * hz / 8000))


def test_the_power_of_a_sine():
    block = array("h", [round(1000 * math.sin(2 * math.pi * 770 * k / 8000)) for k in range(102)])
    powers = [goertzel.power(block, 102, coefficient(hz)) for hz in (770, 1209)]
    expected = (1000 * 102 / 2) ** 2 / 2**10
    assert abs(powers[0] - expected) < expected / 10
    assert powers[1] < expected / 50


def test_scale_and_energy_of_extremes():
    block = array("h", [-32768] * 102)
    assert goertzel.scale(block, 102) == 6
    assert goertzel.energy(block, 102) == 102 * 512 * 512
    assert goertzel.scale(array("h", [0] * 10), 10) == 0


def test_nothing_is_allocated():
    block = signals.noise(128, 4000, 3)
    of_1209_hz = coefficient(1209)
    micropython.heap_lock()
    try:
        goertzel.scale(block, 128)
        goertzel.energy(block, 128)
        goertzel.power(block, 128, of_1209_hz)
    finally:
        micropython.heap_unlock()
