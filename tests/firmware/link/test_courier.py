"""The courier: every request is delivered or kept, in order, whatever the service does."""

import asyncio

from star57.link.courier import Courier
from star57.link.network import LinkError
from star57.trace.outbox import Outbox

TRACED = (
    '{{"message":"trace_answer","version":1,"request_id":"{}",'
    '"outcome":"traced","trace_id":"T-00000001","charge_cents":500}}'
)


class Record:
    def read(self):
        return None

    def write(self, payload):
        pass


class Link:
    """A service that behaves as `script` says, a word a post; the last word is for ever."""

    timeout_ms = 50

    def __init__(self, *script):
        self.script = list(script)
        self.posted = []

    async def post(self, body):
        request_id = request_id_of(body)
        self.posted.append(request_id)
        await asyncio.sleep_ms(0)
        word = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if word == "traced":
            return 200, TRACED.format(request_id).encode()
        if isinstance(word, tuple):
            return word
        raise word


def request_id_of(body):
    start = body.find(b'"request_id":"') + 14
    return body[start : start + 32].decode()


def refusal(reason, status=400):
    return status, '{{"message":"refusal","reason":"{}"}}'.format(reason).encode()


def identity(number):
    return "{:032x}".format(number)


def add(outbox, number, name=""):
    outbox.add({"request_id": identity(number), "call": {"call_id": identity(number)[16:], "name": name}})


class Round:
    """A courier at work on an outbox with `count` requests."""

    def __init__(self, link, count=1, shortest_wait_ms=10, longest_wait_ms=40):
        self.link = link
        self.outbox = Outbox(Record())
        for number in range(count):
            add(self.outbox, number)
        self.courier = Courier(self.outbox, link, shortest_wait_ms, longest_wait_ms)

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
    async with Round(Link("traced"), count=5) as at_work:
        assert await at_work.outcome(4) == "traced"
        assert at_work.link.posted == [identity(number) for number in range(5)]
        assert at_work.outbox.pending == []


async def test_a_new_request_goes_at_once():
    async with Round(Link("traced"), count=0, shortest_wait_ms=60_000, longest_wait_ms=60_000) as at_work:
        await asyncio.sleep_ms(5)
        add(at_work.outbox, 1)
        assert await at_work.outcome(1) == "traced"


async def test_a_new_request_ends_the_wait_for_an_older_one():
    link = Link(LinkError("refused"), "traced")
    async with Round(link, shortest_wait_ms=60_000, longest_wait_ms=60_000) as at_work:
        await asyncio.sleep_ms(5)
        add(at_work.outbox, 1)
        assert await at_work.outcome(1) == "traced"
        assert link.posted == [identity(0), identity(0), identity(1)]


async def test_a_request_added_during_a_round_is_not_missed():
    async with Round(Link("traced"), shortest_wait_ms=60_000, longest_wait_ms=60_000) as at_work:
        await asyncio.sleep_ms(0)
        assert at_work.link.posted == [identity(0)]
        add(at_work.outbox, 1)
        assert await at_work.outcome(1) == "traced"


async def test_waits_double_up_to_the_longest():
    courier = Courier(Outbox(Record()), Link(LinkError("timeout")), 1, 8)
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
    async with Round(Link(*failures, "traced"), shortest_wait_ms=1, longest_wait_ms=2) as at_work:
        assert await at_work.outcome() == "traced"
        assert len(at_work.link.posted) == 6


async def test_a_dead_link_is_tried_once_a_round():
    for reason in ("refused", "timeout"):
        link = Link(LinkError(reason))
        async with Round(link, count=5, shortest_wait_ms=60_000, longest_wait_ms=60_000):
            await asyncio.sleep_ms(10)
            assert link.posted == [identity(0)]


async def test_unavailable_keeps_the_request():
    link = Link(refusal("unavailable", 503), "traced")
    async with Round(link, count=2, shortest_wait_ms=1) as at_work:
        assert await at_work.outcome(1) == "traced"
        assert link.posted == [identity(0), identity(0), identity(1)]


async def test_a_refusal_settles_the_request():
    for reason in ("malformed", "too_large", "unknown_adapter"):
        async with Round(Link(refusal(reason))) as at_work:
            assert await at_work.outcome() == "not_traceable"
            assert len(at_work.link.posted) == 1


async def test_an_answer_that_cannot_be_read_keeps_the_request():
    unreadable = (
        (200, b""),
        (200, b"<html>"),
        (200, TRACED.format(identity(7)).encode()),
        (200, refusal("malformed")[1]),
        (500, b"Internal Server Error"),
        (404, TRACED.format(identity(0)).encode()),
        (302, b""),
    )
    for word in unreadable:
        async with Round(Link(word, "traced"), shortest_wait_ms=1) as at_work:
            assert await at_work.outcome() == "traced", word
            assert len(at_work.link.posted) == 2


async def test_one_unreadable_answer_keeps_no_other_request_waiting():
    for unreadable in ((200, b"?"), LinkError("closed"), LinkError("garbage"), LinkError("too_large")):
        link = Link(unreadable, "traced")
        async with Round(link, count=2, shortest_wait_ms=60_000, longest_wait_ms=60_000) as at_work:
            assert await at_work.outcome(1) == "traced"
            assert len(at_work.outbox.pending) == 1


async def test_a_request_that_can_never_be_sent_is_settled():
    link = Link("traced")
    async with Round(link, count=0) as at_work:
        add(at_work.outbox, 1, "x" * 3000)
        assert await at_work.outcome(1) == "not_traceable"
        assert link.posted == []


async def test_nothing_ends_the_courier():
    surprises = [ValueError("?"), MemoryError(), OSError(5), KeyError("?"), AttributeError("?")]
    async with Round(Link(*surprises, "traced"), shortest_wait_ms=1, longest_wait_ms=2) as at_work:
        assert await at_work.outcome() == "traced"
        assert at_work.courier.faults == len(surprises)


async def test_the_courier_checks_in_while_it_lives():
    async with Round(Link(LinkError("timeout"))) as at_work:
        await asyncio.sleep_ms(30)
        assert at_work.courier.checked_in()
        at_work.courier._promise(-60_000)
        assert not at_work.courier.checked_in()
        await asyncio.sleep_ms(60)
        assert at_work.courier.checked_in()
