"""The conversation behind the trace code, in the order in which it is held.

It names announcements and knows no sound. The announcement of an outcome has the outcome's own name, and one of
an earlier trace has EARLIER before it; one of a trace that opened the way to action has ACTION_OPEN behind it.
NOT_OFFERED is told by reorder tone, and LEFT to nobody.
"""

from micropython import const

from star57.storage import StorageError
from star57.trace import request
from star57.trace.outbox import OutboxFull
from star57.trace.outcomes import (
    ALREADY_TRACED,
    LEFT,
    NO_CALL,
    NOT_CONFIRMED,
    NOT_OFFERED,
    STORE_FAILED,
    STORE_FULL,
    STORED,
    TRACED,
)

OFFER = "offer"
PLEASE_WAIT = "please_wait"
NEWER_CALL = "newer_call"
EARLIER = "earlier_"
ACTION_OPEN = "_action_open"

PROMPTS = const(3)  # a question is asked once, and repeated twice
SILENCE_MS = const(7000)

_CONFIRM = const(0x31)  # the digit 1
_BEGIN_HELP = (
    b"90"  # 911, 999, 000 (codes.py); where a number for help begins with 1, that is the answer here
)
_HOOK_CHECK_MS = const(100)


class HungUp(Exception):
    """The household has hung up. Whatever the handset was asked to do ends with it."""


class Dialogue:
    """One conversation: what became of earlier requests, then the call that is the last one by then.

    `handset` has `await say(announcement, cents)`, `await ask(announcement, cents, timeout_ms)`, which
    answers the code of a digit or None, `await reorder()` and `check()`; each raises HungUp. `board` has
    `wall_time()` and `random_bytes(n)`.
    """

    def __init__(self, handset, calls, outbox, household, settings, board):
        self._handset = handset
        self._calls = calls
        self._outbox = outbox
        self._household = household
        self._settings = settings
        self._board = board

    async def run(self):
        """Holds the conversation and answers its outcome, one of those of outcomes.py."""
        try:
            return await self._converse()
        except HungUp:
            return LEFT

    async def _converse(self):
        told = await self._tell_earlier()
        call = self._calls.last
        if call is not None and call.call_id in told:
            return told[call.call_id]
        if not self._settings.trace_offered:
            return await self._tell(NOT_OFFERED)
        outcome = self._known_outcome(call)
        if outcome is None and self._settings.two_stage:
            call = await self._confirmed(call)
            # Somebody may have pressed the trace button meanwhile: a call is traced once.
            outcome = NOT_CONFIRMED if call is None else self._known_outcome(call)
        if outcome is not None:
            return await self._tell(outcome)
        return await self._trace(call)

    async def _tell_earlier(self):
        """Tells each answer that the household has not heard; answers their outcomes, by call_id."""
        told = {}
        for request_id, call_id, answer in self._outbox.untold():
            await self._handset.say(EARLIER + announcement_of(answer), answer["charge_cents"])
            self._outbox.tell(request_id)
            self._mark(request_id, call_id, answer["outcome"])
            told[call_id] = answer["outcome"]
        return told

    def _known_outcome(self, call):
        """What can be told without asking, or None: a call is traced once, and a pending request counts."""
        if call is None:
            return NO_CALL
        outcome = call.trace_outcome
        request_id = self._outbox.request_for_call(call.call_id)
        if outcome is None and request_id is not None:
            answer = self._outbox.answer_for(request_id)
            outcome = answer["outcome"] if answer else STORED
        return ALREADY_TRACED if outcome == TRACED else outcome

    async def _confirmed(self, call):
        """The call that the household confirmed: `call`, or a newer one that it was told of; or None."""
        announcement = OFFER
        prompts = PROMPTS
        while prompts:
            prompts -= 1
            code = await self._handset.ask(announcement, self._settings.price_cents, SILENCE_MS)
            if code is not None and code in _BEGIN_HELP:
                raise HungUp  # dial tone at once, and no 1 behind it is taken for a yes
            if code != _CONFIRM:
                continue
            if self._calls.last.call_id == call.call_id:
                return call
            call = self._calls.last
            announcement = NEWER_CALL
            prompts = PROMPTS
        return None

    async def _trace(self, call):
        """Keeps the request, then says the first word; tells what became of it, and answers that."""
        requested_at, time_source = self._board.wall_time()
        message = request.build(self._settings, call, requested_at, time_source, self._board.random_bytes)
        try:
            self._outbox.add(message)
        except OutboxFull:
            return await self._tell(STORE_FULL)
        except StorageError:
            return await self._tell(STORE_FAILED)
        self._household.requested(message["request_id"], requested_at if time_source == "network" else 0)
        await self._handset.say(PLEASE_WAIT, 0)
        answer = await self._answer(message["request_id"])
        if answer is None:
            return await self._tell(STORED)
        self._mark(message["request_id"], call.call_id, answer["outcome"])
        return await self._tell_answer(message["request_id"], answer)

    async def _tell_answer(self, request_id, answer):
        """Tells an answer; it counts as heard when it was said, and reorder tone as soon as it sounds."""
        if answer["outcome"] == NOT_OFFERED:
            self._outbox.tell(request_id)
        await self._tell(announcement_of(answer), answer["charge_cents"])
        self._outbox.tell(request_id)
        return answer["outcome"]

    async def _answer(self, request_id):
        for _ in range(0, self._settings.answer_timeout_ms, _HOOK_CHECK_MS):
            answer = await self._outbox.answered(request_id, _HOOK_CHECK_MS)
            self._handset.check()
            if answer is not None:
                return answer
        return None

    def _mark(self, request_id, call_id, outcome):
        self._household.settled(request_id, outcome == TRACED)
        if not self._calls.traced(call_id, outcome):
            return
        try:
            self._calls.save()
        except StorageError:
            pass  # the outbox holds the answer for longer than this call stays the last

    async def _tell(self, outcome, charge_cents=0):
        if outcome == NOT_OFFERED:
            await self._handset.reorder()
        else:
            await self._handset.say(outcome, charge_cents)
        return outcome


def announcement_of(answer):
    """The announcement of the service's answer."""
    return answer["outcome"] + ACTION_OPEN if answer["action_open"] else answer["outcome"]
