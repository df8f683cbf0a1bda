"""The texts: one shape in every language, and plain."""

from __future__ import annotations

import re

import pytest

from host_tools.prompts.announcements import FIRMWARE
from host_tools.prompts.language import Language
from host_tools.prompts.occasions import OCCASIONS, occasion
from host_tools.prompts.texts import LANGUAGES, TEXTS, prompts_of

NAME = re.compile(r"[a-z0-9_]{1,32}")  # what the service can push: messages.PromptName
LONGEST_SENTENCE_WORDS = 16
OTHER = {"today", "yesterday", "on", "and", "dollar", "dollars", "cent", "cents", *map(str, range(10))}


def _sentences(language: Language) -> set[str]:
    """The prompts that are whole sentences, or begin one."""
    return {name for name, text in language.texts.items() if text[0].isupper()} - {
        name for name in language.texts if name.startswith("month_")
    }


def test_every_language_says_the_same() -> None:
    english = _sentences(LANGUAGES["en-US"])
    for language in LANGUAGES.values():
        assert _sentences(language) == english
        assert set(language.texts) >= OTHER


def test_the_languages_are_those_of_the_firmware_in_its_order() -> None:
    source = (FIRMWARE / "star57" / "settings.py").read_text()
    (row,) = re.findall(r"^LANGUAGES = \((.*)\)$", source, re.MULTILINE)
    assert re.findall(r'"([^"]+)"', row) == list(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_every_sound_is_of_a_prompt(language: Language) -> None:
    assert set(language.sounds) <= set(language.texts)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_names_can_be_pushed_and_texts_are_one_line(language: Language) -> None:
    for prompt in prompts_of(language):
        assert NAME.fullmatch(prompt.name)
        assert prompt.text == " ".join(prompt.text.split())


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_sentences_are_short(language: Language) -> None:
    for prompt in prompts_of(language):
        for sentence in re.split(r"[.:] ", prompt.text):
            assert len(sentence.split()) <= LONGEST_SENTENCE_WORDS, sentence


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_the_emergency_number_is_said_digit_by_digit(language: Language) -> None:
    (danger,) = (prompt.text for prompt in prompts_of(language) if prompt.name == "danger")
    assert "9 1 1" in danger
    (danger,) = (prompt.text for prompt in prompts_of(language, "112") if prompt.name == "danger")
    assert "1 1 2" in danger


def test_every_prompt_has_its_occasion_and_every_occasion_a_prompt() -> None:
    names = {prompt.name for language in LANGUAGES.values() for prompt in prompts_of(language)}
    assert set(OCCASIONS) <= names
    assert all(occasion(name) for name in names)
    assert occasion("20_linked") != occasion("20")


def test_english_is_the_table_of_those_who_know_one_language() -> None:
    assert TEXTS["language_3"] == "Pour le français, faites le 3."
