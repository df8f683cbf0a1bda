"""The household chooses the language in which it is spoken to."""

from star57.trace.dialogue import PROMPTS, SILENCE_MS, HungUp
from star57.trace.outcomes import LEFT, NOT_CONFIRMED

_FIRST_DIGIT = const(0x31)  # 1


class LanguageChoice:
    """One conversation: each language offers itself, and the digit that follows chooses.

    handset: `await question(items, timeout_ms)` and `await speak(items)`, which raise HungUp
    languages: those that the board has, in the order of their digits; None in the place of one that it has not
    choose(language): puts it in force, and keeps it; answers the speaker of that language
    """

    def __init__(self, handset, speaker, languages, choose):
        self._handset = handset
        self._speaker = speaker
        self._languages = languages
        self._choose = choose

    async def run(self):
        """Holds the conversation and answers the language chosen, NOT_CONFIRMED, or LEFT."""
        try:
            return await self._converse()
        except HungUp:
            return LEFT

    async def _converse(self):
        digits = [place + 1 for place, language in enumerate(self._languages) if language is not None]
        if len(digits) < 2:
            await self._handset.speak(self._speaker.one_language())
            return NOT_CONFIRMED
        for _ in range(PROMPTS):
            code = await self._handset.question(self._speaker.languages(digits), SILENCE_MS)
            if code is not None and code - _FIRST_DIGIT + 1 in digits:
                language = self._languages[code - _FIRST_DIGIT]
                await self._handset.speak(self._choose(language).language_chosen())
                return language
        return NOT_CONFIRMED
