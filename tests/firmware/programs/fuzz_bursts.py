"""Bursts at random through the receiver of caller ID, and through those of digits and of caller ID by DTMF.

Blocks are of any length; samples are lost, windows opened, closed and forgotten at any moment. Nothing but
MessageError may come out, and that from message() alone; hearing allocates nothing, work comes to an end, each result
is whole, and no memory stays behind. STAR57_FUZZ_CASES, STAR57_FUZZ_SEED and STAR57_FUZZ_FIRST say how many cases, of
which seed, from which on. A line of JSON tells of each message that was reported and never sent, with the case to
replay it by; the last line is of the run.
"""

import gc
import json
import os
import sys
from array import array

import micropython
from random_bursts import DIGITS, KINDS, MOST_SAMPLES, NO_BURST, Burst
from random_callers import KEYS, Chance
from star57.callerid import framing
from star57.callerid.dtmf_clip import ALL, DtmfCallerId
from star57.callerid.framing import CHECKSUM_WRONG, GARBAGE, MESSAGE, NO_CARRIER, TRUNCATED
from star57.callerid.message import MessageError, parse, parse_ntt
from star57.callerid.receiver import CallerIdReceiver
from star57.dsp.dtmf import DtmfReceiver

_WARM_UP_CASES = 60
_CHECK_EVERY = 100
_LONGEST_BLOCK = const(400)
_MOST_STEPS = const(5000)
_MOST_SILENCE_SAMPLES = const(8000)
_RESULTS = {
    MESSAGE: "message",
    CHECKSUM_WRONG: "checksum wrong",
    TRUNCATED: "truncated",
    GARBAGE: "garbage",
    NO_CARRIER: "no carrier",
}
_STANDARDS = (None, "bell_202", "v23", "ntt")
_MEASURED = ("level_dbm0", "snr_db", "baud", "twist_db")
_WHO = ("number", "name", "reason", "name_reason", "date_time")


class Failed(Exception):
    """What a receiver may not do, and the case that made it."""


class Digits:
    """The sink of the DTMF receiver: what it tells must be digits, one ended before the next begins."""

    def __init__(self):
        self.receiver = DtmfReceiver(self)
        self.caller_id = DtmfCallerId(None, ALL)
        self.count = 0
        self.sounding = 0

    def digit(self, code, level_dbm0):
        if self.sounding or code not in KEYS or not -60 <= level_dbm0 <= 10:
            raise Failed("digit")
        self.sounding = code
        self.count += 1
        self.caller_id.digit(code, level_dbm0)

    def digit_end(self, code, duration_samples):
        if code != self.sounding or duration_samples <= 0:
            raise Failed("end of a digit")
        self.sounding = 0
        self.caller_id.digit_end(code, duration_samples)

    def reset(self):
        self.receiver.reset()
        self.sounding = 0
        self.count = 0


class Play:
    """One case: a burst, and a listener who does as a chance of its own says."""

    def __init__(self, burst, seed, receiver, digits, block):
        self.burst = burst
        self.chance = Chance(seed, 0)
        self.receiver = receiver
        self.digits = digits
        self.block = block
        self.told = []
        self.longest_window = burst.count + _MOST_SILENCE_SAMPLES
        # Most listeners are calm; in one case of four the window is moved at any moment.
        self.restless = self.chance.once_in(4)
        self.shortest = self.chance.one_of((80, 160, 1, _LONGEST_BLOCK))
        self.longest = self.chance.one_of((self.shortest, _LONGEST_BLOCK))
        self.steps_a_block = self.chance.one_of((_MOST_STEPS, _MOST_STEPS, 1, 0))
        self.is_open = False
        self.is_over = False
        self.most_steps = 0

    def run(self):
        self._listen()
        place = 0
        while place < self.burst.count:
            n = min(self.chance.between(self.shortest, self.longest), self.burst.count - place)
            _copy(self.burst.samples, place, self.block, n)
            place += n
            if self.chance.once_in(500):
                self._hear(self._skip, n)
            else:
                self._hear(self._feed, n)
            self._work(self.steps_a_block)
            if self.restless and self.chance.once_in(60):
                place += self._act()
        self._end()

    def _feed(self, n):
        self.receiver.feed(self.block, n)
        if self.digits is not None:
            self.digits.receiver.feed(self.block, n)
            self.digits.caller_id.advance(n)

    def _skip(self, n):
        self.receiver.skip(n)
        if self.digits is not None:
            self.digits.receiver.skip(n)
            self.digits.caller_id.skip(n)

    @staticmethod
    def _hear(what, n):
        micropython.heap_lock()
        try:
            what(n)
        finally:
            micropython.heap_unlock()

    def _listen(self):
        chance = self.chance
        window = chance.below(self.longest_window) if chance.once_in(4) else self.longest_window
        self.is_open = window > 0
        self.receiver.listen(window, not chance.once_in(4))
        if self.digits is not None:
            self.digits.reset()
            self.digits.caller_id.listen(window)

    def _act(self):
        """Something that a listener may do at any moment; answers how many samples of the burst it costs."""
        chance = self.chance
        act = chance.below(7)
        lost = chance.one_of((0, 1, chance.below(200), chance.below(3000))) if act == 0 else 0
        if act == 0:
            self._hear(self._skip, lost)
        elif act == 1:
            self.receiver.reset()
            self.is_open = False
        elif act == 2:
            self.receiver.close()
            self.is_open = False
        elif act == 3:
            self.receiver.clear()
        elif act == 4:
            self._listen()
        elif act == 5:
            self.receiver.resume(chance.below(self.longest_window))
            self.is_open = True
        elif act == 6:
            self._hear(self._feed, 0)
        if act in (1, 2, 3) and chance.once_in(2):
            self._listen()
        return lost

    def _end(self):
        """Silence or loss until the longest window is over: there must be a result then."""
        self.is_over = True
        if self.chance.once_in(2):
            self._hear(self._skip, self.longest_window)
        else:
            _copy(self.burst.samples, MOST_SAMPLES - _LONGEST_BLOCK, self.block, _LONGEST_BLOCK)
            for _ in range(0, self.longest_window, _LONGEST_BLOCK):
                self._hear(self._feed, _LONGEST_BLOCK)
                self._work(self.steps_a_block)
        self._work(_MOST_STEPS)
        if self.is_open:
            raise Failed("the window is over, and there is no result")

    def _work(self, most):
        receiver = self.receiver
        steps = 0
        while steps < most and receiver.work():
            steps += 1
            if steps == _MOST_STEPS:
                raise Failed("work has no end")
        self.most_steps = max(self.most_steps, steps)
        if receiver.result is not None:
            self._take()

    def _take(self):
        receiver = self.receiver
        result = receiver.result
        self._check(result)
        self.told.append((result, receiver.data, dict(receiver.quality)))
        self.is_open = False
        chance = self.chance
        how = 3 if self.is_over else chance.below(4)
        if how == 0:
            self._listen()
        elif how == 1 and result == MESSAGE:
            receiver.resume(self.longest_window)
            self.is_open = True
        elif how == 2:
            receiver.clear()
        if how != 1 and receiver.result is not None:
            # It stays as it is, and nothing more is done, until it is cleared.
            self._hear(self._feed, min(80, _LONGEST_BLOCK))
            if receiver.work() or receiver.result != result:
                raise Failed("a result that does not stay")
            receiver.clear()

    def _check(self, result):
        receiver = self.receiver
        quality = receiver.quality
        if result not in _RESULTS or receiver.work():
            raise Failed("result")
        if quality["standard"] not in _STANDARDS or quality["framing_errors"] < 0:
            raise Failed("quality")
        for measure in _MEASURED:
            if quality[measure] is not None and not -100 < quality[measure] < 1400:
                raise Failed(measure)
        if not isinstance(quality["repaired"], bool) or len(receiver.data) > framing.NTT_LONGEST:
            raise Failed("data")
        json.dumps(quality)


class Fuzz:
    """The receivers, made once, and what became of the cases."""

    def __init__(self, seed):
        self.seed = seed
        self.samples = array("h", bytes(2 * MOST_SAMPLES))
        self.block = array("h", bytes(2 * _LONGEST_BLOCK))
        self.receiver = CallerIdReceiver()
        self.digits = Digits()
        self.counts = {kind: dict.fromkeys(_COUNTED, 0) for kind in KINDS}
        self.samples_heard = 0
        self.compared = 0
        self.most_steps = 0

    def case(self, number):
        chance = Chance(self.seed, number)
        try:
            self._case(chance, number)
        except MemoryError:
            raise Failed(f"case {number} of seed {self.seed}: something was allocated while it was heard")
        except Exception as fault:  # noqa: BLE001 - whatever a receiver raises is what is looked for
            sys.print_exception(fault, sys.stderr)
            raise Failed(f"case {number} of seed {self.seed}: {fault!r}")

    def _case(self, chance, number):
        burst = Burst(chance, self.samples)
        counts = self.counts[burst.kind]
        counts["cases"] += 1
        self.samples_heard += burst.count
        digits = self.digits if burst.kind in (DIGITS, NO_BURST) or chance.once_in(3) else None
        seed = chance.below(1 << 24)
        play = Play(burst, seed, self.receiver, digits, self.block)
        play.run()
        self.most_steps = max(self.most_steps, play.most_steps)
        if chance.once_in(16):
            self._compare(play, burst, seed)
        messages = 0
        for result, data, quality in play.told:
            counts[_RESULTS[result]] += 1
            if result == MESSAGE:
                messages += 1
                self._judge(burst, counts, number, data, quality)
        counts["read"] += messages > 0
        if digits is not None:
            self._take_digits(burst, counts)

    def _compare(self, play, burst, seed):
        """A receiver is as new once it has been told to listen: one that is new tells the same."""
        digits = None if play.digits is None else Digits()
        fresh = Play(burst, seed, CallerIdReceiver(), digits, self.block)
        fresh.run()
        self.compared += 1
        if fresh.told != play.told:
            raise Failed(f"a new receiver tells {fresh.told}, this one {play.told}")

    def _judge(self, burst, counts, number, data, quality):
        try:
            message = _parsed(data)
        except MessageError as fault:
            if fault.reason in ("checksum", "parity"):
                raise Failed(f"a message whose {fault.reason} is wrong")
            counts["refused by message()"] += 1
            return
        if burst.holds(data):
            return
        counts["never sent"] += 1
        is_wrong = not burst.whole or _who(message) != _who(_parsed(burst.whole))
        counts["wrong caller"] += is_wrong
        report = {
            "case": number,
            "seed": self.seed,
            "kind": burst.kind,
            "reported": data.hex(),
            "sent": burst.data.hex(),
            "whole": burst.whole.hex(),
            "wrong_caller": is_wrong,
            "quality": quality,
        }
        print(json.dumps(report))

    def _take_digits(self, burst, counts):
        digits = self.digits
        counts["digits sent"] += len(burst.keys)
        counts["digits heard"] += digits.count
        if digits.caller_id.result == MESSAGE:
            counts["callers by DTMF"] += 1
            fields = digits.caller_id.message().as_dict()
            json.dumps(fields)
            # Digits carry no checksum: one that noise hides makes another number.
            counts["another number by DTMF"] += (fields["number"] or "").encode() not in burst.keys


_COUNTED = ("cases", "read", "never sent", "wrong caller", "refused by message()")
_COUNTED += tuple(_RESULTS.values()) + (
    "digits sent",
    "digits heard",
    "callers by DTMF",
    "another number by DTMF",
)


def _parsed(data):
    return parse_ntt(data) if data[0] == framing.NTT_HEADER[0] else parse(data)


def _who(message):
    return [getattr(message, field) for field in _WHO]


@micropython.viper
def _copy(samples: ptr16, first: int, block: ptr16, count: int):
    for i in range(count):
        block[i] = samples[first + i]


def _memory():
    gc.collect()
    return gc.mem_alloc()


def main(cases, seed, first):
    fuzz = Fuzz(seed)
    warm = first + min(cases, _WARM_UP_CASES)
    for number in range(first, warm):
        fuzz.case(number)
    before = highest = _memory()
    for number in range(warm, first + cases):
        fuzz.case(number)
        if number % _CHECK_EVERY == 0:
            highest = max(highest, _memory())
    after = _memory()
    report = {
        "seed": seed,
        "cases": cases,
        "samples": fuzz.samples_heard,
        "compared_with_a_new_receiver": fuzz.compared,
        "most_steps": fuzz.most_steps,
        "memory_before": before,
        "memory_highest": max(highest, after),
        "memory_after": after,
        "kinds": fuzz.counts,
    }
    print(json.dumps(report))


main(
    int(os.getenv("STAR57_FUZZ_CASES", "300")),
    int(os.getenv("STAR57_FUZZ_SEED", "57")),
    int(os.getenv("STAR57_FUZZ_FIRST", "0")),
)
