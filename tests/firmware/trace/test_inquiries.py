"""What is told without a question: the last call, the traces made, the outcome of the last."""

from record_in_memory import Record
from star57.calls import CallHistory
from star57.household import Household
from star57.trace.dialogue import HungUp
from star57.trace.inquiries import Inquiries
from star57.trace.outbox import Outbox

NOW = (12, 1, 7, 0)


class Speaker:
    """Answers what it was asked for in place of prompts."""

    def last_call(self, call, when, now):
        return ("last_call", call and call.call_id, when, now)

    def traces(self, count, dates, now):
        return ("traces", count, dates, now)

    def outcome(self, name, cents):
        return ("outcome", name, cents)

    def no_request(self):
        return ("no_request",)

    def no_answer_yet(self):
        return ("no_answer_yet",)


class LocalTime:
    def now(self):
        return NOW

    def at(self, unix_seconds):
        return (1, 1, 0, unix_seconds)

    def of_call(self, call):
        return (1, 2, 3, call.rings)


class Handset:
    def __init__(self):
        self.heard = []
        self.hangs_up = False

    async def speak(self, items):
        self.heard.append(items)
        if self.hangs_up:
            raise HungUp


class House:
    def __init__(self):
        self.handset = Handset()
        self.calls = CallHistory(Record(), lambda count: b"\x57" * count)
        self.outbox = Outbox(Record())
        self.household = Household(Record())
        self.inquiries = Inquiries(
            self.handset, Speaker(), self.calls, self.outbox, self.household, LocalTime()
        )

    def traced(self, number, at, outcome="traced", charge_cents=500, action_open=False):
        """A trace that was asked for at `at`, and answered, be it with nobody listening."""
        self.outbox.add({"request_id": number, "call": {"call_id": number}})
        self.household.requested(number, at)
        if outcome:
            answer = {"outcome": outcome, "charge_cents": charge_cents, "action_open": action_open}
            self.outbox.settle(number, answer)


async def test_the_last_call_is_told_with_its_time():
    house = House()
    assert await house.inquiries.last_call() == "told"
    call = house.calls.first_ring(5, "network")
    house.calls.ring(call)
    assert await house.inquiries.last_call() == "told"
    assert house.handset.heard == [
        ("last_call", None, None, NOW),
        ("last_call", "57" * 8, (1, 2, 3, 1), NOW),
    ]


async def test_traces_are_counted_and_dated_the_newest_first():
    house = House()
    assert await house.inquiries.traces() == "told"
    house.traced("a", 1)
    house.traced("b", 2, outcome="not_traceable", charge_cents=0)
    house.traced("c", 0)
    house.traced("d", 4)
    house.traced("e", 5, outcome=None)
    assert await house.inquiries.traces() == "told"
    assert house.handset.heard == [
        ("traces", 0, [], NOW),
        ("traces", 3, [(1, 1, 0, 4), (1, 1, 0, 1)], NOW),
    ]


async def test_the_outcome_of_the_last_request_is_repeated_and_counts_as_heard():
    house = House()
    assert await house.inquiries.outcome() == "told"
    house.traced("a", 1, outcome=None)
    assert await house.inquiries.outcome() == "told"
    house.outbox.settle("a", {"outcome": "traced", "charge_cents": 300, "action_open": True})
    assert len(house.outbox.untold()) == 1
    for _ in range(2):
        assert await house.inquiries.outcome() == "told"
    assert house.outbox.untold() == []
    assert house.household.traces == [1]
    assert house.handset.heard == [
        ("no_request",),
        ("no_answer_yet",),
        ("outcome", "traced_action_open", 300),
        ("outcome", "traced_action_open", 300),
    ]


async def test_who_hangs_up_has_not_heard_it():
    house = House()
    house.traced("a", 1)
    house.handset.hangs_up = True
    for inquiry in (house.inquiries.last_call, house.inquiries.traces, house.inquiries.outcome):
        assert await inquiry() == "left"
    assert len(house.outbox.untold()) == 1
