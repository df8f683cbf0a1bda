"""The serial carrier against a host that keeps no promise, over a wire that takes and gives as little as it likes."""

import asyncio
import json

from star57.link import frame
from star57.link.error import LinkError
from star57.link.frame import FrameReceiver
from star57.link.serial import SerialLink

BODY = b"eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"
ANSWER = b"eyJhbGciOiJIUzI1NiJ9.W10.c2lnbmF0dXJl"
LONGEST = b"eyJ0eXAiOiJhc2sifQ.abcdefghijk" * 100
FAULT = "fault"


class Wire:
    """A UART that takes at most `room` bytes a call, and a host behind it that does what `host` does with a frame."""

    def __init__(self, host, room=4096):
        self._host = host
        self.room = room
        self.sent = b""
        self.frames = []
        self.incoming = b""
        self._heard = FrameReceiver(self)

    def write(self, data):
        if self.room == FAULT:
            raise OSError(5)
        count = min(self.room, len(data))
        if not count:
            return None
        part = bytes(data[:count])
        self.sent += part
        self._heard.feed(part, count)
        return count

    def frame(self, kind, number, payload):
        self.frames.append((kind, number, payload))
        self.incoming += self._host(kind, number, payload)

    def readinto(self, buffer):
        if self.incoming == FAULT:
            raise OSError(5)
        count = min(len(buffer), len(self.incoming))
        if not count:
            return None
        buffer[:count] = self.incoming[:count]
        self.incoming = self.incoming[count:]
        return count


class Linked:
    """A link at work on a wire."""

    def __init__(self, host, room=4096, timeout_ms=10_000, first_number=0):
        self.wire = Wire(host, room)
        self.link = SerialLink(self.wire, first_number)
        self.link.timeout_ms = timeout_ms

    async def __aenter__(self):
        self._task = asyncio.create_task(self.link.run())
        return self

    async def __aexit__(self, *_):
        assert not self._task.done()
        self._task.cancel()
        await asyncio.sleep_ms(0)

    async def post(self, body=BODY):
        """What post() answers, or the reason of its LinkError."""
        try:
            return await self.link.post(body)
        except LinkError as fault:
            return fault.reason


class Host:
    """A host that takes questions of one part or of several, and answers all alike."""

    def __init__(self, answer=b"200 " + ANSWER):
        self.answer = answer
        self.questions = []
        self._body = b""

    def __call__(self, kind, number, payload):
        if kind == "m":
            offset, most = payload.split(b" ")
            return self.part(number, int(offset), int(most))
        offset, total, part = payload.split(b" ", 2)
        if offset == b"0":
            self._body = b""
        if int(offset) == len(self._body):
            self._body += part
        if len(self._body) < int(total):
            return frame.build("g", number, b"%d" % len(self._body))
        self.questions.append(self._body)
        return frame.build("w", number, b"") + self.part(number, 0, 512)

    def part(self, number, offset, most):
        part = self.answer[offset : offset + most]
        return frame.build("a", number, b"%d %d %s" % (offset, len(self.answer), part))


class Script:
    """A host that says what a conversation of the vectors says, to an adapter that does so too."""

    def __init__(self, events):
        self._events = [event for event in events if event[0] not in ("host_lost", "answered", "restart")]

    def __call__(self, kind, number, payload):
        who, line = self._events.pop(0)
        assert who in ("adapter", "adapter_lost"), (who, kind, payload)
        assert frame.parse(line.encode()) == (kind, number, payload), (line, kind, payload)
        answer = b""
        while self._events and self._events[0][0] == "host":
            answer += b"\n%s\n" % self._events.pop(0)[1].encode()
        return answer

    def is_over(self):
        return not self._events


def vectors(part):
    with open("docs/vectors/serial.json") as file:
        return json.load(file)[part]


def silent(kind, number, payload):
    return b""


async def test_a_question_and_its_answer():
    host = Host()
    async with Linked(host, first_number=57) as linked:
        assert await linked.post() == (200, ANSWER)
        assert linked.wire.frames == [("q", 57, b"0 %d %s" % (len(BODY), BODY))]
        assert host.questions == [BODY]


async def test_conversations():
    for vector in vectors("conversations"):
        script = Script(vector["events"])
        async with Linked(script, first_number=vector["number"]) as linked:
            answer = vector["status"], vector["answer"].encode()
            assert await linked.post(vector["question"].encode()) == answer, vector["name"]
        assert script.is_over(), vector["name"]


async def test_numbers_go_up_and_begin_again():
    async with Linked(Host(), first_number=998) as linked:
        for _ in range(3):
            assert await linked.post() == (200, ANSWER)
        assert [number for _, number, _ in linked.wire.frames] == [998, 999, 0]


async def test_the_longest_question_and_the_longest_answer():
    host = Host(b"200 " + LONGEST)
    async with Linked(host) as linked:
        assert await linked.post(LONGEST) == (200, LONGEST)
        assert host.questions == [LONGEST]
        assert all(len(payload) <= frame.LONGEST_PAYLOAD_BYTES for _, _, payload in linked.wire.frames)


async def test_a_frame_goes_at_once_when_there_is_room():
    async with Linked(silent, timeout_ms=1) as linked:
        assert await linked.post() == "timeout"
        assert linked.wire.frames == [("q", 0, b"0 %d %s" % (len(BODY), BODY))]


async def test_a_wire_that_takes_little_at_a_time():
    async with Linked(Host(), room=7) as linked:
        assert await linked.post() == (200, ANSWER)


async def test_others_run_while_the_wire_is_full():
    async with Linked(Host(), room=0) as linked:
        post = asyncio.create_task(linked.post())
        await asyncio.sleep_ms(30)
        assert linked.wire.sent == b""
        linked.wire.room = 4096
        assert await post == (200, ANSWER)


async def test_a_frame_cut_short_by_a_time_out_costs_no_other():
    async with Linked(Host(), room=10, timeout_ms=100) as linked:
        post = asyncio.create_task(linked.post())
        await asyncio.sleep_ms(2)
        linked.wire.room = 0
        assert await post == "timeout"
        assert linked.wire.sent
        linked.wire.room = 4096
        assert await linked.post() == (200, ANSWER)
        assert {number for _, number, _ in linked.wire.frames} == {1}


async def test_two_posts_at_once_are_asked_in_turn():
    host = Host()
    async with Linked(host, room=5) as linked:
        posts = [asyncio.create_task(linked.post(body)) for body in (b"one", b"two", b"three")]
        for post in posts:
            assert await post == (200, ANSWER)
        assert host.questions == [b"one", b"two", b"three"]


async def test_a_post_that_is_cancelled_leaves_the_link_to_the_next():
    async with Linked(silent) as linked:
        post = asyncio.create_task(linked.post())
        await asyncio.sleep_ms(20)
        post.cancel()
        await asyncio.sleep_ms(0)
        linked.wire._host = Host()
        assert await linked.post() == (200, ANSWER)


async def test_the_log_and_noise_around_an_answer():
    host = Host()

    def noisy(kind, number, payload):
        noise = (
            b"\xff\x00 noise\r\nTraceback (most recent call last):\n*57\n*57 what\n" + b"x" * 2000 + b"\n>>> "
        )
        return noise + host(kind, number, payload) + noise

    async with Linked(noisy) as linked:
        assert await linked.post() == (200, ANSWER)
        assert await linked.post() == (200, ANSWER)


async def test_parts_become_half_as_long_while_nothing_comes_and_twice_as_long_when_it_does():
    heard = []
    host = Host()

    def deaf_at_first(kind, number, payload):
        heard.append(payload)
        return host(kind, number, payload) if len(heard) > 2 else b""

    async with Linked(deaf_at_first) as linked:
        assert await linked.post(b"x" * 1000) == (200, ANSWER)
    lengths = [len(payload.split(b" ", 2)[2]) for payload in heard if payload.count(b" ") == 2]
    assert lengths == [512, 256, 128, 256, 512, 104]


async def test_silence():
    async with Linked(silent, timeout_ms=50) as linked:
        assert await linked.post() == "timeout"
        assert linked.link._question is None


async def test_what_belongs_to_another_number_or_means_nothing_is_passed_by():
    def host(kind, number, payload):
        return (
            frame.build("a", number + 1, b"0 9 200 other")
            + frame.build("x", number + 1, b"")
            + frame.build("x", number, b"")
            + frame.build("g", number, b"0")
            + frame.build("g", number, b"%d" % (len(BODY) + 1))
            + frame.build("g", number, b"many")
            + frame.build("w", number, b"?")
            + frame.build("q", number, payload)
            + frame.build("m", number, b"0 512")
            + frame.build("z", number, b"")
            + frame.build("a", number, b"5 9 late")
            + frame.build("a", number, b"0 %d 200 " % (4 + len(ANSWER)))
            + frame.build("a", number, b"4 2000 of another length")
            + frame.build("a", number, b"4 %d %s" % (4 + len(ANSWER), ANSWER))
        )

    async with Linked(host) as linked:
        assert await linked.post() == (200, ANSWER)


async def test_parts_that_are_none_are_passed_by():
    for vector in vectors("invalid_parts"):
        payload = vector["payload"].encode()
        host = Host()

        def with_a_wrong_part(kind, number, question):
            return frame.build("a", number, payload) + host(kind, number, question)

        async with Linked(with_a_wrong_part) as linked:
            assert await linked.post() == (200, ANSWER), vector["name"]


async def test_a_late_answer_is_passed_by():
    async with Linked(silent, timeout_ms=50) as linked:
        assert await linked.post(b"first") == "timeout"
        linked.wire.incoming = frame.build("a", 0, b"0 8 200 late")
        linked.link.timeout_ms = 1000
        second = asyncio.create_task(linked.post(b"second"))
        await asyncio.sleep_ms(30)
        assert linked.wire.incoming == b""
        assert not second.done()
        linked.wire.incoming = frame.build("a", 1, b"0 11 200 in time")
        assert await second == (200, b"in time")


async def test_answers_put_together():
    for vector in vectors("answers")["valid"]:
        async with Linked(Host(vector["payload"].encode())) as linked:
            assert await linked.post() == (vector["status"], vector["body"].encode()), vector["name"]
    for vector in vectors("answers")["invalid"]:
        if vector["payload"]:
            async with Linked(Host(vector["payload"].encode())) as linked:
                assert await linked.post() == "garbage", vector["name"]


async def test_a_body_too_long_is_not_sent():
    async with Linked(Host()) as linked:
        assert await linked.post(b"x" * 3001) == "too_large"
        assert linked.wire.sent == b""


async def test_a_stream_that_fails_and_recovers():
    async with Linked(Host()) as linked:
        linked.wire.room = FAULT
        linked.wire.incoming = FAULT
        assert await linked.post() == "closed"
        await asyncio.sleep_ms(50)
        linked.wire.room = 4096
        linked.wire.incoming = b""
        assert await linked.post() == (200, ANSWER)


async def test_what_others_need_to_know_of_the_link():
    link = SerialLink(Wire(silent))
    assert (link.name, link.timeout_ms) == ("serial", 60_000)


async def test_the_link_checks_in_while_it_lives():
    async with Linked(silent) as linked:
        await asyncio.sleep_ms(30)
        assert linked.link.checked_in()
        linked.link._promise(-60_000)
        assert not linked.link.checked_in()
        await asyncio.sleep_ms(30)
        assert linked.link.checked_in()
