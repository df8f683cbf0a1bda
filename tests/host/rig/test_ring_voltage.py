"""Rings in a recording's audio: their place, length and frequency; and what is none."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.exchange import tones
from host_tools.exchange.impairments import Hum, Line
from host_tools.exchange.levels import RATE_HZ, Samples, to_samples
from host_tools.rig.ring_voltage import Ring, calls, rings_in
from tests.host.rig.recordings import speech


def line_with(*rings: tuple[float, float], hz: float = 20) -> Samples:
    """Twelve seconds of a quiet line, and ring voltage from each first second on for as long as the second says."""
    wave = tones.noise(-55, 12_000, np.random.default_rng(57)).astype(np.float64)
    for start_s, lasts_s in rings:
        first, count = round(start_s * RATE_HZ), round(lasts_s * RATE_HZ)
        wave[first : first + count] += 4000 * np.sin(2 * np.pi * hz / RATE_HZ * np.arange(count))
    return to_samples(wave)


@pytest.mark.parametrize("hz", [16, 20, 25, 50])
def test_a_ring_has_its_place_its_length_and_its_frequency(hz: float) -> None:
    first, second = rings_in(line_with((1.0, 2.0), (7.0, 1.0), hz=hz))
    for ring, (start_s, lasts_s) in ((first, (1.0, 2.0)), (second, (7.0, 1.0))):
        assert ring.start / RATE_HZ == pytest.approx(start_s, abs=0.1)
        assert ring.duration_s == pytest.approx(lasts_s, abs=0.2)
        assert ring.frequency_hz == pytest.approx(hz, abs=1)


def test_a_ring_that_the_recording_cuts() -> None:
    (ring,) = rings_in(line_with((3.0, 1.0))[: round(3.6 * RATE_HZ)])
    assert ring.start / RATE_HZ == pytest.approx(3.0, abs=0.1)


def test_what_is_no_ring() -> None:
    hum = Line(Hum(50, -20, ((3, -6),))).samples(np.zeros(40_000), np.random.default_rng(57))
    for samples in (hum, speech(), line_with(), np.zeros(0, np.int16), line_with((1.0, 8.0))):
        assert rings_in(samples) == []


def test_rings_of_one_call_are_less_than_7_s_apart() -> None:
    at_s = (1, 5, 11, 30)
    rings = [Ring(at * RATE_HZ, (at + 1) * RATE_HZ) for at in at_s]
    assert [len(call) for call in calls(rings)] == [3, 1]
    assert calls([]) == []
