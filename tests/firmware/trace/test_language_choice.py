"""The choice of a language: what is offered, what chooses, and what leaves all as it was."""

from star57.trace.dialogue import HungUp
from star57.trace.language_choice import LanguageChoice

ALL = ("en-US", "es-US", "fr-CA")


class Speaker:
    def __init__(self, language="en-US"):
        self._language = language

    def languages(self, digits):
        return ("languages",) + tuple(digits)

    def one_language(self):
        return ("one_language",)

    def language_chosen(self):
        return ("chosen", self._language)


class Handset:
    def __init__(self, *answers):
        self.heard = []
        self._answers = list(answers)

    async def question(self, items, timeout_ms):
        assert timeout_ms == 7000
        self.heard.append(items)
        answer = self._answers.pop(0) if self._answers else None
        if answer == "hangs up":
            raise HungUp
        return answer and ord(answer)

    async def speak(self, items):
        self.heard.append(items)


async def chosen(*answers, languages=ALL):
    """What the choice answers, what was put in force, and what was heard."""
    handset = Handset(*answers)
    choices = []

    def choose(language):
        choices.append(language)
        return Speaker(language)

    outcome = await LanguageChoice(handset, Speaker(), languages, choose).run()
    return outcome, choices, handset.heard


async def test_a_digit_chooses_and_the_new_language_says_so():
    for digit, language in zip("123", ALL):
        outcome, choices, heard = await chosen(digit)
        assert (outcome, choices) == (language, [language])
        assert heard == [("languages", 1, 2, 3), ("chosen", language)]


async def test_only_what_the_board_has_is_offered_under_its_own_digit():
    outcome, choices, heard = await chosen("2", "3", languages=("en-US", None, "fr-CA"))
    assert (outcome, choices) == ("fr-CA", ["fr-CA"])
    assert heard[0] == ("languages", 1, 3)


async def test_other_digits_and_silence_ask_twice_more_and_change_nothing():
    for answers in (("4", "0", "*"), (), ("#",)):
        outcome, choices, heard = await chosen(*answers)
        assert (outcome, choices, len(heard)) == ("not_confirmed", [], 3)


async def test_one_language_is_no_choice():
    for languages in ((None, "es-US", None), (None, None, None)):
        assert await chosen(languages=languages) == ("not_confirmed", [], [("one_language",)])


async def test_who_hangs_up_keeps_what_was():
    assert (await chosen("hangs up"))[:2] == ("left", [])
