"""The courier: every request is delivered or kept, in order, whatever the service does."""

import asyncio

from answering import ADAPTER_ID, KEY, Carrier, Counted, answer, refusal
from star57.link.correspondent import Correspondent
from star57.link.courier import Courier
from star57.link.error import LinkError
from star57.link.signed import Signer
from star57.trace.outbox import Outbox

NOT_TRACEABLE = {"outcome": "not_traceable", "trace_id": None, "charge_cents": 0, "action_open": False}


class Record:
    def read(self):
        return None

    def write(self, payload):
        pass


def trace_answer(request_id):
    return {
        "message": "trace_answer",
        "version": 1,
        "request_id": request_id,
        "outcome": "traced",
        "trace_id": "T-00000001",
        "charge_cents": 500,
        "action_open": False,
    }


def traced(sequence, request):
    return 200, answer(sequence, trace_answer(request["request_id"]))


def refused(reason, status=400):
    return lambda sequence, _request: (status, answer(sequence, refusal(reason)))


def posted(carrier):
    return [request["request_id"] for request in carrier.asked]


def identity(number):
    return "{:032x}".format(number)


def add(outbox, number, name=""):
    outbox.add({"request_id": identity(number), "call": {"call_id": identity(number)[16:], "name": name}})


def correspondent_over(carrier):
    return Correspondent(Signer(ADAPTER_ID, KEY), Counted(), (carrier,), lambda line: None)


class Round:
    """A courier at work on an outbox with `count` requests, over a Carrier."""

    def __init__(self, link, count=1, shortest_wait_ms=10, longest_wait_ms=40):
        self.link = link
        self.outbox = Outbox(Record())
        for number in range(count):
            add(self.outbox, number)
        correspondent = correspondent_over(link)
        self.courier = Courier(self.outbox, correspondent, shortest_wait_ms, longest_wait_ms)

    async def __aenter__(self):
        self._task = asyncio.create_task(self.courier.run())
        return self

    async def __aexit__(self, *_):
        assert not self._task.done()
        self._task.cancel()
        await asyncio.sleep_ms(0)

    async def outcome(self, number=0, timeout_ms=1000):
        answer = await self.outbox.answered(identity(number), timeout_ms)
        return answer and answer["outcome"]


async def test_requests_go_in_the_order_dialled():
    async with Round(Carrier(traced), count=5) as at_work:
        assert await at_work.outcome(4) == "traced"
        assert posted(at_work.link) == [identity(number) for number in range(5)]
        assert at_work.outbox.pending == []


async def test_a_new_request_goes_at_once():
    async with Round(Carrier(traced), count=0, shortest_wait_ms=60_000, longest_wait_ms=60_000) as at_work:
        await asyncio.sleep_ms(5)
        add(at_work.outbox, 1)
        assert await at_work.outcome(1) == "traced"


async def test_a_new_request_ends_the_wait_for_an_older_one():
    link = Carrier(LinkError("refused"), traced)
    async with Round(link, shortest_wait_ms=60_000, longest_wait_ms=60_000) as at_work:
        await asyncio.sleep_ms(5)
        add(at_work.outbox, 1)
        assert await at_work.outcome(1) == "traced"
        assert posted(link) == [identity(0), identity(0), identity(1)]


async def test_a_request_added_during_a_round_is_not_missed():
    async with Round(Carrier(traced), shortest_wait_ms=60_000, longest_wait_ms=60_000) as at_work:
        await asyncio.sleep_ms(0)
        assert posted(at_work.link) == [identity(0)]
        add(at_work.outbox, 1)
        assert await at_work.outcome(1) == "traced"


async def test_waits_double_up_to_the_longest():
    courier = Courier(Outbox(Record()), correspondent_over(Carrier(LinkError("timeout"))), 1, 8)
    add(courier._outbox, 1)
    waits_ms = []

    async def added_within(wait_ms):
        waits_ms.append(wait_ms)
        await asyncio.sleep_ms(0)
        return len(waits_ms) == 7

    courier._added_within = added_within
    task = asyncio.create_task(courier.run())
    for _ in range(100):
        await asyncio.sleep_ms(0)
    task.cancel()
    assert waits_ms[:9] == [1, 2, 4, 8, 8, 8, 8, 1, 2]


async def test_the_link_fails_and_recovers():
    failures = [LinkError(reason) for reason in ("refused", "timeout", "closed", "garbage", "too_large")]
    async with Round(Carrier(*failures, traced), shortest_wait_ms=1, longest_wait_ms=2) as at_work:
        assert await at_work.outcome() == "traced"
        assert len(posted(at_work.link)) == 6


async def test_a_dead_link_is_tried_once_a_round():
    for reason in ("refused", "timeout", "closed", "garbage"):
        link = Carrier(LinkError(reason))
        async with Round(link, count=5, shortest_wait_ms=60_000, longest_wait_ms=60_000):
            await asyncio.sleep_ms(10)
            assert posted(link) == [identity(0)]


async def test_a_refusal_of_the_services_own_settles_the_request():
    for reason in ("malformed", "too_large"):
        async with Round(Carrier(refused(reason))) as at_work:
            assert await at_work.outcome() == "not_traceable"
            assert at_work.outbox.answer_for(identity(0)) == NOT_TRACEABLE
            assert len(posted(at_work.link)) == 1


async def test_everything_else_keeps_the_request_and_the_order():
    kept = (
        refused("unavailable", 503),
        (503, refusal("unavailable")),
        # In clear: whoever is in between may have made them.
        (400, refusal("malformed")),
        (413, refusal("too_large")),
        (401, refusal("bad_signature")),
        (403, refusal("unknown_adapter")),
        (200, b""),
        (200, b"<html>"),
        (500, b"Internal Server Error"),
        (302, b""),
        lambda sequence, _request: (200, answer(sequence, trace_answer(identity(7)))),
        lambda sequence, request: (200, answer(sequence - 1, trace_answer(request["request_id"]))),
        lambda sequence, request: (200, answer(sequence, trace_answer(request["request_id"]), key=b"k" * 32)),
        lambda sequence, request: (404, answer(sequence, trace_answer(request["request_id"]))),
        lambda sequence, _request: (200, answer(sequence, refusal("malformed"))),
    )
    for word in kept:
        link = Carrier(word, traced)
        async with Round(link, count=2, shortest_wait_ms=1) as at_work:
            assert await at_work.outcome(1) == "traced", word
            assert posted(link) == [identity(0), identity(0), identity(1)], word


async def test_a_request_that_can_never_be_sent_is_settled():
    link = Carrier(traced)
    async with Round(link, count=0) as at_work:
        add(at_work.outbox, 1, "x" * 3000)
        assert await at_work.outcome(1) == "not_traceable"
        assert posted(link) == []


async def test_nothing_ends_the_courier():
    surprises = [ValueError("?"), MemoryError(), OSError(5), KeyError("?"), AttributeError("?")]
    async with Round(Carrier(*surprises, traced), shortest_wait_ms=1, longest_wait_ms=2) as at_work:
        assert await at_work.outcome() == "traced"
        assert at_work.courier.faults == len(surprises)


async def test_the_courier_checks_in_while_it_lives():
    async with Round(Carrier(LinkError("timeout"))) as at_work:
        await asyncio.sleep_ms(30)
        assert at_work.courier.checked_in()
        at_work.courier._promise(-60_000)
        assert not at_work.courier.checked_in()
        await asyncio.sleep_ms(60)
        assert at_work.courier.checked_in()
