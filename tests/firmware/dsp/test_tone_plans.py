"""The table of call-progress tones: its form, and figures of TELEPHONY 6."""

from star57.dsp import cadence, tone_plans
from star57.dsp.tone_plans import COUNTRIES, LINES, OFF, PLANS, TONE_NAMES, plan


def rows():
    return plan()


def hz(lines):
    return () if lines == OFF else LINES[lines][1:]


def test_names_and_numbers_go_together():
    for number, name in enumerate(TONE_NAMES):
        assert getattr(tone_plans, name.upper()) == number


def test_lines_are_distinct_ascending_and_fit_a_small_integer():
    assert len(set(LINES)) == len(LINES) <= 30
    for tolerance_permille, *lines in LINES:
        assert 5 <= tolerance_permille <= 55
        assert lines == sorted(lines)
        assert 320 <= lines[0] and lines[-1] <= 2600
    assert hz(tone_plans.HOWLER_LINES) == (1400, 2060, 2450, 2600)


def test_rows_are_of_their_kind():
    for country, tone, kind, tolerance_percent, sections in rows():
        assert country in COUNTRIES and 0 <= tone < len(TONE_NAMES) and 5 <= tolerance_percent <= 35
        lasting = [ms for _, ms in sections if ms == 0]
        assert len(lasting) == (kind in (tone_plans.STEADY, tone_plans.ONCE))
        if kind in (tone_plans.STEADY, tone_plans.ONCE):
            assert sections[-1][1] == 0
        if kind in (tone_plans.RING, tone_plans.TRIPLE):
            assert sections[-1][0] == OFF
        assert sections[0][0] != OFF


def test_no_row_needs_more_runs_than_are_kept():
    kept = len(cadence.Cadence(())._runs) // 3
    for row in rows():
        heard = cadence._heard_runs(row)
        # Before a row that comes once, a silence and a beep are looked at.
        assert heard + (2 if row[2] == tone_plans.ONCE else 0) <= kept, row


def test_every_country_has_the_tones_that_a_call_needs():
    for country in COUNTRIES:
        tones = [row[1] for row in PLANS[country]]
        for tone in (
            tone_plans.DIAL,
            tone_plans.RINGBACK,
            tone_plans.BUSY,
            tone_plans.REORDER,
            tone_plans.SIT,
        ):
            assert tone in tones, (country, TONE_NAMES[tone])
        assert tone_plans.CALL_WAITING in tones


def cadences(country, tone):
    return [tuple([(hz(lines), ms) for lines, ms in row[4]]) for row in PLANS[country] if row[1] == tone]


def test_figures():
    assert cadences("US", tone_plans.RINGBACK) == [(((440, 480), 2000), ((), 4000))]
    assert (((480, 620), 200), ((), 300)) in cadences("US", tone_plans.REORDER)
    assert cadences("GB", tone_plans.REORDER) == [(((400,), 400), ((), 350), ((400,), 225), ((), 525))]
    assert [row[1][1] for row in cadences("DE", tone_plans.RINGBACK)] == [4000, 5000]
    assert cadences("JP", tone_plans.BUSY) == cadences("JP", tone_plans.REORDER)
    assert [row[0][0] for row in cadences("AU", tone_plans.DIAL)] == [(413, 438), (400, 450), (400, 425, 450)]
    assert (((440,), 0),) in cadences("FR", tone_plans.DIAL) and (((330, 440), 0),) in cadences(
        "FR", tone_plans.DIAL
    )
    assert cadences("BR", tone_plans.REORDER) == [(((425,), 250), ((), 250), ((425,), 750), ((), 250))]
    assert cadences("IN", tone_plans.BUSY) == [(((400,), 750), ((), 750))]


def test_a_plan_is_of_those_named_or_of_all():
    assert plan("DE") == PLANS["DE"]
    assert plan("DE", "FR") == PLANS["DE"] + PLANS["FR"]
    assert len(plan()) == sum([len(PLANS[country]) for country in COUNTRIES])
    try:
        plan("XX")
    except KeyError:
        return
    raise AssertionError("a country without rows")
