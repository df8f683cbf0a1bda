"""The heartbeat: what it tells, when, and what it does with what comes back."""

import asyncio
import json

from answering import ADAPTER_ID, KEY, Carrier, Counted, answer
from star57.link.correspondent import Correspondent
from star57.link.error import LinkError
from star57.link.heartbeat import Heartbeat
from star57.link.signed import Signer
from star57.logbook import LogBook

NOTHING = {"settings": None, "prompt": None, "log_from": None, "again": False, "update": None}
SHA256 = "5" * 64


class Board:
    name = "pico"
    version = "0.1.0"
    commit = "0123abc"
    reset_reason = "watchdog"
    lost_total = 160
    underruns = 320

    def take_longest_gap_ms(self):
        return 24

    def wall_time(self):
        return 1_795_000_000, "network"

    def log(self, text):
        pass


class Outbox:
    pending = [{}] * 3
    clock_wanted = asyncio.Event()


class Settings:
    revision = 4
    refused = ["nothing", "x" * 200] + ["more"] * 20

    def __init__(self):
        self.taken = []

    def take(self, revision, values):
        self.taken.append((revision, values))
        return True


class Prompts:
    def __init__(self):
        self.parts = []

    def progress(self):
        return {"name": "traced", "sha256": "0" * 64, "received": 960, "state": "receiving"}

    def take(self, name, size, sha256, offset, data):
        self.parts.append((name, size, sha256, offset, data))


class Update:
    slot = "a"

    def __init__(self):
        self.answers = 0
        self.parts = []

    def progress(self):
        return {"release": 7, "sha256": SHA256, "received": 0, "state": "refused", "reason": "old_release"}

    def answered(self):
        self.answers += 1

    async def take(self, sha256, slot, offset, data):
        await asyncio.sleep_ms(0)
        self.parts.append((sha256, slot, offset, data))


def beat(**fields):
    """A word of a Carrier: the answer to a heartbeat, with these fields."""
    message = {"message": "heartbeat_answer", "version": 1, "unix_seconds": 1_795_000_001}
    message.update(NOTHING)
    message.update(fields)

    def word(sequence, question):
        if question["message"] == "log":
            return 200, answer(sequence, {"message": "log_answer", "version": 1})
        return 200, answer(sequence, message)

    return word


class Beating:
    """A heartbeat at work, over a Carrier of these words."""

    def __init__(self, *words, shortest_wait_ms=60_000, period_ms=60_000, takes_updates=True):
        self.carrier = Carrier(*words)
        self.settings = Settings()
        self.prompts = Prompts()
        self.update = Update() if takes_updates else None
        self.log = LogBook(Board())
        self.clock = []
        correspondent = Correspondent(Signer(ADAPTER_ID, KEY), Counted(), (self.carrier,), self.log.log)
        self.heartbeat = Heartbeat(
            Board(),
            correspondent,
            ADAPTER_ID,
            Outbox(),
            self.settings,
            self.prompts,
            self.log,
            self.clock.append,
            shortest_wait_ms,
            period_ms,
            self.update,
        )

    async def __aenter__(self):
        self._task = asyncio.create_task(self.heartbeat.run())
        return self

    async def __aexit__(self, *_):
        assert not self._task.done()
        self._task.cancel()
        await asyncio.sleep_ms(0)

    async def asked(self, count):
        """Waits until so much was asked, and then until no more is asked at once; answers all of it."""
        while len(self.carrier.asked) < count:
            await asyncio.sleep_ms(1)
        await asyncio.sleep_ms(5)
        return self.carrier.asked


async def waits_of(count, *words):
    """The first `count` waits of a heartbeat whose service behaves so; none of them is waited for."""
    beating = Beating(*words, shortest_wait_ms=2000)
    waits_ms = []

    async def wait(wait_ms):
        waits_ms.append(wait_ms)
        if len(waits_ms) == count:
            raise asyncio.CancelledError
        await asyncio.sleep_ms(0)

    beating.heartbeat._wait = wait
    try:
        await beating.heartbeat.run()
    except asyncio.CancelledError:
        pass
    return waits_ms


async def test_the_first_heartbeat_comes_at_start_and_says_how_the_adapter_is():
    async with Beating(beat()) as beating:
        beating.heartbeat.decoded = {
            "standard": "bell_202",
            "level_dbm0": -13.4,
            "snr_db": 200.0,
            "twist_db": None,
            "baud": 1200.1,
        }
        heartbeat = (await beating.asked(1))[0]
        free = heartbeat.pop("free_heap_bytes")
        assert 0 < free < 1 << 30
        assert heartbeat.pop("uptime_s") in (0, 1)
        assert heartbeat.pop("settings_refused") == ["nothing", "x" * 32] + ["more"] * 14
        assert heartbeat == {
            "message": "heartbeat",
            "version": 1,
            "adapter_id": ADAPTER_ID,
            "board": "pico",
            "firmware": "0.1.0",
            "commit": "0123abc",
            "carrier": "network",
            "reset_reason": "watchdog",
            "unix_seconds": 1_795_000_000,
            "time_source": "network",
            "lost_samples": 160,
            "underruns": 320,
            "longest_gap_ms": 24,
            "outbox": 3,
            "refusals": 0,
            "decoded": {"standard": "bell_202", "level_dbm0": -13, "snr_db": 127, "twist_db": None},
            "settings_revision": 4,
            "prompt": {"name": "traced", "sha256": "0" * 64, "received": 960, "state": "receiving"},
            "log_lines": 0,
            "slot": "a",
            "update": {
                "release": 7,
                "sha256": SHA256,
                "received": 0,
                "state": "refused",
                "reason": "old_release",
            },
        }
        assert beating.clock == [1_795_000_001]


async def test_the_longest_heartbeat_fits_a_message():
    beating = Beating(beat())
    heartbeat = beating.heartbeat._heartbeat()
    heartbeat["settings_refused"] = ["x" * 32] * 16
    for name in ("board", "firmware", "commit"):
        heartbeat[name] = "x" * 64
    for name, value in heartbeat.items():
        if type(value) is int:
            heartbeat[name] = 9007199254740991
    heartbeat["adapter_id"] = "x" * 32
    heartbeat["update"].update(release=9007199254740991, received=9007199254740991, reason="x" * 64)
    assert len(json.dumps(heartbeat)) <= 2048


async def test_waits():
    refused = LinkError("timeout")
    assert await waits_of(3, beat()) == [60_000] * 3
    assert await waits_of(8, refused) == [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]
    assert await waits_of(5, refused, refused, beat(), refused) == [2000, 4000, 60_000, 2000, 4000]
    assert await waits_of(3, beat(again=True), beat(again=True), beat()) == [100, 100, 60_000]


async def test_settings_and_prompts_are_handed_on():
    part = {"name": "traced", "size": 3, "sha256": "0" * 64, "offset": 0, "data": "AAEC"}
    word = beat(settings={"revision": 5, "values": {"price_cents": 700}}, prompt=part)
    async with Beating(word) as beating:
        await beating.asked(1)
        assert beating.settings.taken == [(5, {"price_cents": 700})]
        assert beating.prompts.parts == [("traced", 3, "0" * 64, 0, b"\x00\x01\x02")]
        assert beating.log.since(0, 9)[1][-1] == "settings: revision 5"


async def test_updates_are_handed_on_and_told_that_the_service_answers():
    part = {"sha256": SHA256, "slot": "b", "offset": 960, "data": "AAEC"}
    async with Beating(
        LinkError("timeout"), beat(), beat(update=part), shortest_wait_ms=1, period_ms=1
    ) as beating:
        await beating.asked(1)
        while not beating.update.parts:
            await asyncio.sleep_ms(1)
        assert beating.update.parts[0] == (SHA256, "b", 960, b"\x00\x01\x02")
        assert beating.update.answers >= 2
        asked = beating.carrier.asked
    assert beating.update.answers < len(asked)


async def test_a_board_that_takes_no_updates_says_so_and_passes_them_by():
    release = {"sha256": SHA256, "slot": None, "offset": 0, "data": "AAEC"}
    async with Beating(beat(update=release), takes_updates=False) as beating:
        heartbeat = (await beating.asked(1))[0]
        assert (heartbeat["slot"], heartbeat["update"]) == (None, None)
        assert (beating.clock, beating.heartbeat.faults) == ([1_795_000_001], 0)


async def test_the_log_is_sent_when_it_is_wanted():
    beating = Beating(beat(log_from=3))
    for number in range(40):
        beating.log.log("line {}".format(number))
    async with beating:
        asked = await beating.asked(3)
    logs = [message for message in asked if message["message"] == "log"]
    assert [message["first"] for message in logs] == [9, 25]
    lines = [line for message in logs for line in message["lines"]]
    assert lines == ["line {}".format(number) for number in range(9, 40)] + ["link: network works"]
    assert set(logs[0]) == {"message", "version", "adapter_id", "first", "lines"}


async def test_lines_that_did_not_arrive_are_not_passed_by():
    lost = beat(log_from=0)

    def word(sequence, question):
        return (503, b"{}") if question["message"] == "log" else lost(sequence, question)

    beating = Beating(word, period_ms=10)
    for number in range(20):
        beating.log.log("line {}".format(number))
    async with beating:
        asked = await beating.asked(4)
    assert [message["message"] for message in asked[:4]] == ["heartbeat", "log", "heartbeat", "log"]
    assert [message["first"] for message in asked[:4] if message["message"] == "log"] == [0, 0]


async def test_the_longest_lines_fit_a_message():
    beating = Beating(beat(log_from=0))
    for _ in range(16):
        beating.log.log("x" * 100)
    async with beating:
        asked = await beating.asked(2)
    assert len(asked[1]["lines"]) == 16


async def test_an_answer_that_is_none_changes_nothing():
    wrong = (
        beat(unix_seconds=1 << 32),
        beat(unix_seconds=-1),
        beat(unix_seconds=True),
        beat(version=2),
        beat(again=1),
        beat(log_from=-1),
        beat(log_from="0"),
        beat(settings={}),
        beat(settings={"revision": 0, "values": {}}),
        beat(settings={"revision": 1, "values": []}),
        beat(settings={"revision": 1, "values": {str(number): 0 for number in range(17)}}),
        beat(prompt={"name": "../x", "size": 3, "sha256": "0" * 64, "offset": 0, "data": "AAEC"}),
        beat(prompt={"name": "x", "size": 2, "sha256": "0" * 64, "offset": 0, "data": "AAEC"}),
        beat(prompt={"name": "x", "size": 3, "sha256": "0" * 63, "offset": 0, "data": "AAEC"}),
        beat(prompt={"name": "x", "size": 3, "sha256": "0" * 64, "offset": 1, "data": "AAEC"}),
        beat(prompt={"name": "x", "size": 3, "sha256": "0" * 64, "offset": 0, "data": ""}),
        beat(prompt={"name": "x", "size": 3, "sha256": "0" * 64, "offset": 0, "data": 5}),
        beat(prompt={"name": "x", "size": 65537, "sha256": "0" * 64, "offset": 0, "data": "AAEC"}),
        beat(update={"sha256": "0" * 64, "slot": None, "offset": 1, "data": "AAEC"}),
        beat(update={"sha256": "0" * 64, "slot": "c", "offset": 0, "data": "AAEC"}),
        beat(update={"sha256": "0" * 64, "slot": "b", "offset": 1 << 20, "data": "AAEC"}),
        beat(nothing=None),
    )
    for word in wrong:
        async with Beating(word) as beating:
            await beating.asked(1)
            assert (beating.clock, beating.settings.taken, beating.prompts.parts) == ([], [], [])
            assert (beating.update.answers, beating.update.parts) == (0, [])


async def test_the_heartbeat_checks_in_while_it_lives():
    async with Beating(LinkError("timeout"), shortest_wait_ms=5, period_ms=5) as beating:
        await beating.asked(3)
        assert beating.heartbeat.checked_in()
        beating.heartbeat._promise(-60_000)
        assert not beating.heartbeat.checked_in()
        await beating.asked(6)
        assert beating.heartbeat.checked_in()
