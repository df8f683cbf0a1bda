"""What the household talks with behind a code: a handset, the language in force, and the conversation itself."""

import os

from star57 import codes
from star57.settings import LANGUAGES
from star57.sound.player import Player
from star57.sound.regions import REGIONS
from star57.trace.outcomes import LEFT


class Conversations:
    """One at a time, each with a handset of its own.

    household: a Household, whose language comes first
    pushed: the PromptStore of what the host has pushed
    player: what all of them are said with
    """

    def __init__(self, board, settings, calls, outbox, household, pushed):
        self._board = board
        self._settings = settings
        self._calls = calls
        self._outbox = outbox
        self._pushed = pushed
        self._household = household
        self._languages = _languages_in(board.prompts)
        # The player looks here for each prompt: another language is other folders in the same places.
        self._folders = ["", ""]
        self.player = Player(self._folders, REGIONS[settings.country])
        self._use(self._language())

    def handset(self):
        """A handset for the conversation that begins now. What speaks is in memory from the first one on."""
        from star57.sound.handset import Handset  # noqa: PLC0415

        if self._speaker is None:
            self._speaker = self._make_speaker()
        return Handset(self.player, self._speaker, self._folders if self._settings.tty else None)

    async def hold(self, service, handset):
        """Holds the conversation of a service (codes.py), and answers its outcome."""
        from star57.trace.dialogue import HungUp  # noqa: PLC0415

        outcome = await self._converse(service, handset)
        try:
            if outcome != LEFT:
                await handset.end()
        except HungUp:
            pass  # all has been said
        return outcome

    def _converse(self, service, handset):
        if service == codes.TRACE:
            return self._dialogue(handset).run()
        if service == codes.LANGUAGE:
            return self._language_choice(handset).run()
        inquiries = self._inquiries(handset)
        return {
            codes.LAST_CALL: inquiries.last_call,
            codes.TRACES: inquiries.traces,
            codes.OUTCOME: inquiries.outcome,
        }[service]()

    # What is seldom asked for is in memory from the first time on.

    def _dialogue(self, handset):
        from star57.trace.dialogue import Dialogue  # noqa: PLC0415

        return Dialogue(handset, self._calls, self._outbox, self._household, self._settings, self._board)

    def _language_choice(self, handset):
        from star57.trace.language_choice import LanguageChoice  # noqa: PLC0415

        return LanguageChoice(handset, self._speaker, self._languages, self._choose)

    def _inquiries(self, handset):
        from star57.local_time import LocalTime  # noqa: PLC0415
        from star57.trace.inquiries import Inquiries  # noqa: PLC0415

        local_time = LocalTime(self._board, self._calls, self._settings)
        return Inquiries(handset, self._speaker, self._calls, self._outbox, self._household, local_time)

    def _choose(self, language):
        self._household.choose(language)
        self._use(language)
        self._speaker = self._make_speaker()
        return self._speaker

    def _language(self):
        """The household's own choice, else the technician's, else the first that the board has."""
        there = [language for language in self._languages if language is not None]
        for language in (self._household.language, self._settings.language):
            if language in there:
                return language
        return there[0] if there else self._settings.language

    def _use(self, language):
        """Puts a language in force."""
        self._pushed.use(language)
        self._folders[0] = self._pushed.folder
        self._folders[1] = self._board.prompts + "/" + language
        self._in_force = language
        self._speaker = None

    def _make_speaker(self):
        from star57.sound.prompts import Speaker  # noqa: PLC0415

        return Speaker(self._in_force)


def _languages_in(folder):
    """LANGUAGES, with None in the place of each that has no pack in `folder`."""
    try:
        packs = os.listdir(folder)
    except OSError:
        packs = []
    return [language if language in packs else None for language in LANGUAGES]
