"""The household's telephone, as the dialogue sees it: it speaks, it hears digits, it may be hung up."""

import asyncio

from micropython import const

from star57.sound import prompts
from star57.sound.player import Signal, Silence
from star57.trace.dialogue import HungUp

_REORDER_MS = 10_000
# One burst of any country's call-waiting tone, of 0.6 s at the longest (TELEPHONY 6).
_CALL_WAITS = (Signal("call_waiting", 600),)
# A shorter one is within a sentence, between the digits of a number.
_SENTENCE_PAUSE_MS = const(300)


class Handset:
    """Stands between the dialogue's words and the player's samples. The adapter feeds it what the line does.

    speaker: makes items of announcements, see prompts.py
    texts: folders with the texts of the prompts, for a household that reads them on a TTY; None for one that listens
    """

    def __init__(self, player, speaker, texts=None):
        self._player = player
        self._speaker = speaker
        self._texts = texts
        self._digit = None
        self._hung_up = False
        self._rings = False
        self._beep_due = False
        self._changed = asyncio.Event()

    # What the line does

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

    def rings(self):
        """A call rings behind the relay: a call-waiting tone says so, in the next pause."""
        self._rings = True
        self._beep_due = True
        self._changed.set()

    def ringing_stopped(self):
        """The call that rang has gone."""
        self._rings = self._beep_due = False
        self._changed.set()

    # What the dialogue asks for; each raises HungUp

    async def say(self, announcement, cents=0):
        """Says an announcement; answers None, or the code of the digit that cut it short."""
        return await self.speak(self._speaker.announcement(announcement, cents))

    async def ask(self, announcement, cents, timeout_ms):
        """Says an announcement and answers the code of the digit that follows within `timeout_ms`, or None."""
        return await self.question(self._speaker.announcement(announcement, cents), timeout_ms)

    async def speak(self, items):
        """Plays what a speaker gives; answers None, or the code of the digit that cut it short."""
        return await self._speak(self._to_play(items, is_question=False))

    async def question(self, items, timeout_ms):
        """Plays what a speaker gives, and answers the code of the digit that follows within `timeout_ms`, or None."""
        code = await self._speak(self._to_play(items, is_question=True))
        if code is not None:
            return code
        try:
            await asyncio.wait_for_ms(self._until_digit(), timeout_ms)
        except asyncio.TimeoutError:
            return None
        return self._take_digit()

    async def reorder(self):
        """Plays reorder tone until the household hangs up, for 10 s at most."""
        self.check()
        self._player.play(prompts.reorder(_REORDER_MS))
        while not self._player.idle:
            await self._change()

    async def end(self):
        """The last word was said. While a call rings, a call-waiting tone: who hangs up now lets the phone ring."""
        if self._texts is not None:
            await self._speak(_read((), self._texts, is_last=True))
        while self._rings:
            await self._beep()
            await self._change()

    def check(self):
        """Raises HungUp when the household has hung up."""
        if self._hung_up:
            raise HungUp

    def _to_play(self, items, is_question):
        return items if self._texts is None else _read(items, self._texts, is_question)

    async def _speak(self, items):
        self.check()
        self._digit = None
        for sentence in _sentences(items):
            await self._beep()
            self._player.play(sentence)
            while self._digit is None and not self._player.idle:
                await self._change()
            if self._digit is not None:
                self._player.stop()
                return self._take_digit()
        return None

    async def _beep(self):
        if not self._beep_due:
            return
        self._beep_due = False
        self._player.play(_CALL_WAITS)
        while not self._player.idle:
            await self._change()

    async def _until_digit(self):
        while self._digit is None:
            await self._beep()
            if self._digit is None:
                await self._change()

    async def _change(self):
        await self._changed.wait()
        self._changed.clear()
        self.check()

    def _take_digit(self):
        code = self._digit
        self._digit = None
        return code


def _sentences(items):
    """The items in tuples, each of which ends with a pause, or with the last of them."""
    begin = 0
    for place, item in enumerate(items):
        is_pause = isinstance(item, Silence) and item.duration_ms >= _SENTENCE_PAUSE_MS
        if is_pause or place == len(items) - 1:
            yield items[begin : place + 1]
            begin = place + 1


def _read(items, folders, is_question=False, is_last=False):
    # A household that listens has no use for it, nor the room that it takes.
    from star57.sound.tty import GO_AHEAD, STOP_KEYING, tty_items  # noqa: PLC0415

    ends = GO_AHEAD if is_question else STOP_KEYING if is_last else ""
    return tty_items(items, folders, ends)
