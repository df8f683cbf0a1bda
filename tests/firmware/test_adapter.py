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
from record_in_memory import Record
from star57.adapter import Adapter
from star57.dsp.tones import DtmfSender, ToneSender
from star57.line.state import DIALLING, DIALOGUE, IDLE, IN_CALL, RINGING
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
    "update": None,
}


class TestBoard:
    """The Board of docs/seams.md, fed by the test."""

    name = "test"
    version = "0"
    commit = "0123abc"
    serial = None
    console = None
    slots = None
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


def test_whatever_happens_the_relay_is_held_for_five_minutes_at_the_most():
    line = Line()
    line.hook(1)
    line.blocks(10)
    line.hear(dtmf("*57"))
    line.block()
    line.adapter._bypass._held_samples = 8 * 299_000
    line.blocks(50)
    assert line.board.energised  # the dialogue itself has not run: nothing but time ends this
    line.blocks(2)
    assert not line.board.energised
    line.blocks(50)
    assert not line.board.energised
    line.hook(0)
    line.blocks(60)
    line.hook(1)
    line.blocks(10)
    line.hear(dtmf("*57"))
    line.block()
    assert line.board.energised


class Observer:
    """Remembers what it was told."""

    def __init__(self):
        self.calls = []
        self.lines = []

    def call(self, call, what):
        self.calls.append((what, call.call_id[:2]))

    def line(self, state):
        self.lines.append(state)


def observed():
    line = Line()
    observer = Observer()
    line.adapter._observers = (observer,)
    return line, observer


def test_observers_are_told_of_a_call_that_nobody_answers():
    line, observer = observed()
    line.ring()
    line.blocks(330)
    assert observer.calls == [("ringing", "01"), ("ended", "01")]
    assert observer.lines == [RINGING, IDLE]


def test_observers_are_told_of_a_call_that_is_answered_and_of_one_that_waits_and_gives_up():
    line, observer = observed()
    line.ring()
    line.hook(1)
    line.blocks(20)
    line.hear(subscriber_alert())
    line.blocks(700)
    assert observer.calls == [
        ("ringing", "01"),
        ("answered", "01"),
        ("waiting", "02"),
        ("ended", "02"),
    ]
    line.hook(0)
    line.blocks(60)
    assert observer.calls[4:] == [("ended", "01")]
    assert observer.lines == [RINGING, IN_CALL, IDLE]


def test_a_flash_answers_the_call_that_waits_and_hanging_up_ends_both():
    line, observer = observed()
    line.ring()
    line.hook(1)
    line.blocks(20)
    line.hear(subscriber_alert())
    line.blocks(40)
    line.hook(0)
    line.blocks(30)
    line.hook(1)
    line.blocks(20)
    line.hook(0)
    line.blocks(60)
    assert observer.calls[2:] == [("waiting", "02"), ("answered", "02"), ("ended", "01"), ("ended", "02")]
    assert line.adapter._calls.last.answered


def test_digits_behind_a_flash_that_took_a_call_are_that_calls():
    line, observer = observed()
    line.hook(1)
    line.blocks(20)
    line.hear(dtmf("5"))
    line.hear(subscriber_alert())
    line.blocks(40)
    line.hook(0)
    line.blocks(30)
    line.hook(1)
    line.blocks(20)
    line.hear(dtmf("*57"))
    line.blocks(5)
    assert observer.calls == [("waiting", "01"), ("answered", "01")]
    assert not line.board.energised


def test_a_call_ends_once_though_its_far_end_is_still_there_when_the_phone_is_lifted_again():
    line, observer = observed()
    line.ring()
    line.hook(1)
    line.blocks(20)
    line.hook(0)
    line.blocks(60)
    line.hook(1)
    line.blocks(10)
    line.hear(dtmf("*57"))
    line.block()
    assert line.board.energised
    line.hook(0)
    line.blocks(60)
    assert observer.calls == [("ringing", "01"), ("answered", "01"), ("ended", "01")]
    assert observer.lines == [RINGING, IN_CALL, IDLE, DIALLING, DIALOGUE, IDLE]


def test_observers_are_told_of_a_trace_with_its_call():
    line, observer = observed()
    line.ring()
    line.blocks(330)
    call_id = line.adapter._calls.last.call_id
    line.adapter._outbox._record = Record()
    line.adapter._outbox.add({"request_id": "1", "call": {"call_id": call_id}})
    answer = {"outcome": "traced", "charge_cents": 500, "action_open": False}
    line.adapter._outbox.settle("1", answer)
    assert observer.calls[-1] == ("traced", "01")
    assert line.adapter._calls.last.trace_outcome == "traced"


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


CODES = ("*57", "1157", "*51", "1151", "*52", "1152", "*53", "1153", "*54", "1154")


def strings_of_digits(count):
    """Random digits that no code of ours begins; many begin as one does. The generator's seed is fixed."""
    state = 57
    while count:
        digits = ""
        for _ in range(9):
            state = (state * 1103515245 + 12345) & 0x3FFFFFFF
            digits += ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#", "*5", "115", "11", "")[
                state >> 26
            ]
        if not any(digits.startswith(code) for code in CODES):
            yield digits
            count -= 1


def test_what_is_no_code_of_ours_moves_no_relay_and_adds_no_sample():
    line = Line()
    for digits in strings_of_digits(12):
        line.hook(1)
        line.blocks(3)
        for start in range(0, len(digits), 4):
            line.hear(dtmf(digits[start : start + 4]))
            assert not line.board.energised, digits
            assert not line.board.coupled, digits
            assert not any(line.board.phone_out), digits
        line.hook(0)
        line.blocks(56)


class Host:
    """The stream of a serial link, and a host behind it that answers each heartbeat with the time."""

    def __init__(self):
        self.asked = []
        self.numbers = []
        self.notices = []
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
        if kind == "e":
            self.notices.append(json.loads(payload)["notice"])
            return
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
    assert board.serial.notices == ["alive"]
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
    for overdue in range(6):
        board = provisioned()
        adapter = Adapter(board)
        adapter._links.tasks[overdue].checked_in = lambda: False
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
