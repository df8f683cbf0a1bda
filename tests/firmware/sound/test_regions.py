from star57.sound.regions import REGIONS, SILENT

TONES = {"dial", "recall", "stutter", "ringback", "busy", "reorder", "confirmation"}


def test_every_region_has_every_tone():
    for region in REGIONS.values():
        assert set(region) == TONES


def test_every_section_can_be_played():
    for region in REGIONS.values():
        for tone in region.values():
            for frequencies, duration_ms in tone.sections[:-1]:
                assert duration_ms > 0
                assert frequencies is SILENT or len(frequencies) == 4
            assert tone.repeats_from is None or tone.sections[tone.repeats_from :]


def test_us_busy_and_reorder_differ_only_in_their_interruptions():
    def interruptions_per_minute(tone):
        return 60_000 // sum(duration_ms for _, duration_ms in tone.sections)

    region = REGIONS["US"]
    assert interruptions_per_minute(region["busy"]) == 60
    assert interruptions_per_minute(region["reorder"]) == 120
    assert region["busy"].sections[0][0] == region["reorder"].sections[0][0] == (480, -24, 620, -24)


def test_how_long_a_tone_lasts_of_itself():
    region = REGIONS["US"]
    assert region["confirmation"].duration_ms == 600
    assert region["dial"].duration_ms == region["reorder"].duration_ms == 0
    assert region["stutter"].duration_ms == 1990
