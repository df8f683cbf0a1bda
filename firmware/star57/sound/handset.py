"""The household's telephone, as the dialogue sees it: it speaks, it hears digits, it may be hung up."""

import asyncio

from star57.sound import prompts
from star57.trace.dialogue import HungUp

_REORDER_MS = 10_000


class Handset:
    """Stands between the dialogue's words and the player's samples. The adapter feeds it what the line does."""

    def __init__(self, player):
        self._player = player
        self._digit = None
        self._hung_up = False
        self._changed = asyncio.Event()

    def digit(self, code):
        """The household has dialled; a digit that nobody waited for is replaced by the next one."""
        self._digit = code
        self._changed.set()

    def hang_up(self):
        self._hung_up = True
        self._changed.set()

    def spoken(self):
        """The player has come to the end of what it was to say."""
        self._changed.set()

    async def say(self, announcement, cents=0):
        """Says an announcement; answers None, or the code of the digit that cut it short. Raises HungUp."""
        self.check()
        self._digit = None
        self._player.play(prompts.announcement(announcement, cents))
        while not self._player.idle:
            await self._change()
            if self._digit is not None:
                self._player.stop()
                return self._take_digit()
        return None

    async def ask(self, announcement, cents, timeout_ms):
        """Says an announcement and answers the code of the digit that follows within `timeout_ms`, or None."""
        code = await self.say(announcement, cents)
        if code is not None:
            return code
        try:
            await asyncio.wait_for_ms(self._until_digit(), timeout_ms)
        except asyncio.TimeoutError:
            return None
        return self._take_digit()

    async def reorder(self):
        """Plays reorder tone until the household hangs up, for 10 s at most. Raises HungUp."""
        self.check()
        self._player.play(prompts.reorder(_REORDER_MS))
        while not self._player.idle:
            await self._change()

    async def _until_digit(self):
        while self._digit is None:
            await self._change()

    async def _change(self):
        await self._changed.wait()
        self._changed.clear()
        self.check()

    def check(self):
        """Raises HungUp when the household has hung up."""
        if self._hung_up:
            raise HungUp

    def _take_digit(self):
        code = self._digit
        self._digit = None
        return code
