"""Whole characters compared with all 256 values: what is left out of the comparison makes no difference."""

from array import array

import signals
from star57.dsp.characters import ALTERNATIVES, CharacterReader
from star57.dsp.modulator import FskModulator

BIT_SAMPLES = 8000 / 1200
WHOLE = 1 << 20  # wider than any likelihood


def character(value, noise_dbm0, seed):
    """Samples of one character in noise, an amplitude of 256 for either tone, and where it starts."""
    modulator = FskModulator(1200, 2200, 1200, -39, -39)
    modulator.start(bytes([value]), 0, 5)
    samples = array("h", bytes(2 * 200))
    modulator.fill(samples, 200)
    noise = signals.noise(200, round(22748 * 10 ** (noise_dbm0 / 20)), seed)
    for i in range(200):
        samples[i] = max(-2047, min(2047, samples[i] + noise[i]))
    return samples, 5 * BIT_SAMPLES


def alternatives(samples, start, whole_samples, window):
    reader = CharacterReader(array("H", bytes(512)))
    reader.tune(1200, 2200, BIT_SAMPLES, 255, 255, 8000, whole_samples)
    values = bytearray(ALTERNATIVES)
    costs = bytearray(ALTERNATIVES)
    fit = reader.fit(samples, start)[0]
    reader.alternatives(samples, start, values, costs, 0)
    return fit, reader._compare(samples, start, window), bytes(values), bytes(costs)


def test_a_clean_character_is_itself():
    for value in range(0, 256, 7):
        samples, start = character(value, -90, value)
        _, _, values, costs = alternatives(samples, start, False, WHOLE)
        assert values[0] == value
        assert costs[0] == 0 and costs[1] > 100


def test_what_is_not_compared_in_full_is_none_of_the_likeliest():
    for seed in range(40):
        samples, start = character(seed * 37 & 255, -42, seed)
        for whole_samples in (False, True):
            fit, greatest, values, costs = alternatives(samples, start, whole_samples, WHOLE)
            assert fit == greatest, seed
            reader = CharacterReader(array("H", bytes(512)))
            reader.tune(1200, 2200, BIT_SAMPLES, 255, 255, 8000, whole_samples)
            reader._compare(samples, start, WHOLE)
            likelihood = list(reader._likelihood)
            likeliest = sorted(range(256), key=lambda value: -likelihood[value])
            for k in range(ALTERNATIVES):
                if costs[k] < 255:
                    assert likelihood[values[k]] == likelihood[likeliest[k]], (seed, k)
