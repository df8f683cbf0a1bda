"""Notices: what the house is told, in how many bytes, and what it may ask for."""

import asyncio
import json

from star57.calls import Call
from star57.line.state import IDLE, IN_CALL, RINGING
from star57.link.error import LinkError
from star57.link.frame import LONGEST_PAYLOAD_BYTES, FrameReceiver, build, is_printable
from star57.link.notices import Notices, Waiting
from star57.link.serial import SerialLink
from star57.settings import Settings

CALL_ID = "00112233445566aa"

with open("docs/vectors/notices.json") as file:
    VECTORS = json.load(file)


class Calls:
    def __init__(self, *calls):
        self.last = calls[-1] if calls else None


class Button:
    """A button that says of each press what it is told to say."""

    def __init__(self, outcome="stored"):
        self.pressed = []
        self._outcome = outcome

    def press(self, call_id):
        self.pressed.append(call_id)
        return self._outcome


class Way:
    lost = 0

    def __init__(self):
        self.told = []

    def put(self, payload):
        assert is_printable(payload)
        assert len(payload) <= LONGEST_PAYLOAD_BYTES
        self.told.append(json.loads(payload))


class Stream:
    """A serial stream; what is written is read as frames, and `incoming` comes."""

    def __init__(self, room=4096):
        self.room = room
        self.frames = []
        self.incoming = b""
        self._heard = FrameReceiver(self)

    def write(self, data):
        part = bytes(data[: self.room])
        self._heard.feed(part, len(part))
        return len(part) or None

    def frame(self, kind, number, payload):
        self.frames.append((kind, number, payload))

    def readinto(self, buffer):
        count = min(len(buffer), len(self.incoming))
        buffer[:count] = self.incoming[:count]
        self.incoming = self.incoming[count:]
        return count or None


def made(button=None, calls=None, **values):
    values["adapter_id"] = "adapter-1"
    notices = Notices(Settings(values), calls or Calls(), button or Button(), "1.2.3", alive_ms=200)
    way = Way()
    notices.ways = (way,)
    return notices, way


def call_of(fields):
    call = Call(fields["call_id"], fields["at"], fields["time_source"])
    for name in ("rings", "answered", "call_waiting", "caller_id", "trace_outcome"):
        setattr(call, name, fields[name])
    return call


def test_what_is_told_of_calls_is_as_in_the_vectors():
    for vector in VECTORS["calls"]:
        notices, way = made()
        notices.call(call_of(vector["call"]), vector["what"])
        assert way.told == [vector["notice"]], vector["name"]


def test_what_is_told_of_the_line_and_of_the_adapter_is_as_in_the_vectors():
    notices, way = made(trace_button=True, price_cents=500)
    for state, vector in zip((RINGING, IN_CALL, IDLE), VECTORS["lines"]):
        notices.line(state)
        assert way.told.pop() == vector["notice"], vector["name"]
    assert json.loads(notices.alive()) == VECTORS["alive"]["notice"]
    assert json.loads(notices.alive(hello="0" * 32))["hello"] == "0" * 32


def test_the_last_call_is_named_so_that_a_house_that_starts_can_press():
    notices, _ = made(calls=Calls(Call(CALL_ID, 0, "none")))
    assert json.loads(notices.alive())["last_call"] == CALL_ID


def test_whatever_a_caller_presents_fits_and_is_ascii():
    for letter in ("\xe9", '"', "\\", "\x01", "\u4e00", "x"):
        call = Call(CALL_ID, 0xFFFF_FFFF, "caller_id")
        call.rings = 255
        call.caller_id = {"number": 64 * letter, "name": 64 * letter, "reason": 64 * letter}
        notices = Notices(Settings({"adapter_id": 32 * "a"}), Calls(), Button(), "1")
        way = Way()
        notices.ways = (way,)
        notices.call(call, "answered")
        (told,) = way.told
        assert told["name"] and told["name"] == len(told["name"]) * letter
        assert told["reason"] is None


def test_what_the_house_knows_nothing_of_is_not_told():
    notices, way = made()
    notices.call(Call(CALL_ID, 0, "none"), "something_new")
    assert way.told == []


def test_nothing_of_a_trace_is_told_but_its_outcome():
    call = Call(CALL_ID, 0, "none")
    call.caller_id = {"number": "5555550123", "name": None, "reason": None, "name_reason": None}
    notices, way = made()
    notices.call(call, "traced")
    call.trace_outcome = "traced"
    notices.call(call, "traced")
    traced = {"notice": "traced", "adapter_id": "adapter-1", "call_id": CALL_ID}
    assert way.told == [dict(traced, outcome="stored"), dict(traced, outcome="traced")]


async def test_the_adapter_says_again_and_again_that_it_is_alive():
    notices, way = made()
    task = asyncio.create_task(notices.run())
    await asyncio.sleep_ms(500)
    task.cancel()
    assert [told["notice"] for told in way.told] == ["alive"] * 3
    assert notices.checked_in()


async def test_what_a_press_has_brought_about_is_told():
    button = Button()
    notices, way = made(button)
    task = asyncio.create_task(notices.run())
    await asyncio.sleep_ms(0)
    way.told.clear()
    notices.press(b'{"trace":"%s"}' % CALL_ID.encode())
    await asyncio.sleep_ms(20)
    assert button.pressed == [CALL_ID]
    task.cancel()
    assert [told["outcome"] for told in way.told] == ["stored"]


def test_what_is_no_press_is_passed_by():
    for payload in VECTORS["no_presses"]:
        notices, _ = made()
        notices.press(payload.encode())
        assert notices._pressed is None, payload
    notices, _ = made()
    notices.press(VECTORS["press"]["payload"].encode())
    assert notices._pressed == VECTORS["press"]["call_id"]


async def test_only_the_newest_wait_and_the_lost_are_counted():
    waiting = Waiting()
    for number in range(11):
        waiting.put(b"%d" % number)
    assert waiting.lost == 3
    await waiting.comes_within(1000)
    assert [waiting.take() for _ in range(9)] == [b"3", b"4", b"5", b"6", b"7", b"8", b"9", b"10", None]
    await waiting.comes_within(1)


async def test_notices_go_out_over_the_serial_link_between_the_frames_of_a_question():
    stream = Stream(room=20)  # a UART that takes a little at a time
    link = SerialLink(stream)
    link.timeout_ms = 300
    notices = Notices(Settings({"adapter_id": "adapter-1"}), Calls(), Button(), "1", link)
    tasks = [asyncio.create_task(task.run()) for task in (link, notices) + notices.ways]
    question = asyncio.create_task(link.post(b"q" * 200))
    for state in (RINGING, IN_CALL, IDLE):
        notices.line(state)
    try:
        await question
    except LinkError:
        pass
    for task in tasks:
        task.cancel()
    told = [json.loads(payload) for kind, _, payload in stream.frames if kind == "e"]
    assert [notice["notice"] for notice in told] == ["alive", "line", "line", "line"] or [
        notice["notice"] for notice in told
    ] == ["line", "line", "line", "alive"]
    assert [number for kind, number, _ in stream.frames if kind == "e"] == [0, 1, 2, 3]
    assert [kind for kind, _, _ in stream.frames if kind != "e"][:1] == ["q"]


async def test_a_press_comes_over_the_serial_link():
    stream = Stream()
    link = SerialLink(stream)
    button = Button("not_last")
    notices = Notices(Settings({}), Calls(), button, "1", link)
    tasks = [asyncio.create_task(task.run()) for task in (link, notices) + notices.ways]
    stream.incoming = build("t", 0, b'{"trace":"%s"}' % CALL_ID.encode())
    await asyncio.sleep_ms(200)
    for task in tasks:
        task.cancel()
    assert button.pressed == [CALL_ID]
    assert json.loads(stream.frames[-1][2])["outcome"] == "not_last"


async def test_a_stream_that_takes_nothing_loses_notices_and_holds_nothing_up():
    stream = Stream(room=0)
    link = SerialLink(stream)
    notices = Notices(Settings({}), Calls(), Button(), "1", link)
    (way,) = notices.ways
    tasks = [asyncio.create_task(way.run())]
    for _ in range(12):
        notices.line(RINGING)
    await asyncio.sleep_ms(1200)
    tasks[0].cancel()
    assert way.lost == 5  # of which one was tried
    assert way.checked_in()
