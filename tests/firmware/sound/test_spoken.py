"""How the languages count; tests/host/prompts/test_spoken.py has every number, date and minute."""

from star57.sound import spoken_en, spoken_es, spoken_fr


def test_english():
    assert spoken_en.number(20) == ("20",)
    assert spoken_en.number(99) == ("90", "9")
    assert spoken_en.date(8, 30) == ("on", "month_8", "day_30")
    assert spoken_en.date(8, 31) == ("on", "month_8", "30", "day_1")
    assert spoken_en.time(0, 0) == ("at", "12", "a_m")
    assert spoken_en.time(12, 9) == ("at", "12", "oh", "9", "p_m")


def test_spanish():
    assert spoken_es.number(29) == ("29",)
    assert spoken_es.number(31) == ("30", "plus", "1")
    assert spoken_es.counted(1) == ("1_before_noun",)
    assert spoken_es.counted(11) == ("11",)
    assert spoken_es.counted(21) == ("21_before_noun",)
    assert spoken_es.counted(31) == ("30", "plus", "1_before_noun")
    assert spoken_es.date(1, 1) == ("on", "day_1", "month_1")
    assert spoken_es.time(13, 0) == ("at_1", "afternoon")
    assert spoken_es.time(0, 5) == ("at", "12", "plus", "5", "before_dawn")


def test_french():
    assert spoken_fr.number(21) == ("20_linked", "and_1")
    assert spoken_fr.number(31) == ("30", "and_1")
    assert spoken_fr.number(71) == ("60", "and_11")
    assert spoken_fr.number(72) == ("60", "12")
    assert spoken_fr.number(80) == ("80",)
    assert spoken_fr.number(81) == ("80_linked", "1")
    assert spoken_fr.number(91) == ("80_linked", "11")
    assert spoken_fr.counted(26) == ("20_linked", "6_before_noun")
    assert spoken_fr.time(0, 1) == ("hour_0", "1_feminine")
    assert spoken_fr.time(21, 21) == ("hour_21", "20_linked", "and_1_feminine")
