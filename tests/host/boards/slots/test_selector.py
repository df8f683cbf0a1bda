"""The boot selector's decisions and records: whatever moment the power goes, a whole firmware begins."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from host_tools.rig.flash_image import PAGE_BYTES, RECORDS_BYTES, SECTOR_BYTES, first_records
from tests.host.boards.slots.flash_in_memory import (
    DONE,
    FOREVER,
    LAYOUT,
    NONE,
    POWER_LOST,
    REFUSED,
    Do,
    FlashInMemory,
    compile_library,
    compiler,
    firmware,
)

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler is here")

A, B = 0, 1
OLD = firmware("a", 0x11)
NEW = firmware("b", 0x22)
RECORD_BYTES = 16
RECORDS = RECORDS_BYTES // RECORD_BYTES


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_library(tmp_path_factory.mktemp("selector"))


@pytest.fixture
def flash(library: Path) -> FlashInMemory:
    flash = FlashInMemory.of(library)
    flash.fresh(OLD)
    return flash


def try_new(flash: FlashInMemory) -> None:
    assert flash.boot() == A
    assert flash.install(A, NEW) == DONE
    assert flash.boot() == B


def test_a_board_that_was_flashed_begins_in_slot_a_and_writes_nothing(flash: FlashInMemory) -> None:
    assert flash.boot() == A
    assert flash.writes == 0


def test_what_is_confirmed_stays(flash: FlashInMemory) -> None:
    try_new(flash)
    assert flash.do(Do.CONFIRM, B) == DONE
    assert [flash.boot() for _ in range(3)] == [B, B, B]
    assert not flash.returned


def test_what_is_not_confirmed_comes_back_and_may_be_tried_again(flash: FlashInMemory) -> None:
    for _ in range(3):
        assert flash.install(A, NEW) == DONE
        assert flash.boot() == B
        assert flash.boot() == A
        assert flash.returned
    assert flash.do(Do.WANT, A) == DONE
    assert flash.boot() == B


def test_a_confirmed_firmware_is_followed_by_the_next_in_the_first_slot(flash: FlashInMemory) -> None:
    try_new(flash)
    assert flash.do(Do.CONFIRM, B) == DONE
    assert flash.install(B, firmware("a", 0x33)) == DONE
    assert flash.boot() == A
    assert flash.do(Do.CONFIRM, A) == DONE
    assert flash.boot() == A


def test_the_way_back_is_not_written_over_during_a_trial(flash: FlashInMemory) -> None:
    try_new(flash)
    assert flash.do(Do.EMPTY, B) == REFUSED
    assert flash.do(Do.WRITE, B, 0, b"\0" * 16) == REFUSED
    assert flash.do(Do.WANT, B) == REFUSED
    assert flash.slot("a", len(OLD)) == OLD


@pytest.mark.parametrize(
    ("offset", "data"),
    [(1, b"1"), (256, b"1"), (8192, b"1"), (0xFFFFF000, b"1"), (0, b""), (0, b"1" * (SECTOR_BYTES + 1))],
)
def test_what_does_not_fit_is_refused(flash: FlashInMemory, offset: int, data: bytes) -> None:
    assert flash.do(Do.WRITE, A, offset, data) == REFUSED
    assert flash.writes == 0


@pytest.mark.parametrize("at", [0, 4, 8, 12, 16, 255, 256, 260, 3000, len(NEW) - 1])
def test_one_wrong_bit_is_never_begun(flash: FlashInMemory, at: int) -> None:
    for bit in range(8):
        broken = bytearray(NEW)
        broken[at] ^= 1 << bit
        flash.fresh(OLD)
        assert flash.install(A, bytes(broken)) == REFUSED
        assert flash.boot() == A


def test_a_firmware_for_the_other_slot_is_never_begun(flash: FlashInMemory) -> None:
    assert flash.install(A, firmware("a", 0x22)) == REFUSED


def test_a_firmware_that_goes_bad_before_its_trial_comes_back(flash: FlashInMemory) -> None:
    assert flash.install(A, NEW) == DONE
    flash.put(LAYOUT.slot_offset("b") + 5000, b"\0")
    assert flash.boot() == A
    assert flash.returned
    assert flash.boot() == A


def test_when_the_good_one_has_gone_bad_the_other_becomes_it(flash: FlashInMemory) -> None:
    try_new(flash)
    assert flash.do(Do.CONFIRM, B) == DONE
    flash.put(LAYOUT.slot_offset("b") + 5000, b"\0")
    assert flash.boot() == A
    assert flash.install(A, NEW) == DONE, "it is the good one now, and the other may be written"
    flash.put(LAYOUT.slot_offset("a"), b"\0")
    flash.put(LAYOUT.slot_offset("b"), b"\0")
    assert flash.boot() == NONE


def test_without_records_a_whole_firmware_begins(flash: FlashInMemory) -> None:
    flash.put(LAYOUT.records_offset, b"\xff" * RECORDS_BYTES)
    assert flash.boot() == A
    flash.put(LAYOUT.records_offset, b"\x57" * RECORDS_BYTES)
    assert flash.boot() == A
    flash.put(LAYOUT.slot_offset("b"), NEW)
    flash.put(LAYOUT.slot_offset("a"), b"\0")
    assert flash.boot() == B


def test_half_a_record_counts_for_nothing(flash: FlashInMemory) -> None:
    assert flash.install(A, NEW) == DONE
    record = LAYOUT.records_offset + RECORD_BYTES
    whole = flash.content
    for count in range(RECORD_BYTES):
        flash.content = whole
        flash.put(record + count, b"\xff" * (RECORD_BYTES - count))
        assert (flash.boot(), flash.returned) == (A, False)
    for at in range(RECORD_BYTES * 8):
        flash.content = whole
        flash.put(record + at // 8, bytes([whole[record + at // 8] ^ 1 << at % 8]))
        assert (flash.boot(), flash.returned) == (A, False)


def test_records_go_round_both_sectors_many_times(flash: FlashInMemory) -> None:
    """Three records a try: the newest one is found in either sector, and an update is never lost at a turn."""
    running = A
    for number in range(RECORDS):
        assert flash.install(running, firmware("ba"[running], number % 251)) == DONE
        running = 1 - running
        assert flash.boot() == running
        assert flash.do(Do.CONFIRM, running) == DONE
        assert flash.boot() == running


def test_the_power_may_go_at_any_moment_of_an_update(flash: FlashInMemory) -> None:
    """At every write of an update from beginning to confirmation, before it, within it and behind it; then again at
    every write of the boot that follows. What begins is whole, and nothing but a trial ends by itself."""
    rng = random.Random(57)
    for place in (1, RECORDS // 2 - 2, RECORDS // 2 - 1, RECORDS - 2, RECORDS - 1):
        start = _with_records(flash, place)
        count = _update(flash, start, FOREVER, 0)
        assert count > 25
        for writes in range(count):
            for part in (0, 1, rng.randrange(2, 255), rng.randrange(256, 4095)):
                _update(flash, start, writes, part)
                _check_boots(flash, rng)


def _with_records(flash: FlashInMemory, place: int) -> bytes:
    """A flash whose next record goes to `place`."""
    flash.fresh(OLD)
    for _ in range((place - 1) // 3):
        assert flash.install(A, NEW) == DONE
        assert (flash.boot(), flash.boot()) == (B, A)
    while flash.content[LAYOUT.records_offset + RECORD_BYTES * (place - 1)] == 0xFF:
        assert flash.do(Do.WANT, A) == DONE
    return flash.content


def _update(flash: FlashInMemory, start: bytes, writes: int, part: int) -> int:
    flash.content = start
    flash.power(writes, part)
    if flash.install(A, NEW) == DONE and flash.boot() == B:
        flash.do(Do.CONFIRM, B)
    return flash.writes


def _check_boots(flash: FlashInMemory, rng: random.Random) -> None:
    left = flash.content
    flash.power(FOREVER)
    begun = flash.boot()
    _check_begun(flash, begun)
    for writes in range(flash.writes):
        for part in (0, 1, rng.randrange(2, 255), rng.randrange(256, 4095)):
            flash.content = left
            flash.power(writes, part)
            assert flash.boot() == POWER_LOST
            flash.power(FOREVER)
            _check_begun(flash, flash.boot())


def _check_begun(flash: FlashInMemory, begun: int) -> None:
    assert begun in (A, B)
    assert flash.is_whole("ab"[begun])
    assert flash.slot("a", len(OLD)) == OLD
    if begun == B:
        assert flash.slot("b", len(NEW)) == NEW
    flash.power(FOREVER)
    again = flash.boot()
    assert again == A or (begun == B and flash.writes == 0), "a trial that nobody confirmed comes back"
    assert flash.boot() == again


def test_flashing_over_it_may_be_cut_at_any_page(flash: FlashInMemory) -> None:
    """A UF2 goes upwards, and the selector's own sector comes last: what is whole begins."""
    try_new(flash)
    assert flash.do(Do.CONFIRM, B) == DONE
    newest = firmware("a", 0x44, size=8192)
    image = first_records() + newest
    begun = []
    for done in range(PAGE_BYTES, len(image) + 1, PAGE_BYTES):
        sector = (done - 1) // SECTOR_BYTES * SECTOR_BYTES
        flash.put(LAYOUT.records_offset + sector, image[sector:done].ljust(SECTOR_BYTES, b"\xff"))
        left = flash.content
        begun.append(flash.boot())
        assert flash.is_whole("ab"[begun[-1]])
        flash.content = left
    assert begun[-1] == A
    assert flash.slot("a", len(newest)) == newest
    in_pieces = begun[RECORDS_BYTES // PAGE_BYTES : -1]
    assert in_pieces == [B] * (len(newest) // PAGE_BYTES - 1)
