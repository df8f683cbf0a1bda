"""The firmware's tones of eight countries, measured from its audio, against the figures of TELEPHONY 6."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.exchange import tones
from host_tools.exchange.central_office import CentralOffice
from tests.host.exchange.country_tones import (
    DOCUMENT,
    ROWS,
    STUTTER_ROWS,
    Heard,
    Row,
    document,
    largest_step,
    measure,
)
from tests.host.exchange.hearing import level_at

ALL_ROWS = (*ROWS, *STUTTER_ROWS)
COUNTRIES = ("US", "GB", "DE", "JP", "AU", "IN", "BR", "FR")
IDS = [f"{row.country}-{row.tone}" for row in ALL_ROWS]

FREQUENCY = 0.005
LEVEL_DB = 0.5
TIME_MS = 2.0
DISTORTION_DB = -40.0

every_row = pytest.mark.parametrize("row", ALL_ROWS, ids=IDS)


@pytest.fixture(scope="module")
def heard() -> dict[Row, Heard]:
    return measure(ALL_ROWS)


@every_row
def test_frequencies_and_levels(row: Row, heard: dict[Row, Heard]) -> None:
    for number, sound in enumerate(heard[row].sounds):
        for (hz, dbm0), (expected_hz, expected_dbm0) in zip(
            sound.lines, row.lines[number % len(row.lines)], strict=True
        ):
            assert hz == pytest.approx(expected_hz, rel=FREQUENCY)
            assert dbm0 == pytest.approx(expected_dbm0, abs=LEVEL_DB)
        assert sound.distortion_db < DISTORTION_DB


@every_row
def test_cadence(row: Row, heard: dict[Row, Heard]) -> None:
    sounds = heard[row].sounds
    expected = _expected_on_times(row)
    assert len(sounds) == len(expected)
    for sound, (start_ms, duration_ms) in zip(sounds, expected, strict=True):
        assert sound.start_ms == pytest.approx(start_ms, abs=TIME_MS)
        assert sound.duration_ms == pytest.approx(duration_ms, abs=TIME_MS)


def _expected_on_times(row: Row) -> list[tuple[float, float]]:
    """Start and length of each on-time, up to where the tone is stopped."""
    cadence_ms = [1000 * part for part in row.cadence_s] * (3 if row.repeats else 1)
    at, found = 0.0, []
    for part_ms in cadence_ms:
        left_ms = row.played_ms - at
        if part_ms >= 0 and left_ms > 0:
            found.append((at, left_ms if part_ms == 0 else min(part_ms, left_ms)))
        at += abs(part_ms)
    return found


@every_row
def test_nothing_clicks(row: Row, heard: dict[Row, Heard]) -> None:
    samples = np.concatenate([[0], heard[row].samples, [0]]).astype(int)
    assert np.abs(np.diff(samples)).max() <= 1.02 * largest_step(row) + 2


@every_row
def test_the_receiver_names_it(row: Row, heard: dict[Row, Heard]) -> None:
    if row.named:
        assert set(heard[row].named) == {row.named}


@pytest.mark.parametrize("row", STUTTER_ROWS, ids=COUNTRIES)
def test_stutter_stays_within_1_percent_of_the_dial_tone(row: Row) -> None:
    (dial,) = next(other.lines for other in ROWS if (other.country, other.tone) == (row.country, "dial"))
    for (hz, _), (dial_hz, _) in zip(row.lines[0], dial, strict=True):
        assert hz != dial_hz
        assert hz == pytest.approx(dial_hz, rel=0.01)


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_exchange_of_the_tests_has_the_same_frequencies_and_cadences(country: str) -> None:
    plan = tones.PLANS[country]
    for name, tone in (
        ("dial", plan.dial),
        ("ringback", plan.ringback),
        ("busy", plan.busy),
        ("reorder", plan.reorder),
        ("call_waiting", plan.call_waiting),
    ):
        row = next(row for row in ROWS if (row.country, row.tone) == (country, name))
        assert tone.frequencies_hz == tuple(hz for hz, _ in row.lines[0])
        cadence_ms = tuple(round(abs(1000 * part)) for part in row.cadence_s if part)
        if (country, name) == ("US", "call_waiting"):
            assert tone.cadence_ms == (300, 9700)  # the exchange's comes every 10 s
        else:
            assert tone.cadence_ms == cadence_ms[: len(tone.cadence_ms)]
        assert tone.level_dbm0 == pytest.approx(row.lines[0][0][1], abs=2)


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_exchange_of_the_tests_gives_dial_tone_of_a_country(country: str) -> None:
    office = CentralOffice(country=country)
    nothing = np.zeros(160, np.int16)
    given = np.concatenate([office.advance(True, nothing).samples for _ in range(75)])[4000:]
    for frequency_hz in tones.PLANS[country].dial.frequencies_hz:
        assert level_at(given, frequency_hz) == pytest.approx(tones.PLANS[country].dial.level_dbm0, abs=0.1)


def test_the_page_has_what_was_measured(heard: dict[Row, Heard]) -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(heard)
