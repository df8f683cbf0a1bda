"""The table of tones: each country has what the adapter may play, and is known to the line, too."""

from star57.line.hook import COUNTRIES
from star57.line.ring import CADENCES
from star57.sound.regions import REGIONS, SILENT

NAMES = ("US", "CA", "GB", "DE", "JP", "AU", "IN", "BR", "FR")
# Every country has these, and some kind of special information tone.
TONES = ("dial", "recall", "stutter", "ringback", "busy", "reorder", "confirmation", "call_waiting")


def test_every_country_has_its_tones():
    assert set(REGIONS) == set(NAMES)
    for region in [REGIONS[country] for country in REGIONS]:
        names = region.names
        assert len(set(names)) == len(names)
        assert not set(TONES) - set(names)
        assert any(name.startswith("sit") for name in names)


def test_every_country_has_its_ring_and_its_hook():
    for name in NAMES:
        assert name in CADENCES
        assert name in COUNTRIES


def test_canada_has_the_plan_of_the_united_states():
    assert REGIONS["CA"].names == REGIONS["US"].names
    assert CADENCES["CA"] == CADENCES["US"]
    assert COUNTRIES["CA"] == COUNTRIES["US"]


def test_every_section_can_be_played():
    for region in [REGIONS[country] for country in REGIONS]:
        for name in region.names:
            tone = region[name]
            for frequencies, duration_ms in tone.sections[:-1]:
                assert duration_ms > 0
                assert frequencies is SILENT or len(frequencies) == 4
            assert tone.repeats_from is None or tone.sections[tone.repeats_from :]


def test_a_tone_that_a_country_does_not_have():
    try:
        REGIONS["US"]["unobtainable"]
    except KeyError:
        return
    raise AssertionError("no KeyError")


def test_us_busy_and_reorder_differ_only_in_their_interruptions():
    def interruptions_per_minute(tone):
        return 60_000 // sum(duration_ms for _, duration_ms in tone.sections)

    busy = REGIONS["US"]["busy"]
    reorder = REGIONS["US"]["reorder"]
    assert interruptions_per_minute(busy) == 60
    assert interruptions_per_minute(reorder) == 120
    assert busy.sections[0][0] == reorder.sections[0][0] == (480, -24, 620, -24)


def test_how_long_a_tone_lasts_of_itself():
    region = REGIONS["US"]
    assert region["confirmation"].duration_ms == 600
    assert region["dial"].duration_ms == region["reorder"].duration_ms == region["recall"].duration_ms == 0
    assert region["stutter"].duration_ms == 1990
