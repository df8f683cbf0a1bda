"""The correspondent: what it believes, over which carrier, and what it does about the rest."""

import asyncio
from asyncio import core

from answering import ADAPTER_ID, KEY, Carrier, Counted, answer, refusal
from star57.link.correspondent import Correspondent, Refused
from star57.link.error import LinkError
from star57.link.message import MessageError, decode_log_answer
from star57.link.signed import Signer

DONE = b'{"message":"log_answer","version":1}'


def done(sequence, _message):
    return 200, answer(sequence, DONE)


def refused(reason, newest=None, status=400):
    """Signed, as the service refuses what it knows to be the adapter's."""
    return lambda sequence, _message: (status, answer(sequence, refusal(reason, newest)))


def in_clear(reason, status=503):
    return status, refusal(reason)


def decode(payload):
    decode_log_answer(payload)
    return "done"


class Talk:
    def __init__(self, *carriers):
        self.said = []
        self.numbers = Counted()
        self.correspondent = Correspondent(Signer(ADAPTER_ID, KEY), self.numbers, carriers, self.said.append)

    async def ask(self, **fields):
        try:
            return await self.correspondent.ask(dict(fields, message="log"), decode)
        except (LinkError, Refused) as fault:
            return fault.reason


async def test_an_answer_that_is_signed_is_believed():
    carrier = Carrier(done)
    talk = Talk(carrier)
    assert await talk.ask() == "done"
    assert await talk.ask() == "done"
    assert carrier.sequences == [1, 2]
    assert talk.said == ["link: network works"]
    assert talk.correspondent.refusals == 0


async def test_nothing_else_is():
    cases = (
        (200, DONE),
        (200, b""),
        (200, answer(1, DONE, key=b"k" * 32)),
        (200, answer(2, DONE)),
        (200, answer(1, DONE, adapter_id="adapter-2")),
        (200, answer(1, DONE, kind="ask")),
        (200, answer(1, b'{"message":"log_answer","version":2}')),
        (200, answer(1, refusal("malformed"))),
        (500, b"Internal Server Error"),
        (302, b""),
        (400, answer(2, refusal("malformed"))),
        (400, answer(1, DONE)),
        (400, answer(1, refusal("because"))),
        (409, answer(1, refusal("old_sequence"))),
        (400, answer(1, refusal("malformed", 7))),
    )
    for case in cases:
        talk = Talk(Carrier(case))
        assert await talk.ask() == "garbage", case
        assert talk.correspondent.refusals == 1, case
        assert any("refused" in line for line in talk.said), case


async def test_a_refusal_in_clear_is_known_by_its_reason_and_is_nobodys_word():
    for reason in ("malformed", "bad_signature", "unknown_adapter", "too_large", "unavailable"):
        talk = Talk(Carrier(in_clear(reason)))
        try:
            await talk.correspondent.ask({"message": "log"}, decode)
        except LinkError as fault:
            assert fault.reason == reason
        else:
            raise AssertionError(reason)
        assert talk.correspondent.refusals == 1
        assert talk.said == ["link: network: " + reason]


async def test_a_refusal_that_is_signed_is_the_services_word():
    for reason in ("malformed", "too_large", "unavailable"):
        talk = Talk(Carrier(refused(reason)))
        try:
            await talk.correspondent.ask({"message": "log"}, decode)
        except Refused as fault:
            assert fault.reason == reason
        else:
            raise AssertionError(reason)


async def test_it_goes_on_behind_the_newest_sequence_number():
    carrier = Carrier(refused("old_sequence", 5000, 409), done)
    talk = Talk(carrier)
    assert await talk.ask() == "done"
    assert carrier.sequences == [1, 5001]
    assert await talk.ask() == "done"
    assert carrier.sequences == [1, 5001, 5002]


async def test_whoever_asks_each_time_before_the_adapter_is_left_for_another_carrier():
    def older(sequence, _message):
        return 409, answer(sequence, refusal("old_sequence", sequence + 10))

    network = Carrier(older)
    assert await Talk(network).ask() == "old_sequence"
    assert network.sequences == [1, 12]
    assert network.distrusted == 1
    assert await Talk(Carrier(older), Carrier(done, name="serial")).ask() == "done"


async def test_a_carrier_that_brought_no_answer_is_told_so():
    for word, times in (((200, b"?"), 1), (in_clear("unavailable"), 1), (LinkError("timeout"), 0), (done, 0)):
        carrier = Carrier(word)
        await Talk(carrier).ask()
        assert carrier.distrusted == times, word


async def test_the_other_carrier_takes_over():
    failures = (LinkError("timeout"), LinkError("unconnected"), in_clear("unavailable"), (200, b"?"))
    for failure in failures:
        network, serial = Carrier(failure), Carrier(done, name="serial")
        talk = Talk(network, serial)
        assert await talk.ask(carrier=None) == "done"
        assert [message["carrier"] for message in network.asked] == ["network"]
        assert [message["carrier"] for message in serial.asked] == ["serial"]
        assert serial.sequences == [2]
        assert talk.said[-1] == "link: serial works"


async def test_a_carrier_that_failed_is_asked_last_for_a_minute():
    network, serial = Carrier(LinkError("timeout"), done), Carrier(done, name="serial")
    talk = Talk(network, serial)
    now = core.ticks()
    ticks, core.ticks = core.ticks, lambda: now
    try:
        for _ in range(3):
            assert await talk.ask() == "done"
        assert (len(network.asked), len(serial.asked)) == (1, 3)
        now = core.ticks_add(now, 60_000)
        assert await talk.ask() == "done"
        assert (len(network.asked), len(serial.asked)) == (2, 3)
        assert await talk.ask() == "done"
        assert (len(network.asked), len(serial.asked)) == (3, 3)
    finally:
        core.ticks = ticks


async def test_when_all_fail_each_is_asked_once():
    network, serial = Carrier(LinkError("timeout")), Carrier(LinkError("closed"), name="serial")
    talk = Talk(network, serial)
    assert await talk.ask() == "closed"
    assert await talk.ask() == "closed"
    assert (len(network.asked), len(serial.asked)) == (2, 2)
    assert network.sequences + serial.sequences == [1, 3, 2, 4]


async def test_the_services_own_refusal_is_not_asked_again_elsewhere():
    network, serial = Carrier(refused("unavailable", status=503)), Carrier(done, name="serial")
    assert await Talk(network, serial).ask() == "unavailable"
    assert serial.asked == []


async def test_one_thing_is_asked_at_a_time():
    at_once = []

    class Slow(Carrier):
        async def post(self, body):
            at_once.append(1)
            assert len(at_once) == 1
            await asyncio.sleep_ms(1)
            at_once.pop()
            return await super().post(body)

    carrier = Slow(done)
    talk = Talk(carrier)
    assert await asyncio.gather(*[talk.ask() for _ in range(5)]) == ["done"] * 5
    assert carrier.sequences == [1, 2, 3, 4, 5]


async def test_a_question_that_is_too_large_is_not_asked():
    carrier = Carrier(done)
    try:
        await Talk(carrier).correspondent.ask({"message": "x" * 2048}, decode)
    except MessageError as fault:
        assert fault.reason == "too_large"
    else:
        raise AssertionError("asked")
    assert carrier.asked == []


async def test_what_is_told_is_told_once():
    talk = Talk(Carrier(LinkError("timeout"), LinkError("timeout"), done, done, LinkError("closed"), done))
    for _ in range(6):
        await talk.ask()
    assert talk.said == [
        "link: network: timeout",
        "link: network works",
        "link: network: closed",
        "link: network works",
    ]


async def test_what_an_ask_may_take_covers_the_other_one_before_it():
    """Two that ask at once, on carriers that both take all their time, twice: the last is not overdue."""
    network, serial = Carrier(done), Carrier(done, name="serial")
    assert Talk(network, serial).correspondent.timeout_ms == 3 * 2 * (network.timeout_ms + serial.timeout_ms)
