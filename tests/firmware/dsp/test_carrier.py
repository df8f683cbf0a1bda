"""A steady tone's frequency, amplitude and noise."""

import signals
from star57.dsp import carrier

SAMPLES = 280


def test_measures_a_tone():
    for dbm0 in (0, -13, -40):
        peak = 22748 * 10 ** (dbm0 / 20)
        for hz in (1150, 1200, 1250, 1300, 1350):
            mark = carrier.measure(signals.sine(SAMPLES, hz, dbm0), SAMPLES, 1250)
            assert abs(mark.hz - hz) < 0.5, (hz, mark.hz)
            assert abs(mark.amplitude / peak - 1) < 0.01, (hz, mark.amplitude)
            assert mark.noise_power < mark.tone_power / 200, (hz, dbm0)


def test_measures_the_noise_beside_it():
    samples = signals.sine(SAMPLES, 1200, -13)
    noise = signals.noise(SAMPLES, 1000, 57)
    power = sum(x * x for x in noise) / SAMPLES
    for i in range(SAMPLES):
        samples[i] += noise[i]
    mark = carrier.measure(samples, SAMPLES, 1250)
    assert abs(mark.noise_power / power - 1) < 0.15


def test_silence_has_no_tone():
    assert carrier.measure(signals.sine(SAMPLES, 1200, -200), SAMPLES, 1250) is None
