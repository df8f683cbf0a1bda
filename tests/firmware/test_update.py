"""The update: what is pushed is checked, written while the line is idle, tried, and confirmed or given back."""

import hashlib
import json
import os
import random

from record_in_memory import Record
from releases import RELEASE_KEY, image_of, release
from slots import Slots
from star57 import update as update_room
from star57.logbook import LogBook
from star57.update import Update

FOLDER = "build/slots-of-test-update"
# 3 sectors and a bit, in 14 parts, of which the last two sectors end in one.
IMAGE = image_of("0.2.0", 3 * 4096 + 700)
SIGNED, SHA256 = release(5, IMAGE)


class PowerCut(Exception):
    """The board has lost its power."""


class Board:
    """A board with two slots, and its own line's time: a block of 160 samples each time the line is looked at."""

    name = "emulated"
    reset_reason = "power_on"

    def __init__(self, slots):
        self.slots = slots
        self.resets = 0
        self.logged = []

    def log(self, text):
        self.logged.append(text)

    def reset(self):
        self.resets += 1
        raise SystemExit


class WatchedSlots(Slots):
    """Slots that say when they are written to, and lose power at the write of number `cut_at`."""

    def __init__(self, folder):
        super().__init__(folder)
        self.written = []
        self.line = None
        self.cut_at = None

    def write(self, offset, data):
        self._one_more()
        super().write(offset, data)
        self.written.append((self.line.samples, offset))

    def begin(self):
        self._one_more()
        super().begin()

    def _one_more(self):
        assert self.line.is_idle
        if self.cut_at is not None:
            self.cut_at -= 1
            if self.cut_at < 0:
                raise PowerCut


class Line:
    """A line whose time passes by a block each time that it is asked for, and that is busy in the given stretches."""

    def __init__(self, busy=()):
        self.samples = 0
        self.busy = busy

    @property
    def is_idle(self):
        return not any(start <= self.samples < end for start, end in self.busy)

    def __call__(self):
        idle = self.is_idle
        self.samples += 0 if idle else 160
        return idle


class Settings:
    release_key = RELEASE_KEY


class Outbox:
    def __init__(self):
        self.pending = []


class Bench:
    """An update at work on a board, which can start anew with what its flash holds."""

    def __init__(self):
        new_folder()
        self.record = Record()
        self.settings = Settings()
        self.line = Line()
        self.start()

    def start(self, reset_reason="power_on"):
        self.slots = WatchedSlots(FOLDER)
        self.slots.line = self.line
        self.board = Board(self.slots)
        self.board.reset_reason = reset_reason
        self.outbox = Outbox()
        self.update = Update(
            self.board, self.record, self.settings, self.line, self.outbox, LogBook(self.board)
        )

    async def push(self, signed=SIGNED, image=IMAGE, part_bytes=960, most=1000):
        """As the service does: offers what the heartbeat says is missing, at most `most` times; how often it did."""
        sha256 = hashlib.sha256(signed).digest().hex()
        for offered in range(most):
            progress = self.update.progress()
            if progress is None or progress["sha256"] != sha256:
                await self.update.take(sha256, None, 0, signed)
            elif progress["state"] == "receiving" and progress["received"] < len(image):
                received = progress["received"]
                part = image[received : received + part_bytes]
                await self.update.take(sha256, self.slots.idle, received, part)
            else:
                return offered
        return most

    @property
    def state(self):
        progress = self.update.progress()
        return None if progress is None else (progress["state"], progress["reason"])

    def tried(self):
        """The second in which it is tried: the board begins anew in the other slot, or not."""
        try:
            self.update.supervise()
        except SystemExit:
            self.start()
            return True
        return False

    def has_passed(self, age_ms):
        """So long ago it has started."""
        self.update._started_at = (self.update._started_at - age_ms) & 0x3FFFFFFF


def new_folder():
    try:
        os.mkdir("build")
    except OSError:
        pass
    try:
        os.mkdir(FOLDER)
    except OSError:
        pass
    for name in ("a.bin", "b.bin", "slots.json"):
        try:
            os.remove(FOLDER + "/" + name)
        except OSError:
            pass
    with open(FOLDER + "/a.bin", "wb") as file:
        file.write(b"star57 0.1.0\n")


def slot_b():
    with open(FOLDER + "/b.bin", "rb") as file:
        return file.read()


async def test_what_is_pushed_is_kept_tried_and_confirmed():
    bench = Bench()
    assert (bench.update.slot, bench.update.progress()) == ("a", None)
    assert await bench.push() == 15
    assert bench.state == ("kept", None)
    assert slot_b() == IMAGE
    assert bench.update.progress() == {
        "release": 5,
        "sha256": SHA256,
        "received": len(IMAGE),
        "state": "kept",
        "reason": None,
    }
    assert bench.tried()
    assert (bench.update.slot, bench.slots.trial, bench.state) == ("b", True, ("trying", None))
    bench.has_passed(59_000)
    bench.update.answered()
    bench.update.supervise()
    assert bench.slots.trial
    bench.has_passed(1000)
    bench.update.supervise()
    assert bench.slots.trial
    bench.update.answered()
    bench.update.supervise()
    assert (bench.slots.trial, bench.state) == (False, ("confirmed", None))
    bench.start()
    assert (bench.update.slot, bench.state) == ("b", ("confirmed", None))
    assert not bench.tried()


async def test_a_version_that_no_service_answers_is_given_back():
    bench = Bench()
    await bench.push()
    assert bench.tried()
    bench.has_passed(599_000)
    assert not bench.tried()
    bench.has_passed(1000)
    assert bench.tried()
    assert (bench.update.slot, bench.state) == ("a", ("returned", "not_healthy"))
    assert not bench.tried()
    bench.start()
    assert bench.state == ("returned", "not_healthy")


async def test_a_version_that_crashes_comes_back_with_the_reason():
    bench = Bench()
    await bench.push()
    assert bench.tried()
    bench.start("watchdog")
    assert (bench.update.slot, bench.state) == ("a", ("returned", "watchdog"))
    assert not bench.tried()


async def test_what_came_back_is_tried_again_when_it_is_pushed_again_and_not_before():
    bench = Bench()
    await bench.push()
    assert bench.tried()
    bench.start("fault")
    assert await bench.push() == 0
    await bench.update.take(SHA256, None, 0, SIGNED)
    assert bench.state == ("receiving", None)
    await bench.push()
    assert bench.tried()
    assert bench.slots.trial


async def test_nothing_is_given_back_or_confirmed_while_the_line_is_busy():
    bench = Bench()
    await bench.push()
    assert bench.tried()
    bench.line.busy = ((0, 1 << 30),)
    bench.has_passed(600_000)
    assert not bench.tried()
    bench.update.answered()
    bench.update.supervise()
    assert bench.slots.trial
    bench.line.busy = ()
    bench.update.supervise()
    assert not bench.slots.trial


async def test_a_request_that_waits_does_not_keep_a_version_that_cannot_send_it():
    bench = Bench()
    await bench.push()
    assert bench.tried()
    bench.outbox.pending.append({})
    bench.has_passed(600_000)
    assert bench.tried()
    assert bench.state == ("returned", "not_healthy")


async def test_requests_go_first():
    bench = Bench()
    bench.outbox.pending.append({})
    assert await bench.push(most=3) == 3
    assert (bench.update.progress(), bench.slots.written) == (None, [])
    bench.outbox.pending.clear()
    await bench.push(most=3)
    bench.outbox.pending.append({})
    await bench.push(most=9)
    assert bench.update.progress()["received"] == 2 * 960
    bench.outbox.pending.clear()
    await bench.push()
    bench.outbox.pending.append({})
    assert not bench.tried()
    bench.outbox.pending.clear()
    assert bench.tried()


async def test_nothing_is_written_while_the_line_is_busy():
    bench = Bench()
    busy = tuple((start, start + 400) for start in range(0, 40_000, 1000))
    bench.line.busy = busy
    looks = 0
    while bench.state != ("kept", None):
        bench.line.samples += 37
        await bench.push(most=1)
        looks += 1
        assert looks < 10_000
    assert len(bench.slots.written) == 4
    for samples, _ in bench.slots.written:
        assert not any(start <= samples < end for start, end in busy)
    assert slot_b() == IMAGE


async def test_a_line_that_gets_busy_between_two_sectors_stops_the_second():
    size = 4096 + 500
    image = image_of("0.2.0", size)
    signed, sha256 = release(7, image)
    bench = Bench()
    await bench.push(signed, image, most=5)
    assert (bench.update.progress()["received"], bench.slots.written) == (4 * 960, [])
    looks = []

    def lifted():
        looks.append(None)
        return len(looks) != 3  # before the part, before the first sector, before the second

    bench.update._line_idle = lifted
    last = image[4 * 960 :]
    await bench.update.take(sha256, "b", 4 * 960, last)
    assert [offset for _, offset in bench.slots.written] == [0]
    assert bench.update.progress()["received"] == 4 * 960
    await bench.update.take(sha256, "b", 4 * 960, last)
    assert [offset for _, offset in bench.slots.written] == [0, 0, 4096]
    assert (bench.state, slot_b()) == (("kept", None), image)


async def test_refusals():
    damaged = bytearray(SIGNED)
    damaged[500] ^= 1
    too_large = release(5, b"x" * 100, sha256=None)[0]
    cases = (
        (bytes(damaged), "bad_signature", 0),
        (release(5, IMAGE, board="pico")[0], "other_board", 0),
    )
    for signed, reason, number in cases:
        bench = Bench()
        await bench.push(signed)
        assert bench.state == ("refused", reason)
        assert (bench.update.progress()["release"], bench.slots.written) == (number, [])
        assert not bench.tried()
    bench = Bench()
    bench.settings.release_key = ""
    await bench.push()
    assert bench.state == ("refused", "no_release_key")
    bench = Bench()
    bench.slots.room_bytes = 99
    await bench.push(too_large)
    assert bench.state == ("refused", "too_large")
    await bench.update.take("0" * 64, None, 0, SIGNED)
    assert bench.state == ("refused", "malformed")


async def test_a_release_that_is_not_newer_is_refused():
    bench = Bench()
    await bench.push()
    bench.tried()
    bench.has_passed(60_000)
    bench.update.answered()
    bench.update.supervise()
    assert bench.state == ("confirmed", None)
    for number in (1, 4, 5):
        await bench.push(release(number, IMAGE, version="other")[0])
        assert bench.state == ("refused", "old_release")
    await bench.update.take(SHA256, None, 0, SIGNED)
    assert bench.state == ("refused", "old_release")
    bench.start()
    assert bench.state == ("confirmed", None)
    await bench.update.take(SHA256, None, 0, SIGNED)
    assert bench.state == ("confirmed", None)


async def test_a_byte_changed_on_the_way_is_found_at_the_end():
    for place in (0, 4095, 4096, len(IMAGE) - 1):
        image = bytearray(IMAGE)
        image[place] ^= 4
        bench = Bench()
        await bench.push(image=bytes(image))
        assert bench.state == ("refused", "damaged")
        assert not bench.tried()


async def test_a_flash_that_does_not_take_it():
    def write(offset, data):
        raise OSError(5)

    bench = Bench()
    bench.slots.write = write
    await bench.push()
    assert bench.state == ("refused", "flash")


async def test_what_is_out_of_turn_is_passed_by():
    random.seed(7)
    bench = Bench()
    await bench.push(most=3)
    for _ in range(2000):
        progress = bench.update.progress()
        offset = random.choice((0, 960, 1920, 2880, 4096, 12_000, 12_988, 1 << 19, random.randrange(13_000)))
        slot = random.choice(("a", "b"))
        length = random.choice((1, 959, 960, random.randrange(1, 961)))
        sha256 = random.choice((SHA256, "0" * 64))
        is_next = (sha256, slot, offset) == (SHA256, "b", progress["received"])
        if not (is_next and offset + length <= len(IMAGE)):
            await bench.update.take(sha256, slot, offset, bytes(length))
            assert bench.update.progress() == progress
    await bench.push()
    assert (bench.state, slot_b()) == (("kept", None), IMAGE)


async def test_parts_of_any_size_make_the_same():
    random.seed(8)
    for part_bytes in (13, 959, 512, random.randrange(1, 961)):
        bench = Bench()
        await bench.push(part_bytes=part_bytes, most=2000)
        assert (bench.state, slot_b()) == (("kept", None), IMAGE)


async def test_another_release_takes_the_place_of_one_on_its_way():
    bench = Bench()
    await bench.push(most=8)
    other = image_of("0.3.0", 5000)
    signed, _ = release(8, other, version="0.3.0")
    await bench.push(signed, other)
    assert (bench.state, slot_b()) == (("kept", None), other)
    assert bench.update.progress()["release"] == 8


async def test_after_a_power_cut_it_goes_on_where_the_flash_has_it():
    image = image_of("0.2.0", 65536 + 20_000)
    signed, _ = release(9, image)
    bench = Bench()
    await bench.push(signed, image, most=80)
    assert bench.update.progress()["received"] == 79 * 960
    bench.start()
    assert bench.update.progress()["received"] == 65536
    await bench.push(signed, image)
    assert (bench.state, slot_b()) == (("kept", None), image)


async def test_power_cuts_at_any_write():
    random.seed(9)
    image = image_of("0.2.0", 2 * 65536 + 700)
    signed, _ = release(10, image)
    for _ in range(6):
        bench = Bench()
        starts = 0
        while bench.state != ("kept", None):
            bench.slots.cut_at = random.randrange(30)
            try:
                await bench.push(signed, image)
            except PowerCut:
                with open(FOLDER + "/b.bin", "ab") as file:  # a sector that was not yet erased
                    file.write(b"\x55" * random.randrange(4096))
                bench.start()
            starts += 1
            assert starts < 200
        assert slot_b()[: len(image)] == image
        assert bench.tried()


async def test_power_cuts_around_the_try():
    bench = Bench()
    await bench.push()
    bench.update._push["state"] = update_room.TRYING
    bench.update._keep()
    bench.start()  # before the selector knew of it
    assert bench.state == ("kept", None)
    assert bench.tried()
    bench.slots.confirm()
    bench.start()  # before the record knew of it
    assert bench.state == ("confirmed", None)
    assert bench.update._newest_release == 5


async def test_a_record_that_cannot_be_written_begins_no_try():
    bench = Bench()
    await bench.push()
    bench.record.broken = True
    assert not bench.tried()
    assert bench.state == ("kept", None)
    bench.record.broken = False
    assert bench.tried()


async def test_a_trial_that_no_record_knows_is_confirmed_all_the_same():
    bench = Bench()
    await bench.push()
    assert bench.tried()
    for payload in (None, b"{", b"[]", b'{"release":1,"push":{}}', b'{"release":null,"push":null}'):
        bench.record.payload = payload
        bench.update = Update(
            bench.board, bench.record, bench.settings, bench.line, bench.outbox, LogBook(bench.board)
        )
        assert bench.update.progress() is None
    bench.has_passed(60_000)
    bench.update.answered()
    bench.update.supervise()
    assert not bench.slots.trial


async def test_what_the_bench_has_flashed_since_is_no_confirmed_push():
    bench = Bench()
    await bench.push()
    bench.tried()
    bench.has_passed(60_000)
    bench.update.answered()
    bench.update.supervise()
    with open(FOLDER + "/slots.json", "w") as file:
        json.dump({"good": "a", "trial": None, "returned": False}, file)
    bench.start()
    assert (bench.update.slot, bench.state) == ("a", None)
    await bench.push(release(4, IMAGE)[0])
    assert bench.state == ("refused", "old_release")


async def test_on_trial_nothing_is_taken():
    bench = Bench()
    await bench.push()
    assert bench.tried()
    other = release(6, IMAGE, version="0.3.0")
    await bench.update.take(other[1], None, 0, other[0])
    assert bench.state == ("trying", None)


async def test_a_board_without_a_second_slot_takes_nothing():
    bench = Bench()
    bench.board.slots = None
    update = Update(bench.board, Record(), bench.settings, bench.line, bench.outbox, LogBook(bench.board))
    await update.take(SHA256, None, 0, SIGNED)
    update.answered()
    update.supervise()
    assert (update.slot, update.progress()) == (None, None)
