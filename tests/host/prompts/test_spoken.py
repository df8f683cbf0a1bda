"""Every amount, number, date and minute, held against num2words, which knows how the languages count."""

from __future__ import annotations

import pytest
from num2words import num2words

from host_tools.prompts.texts import LANGUAGES
from tests.host.prompts.spoken import CENTS, DAYS, MINUTES, NUMBERS, everything_said, words

MONTHS = {
    "en-US": "January February March April May June July August September October November December",
    "es-US": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr-CA": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
COUNTING = {"en-US": "en", "es-US": "es", "fr-CA": "fr_CA"}


def number(language: str, value: int) -> str:
    return str(num2words(value, lang=COUNTING[language])).replace("-", " ")


def before_noun(language: str, value: int) -> str:
    """Spanish shortens uno before a masculine noun."""
    said = number(language, value)
    if language != "es-US" or value % 10 != 1 or value == 11:
        return said
    return said.removesuffix("uno") + ("ún" if value == 21 else "un")


def counted(language: str, value: int, noun: str, plural: str) -> str:
    singular = (0, 1) if language == "fr-CA" else (1,)
    return f"{before_noun(language, value)} {noun if value in singular else plural}"


def money(language: str, cents: int) -> str:
    dollar, cent, joined = {
        "en-US": (("dollar", "dollars"), ("cent", "cents"), "and"),
        "es-US": (("dólar", "dólares"), ("centavo", "centavos"), "con"),
        "fr-CA": (("dollar", "dollars"), ("cent", "cents"), "et"),
    }[language]
    whole, rest = divmod(cents, 100)
    if not rest:
        return counted(language, whole, *dollar)
    said = counted(language, rest, *cent)
    return f"{counted(language, whole, *dollar)} {joined} {said}" if whole else said


def date(language: str, month: int, day: int) -> str:
    name = MONTHS[language].split()[month - 1]
    if language == "en-US":
        return f"on {name} {num2words(day, to='ordinal').replace('-', ' ')}"
    first = {"es-US": "primero", "fr-CA": "premier"}[language]
    said = first if day == 1 else number(language, day)
    return f"el {said} de {name}" if language == "es-US" else f"le {said} {name}"


def time_in_english(hour: int, minute: int) -> str:
    said = f"at {number('en-US', hour % 12 or 12)}"
    if minute:
        said += f" {'oh ' if minute < 10 else ''}{number('en-US', minute)}"
    return f"{said} {'p.m.' if hour >= 12 else 'a.m.'}"


def time_in_spanish(hour: int, minute: int) -> str:
    at = hour % 12 or 12
    said = "a la una" if at == 1 else f"a las {number('es-US', at)}"
    if minute:
        said += f" y {number('es-US', minute)}"
    parts = ["madrugada"] * 6 + ["mañana"] * 6 + ["tarde"] * 7 + ["noche"] * 5
    return f"{said} de la {parts[hour]}"


def time_in_french(hour: int, minute: int) -> str:
    """Hours and minutes are feminine."""

    def feminine(value: int) -> str:
        said = number("fr-CA", value)
        return f"{said}e" if said.endswith("un") else said

    said = f"à {feminine(hour)} heure{'s' if hour > 1 else ''}"
    return f"{said} {feminine(minute)}" if minute else said


TIMES = {"en-US": time_in_english, "es-US": time_in_spanish, "fr-CA": time_in_french}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number(language: str) -> None:
    for value in NUMBERS:
        assert words(language, f"speaker.number({value})") == number(language, value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_amount(language: str) -> None:
    for cents in CENTS:
        assert words(language, f"speaker.money({cents})") == money(language, cents)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_amount_in_the_offer(language: str) -> None:
    for cents in CENTS[1:]:
        assert f" {money(language, cents)} " in words(language, f"speaker.announcement('offer', {cents})")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_traces(language: str) -> None:
    trace, traces = {
        "en-US": ("successful trace.", "successful traces."),
        "es-US": ("rastreo exitoso.", "rastreos exitosos."),
        "fr-CA": ("retraçage réussi.", "retraçages réussis."),
    }[language]
    for count in NUMBERS[1:]:
        said = words(language, f"speaker.traces({count}, [], None)")
        assert said.endswith(f" {counted(language, count, trace, traces)}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_day_of_a_year(language: str) -> None:
    for month, day in DAYS:
        said = words(language, f"speaker.date_time({month}, {day}, 15, 5)")
        assert said == f"{date(language, month, day)} {TIMES[language](15, 5)}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_minute_of_a_day(language: str) -> None:
    for hour, minute in MINUTES:
        said = words(language, f"speaker.date_time(5, 3, {hour}, {minute})")
        assert said == f"{date(language, 5, 3)} {TIMES[language](hour, minute)}"


@pytest.mark.parametrize(
    ("value", "units"),
    [(6, 6), (8, 8), (10, 10), (18, 18), (26, 6), (58, 8), (70, 10), (78, 18), (86, 6), (90, 10), (98, 18)],
)
def test_french_is_silent_at_the_end_of_six_and_ten_before_a_noun(value: int, units: int) -> None:
    spoken = everything_said("fr-CA")[f"speaker.money({value})"]
    assert spoken[-2:] == (f"{units}_before_noun", "cents")
    assert everything_said("fr-CA")[f"speaker.number({value})"][-1] == str(units)
