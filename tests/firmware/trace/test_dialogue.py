"""The dialogue, turn by turn: what the household hears and dials, and what becomes of its request."""

import asyncio

from record_in_memory import Record
from star57.calls import CallHistory
from star57.household import Household
from star57.settings import Settings
from star57.trace.dialogue import Dialogue, HungUp
from star57.trace.outbox import Outbox
from star57.trace.request import build

PRICE_CENTS = 500
SILENT = None
HANGS_UP = "hangs up"


def answered(outcome, charge_cents=0, action_open=False):
    return {"outcome": outcome, "charge_cents": charge_cents, "action_open": action_open}


def settings(**kept):
    values = {
        "adapter_id": "adapter-1",
        "line": "5555550100",
        "price_cents": PRICE_CENTS,
        "answer_timeout_ms": 100,
    }
    values.update(kept)
    return Settings(values)


class Board:
    def __init__(self):
        self.drawn = 0

    def wall_time(self):
        return 1767268860, "network"

    def random_bytes(self, count):
        self.drawn += 1
        return bytes([self.drawn] * count)


def history(count=1):
    calls = CallHistory(Record(), Board().random_bytes)
    for _ in range(count):
        ring(calls)
    return calls


def ring(calls):
    calls.first_ring(1767268800, "network")


class Handset:
    """A household with its mind made up: one answer a question, and a place where it hangs up.

    `heard` has (announcement, cents) in order; `on_flash` how many requests were on flash at each.
    """

    def __init__(self, record, answers=(), hangs_up_at=None, newer_calls=None):
        self.heard = []
        self.on_flash = []
        self.timeouts_ms = []
        self.hung_up = False
        self._record = record
        self._answers = list(answers)
        self._hangs_up_at = hangs_up_at
        self._newer_calls = newer_calls or {}

    async def say(self, announcement, cents):
        self._hear(announcement, cents)

    async def ask(self, announcement, cents, timeout_ms):
        self._hear(announcement, cents)
        self.timeouts_ms.append(timeout_ms)
        come = self._newer_calls.get(len(self.heard))
        if come:
            come()
        answer = self._answers.pop(0) if self._answers else SILENT
        if answer == HANGS_UP:
            raise HungUp
        return answer and ord(answer)

    async def reorder(self):
        self._hear("reorder", 0)

    def check(self):
        if self.hung_up:
            raise HungUp

    def _hear(self, announcement, cents):
        self.heard.append((announcement, cents))
        self.on_flash.append(len(Outbox(self._record).pending))
        if announcement == self._hangs_up_at:
            raise HungUp


class House:
    """Everything that a dialogue touches, and a service that answers what it is told to, or nothing."""

    def __init__(self, *answers, calls=None, hangs_up_at=None, newer_calls=None, **kept):
        self.calls = calls or history()
        self.record = Record()
        self.outbox = Outbox(self.record)
        self.household = Household(Record())
        self.handset = Handset(self.record, answers, hangs_up_at, newer_calls)
        self.settings = settings(**kept)
        self.board = Board()
        self.sent = []

    async def dials(self, outcome=None, charge_cents=0, action_open=False):
        """The household dials the code; the service will answer `outcome`. Answers what run() answers."""
        answer = answered(outcome, charge_cents, action_open)
        service = asyncio.create_task(self._serve(answer)) if outcome else None
        try:
            return await Dialogue(
                self.handset, self.calls, self.outbox, self.household, self.settings, self.board
            ).run()
        finally:
            if service:
                service.cancel()

    async def _serve(self, answer):
        await self.outbox.added.wait()
        for request in self.outbox.pending:
            self.sent.append(request)
            self.outbox.settle(request["request_id"], answer)

    def heard(self):
        return [announcement for announcement, _ in self.handset.heard]


async def test_two_stages_the_call_is_traced():
    house = House("1")
    assert await house.dials("traced", 500) == "traced"
    assert house.handset.heard == [("offer", PRICE_CENTS), ("please_wait", 0), ("traced", 500)]
    assert house.handset.timeouts_ms == [7000]
    assert house.sent[0]["call"]["call_id"] == house.calls.last.call_id
    assert house.calls.last.trace_outcome == "traced"
    assert CallHistory(house.calls._record, None).last.trace_outcome == "traced"


async def test_a_trace_that_opens_the_way_to_action_says_so():
    house = House("1")
    assert await house.dials("traced", 500, action_open=True) == "traced"
    assert house.handset.heard[-1] == ("traced_action_open", 500)
    assert house.calls.last.trace_outcome == "traced"
    assert Outbox(house.record).untold() == []
    assert await house.dials() == "already_traced"
    assert house.heard()[-1] == "already_traced"


async def test_one_stage_asks_nothing():
    house = House(two_stage=False)
    assert await house.dials("traced", 500) == "traced"
    assert house.heard() == ["please_wait", "traced"]


async def test_the_request_is_on_flash_before_a_word_is_said():
    house = House("1")
    assert await house.dials() == "stored"
    assert house.heard() == ["offer", "please_wait", "stored"]
    assert house.handset.on_flash == [0, 1, 1]


async def test_a_call_that_was_asked_for_by_the_button_meanwhile_is_not_asked_for_twice():
    def press():
        call = house.calls.last
        house.outbox.add(build(house.settings, call, 1_767_268_860, "network", house.board.random_bytes))

    house = House("1", newer_calls={1: press})
    assert await house.dials() == "stored"
    assert house.heard() == ["offer", "stored"]
    assert len(house.outbox.pending) == 1


async def test_not_traceable():
    house = House("1")
    assert await house.dials("not_traceable") == "not_traceable"
    assert house.handset.heard[-1] == ("not_traceable", 0)
    assert house.calls.last.trace_outcome == "not_traceable"


async def test_the_service_knows_the_call_already():
    house = House("1")
    assert await house.dials("already_traced") == "already_traced"
    assert house.handset.heard[-1] == ("already_traced", 0)


async def test_the_service_does_not_offer_it():
    house = House("1")
    assert await house.dials("not_offered") == "not_offered"
    assert house.heard() == ["offer", "please_wait", "reorder"]


async def test_not_offered_on_this_line():
    house = House("1", trace_offered=False)
    assert await house.dials() == "not_offered"
    assert house.heard() == ["reorder"]
    assert house.outbox.pending == []


async def test_no_call_yet():
    house = House("1", calls=history(0))
    assert await house.dials() == "no_call"
    assert house.heard() == ["no_call"]


async def test_a_wrong_digit_or_silence_repeats_the_offer_twice():
    for answers in (("2", "3", "4"), (SILENT, SILENT, SILENT), ("*", SILENT, "#")):
        house = House(*answers)
        assert await house.dials() == "not_confirmed"
        assert house.heard() == ["offer", "offer", "offer", "not_confirmed"]
        assert house.outbox.pending == []


async def test_the_third_chance_is_a_chance():
    house = House(SILENT, "8", "1")
    assert await house.dials("traced", 0) == "traced"
    assert house.heard() == ["offer", "offer", "offer", "please_wait", "traced"]


async def test_who_dials_for_help_has_dial_tone_and_no_trace():
    for answers in (("9", "1", "1"), ("0", "0", "0"), ("2", "9", "1")):
        house = House(*answers)
        assert await house.dials() == "left"
        assert house.heard() == ["offer"] * (1 + (answers[0] == "2"))
        assert house.outbox.pending == []


async def test_hanging_up_before_confirming_leaves_nothing():
    for answers, hangs_up_at in (
        ((HANGS_UP,), None),
        (("2", HANGS_UP), None),
        (("1",), "offer"),
        ((), "not_confirmed"),
    ):
        house = House(*answers, hangs_up_at=hangs_up_at)
        assert await house.dials() == "left"
        assert house.outbox.pending == []


async def test_hanging_up_after_confirming_keeps_the_request():
    house = House("1", hangs_up_at="please_wait")
    assert await house.dials() == "left"
    assert len(house.outbox.pending) == 1


async def test_hanging_up_while_waiting_ends_the_wait():
    house = House("1", answer_timeout_ms=60_000)
    dialogue = asyncio.create_task(house.dials())
    await asyncio.sleep_ms(20)
    assert house.heard() == ["offer", "please_wait"]
    house.handset.hung_up = True
    assert await asyncio.wait_for_ms(dialogue, 300) == "left"
    assert len(house.outbox.pending) == 1


async def test_hanging_up_during_reorder():
    house = House(trace_offered=False, hangs_up_at="reorder")
    assert await house.dials() == "left"


async def test_hanging_up_while_the_outcome_is_told():
    house = House("1", hangs_up_at="traced")
    assert await house.dials("traced", 500) == "left"
    assert house.calls.last.trace_outcome == "traced"


async def test_a_newer_call_is_told_of_and_asked_about():
    calls = history()
    older = calls.last
    house = House("1", "1", calls=calls, newer_calls={1: lambda: ring(calls)})
    assert await house.dials("traced", 500) == "traced"
    assert house.handset.heard[:2] == [("offer", PRICE_CENTS), ("newer_call", PRICE_CENTS)]
    assert [request["call"]["call_id"] for request in house.sent] == [calls.last.call_id]
    assert older.call_id != calls.last.call_id
    assert older.trace_outcome is None


async def test_a_newer_call_after_a_repeat_is_noticed():
    calls = history()
    house = House(SILENT, "1", SILENT, "1", calls=calls, newer_calls={1: lambda: ring(calls)})
    assert await house.dials("traced", 500) == "traced"
    assert house.heard() == ["offer", "offer", "newer_call", "newer_call", "please_wait", "traced"]
    assert house.sent[0]["call"]["call_id"] == calls.last.call_id


async def test_a_newer_call_and_no_confirmation():
    calls = history()
    house = House("1", calls=calls, newer_calls={1: lambda: ring(calls)})
    assert await house.dials() == "not_confirmed"
    assert house.heard() == ["offer", "newer_call", "newer_call", "newer_call", "not_confirmed"]
    assert house.outbox.pending == []


async def test_the_same_call_is_traced_once():
    house = House("1", "1")
    assert await house.dials("traced", 500) == "traced"
    assert await house.dials("traced", 500) == "already_traced"
    assert house.handset.heard[3:] == [("already_traced", 0)]
    assert len(house.sent) == 1


async def test_a_pending_request_is_not_doubled():
    house = House("1", "1")
    assert await house.dials() == "stored"
    assert await house.dials() == "stored"
    assert len(house.outbox.pending) == 1


def service_answers(house, *answers):
    """The service gives its answers to what is stored, in the order dialled; nobody listens."""
    for request, answer in zip(house.outbox.pending, answers):
        house.outbox.settle(request["request_id"], answer)
    house.handset.heard.clear()


async def stored(house, outcome, charge_cents=0, action_open=False):
    """The household's request is stored, and answered when it is gone."""
    assert await house.dials() == "stored"
    service_answers(house, answered(outcome, charge_cents, action_open))


async def two_stored(house):
    """Two calls: the first is traced, the second cannot be."""
    assert await house.dials() == "stored"
    ring(house.calls)
    assert await house.dials() == "stored"
    service_answers(house, answered("traced", 500), answered("not_traceable"))


async def test_what_was_settled_later_is_told_and_not_asked_again():
    for outcome, charge_cents in (
        ("traced", 500),
        ("not_traceable", 0),
        ("already_traced", 0),
        ("not_offered", 0),
    ):
        house = House("1", "1")
        await stored(house, outcome, charge_cents)
        assert await house.dials() == outcome
        assert house.handset.heard == [("earlier_" + outcome, charge_cents)]
        assert house.calls.last.trace_outcome == outcome
        assert house.outbox.pending == house.outbox.untold() == Outbox(house.record).untold() == []


async def test_an_earlier_trace_that_opened_the_way_to_action_says_so():
    house = House("1")
    await stored(house, "traced", 500, action_open=True)
    assert await house.dials() == "traced"
    assert house.handset.heard == [("earlier_traced_action_open", 500)]
    assert house.calls.last.trace_outcome == "traced"
    assert Outbox(house.record).untold() == []


async def test_an_answer_from_before_there_was_action_is_told_without_it():
    house = House("1")
    assert await house.dials() == "stored"
    service_answers(house, {"outcome": "traced", "charge_cents": 500})
    house.outbox = Outbox(house.record)
    assert await house.dials() == "traced"
    assert house.handset.heard == [("earlier_traced", 500)]


async def test_what_was_told_once_is_not_told_again():
    house = House("1")
    await stored(house, "traced", 500)
    assert await house.dials() == "traced"
    assert await house.dials() == "already_traced"
    assert house.heard() == ["earlier_traced", "already_traced"]


async def test_earlier_answers_come_in_order_and_then_the_last_call():
    house = House("1", "1", "1")
    first = house.calls.last
    await two_stored(house)
    ring(house.calls)
    assert await house.dials("traced", 300) == "traced"
    assert house.handset.heard == [
        ("earlier_traced", 500),
        ("earlier_not_traceable", 0),
        ("offer", PRICE_CENTS),
        ("please_wait", 0),
        ("traced", 300),
    ]
    assert first.trace_outcome == "traced"
    assert house.outbox.untold() == []


async def test_hanging_up_leaves_what_was_not_heard():
    house = House("1", "1")
    await two_stored(house)
    house.handset._hangs_up_at = "earlier_not_traceable"
    assert await house.dials() == "left"
    assert [answer["outcome"] for _, _, answer in house.outbox.untold()] == ["not_traceable"]
    house.handset._hangs_up_at = None
    assert await house.dials() == "not_traceable"
    assert house.heard() == ["earlier_traced", "earlier_not_traceable", "earlier_not_traceable"]


async def test_an_answer_that_was_heard_is_told():
    for outcome in ("traced", "not_traceable", "not_offered"):
        house = House("1")
        await house.dials(outcome)
        assert Outbox(house.record).untold() == []


async def test_an_answer_that_was_not_heard_is_untold():
    house = House("1", hangs_up_at="traced")
    assert await house.dials("traced", 500) == "left"
    assert len(Outbox(house.record).untold()) == 1
    house = House("1", hangs_up_at="reorder")
    assert await house.dials("not_offered") == "left"
    assert Outbox(house.record).untold() == []  # the tone has no end to wait for


async def test_earlier_answers_are_told_where_trace_is_no_longer_offered():
    house = House("1")
    await stored(house, "traced", 500)
    ring(house.calls)
    house.settings = settings(trace_offered=False)
    assert await house.dials() == "not_offered"
    assert house.heard() == ["earlier_traced", "reorder"]


async def test_a_mark_that_cannot_be_written_is_not_told_twice_until_the_power_goes():
    house = House("1")
    await stored(house, "traced", 500)
    house.record.broken = True
    assert await house.dials() == "traced"
    assert await house.dials() == "already_traced"
    assert len(Outbox(house.record).untold()) == 1


async def test_a_full_outbox_is_told():
    house = House("1")
    for number in range(100, 116):
        identity = "{:032x}".format(number)
        house.outbox.add({"request_id": identity, "call": {"call_id": identity[16:]}})
    assert await house.dials() == "store_full"
    assert house.heard() == ["offer", "store_full"]


async def test_flash_that_cannot_be_written_is_told():
    house = House("1")
    house.record.broken = True
    assert await house.dials() == "store_failed"
    assert house.heard() == ["offer", "store_failed"]
    assert house.outbox.pending == []


async def test_a_mark_that_cannot_be_kept_takes_nothing_away():
    house = House("1")
    house.calls._record.broken = True
    assert await house.dials("traced", 500) == "traced"
    assert house.handset.heard[-1] == ("traced", 500)
