"""The adapter on a board of the test's own: the audio path allocates nothing, and the relay is at rest by default."""

import asyncio
import gc
import json
import os
from array import array

import micropython
import signals
from answering import ADAPTER_ID, KEY, answer, read
from board import HOOK_EDGE, RING_EDGE
from star57.adapter import Adapter
from star57.dsp.tones import DtmfSender, ToneSender
from star57.link import frame
from star57.link.frame import FrameReceiver

N = 160

HEARTBEAT_ANSWER = {
    "message": "heartbeat_answer",
    "version": 1,
    "unix_seconds": 1767268860,
    "settings": None,
    "prompt": None,
    "log_from": None,
    "again": False,
}


class TestBoard:
    """The Board of docs/seams.md, fed by the test."""

    name = "test"
    version = "0"
    commit = "0123abc"
    serial = None
    network = None
    lost_total = 0
    phone_out_delay_samples = 0
    underruns = 0
    reset_reason = "power_on"
    flash = "build/no-such-flash"
    prompts = "firmware/prompts"

    def __init__(self):
        self.line_in = array("h", bytes(2 * N))
        self.phone_in = array("h", bytes(2 * N))
        self.phone_out = array("h", bytes(2 * N))
        self.lost_samples = 0
        self.edges = 0
        self.edge_kind = bytearray(64)
        self.edge_level = bytearray(64)
        self.edge_offset = array("H", bytes(128))
        self.energised = False
        self.coupled = False
        self.logged = []
        self.feedings = 0
        self.time = 1_795_000_000
        self.time_source = "network"
        self._random = 0

    def energise(self, energised):
        self.energised = energised

    def couple(self, coupled):
        self.coupled = coupled

    def wall_time(self):
        return self.time, self.time_source

    def set_wall_time(self, unix_seconds):
        self.time = unix_seconds
        self.time_source = "network"

    def take_longest_gap_ms(self):
        return 20

    def feed_watchdog(self):
        self.feedings += 1

    async def next_block(self):
        await asyncio.sleep_ms(20)
        return N

    def random_bytes(self, count):
        self._random += 1
        return bytes([self._random] * count)

    def log(self, text):
        self.logged.append(text)

    def edge(self, kind, level, offset=0):
        self.edge_kind[self.edges] = kind
        self.edge_level[self.edges] = level
        self.edge_offset[self.edges] = offset
        self.edges += 1


class Line:
    """An adapter and its board; `block` lets one block pass, the audio path under heap lock."""

    def __init__(self):
        self.board = TestBoard()
        self.adapter = Adapter(self.board)

    def block(self):
        gc.collect()
        micropython.heap_lock()
        try:
            self.adapter.hear(N)
        finally:
            micropython.heap_unlock()
        self.board.edges = 0
        self.adapter.act(N)

    def blocks(self, count):
        for _ in range(count):
            self.block()

    def hear(self, samples):
        """The pair carries `samples`."""
        for start in range(0, len(samples) - N + 1, N):
            self.board.line_in[:] = samples[start : start + N]
            self.board.phone_in[:] = samples[start : start + N]
            self.block()

    def hook(self, level):
        self.board.edge(HOOK_EDGE, level)

    def ring(self, cycles=40):
        """Ring voltage of 20 Hz, 50 ms a cycle."""
        for half in range(2 * cycles):
            self.board.edge(RING_EDGE, (half + 1) & 1, 40)
            self.block()
            if half & 3 == 3:
                self.block()


def dtmf(digits):
    sender = DtmfSender()
    sender.send(digits)
    samples = array("h")
    part = array("h", bytes(2 * N))
    while True:
        count = sender.fill(part, N)
        if not count:
            return samples
        samples.extend(part[:count])


def test_silence_noise_and_tones_allocate_nothing():
    line = Line()
    line.hear(signals.noise(8000, 3000, 57))
    line.hook(1)
    line.blocks(10)
    line.hear(signals.noise(8000, 3000, 58))
    line.hear(dtmf("1234567890"))
    line.hook(0)
    line.blocks(100)
    assert not line.board.energised


def test_a_ring_and_its_caller_id_window_allocate_nothing():
    line = Line()
    line.ring()
    line.hear(signals.noise(8000, 3000, 59))
    line.blocks(400)
    assert line.adapter._calls.last.rings == 1
    assert not line.board.energised


def test_lost_samples_allocate_nothing():
    line = Line()
    line.board.lost_samples = 1000
    line.blocks(3)
    assert not line.board.energised


def subscriber_alert():
    tone = ToneSender()
    tone.start(440, -13, 0, 0, 8 * 300)
    samples = array("h", bytes(2 * 8 * 400))
    assert tone.fill(samples, len(samples)) == 8 * 300
    return samples


def test_a_waiting_call_without_caller_id_is_a_call_and_the_same_one_until_its_tone_ceases():
    line = Line()
    line.hook(1)
    line.blocks(100)
    line.hear(subscriber_alert())
    line.blocks(40)
    assert line.adapter._calls.last is None  # nobody has been called yet: dial tone ends like that, too
    line.hear(dtmf("5"))
    line.hear(subscriber_alert())
    line.blocks(40)
    first = line.adapter._calls.last
    assert first.call_waiting
    assert first.caller_id is None
    line.blocks(450)
    line.hear(subscriber_alert())
    line.blocks(40)
    assert line.adapter._calls.last.call_id == first.call_id
    line.blocks(650)
    line.hear(subscriber_alert())
    line.blocks(40)
    assert line.adapter._calls.last.call_id != first.call_id


def test_a_waiting_call_is_the_last_one_when_the_household_hangs_up_at_once():
    line = Line()
    line.hook(1)
    line.blocks(10)
    line.hear(dtmf("5"))
    line.hear(subscriber_alert())
    line.hook(0)
    line.blocks(70)
    assert line.adapter._calls.last.call_waiting


def test_the_trace_code_energises_the_relay_and_an_open_loop_frees_it_in_the_same_block():
    line = Line()
    line.hook(1)
    line.blocks(10)
    line.hear(dtmf("*57"))
    line.block()
    assert line.board.energised
    line.hook(0)
    line.block()
    assert not line.board.energised


def test_a_prompt_is_played_without_allocating():
    line = Line()
    line.adapter._player.play(("call_trace", "5", "dollars"))
    loudest = 0
    for _ in range(400):
        line.block()
        loudest = max(loudest, *line.board.phone_out)
    assert loudest > 3000
    assert line.adapter._player.idle


def test_every_other_code_leaves_the_relay_at_rest():
    for digits in ("911", "*56", "*67", "0", "1158", "5555550188", "#57"):
        line = Line()
        line.hook(1)
        line.blocks(10)
        line.hear(dtmf(digits))
        line.blocks(10)
        assert not line.board.energised, digits


class Host:
    """The stream of a serial link, and a host behind it that answers each heartbeat with the time."""

    def __init__(self):
        self.asked = []
        self.numbers = []
        self._question = b""
        self._incoming = b""
        self._heard = FrameReceiver(self)

    def write(self, data):
        self._heard.feed(data, len(data))
        return len(data)

    def readinto(self, buffer):
        count = min(len(buffer), len(self._incoming))
        buffer[:count] = self._incoming[:count]
        self._incoming = self._incoming[count:]
        return count or None

    def frame(self, kind, number, payload):
        assert kind == "q"
        offset, total, part = payload.split(b" ", 2)
        self._question = self._question[: int(offset)] + part
        if len(self._question) < int(total):
            self._incoming += frame.build("g", number, b"%d" % len(self._question))
            return
        header, message = read(self._question)
        self.asked.append(message)
        self.numbers.append(number)
        body = b"200 " + answer(header["seq"], HEARTBEAT_ANSWER)
        self._incoming += frame.build("a", number, b"0 %d %s" % (len(body), body))


async def run_for_ms(adapter, duration_ms):
    task = asyncio.create_task(adapter.run())
    await asyncio.sleep_ms(duration_ms)
    assert not task.done()
    task.cancel()
    await asyncio.sleep_ms(0)


def provisioned():
    """A board with a key on its flash, and a serial port."""
    board = TestBoard()
    board.flash = "build/flash-of-test-adapter"
    try:
        os.mkdir(board.flash)
    except OSError:
        pass
    with open(board.flash + "/settings.json", "w") as file:
        json.dump({"adapter_id": ADAPTER_ID, "adapter_key": KEY.hex()}, file)
    board.serial = Host()
    return board


async def test_a_board_with_a_serial_link_tells_how_it_is_and_is_told_the_time():
    board = provisioned()
    await run_for_ms(Adapter(board), 1200)
    heartbeat = board.serial.asked[0]
    assert board.serial.numbers[0] == 0x01010101 % 1000
    assert (heartbeat["message"], heartbeat["adapter_id"]) == ("heartbeat", ADAPTER_ID)
    assert (heartbeat["board"], heartbeat["commit"], heartbeat["carrier"]) == ("test", "0123abc", "serial")
    assert board.time == 1767268860
    assert board.feedings == 1


async def test_without_a_key_nothing_is_sent_and_the_log_says_so():
    board = TestBoard()
    board.serial = Host()
    await run_for_ms(Adapter(board), 1100)
    assert board.serial.asked == []
    assert board.logged[1:] == [
        "settings: no adapter_key: requests are stored, and go nowhere",
        "settings: no line: trace is not offered",
    ]
    assert board.feedings == 1


async def test_the_log_begins_with_what_runs_and_why():
    board = TestBoard()
    await run_for_ms(Adapter(board), 10)
    assert board.logged[0] == "star57 0, commit 0123abc on test: started after power_on"
    board = TestBoard()
    board.commit = ""
    await run_for_ms(Adapter(board), 10)
    assert board.logged[0] == "star57 0, commit unknown on test: started after power_on"


async def test_a_task_that_is_overdue_leaves_the_watchdog_hungry():
    for overdue in range(3):
        board = provisioned()
        adapter = Adapter(board)
        adapter._link_tasks[overdue].checked_in = lambda: False
        await run_for_ms(adapter, 1100)
        assert board.feedings == 0


def test_a_call_before_the_clock_was_set_gets_its_time():
    line = Line()
    line.board.time_source = "none"
    line.board.time = 100
    line.ring()
    line.blocks(60)
    assert (line.adapter._calls.last.at, line.adapter._calls.last.time_source) == (100, "none")
    for absurd in (1, 0xFFFFFFFF):
        line.adapter._set_clock(absurd)
        assert line.board.wall_time() == (100, "none")
    line.board.time = 130
    line.adapter._set_clock(1_795_000_030)
    assert (line.adapter._calls.last.at, line.adapter._calls.last.time_source) == (1_795_000_000, "network")


class TestHandset:
    """Counts how often it was told that all was said."""

    def __init__(self):
        self.told = 0

    def spoken(self):
        self.told += 1


def test_a_prompt_has_been_said_when_the_board_has_played_it():
    line = Line()
    line.board.phone_out_delay_samples = 3 * N
    line.adapter._handset = handset = TestHandset()
    told = []
    for _ in range(5):
        line.adapter.act(N)
        told.append(handset.told)
    assert told == [0, 0, 0, 1, 2]
