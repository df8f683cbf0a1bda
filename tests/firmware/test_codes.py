"""The table of codes: what a technician may set, and what would take a call for help, or another code, away."""

from star57 import codes
from star57.codes import EMERGENCY, SERVICES, CodeTable
from star57.settings import COUNTRIES, Settings


def table(**kept):
    return CodeTable(Settings(kept))


def test_each_service_has_its_codes():
    defaults = table()
    assert defaults.faults == []
    assert [(SERVICES[service], code) for service, code in zip(defaults.services, defaults.codes)] == [
        ("trace", "*57"),
        ("trace", "1157"),
        ("last_call", "*51"),
        ("last_call", "1151"),
        ("traces", "*52"),
        ("traces", "1152"),
        ("outcome", "*53"),
        ("outcome", "1153"),
        ("language", "*54"),
        ("language", "1154"),
    ]


def test_a_technician_may_set_others_or_none():
    changed = table(traces_codes="#31 *991  11991", language_codes="")
    assert changed.faults == []
    assert [code for service, code in zip(changed.services, changed.codes) if service == codes.TRACES] == [
        "#31",
        "*991",
        "11991",
    ]
    assert codes.LANGUAGE not in changed.services


def test_what_meets_another_code_or_begins_like_a_number_is_refused_and_named():
    for wrong in (
        "*57",
        "*575",
        "1157",
        "11571",
        "*5",
        "11",
        "57",
        "911",
        "112",
        "1129",
        "5551",
        "0",
        "999",
        "*",
        "#",
    ):
        refused = table(outcome_codes=wrong + " *99")
        assert refused.faults == ["outcome_codes " + wrong], wrong
        assert "*99" in refused.codes
        assert refused.codes[:2] == ["*57", "1157"]


def test_of_two_codes_that_meet_the_first_stays():
    met = table(last_call_codes="*88", traces_codes="*889 *77", language_codes="*77")
    assert met.faults == ["traces_codes *889", "language_codes *77"]
    assert "*88" in met.codes
    assert "*77" in met.codes


def test_every_country_has_emergency_numbers_and_no_code_in_force_meets_one():
    assert sorted(EMERGENCY) == sorted(COUNTRIES)
    for country in COUNTRIES:
        numbers = EMERGENCY[country] + ("911", "112", "999", "000")
        everything = " ".join(numbers)[:32]
        for code in table(country=country, trace_codes=everything, last_call_codes="*51 1151").codes:
            for number in numbers:
                assert not code.startswith(number), (country, code)
                assert not number.startswith(code), (country, code)


def test_in_france_115_is_help_and_its_codes_begin_otherwise():
    french = table(country="FR")
    assert french.codes == ["*57", "*51", "*52", "*53", "*54"]
    assert len(french.faults) == 5
    assert table(country="FR", trace_codes="*57 1137").codes[:2] == ["*57", "1137"]
