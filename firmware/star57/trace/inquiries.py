"""What the household can ask by dialling a code, and is told without a question: nothing is traced, nothing charged.

They name what is told and know no sound: `speaker` makes items of it, `handset` says them.
"""

from star57.trace.dialogue import HungUp, announcement_of
from star57.trace.outcomes import LEFT, TRACED

TOLD = "told"


class Inquiries:
    """Each coroutine is a conversation, and answers TOLD, or LEFT when the household hung up.

    handset: `await speak(items)`, which raises HungUp; speaker: sound/prompts.py; local_time: a LocalTime
    """

    def __init__(self, handset, speaker, calls, outbox, household, local_time):
        self._handset = handset
        self._speaker = speaker
        self._calls = calls
        self._outbox = outbox
        self._household = household
        self._local_time = local_time

    async def last_call(self):
        """When the last call came, and from what number, as caller ID gave it."""
        call = self._calls.last
        when = None if call is None else self._local_time.of_call(call)
        return await self._tell(self._speaker.last_call(call, when, self._local_time.now()))

    async def traces(self):
        """How many traces were made, and when, the newest first."""
        for request_id, _, answer in self._outbox.untold():
            self._household.settled(request_id, answer["outcome"] == TRACED)
        made = self._household.traces
        dates = [self._local_time.at(unix_seconds) for unix_seconds in reversed(made) if unix_seconds]
        return await self._tell(self._speaker.traces(len(made), dates, self._local_time.now()))

    async def outcome(self):
        """What became of the request that was made last. It has been heard then, as behind the trace code."""
        newest = self._outbox.newest
        if newest is None:
            return await self._tell(self._speaker.no_request())
        request_id, answer = newest
        if answer is None:
            return await self._tell(self._speaker.no_answer_yet())
        outcome = await self._tell(self._speaker.outcome(announcement_of(answer), answer["charge_cents"]))
        if outcome == TOLD:
            self._outbox.tell(request_id)
            self._household.settled(request_id, answer["outcome"] == TRACED)
        return outcome

    async def _tell(self, items):
        try:
            await self._handset.speak(items)
        except HungUp:
            return LEFT
        return TOLD
