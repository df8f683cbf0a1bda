"""The correspondent: asks the service, signed, over the best carrier that works, and believes only what it signed."""

import asyncio
from asyncio import core

from micropython import const

from star57.link import message
from star57.link.error import LinkError
from star57.link.message import MessageError
from star57.link.signed import SignatureError

# A better carrier that failed is tried again after this long; meanwhile nobody waits for it first.
_FAILED_FOR_MS = const(60_000)
# Courier, heartbeat and call reports: each may have to wait until the others' asks are over.
_ASKERS = const(3)


class Refused(Exception):
    """The service itself, by its signature, refuses what was asked; `reason` as docs/protocol.md has it."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Correspondent:
    """Asks one thing at a time over `carriers`, the best first: each has `name`, `timeout_ms`, `await post(body)`
    and distrust(), which is called when what it brought was no answer.

    `refusals` counts refusals, and answers that are none; `carrier` is the name of what brought the last answer. `log`
    is told, by reason, what did not work, and what does.
    """

    def __init__(self, signer, sequence, carriers, log):
        self._signer = signer
        self._sequence = sequence
        self._carriers = carriers
        self._log = log
        self._asking = asyncio.Lock()
        self._failed_at = {}
        self._told = {}
        self.refusals = 0
        self.carrier = None

    @property
    def timeout_ms(self):
        """How long an ask may take: on each carrier, again behind the newest sequence number, and after another's."""
        return _ASKERS * 2 * sum(carrier.timeout_ms for carrier in self._carriers)

    async def ask(self, question, decode):
        """Asks `question`, a dict of its fields; answers what `decode` makes of the answer's payload.

        Its field "carrier", where it has one, is set to the name of the carrier that it goes over. Raises Refused;
        LinkError, of the carrier tried last, when no carrier brought an answer that is one; MessageError when
        `question` is too large.
        """
        async with self._asking:
            failed = None
            for carrier in self._best_first():
                if "carrier" in question:
                    question["carrier"] = carrier.name
                payload = message.encode(question)
                try:
                    answer = await self._ask_over(carrier, payload, decode)
                except LinkError as fault:
                    failed = fault
                    self._failed_at[carrier.name] = core.ticks()
                    self._tell(carrier, "{}: {}".format(carrier.name, fault.reason))
                    continue
                self._failed_at.pop(carrier.name, None)
                self.carrier = carrier.name
                self._tell(carrier, "{} works".format(carrier.name))
                return answer
            raise failed

    def _best_first(self):
        """The carriers as they are given, those last that failed lately."""
        now = core.ticks()
        working, failed = [], []
        for carrier in self._carriers:
            failed_at = self._failed_at.get(carrier.name)
            is_failed = failed_at is not None and core.ticks_diff(now, failed_at) < _FAILED_FOR_MS
            (failed if is_failed else working).append(carrier)
        return working + failed

    async def _ask_over(self, carrier, payload, decode):
        for _ in range(2):
            sequence = self._sequence.next()
            status, body = await carrier.post(self._signer.ask(sequence, payload))
            try:
                if status == 200:
                    return decode(self._signer.answer(body, sequence))
                reason, newest = self._refusal(body, sequence)
            except LinkError:
                carrier.distrust()
                raise
            except (SignatureError, MessageError) as fault:
                self._count_refusal(carrier, fault.reason)
                carrier.distrust()
                raise LinkError("garbage") from None
            self._count_refusal(carrier, reason)
            if newest is None:
                raise Refused(reason)
            self._sequence.go_on_behind(newest)
        # Twice in a row: somebody in between asks each time before the adapter does. Another carrier may be free of it.
        carrier.distrust()
        raise LinkError(reason)

    def _refusal(self, body, sequence):
        """Reason and newest sequence number of a refusal that is signed. Raises LinkError for one that is not.

        Whoever is in between may have made one that is not signed: another carrier may know better.
        """
        try:
            payload = self._signer.answer(body, sequence)
        except SignatureError:
            reason, _ = message.decode_refusal(body)
            self.refusals += 1
            raise LinkError(reason) from None
        return message.decode_refusal(payload)

    def _count_refusal(self, carrier, reason):
        self.refusals += 1
        self._tell(reason, "{}: refused: {}".format(carrier.name, reason))

    def _tell(self, of, what):
        # Of each carrier, and of each kind of refusal, once, and not each minute anew.
        if self._told.get(of) != what:
            self._told[of] = what
            self._log("link: {}".format(what))
