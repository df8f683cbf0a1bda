"""Where a story is played: one line with its exchange, its adapter and its telephone, advanced in blocks.

A story is a generator: it does something (lifts the phone, lets a call come in) and yields once for every block that
it lets go by. Nothing here sleeps; a story of a minute takes as long as the firmware needs for a minute of samples.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np

from host_tools.exchange.central_office import CentralOffice
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.rig.firmware import Firmware
from host_tools.stories.ear import Sentence, sentences

SAMPLE_RATE_HZ = 8000
BLOCK_SAMPLES = 160
BLOCK_S = BLOCK_SAMPLES / SAMPLE_RATE_HZ
QUIET_DBM0 = -50.0
"""Below this the earpiece is quiet to a person who waits for an announcement to end."""

GOES_ON_WITHIN_S = 0.1
"""A tone that is there from the beginning is the one that was heard before."""

Script = Generator[None, None, None]


class StoryStuck(Exception):
    """What a story waited for did not come in time."""


@dataclass(frozen=True)
class Event:
    """Something that could be seen on the line.

    Attributes:
        at_s: line time in seconds.
        who: "exchange", "line", "household", "adapter", "service" or "heard".
        what: in words for people.
    """

    at_s: float
    who: str
    what: str


@dataclass
class Stage:
    """One line, from the exchange to the telephone.

    Attributes:
        office: the exchange's end.
        telephone: the household's end.
        pair: the copper between them, with the adapter's relay in it.
        firmware: the adapter, running.
        tell: is called with every event as it happens.
        clock: is called with the line time in seconds, at the end of every block.
    """

    office: CentralOffice
    telephone: Telephone
    pair: Pair
    firmware: Firmware
    tell: Callable[[Event], None] = lambda _event: None
    clock: Callable[[float], None] = lambda _now_s: None
    events: list[Event] = field(default_factory=list)
    heard: list[Sentence] = field(default_factory=list)
    blocks: int = 0
    relay_energised: bool = False
    _ringing: bool = False
    _heard_blocks: int = 0
    _phone_out: np.ndarray = field(default_factory=lambda: np.zeros(BLOCK_SAMPLES, np.int16))

    @property
    def now_s(self) -> float:
        """Line time, in seconds."""
        return self.blocks * BLOCK_S

    def play(self, script: Script) -> None:
        """Plays a story to its end."""
        for _ in script:
            self._advance()
        self.tell_heard()

    def say(self, who: str, what: str, at_s: float | None = None) -> None:
        """Adds an event to the timeline."""
        event = Event(self.now_s if at_s is None else at_s, who, what)
        self.events.append(event)
        self.tell(event)

    def wait(self, seconds: float) -> Script:
        """Lets `seconds` of line time go by."""
        for _ in range(round(seconds / BLOCK_S)):
            yield

    def until(self, condition: Callable[[], bool], what: str, within_s: float = 30.0) -> Script:
        """Waits for a condition.

        Raises:
            StoryStuck: it did not come true within `within_s`.
        """
        end_s = self.now_s + within_s
        while not condition():
            if self.now_s >= end_s:
                raise StoryStuck(f"{what}: not within {within_s:g} s of line time\n{self.firmware.log}")
            yield

    def listen(self, within_s: float = 45.0, quiet_s: float = 0.9) -> Script:
        """Listens as a person does: until something was said, and then it has been quiet for a moment.

        Dial tone after the adapter's last word ends it too.
        """
        yield from self.until(self._loud, "something to hear", within_s)
        quiet_blocks = 0
        end_s = self.now_s + within_s
        relay_energised = self.relay_energised
        while quiet_blocks * BLOCK_S < quiet_s and self.now_s < end_s:
            if relay_energised and not self.relay_energised:
                return
            quiet_blocks = 0 if self._loud() else quiet_blocks + 1
            yield
        self.tell_heard()

    def tell_heard(self) -> None:
        """Adds to the timeline what the household has heard since this was last asked."""
        since = self._heard_blocks
        self._heard_blocks = self.blocks
        if self.blocks == since:
            return
        audio = np.concatenate(self.pair.recording.phone_heard[since : self.blocks])
        for sentence in sentences(audio):
            goes_on = (
                sentence.at_s < GOES_ON_WITHIN_S and self.heard and self.heard[-1].names == sentence.names
            )
            if not goes_on:
                self.heard.append(sentence)
                self.say("heard", sentence.text, since * BLOCK_S + sentence.at_s)

    def lift(self) -> None:
        """The household lifts the phone."""
        self.telephone.lift()
        self.say("household", "lifts the phone")

    def hang_up(self) -> None:
        """The household hangs up."""
        self.tell_heard()
        self.telephone.hang_up()
        self.say("household", "hangs up")

    def press(self, digits: str) -> Script:
        """The household dials, and the story goes on when the last key is up."""
        self.tell_heard()
        self.say("household", f"dials {digits}")
        self.telephone.press(digits)
        yield from self.until(lambda: not self.telephone.busy, "the last key")

    def _loud(self) -> bool:
        return self.telephone.heard_level_dbm0 > QUIET_DBM0

    def _advance(self) -> None:
        block = self.pair.advance(BLOCK_SAMPLES, self.relay_energised, self._phone_out)
        answer = self.firmware.exchange_block(block)
        self.blocks += 1
        self.clock(self.now_s)
        self._phone_out = answer.phone_out
        if answer.relay_energised != self.relay_energised:
            self.tell_heard()
            self.relay_energised = answer.relay_energised
            self.say(
                "adapter",
                "takes the phone off the exchange" if self.relay_energised else "puts the phone back",
            )
        if self.telephone.ringing != self._ringing:
            self._ringing = self.telephone.ringing
            if self._ringing:
                self.say("line", "rings")
