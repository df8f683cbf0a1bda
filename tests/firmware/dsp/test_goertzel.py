"""Goertzel filters against direct sums, and at their limits."""

import math
from array import array

import micropython
import signals
from star57.dsp import goertzel

FREQUENCIES_HZ = (697, 941, 1209, 1633)


def direct(block, hz, sample_hz):
    """The block's discrete-time Fourier sum at one frequency, phases counted from the last sample."""
    w = 2 * math.pi * hz / sample_hz
    last = len(block) - 1
    real = sum(x * math.cos(w * (last - k)) for k, x in enumerate(block))
    imaginary = sum(x * math.sin(w * (last - k)) for k, x in enumerate(block))
    return real, imaginary


def phasors(block):
    out = array("i", bytes(4 * (2 * len(FREQUENCIES_HZ) + 2)))
    table = goertzel.phasor_coefficients(FREQUENCIES_HZ, 4000)
    goertzel.phasors(block, len(block), table, len(FREQUENCIES_HZ), out, 2)
    assert out[0] == out[1] == 0
    return [(out[2 + 2 * k], out[3 + 2 * k]) for k in range(len(FREQUENCIES_HZ))]


def assert_right(block, allowed):
    for hz, (real, imaginary) in zip(FREQUENCIES_HZ, phasors(block)):
        expected_real, expected_imaginary = direct(block, hz, 4000)
        assert abs(real - expected_real) <= allowed, (hz, real, expected_real)
        assert abs(imaginary - expected_imaginary) <= allowed, (hz, imaginary, expected_imaginary)


def test_phasors_are_fourier_sums():
    for seed in range(1, 20):
        assert_right(signals.noise(20, 4000, seed), 200)


def test_phasors_of_the_loudest_resonance_do_not_overflow():
    for hz in FREQUENCIES_HZ:
        for sine in (0.0, 1.57):
            w = 2 * math.pi * hz / 4000
            block = array("h", [24000 if math.sin(w * k + sine) >= 0 else -24000 for k in range(20)])
            assert_right(block, 1600)
            # The recursion's state times its coefficient is what could overflow 32 bits.
            c = round(4096 * math.cos(w))
            before = now = 0
            for x in block:
                before, now = now, x + ((now * c) >> 11) - before
                assert abs(now * c) < 2**31


def test_the_power_of_a_sine():
    block = array("h", [round(1000 * math.sin(2 * math.pi * 770 * k / 8000)) for k in range(102)])
    powers = array("i", [2, 0, 0])
    goertzel.powers(block, 102, goertzel.coefficients((770, 1209)), powers)
    expected = (1000 * 102 / 2) ** 2 / 2**10
    assert abs(powers[1] - expected) < expected / 10
    assert powers[2] < expected / 50


def test_scale_and_energy_of_extremes():
    block = array("h", [-32768] * 102)
    assert goertzel.scale(block, 102) == 6
    assert goertzel.energy(block, 102) == 102 * 512 * 512
    assert goertzel.scale(array("h", [0] * 10), 10) == 0


def test_nothing_is_allocated():
    block = signals.noise(20, 4000, 3)
    out = array("i", bytes(32))
    table = goertzel.phasor_coefficients(FREQUENCIES_HZ, 4000)
    micropython.heap_lock()
    try:
        goertzel.phasors(block, 20, table, 4, out, 0)
    finally:
        micropython.heap_unlock()
    assert any(out)
