"""Boot selector and slots in the image, on an emulated Pico: a try that comes back, one that stays, and cuts of power.

A second of the Pico's time takes this machine one or more, and each of these tests begins it several times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest

from host_tools.rig.flash_image import SECTOR_BYTES
from tests.host.boards.slots.pico_with_slots import (
    BEGUN,
    LAYOUT,
    WANTED,
    PicoWithSlots,
    flash_with,
    put,
    record,
    slot_binary,
)
from tests.host.stories.on_a_pico import needs_emulated_pico

pytestmark = needs_emulated_pico

TELL = """
import machine
from rp2040.slots import Slots
uart = machine.UART(0, 115200)
def tell(*words):
    uart.write("slots " + " ".join(map(str, words)) + "\\n")
    uart.flush()
slots = Slots(machine.reset)
tell(slots.running, slots.trial, slots.returned)
"""

INSTALL_AND_CONFIRM = (
    TELL
    + """
def install():
    with open("first.bin", "rb") as file:
        first = file.read()
    slots.begin()
    for start in range(0, len(first), 4096):
        slots.write(start, first[start : start + 4096])
    for digest in slots.sha256(len(first)):
        pass
    tell(digest.hex())
    slots.try_other()
if slots.running == "a":
    install()
elif slots.trial:
    slots.confirm()
    tell("confirmed", slots.trial)
"""
)

HANG_ON_TRIAL = (
    TELL
    + """
if slots.trial:
    machine.WDT(timeout=50)
    while True:
        pass
"""
)

REFUSALS_ON_TRIAL = (
    TELL
    + """
def refusal(action, *values):
    try:
        action(*values)
    except OSError as refused:
        return refused.errno
tell(refusal(slots.begin), refusal(slots.write, 0, b"1"), refusal(slots.try_other))
"""
)

Start = Callable[[bytes], PicoWithSlots]
FIRST_BYTES = SECTOR_BYTES


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[PicoWithSlots] = []

    def begin(flash: bytes) -> PicoWithSlots:
        pico = PicoWithSlots(flash)
        started.append(pico)
        pico.start()
        return pico

    yield begin
    for pico in started:
        pico.stop()


def with_most_of_b(program: str) -> bytes:
    """A flash whose slot b lacks what the program puts there: writing all of it would take the Pico some seconds."""
    binary = slot_binary("b")
    slot_b = b"\x57" * FIRST_BYTES + binary[FIRST_BYTES:]
    return flash_with(program, slot_b, first=binary[:FIRST_BYTES])


def test_a_firmware_that_is_written_tried_and_confirmed_stays(start: Start) -> None:
    pico = start(with_most_of_b(INSTALL_AND_CONFIRM))
    pico.run_until_told("confirmed False")
    pico.power_cut()
    pico.start()
    pico.run_until_told("started after power_on")
    digest = hashlib.sha256(slot_binary("b")[:FIRST_BYTES]).hexdigest()
    assert pico.told == [
        "slots a False False",
        f"slots {digest}",
        "slots b True False",
        "slots confirmed False",
        "slots b False False",
    ]
    assert not pico.relay_has_moved


def test_the_power_may_go_at_any_moment(start: Start) -> None:
    """What is in the flash after a write of an update would be there if the power went then.

    test_selector.py looks at every write; these are three: in the middle, the wish to try, the trial's beginning.
    """
    pico = start(with_most_of_b(INSTALL_AND_CONFIRM))
    states = []
    writes = 0

    def note() -> bool:
        nonlocal writes
        if pico.flash_writes > writes:
            writes = pico.flash_writes
            states.append(pico.flash)
        return any(line.endswith("confirmed False") for line in pico.told)

    pico.run_until(note, n=16)
    assert len(states) > FIRST_BYTES // 256
    begun = []
    for state in [states[len(states) // 2], *states[-3:-1]]:
        again = start(put_program(state, TELL))
        again.run_until_its_program_tells()
        begun.append(again.told[-1])
        assert not again.relay_has_moved
    assert begun == [
        "slots a False False",
        "slots b True False",
        "slots a False True",
    ]


def put_program(flash: bytes, program: str) -> bytes:
    """The flash with another file system."""
    start = len(flash) - LAYOUT.storage_bytes
    return put(flash, start, flash_with(program)[start:])


def test_a_trial_that_hangs_comes_back_through_the_watchdog_and_says_so(start: Start) -> None:
    flash = flash_with(HANG_ON_TRIAL, slot_binary("b"))
    pico = start(record(flash, 1, "a", WANTED))
    pico.run_until_told("started after watchdog")
    assert pico.told == ["slots b True False", "slots a False True"]
    assert not pico.relay_has_moved


def test_a_trial_cannot_touch_the_way_back(start: Start) -> None:
    pico = start(record(flash_with(REFUSALS_ON_TRIAL, slot_binary("b")), 1, "a", WANTED))
    pico.run_until_told("22 22 22")
    binary = slot_binary("a")
    assert pico.flash[LAYOUT.slot_offset("a") :][: len(binary)] == binary


def test_a_firmware_that_is_not_whole_is_never_begun(start: Start) -> None:
    broken = put(slot_binary("b"), 300_000, b"\x57\x57\x57\x57")
    pico = start(record(flash_with(TELL, broken), 1, "a", WANTED))
    pico.run_until_told("False True")
    assert pico.told == ["slots a False True"]


def test_the_other_begins_when_the_good_one_is_not_whole(start: Start) -> None:
    flash = put(flash_with(TELL, slot_binary("b")), LAYOUT.slot_offset("a") + 300_000, b"\x57\x57\x57\x57")
    pico = start(record(flash, 1, "a", BEGUN))
    pico.run_until_told("False True")
    assert pico.told == ["slots b False True"]


def test_with_no_whole_firmware_the_relay_rests_and_nothing_begins(start: Start) -> None:
    flash = put(flash_with(TELL), LAYOUT.slot_offset("a"), b"\0\0\0\0")
    pico = start(flash)
    with pytest.raises(TimeoutError):
        pico.run_until(lambda: bool(pico.log), most_s=0.3)
    assert not pico.relay_has_moved
    assert pico.flash == flash
