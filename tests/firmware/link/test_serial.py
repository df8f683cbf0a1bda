"""The serial carrier against a host that keeps no promise, over a wire that takes and gives as little as it likes."""

import asyncio
import json

from star57.link import frame
from star57.link.error import LinkError
from star57.link.frame import FrameReceiver
from star57.link.serial import SerialLink

BODY = b'{"message":"trace_request"}'
ANSWER = b'{"outcome":"traced"}'
TIME = b'{"message":"time","version":1,"unix_seconds":1767268860}'
REPORT = {"message": "report", "uptime_s": 57}
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

    def __init__(self, host, room=4096, timeout_ms=1000, first_number=0):
        self.wire = Wire(host, room)
        self.link = SerialLink(self.wire, timeout_ms, first_number)

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


def vectors(part):
    with open("docs/vectors/serial.json") as file:
        return json.load(file)[part]


def answering(payload=b"200 " + ANSWER):
    return lambda kind, number, body: frame.build("answer" if kind == "request" else "time", number, payload)


def silent(kind, number, body):
    return b""


async def test_a_request_and_its_answer():
    async with Linked(answering(), first_number=57) as linked:
        assert await linked.post() == (200, ANSWER)
        assert linked.wire.frames == [("request", 57, BODY)]


async def test_numbers_go_up_and_begin_again():
    async with Linked(answering(), first_number=999_999_998) as linked:
        for _ in range(3):
            assert await linked.post() == (200, ANSWER)
        assert [number for _, number, _ in linked.wire.frames] == [999_999_998, 999_999_999, 0]


async def test_a_request_goes_at_once_when_there_is_room():
    async with Linked(silent, timeout_ms=1) as linked:
        await linked.post(b"x" * 2048)
        assert linked.wire.frames == [("request", 0, b"x" * 2048)]


async def test_a_wire_that_takes_little_at_a_time():
    async with Linked(answering(), room=7) as linked:
        assert await linked.post() == (200, ANSWER)


async def test_others_run_while_the_wire_is_full():
    async with Linked(answering(), room=0) as linked:
        post = asyncio.create_task(linked.post())
        await asyncio.sleep_ms(30)
        assert linked.wire.sent == b""
        linked.wire.room = 4096
        assert await post == (200, ANSWER)


async def test_a_frame_cut_short_by_a_time_out_costs_no_other():
    async with Linked(answering(), room=10, timeout_ms=200) as linked:
        post = asyncio.create_task(linked.post())
        await asyncio.sleep_ms(2)
        linked.wire.room = 0
        assert await post == "timeout"
        assert linked.wire.sent
        linked.wire.room = 4096
        assert await linked.post() == (200, ANSWER)
        assert linked.wire.frames == [("request", 1, BODY)]


async def test_a_request_and_a_report_at_once_lie_in_frames_of_their_own():
    def host(kind, number, body):
        return answering(b"200 " + ANSWER if kind == "request" else TIME)(kind, number, body)

    async with Linked(host, room=5) as linked:
        report = asyncio.create_task(linked.link.report(REPORT))
        assert await linked.post() == (200, ANSWER)
        assert await report == 1767268860
        assert sorted(kind for kind, _, _ in linked.wire.frames) == ["report", "request"]


async def test_answers_in_another_order_than_asked():
    held = []

    def host(kind, number, body):
        held.insert(0, frame.build("answer", number, b"200 " + body))
        return b"".join(held) if len(held) == 3 else b""

    async with Linked(host) as linked:
        posts = [asyncio.create_task(linked.post(body)) for body in (b"one", b"two", b"three")]
        for post, body in zip(posts, (b"one", b"two", b"three")):
            assert await post == (200, body)


async def test_the_log_and_noise_around_an_answer():
    def host(kind, number, body):
        noise = (
            b"\xff\x00 noise\r\nTraceback (most recent call last):\n*57\n*57 what\n" + b"x" * 5000 + b"\n>>> "
        )
        return noise + answering()(kind, number, body) + noise

    async with Linked(host) as linked:
        assert await linked.post() == (200, ANSWER)
        assert await linked.post() == (200, ANSWER)


async def test_the_longest_answer():
    body = b"x" * 2048
    async with Linked(answering(b"200 " + body)) as linked:
        assert await linked.post() == (200, body)


async def test_an_answer_too_long_is_none():
    async with Linked(answering(b"200 " + b"x" * 2049), timeout_ms=300) as linked:
        assert await linked.post() == "timeout"


async def test_a_damaged_answer_is_none():
    def host(kind, number, body):
        return answering()(kind, number, body).replace(b"traced", b"tracef")

    async with Linked(host, timeout_ms=100) as linked:
        assert await linked.post() == "timeout"


async def test_silence():
    async with Linked(silent, timeout_ms=50) as linked:
        assert await linked.post() == "timeout"
        assert linked.link._exchanges == {}


async def test_an_answer_to_another_number_or_of_another_kind_is_passed_by():
    def host(kind, number, body):
        return (
            frame.build("answer", number + 1, b"200 other")
            + frame.build("time", number, TIME)
            + frame.build("request", number, BODY)
            + frame.build("signed", number, b"200 unknown")
            + frame.build("answer", number, b"200 " + ANSWER)
        )

    async with Linked(host) as linked:
        assert await linked.post() == (200, ANSWER)


async def test_a_late_answer_is_passed_by():
    async with Linked(silent, timeout_ms=50) as linked:
        assert await linked.post(b"first") == "timeout"
        linked.wire.incoming = frame.build("answer", 0, b"200 late")
        linked.link.timeout_ms = 1000
        second = asyncio.create_task(linked.post(b"second"))
        await asyncio.sleep_ms(50)
        assert linked.wire.incoming == b""
        assert not second.done()
        linked.wire.incoming = frame.build("answer", 1, b"200 in time")
        assert await second == (200, b"in time")


async def test_a_second_answer_is_passed_by():
    def host(kind, number, body):
        return frame.build("answer", number, b"200 first") + frame.build("answer", number, b"403 second")

    async with Linked(host) as linked:
        assert await linked.post() == (200, b"first")
        assert await linked.post() == (200, b"first")


async def test_payloads_of_answers():
    for vector in vectors("answers")["valid"]:
        async with Linked(answering(vector["payload"].encode())) as linked:
            assert await linked.post() == (vector["status"], vector["body"].encode()), vector["name"]
    for vector in vectors("answers")["invalid"]:
        async with Linked(answering(vector["payload"].encode())) as linked:
            assert await linked.post() == "garbage", vector["name"]


async def test_a_body_too_long_is_not_sent():
    async with Linked(answering()) as linked:
        assert await linked.post(b"x" * 2049) == "too_large"
        assert linked.wire.sent == b""


async def test_a_stream_that_fails_and_recovers():
    async with Linked(answering()) as linked:
        linked.wire.room = FAULT
        linked.wire.incoming = FAULT
        assert await linked.post() == "closed"
        await asyncio.sleep_ms(50)
        linked.wire.room = 4096
        linked.wire.incoming = b""
        assert await linked.post() == (200, ANSWER)


async def test_a_report_is_answered_with_the_time():
    async with Linked(answering(TIME)) as linked:
        assert await linked.link.report(REPORT) == 1767268860
        kind, number, payload = linked.wire.frames[0]
        assert (kind, number, json.loads(payload)) == ("report", 0, REPORT)


async def test_times():
    for vector in vectors("times")["valid"]:
        async with Linked(answering(vector["body"].encode())) as linked:
            assert await linked.link.report(REPORT) == vector["unix_seconds"], vector["name"]
    for vector in vectors("times")["invalid"]:
        async with Linked(answering(vector["body"].encode())) as linked:
            assert await linked.link.report(REPORT) is None, vector["name"]


async def test_a_report_that_nobody_answers():
    async with Linked(silent, timeout_ms=50) as linked:
        assert await linked.link.report(REPORT) is None


async def test_the_link_checks_in_while_it_lives():
    async with Linked(silent) as linked:
        await asyncio.sleep_ms(30)
        assert linked.link.checked_in()
        linked.link._promise(-60_000)
        assert not linked.link.checked_in()
        await asyncio.sleep_ms(30)
        assert linked.link.checked_in()
