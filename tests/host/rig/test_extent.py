"""When tones begin and end, to the millisecond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from host_tools.exchange import dtmf, tones
from host_tools.exchange.impairments import Line, Noise
from host_tools.exchange.levels import Samples, to_samples
from host_tools.rig.extent import sounds, tone_extent

FIVE_HZ = (770, 1336)
BEGIN, LONG = 4003, 640


def with_five(noise_db: float | None = None, gap: int = 0) -> Samples:
    digit = dtmf.digit("5", LONG / 8, 0).astype(np.float64)
    digit[LONG // 2 : LONG // 2 + gap] = 0
    wave = np.concatenate([np.zeros(BEGIN), digit, np.zeros(4000)])
    line = Line() if noise_db is None else Line(Noise(noise_db))
    return line.samples(wave, np.random.default_rng(57))


@pytest.mark.parametrize("first", [BEGIN - 100, BEGIN, BEGIN + 100])
@pytest.mark.parametrize("end", [BEGIN + LONG - 100, BEGIN + LONG + 100])
def test_edges_are_found_near_where_they_are_thought_to_be(first: int, end: int) -> None:
    found = tone_extent(with_five(), FIVE_HZ, first, end, 160)
    assert abs(found[0] - BEGIN) <= 4
    assert abs(found[1] - BEGIN - LONG) <= 4


def test_in_noise() -> None:
    found = tone_extent(with_five(noise_db=6), FIVE_HZ, BEGIN + 60, BEGIN + LONG + 60, 160)
    assert abs(found[0] - BEGIN) <= 24
    assert abs(found[1] - BEGIN - LONG) <= 24


def test_a_short_gap_is_no_edge() -> None:
    found = tone_extent(with_five(gap=80), FIVE_HZ, BEGIN + 60, BEGIN + LONG - 60, 160)
    assert abs(found[0] - BEGIN) <= 4
    assert abs(found[1] - BEGIN - LONG) <= 4


def test_without_clear_edges_what_was_thought_stays() -> None:
    tone = tones.ToneGenerator(tones.Tone(FIVE_HZ, -10)).samples(8000)
    assert tone_extent(tone, FIVE_HZ, 3000, 3640, 160) == (3000, 3640)
    assert tone_extent(tone[:90], FIVE_HZ, 0, 90, 160) == (0, 90)
    assert tone_extent(tone, FIVE_HZ, 3000, 3010, 160) == (3000, 3010)


def test_every_sound_of_a_cadence() -> None:
    lead = np.zeros(4000, np.int16)
    busy = np.concatenate([lead, tones.ToneGenerator(tones.BUSY).samples(20_000), lead])
    level_dbm0 = tones.BUSY.level_dbm0 + 3
    found = sounds(busy, tones.BUSY.frequencies_hz, level_dbm0, 0, len(busy))
    assert len(found) == 3
    for count, (begin, end) in enumerate(found):
        assert abs(begin - 4000 - 8000 * count) <= 40
        assert abs(end - 8000 - 8000 * count) <= 40
    weak = replace(tones.BUSY, level_dbm0=-60.0)
    assert sounds(tones.ToneGenerator(weak).samples(8000), weak.frequencies_hz, level_dbm0, 0, 8000) == []
    assert sounds(to_samples(np.zeros(100)), (440.0,), -10, 0, 100) == []
