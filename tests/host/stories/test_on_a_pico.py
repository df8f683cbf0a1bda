"""The firmware on the emulated Pico: what a household, a technician and a bad day do to the image that is flashed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench import peers
from host_tools.exchange.levels import Samples, dbm0_of
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.listening import hear
from host_tools.rig.pico_firmware import PicoSettings
from host_tools.stories.catalogue import CALLER, STORIES, Scene, Story
from host_tools.stories.performance import perform
from host_tools.stories.stage import Script, Stage
from tests.host.stories.conftest import CALL, LINE, a_call
from tests.host.stories.on_a_pico import PicoLine, needs_emulated_pico

pytestmark = needs_emulated_pico

LEAST_FREE_HEAP_BYTES = 120_000
BOOT_TO_FIRST_SAMPLE_S = 1.0
DIGIT_TO_PROMPT_S = 0.150
KEY_S = 0.160  # 80 ms of tone, 80 ms of pause
TONE_S = 0.080

BEATS_OFTEN = b"""
from star57.link.heartbeat import Heartbeat

made = Heartbeat.__init__
Heartbeat.__init__ = lambda self, *arguments, **named: made(self, *arguments, period_ms=3000, **named)
"""
"""A boot.py: a heartbeat every 3 s."""

BUSY = (
    BEATS_OFTEN
    + b"""
import gc
import machine

turns = 0

def busy(_timer):
    global turns
    turns += 1
    gc.collect()
    if turns % 3 == 0:
        with open("/busy", "wb") as file:
            file.write(bytes(3000))

timer = machine.Timer(period=100, callback=busy)
"""
)
"""A boot.py: collects ten times a second, and writes a file three times a second."""

HANGS = b"""
import machine

def hang(_timer):
    while True:
        pass

if machine.reset_cause() == machine.PWRON_RESET:
    timer = machine.Timer(period=2000, mode=machine.Timer.ONE_SHOT, callback=hang)
"""

FAILS = b"""
import asyncio
import machine
from star57.sound.handset import Handset

async def fails(self, *_):
    await asyncio.sleep_ms(300)
    raise RuntimeError("sabotaged")

if machine.reset_cause() == machine.PWRON_RESET:
    Handset.say = fails
"""
"""A boot.py: the dialogue fails while the phone is on the adapter."""


def brief(scene: Scene) -> Script:
    """A call rings once and sends caller ID; it is traced; the household hangs up when it has heard so."""
    stage = scene.stage
    yield from stage.wait(0.6)
    stage.office.incoming_call(CALL)
    yield from stage.wait(5.0)
    stage.office.caller_clears()
    yield from stage.wait(6.0)
    stage.lift()
    yield from stage.wait(0.5)
    yield from stage.press("*57")
    yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)
    yield from stage.wait(2.0)
    yield from stage.press("1")
    yield from stage.wait(5.0)
    stage.hang_up()
    yield from stage.wait(1.0)


def after_boot(stage: Stage) -> Script:
    yield from stage.wait(0.6)


def idle(stage: Stage, seconds: float) -> Script:
    yield from stage.wait(seconds)


@pytest.fixture(scope="module")
def idle_line() -> Iterator[PicoLine]:
    """A Pico that was switched on 3 s ago."""
    with PicoLine() as line:
        line.stage.play(idle(line.stage, 3.0))
        yield line


def test_a_call_is_traced_over_uart0_and_the_household_hears_it_from_the_pwm(tmp_path: Path) -> None:
    performance = perform(Story("brief", "", LINE, brief), tmp_path / "brief", lambda _event: None, "pico")
    result = performance.result
    assert result.caller_id is not None
    assert (result.caller_id["number"], result.caller_id["name"]) == (CALLER, "A CALLER")
    assert (result.outcome, result.trace_id, result.charge_cents) == ("traced", "T-00000001", 500)
    heard = " | ".join(result.heard)
    assert "This is call trace." in heard
    assert "The last call was traced." in heard
    assert not performance.stage.pair.recording.relay_energised[-1]
    log = (performance.folder / "firmware.log").read_text()
    assert CALLER not in log


def test_it_listens_within_a_second_of_power_on(idle_line: PicoLine) -> None:
    (first_sample,) = idle_line.pico.latest("first sample")
    assert first_sample.at_s < BOOT_TO_FIRST_SAMPLE_S


def test_it_tells_what_it_is_and_how_it_is(idle_line: PicoLine) -> None:
    heartbeat = idle_line.desk.last_heartbeat
    built = json.loads(IMAGE.with_suffix(".json").read_text())
    assert (heartbeat.board, heartbeat.firmware, heartbeat.commit) == (
        "pico",
        built["version"],
        built["commit"],
    )
    assert (heartbeat.reset_reason, heartbeat.adapter_id, heartbeat.outbox) == ("power_on", "test-01", 0)
    assert (heartbeat.lost_samples, heartbeat.underruns) == (0, 0)
    assert heartbeat.free_heap_bytes >= LEAST_FREE_HEAP_BYTES
    assert f"star57 {built['version']}, commit {built['commit']} on pico" in idle_line.pico.log


def test_the_relay_rests_while_nobody_dials(idle_line: PicoLine) -> None:
    moves = idle_line.pico.latest("pin 8")
    assert moves
    assert all(happening.value == 0 for happening in moves)


def test_the_status_led_turns_over_each_time_that_every_task_has_checked_in(idle_line: PicoLine) -> None:
    turns = [happening.at_s for happening in idle_line.pico.latest("pin 25", since_s=1.0)]
    assert len(turns) == 2
    assert turns[1] - turns[0] == pytest.approx(1.0, abs=0.05)


def dials_at_once(stage: Stage) -> Script:
    yield from after_boot(stage)
    stage.lift()
    yield from stage.press("*57")
    yield from stage.wait(1.5)


def test_it_listens_from_the_moment_the_phone_is_lifted_and_speaks_at_once() -> None:
    with PicoLine() as line:
        stage = line.stage
        stage.play(dials_at_once(stage))
        dialled_at_s = next(event.at_s for event in stage.events if event.what.startswith("dials"))
        last_digit_ended_s = dialled_at_s + 2 * KEY_S + TONE_S
        sound = line.pico.latest("sound")[0]
        assert stage.relay_energised
        assert sound.at_s - last_digit_ended_s < DIGIT_TO_PROMPT_S
        assert sound.at_s > line.pico.latest("pin 8")[-1].at_s, (
            "the phone was on the adapter before the first word"
        )


@pytest.mark.thorough
def test_what_the_phone_hears_begins_and_ends_without_a_click() -> None:
    with PicoLine() as line:
        stage = line.stage
        stage.play(dials_at_once(stage))
        audio = np.concatenate(stage.pair.recording.phone_heard)
        energised = np.repeat(stage.pair.recording.relay_energised, 160)
        spoken = audio[energised]
        first = int(np.flatnonzero(np.abs(spoken) > 40)[0])
        assert abs(int(spoken[first])) < 2000
        assert dbm0_of(spoken[: first - 1]) < -60


@pytest.mark.thorough
def test_reorder_tone_from_the_pwm_is_known_by_our_receivers_and_by_spandsp() -> None:
    settings = {"adapter_id": "test-01", "line": LINE, "trace_offered": False}
    with PicoLine(PicoSettings(files={"settings.json": json.dumps(settings).encode()})) as line:
        line.stage.play(dials_at_once(line.stage))
        line.stage.play(idle(line.stage, 2.0))
        recording = line.stage.pair.recording
    audio = np.concatenate(recording.phone_heard)[np.repeat(recording.relay_energised, 160)]
    (tone,) = [tone for tone in hear(audio).tones if tone["fact"] == "progress"]
    assert (tone["tone"], tone["frequencies_hz"], tone["countries"]) == ("reorder", [480, 620], ["US"])
    # How near the receiver comes depends on where between two of its steps the tone begins.
    assert (tone["on_ms"], tone["off_ms"]) == (pytest.approx(250, abs=6), pytest.approx(250, abs=6))
    assert tone["level_dbm0"] == -21
    spandsp = peers.spandsp()
    if spandsp is not None:
        assert spandsp.hears_tone(audio, 480, 620, 250, 250)


SLOW_WRITE = (
    BEATS_OFTEN
    + b"""
import machine

def write(_timer):
    with open("/slow", "wb") as file:
        file.write(bytes(3000))

timer = machine.Timer(period=2500, mode=machine.Timer.ONE_SHOT, callback=write)
"""
)
"""A boot.py: a file is written 2.5 s after power-on, while the household is spoken to."""


@pytest.mark.thorough
def test_what_comes_too_late_is_counted_left_out_and_puts_nothing_off() -> None:
    """A sector of 400 ms is more than the lead: the gap is as long as it must be, and what follows is in its place."""
    with PicoLine() as line, PicoLine(PicoSettings(files={"boot.py": SLOW_WRITE}, erase_ms=400.0)) as late:
        for each in (line, late):
            each.stage.play(dials_at_once(each.stage))
            each.stage.play(idle(each.stage, 5.0))
        heartbeat = late.desk.last_heartbeat
        assert 8 * 250 < heartbeat.underruns < 8 * 1000
        assert heartbeat.lost_samples == 0
        good, gappy = (spoken_on(each) for each in (line, late))
    # The file is written 1.4 s after the first word, and what is said lasts 3.3 s.
    assert not np.array_equal(good[:16000], gappy[:16000])
    assert good[16000:24000].any()
    assert np.array_equal(good[16000:24000], gappy[16000:24000])


def spoken_on(line: PicoLine) -> Samples:
    """What the phone heard from the adapter's first word on."""
    recording = line.stage.pair.recording
    heard = np.concatenate(recording.phone_heard)[160 * recording.relay_energised.index(True) :]
    return heard[np.flatnonzero(heard)[0] :]


@pytest.mark.thorough
def test_the_slic_is_fed_while_the_phone_is_lifted_and_no_longer() -> None:
    with PicoLine() as line:
        line.stage.play(dials_at_once(line.stage))
        assert [happening.value for happening in line.pico.latest("pin 11", since_s=0.6)] == [1]
        line.stage.hang_up()
        line.stage.play(idle(line.stage, 2.0))
        assert [happening.value for happening in line.pico.latest("pin 11", since_s=0.6)] == [1, 0]


def rotary(stage: Stage) -> Script:
    yield from after_boot(stage)
    stage.lift()
    yield from stage.wait(0.3)
    stage.telephone.pulse("1157")
    yield from stage.until(lambda: not stage.telephone.busy, "the last pulse")
    yield from stage.wait(1.0)


@pytest.mark.thorough
def test_a_rotary_dial_is_counted_by_the_hook_pin() -> None:
    with PicoLine() as line:
        line.stage.play(rotary(line.stage))
        assert line.stage.relay_energised


def one_ring(stage: Stage) -> Script:
    """A call rings once and sends caller ID; then it is quiet for as long as a heartbeat may take."""
    yield from after_boot(stage)
    stage.office.incoming_call(CALL)
    yield from stage.wait(5.0)
    stage.office.caller_clears()
    yield from stage.wait(8.0)


@pytest.mark.thorough
@pytest.mark.parametrize(("erase_ms", "program_ms", "turns"), [(45.0, 0.4, 3), (200.0, 1.5, 15)])
def test_collecting_and_writing_flash_lose_no_sample_of_a_callers_burst(
    erase_ms: float, program_ms: float, turns: int
) -> None:
    """Ten collections and three writes a second; with a flash that is four times as slow, a write in 1.5 s.

    A write erases up to three sectors in a row, when LittleFS makes room. At the most, 400 ms each, that is longer
    than the 984 ms that the ring can be behind.
    """
    files = {"boot.py": BUSY.replace(b"% 3", b"%% %d" % turns)}
    with PicoLine(PicoSettings(files=files, erase_ms=erase_ms, program_ms=program_ms)) as line:
        line.stage.play(one_ring(line.stage))
        assert line.pico.flash_writes > 60
        assert line.pico.record("calls")[0]["caller_id"]["number"] == CALLER
        assert line.desk.last_heartbeat.uptime_s >= 6
        assert line.desk.last_heartbeat.lost_samples == 0


@pytest.mark.thorough
def test_what_no_ring_can_hold_is_counted_and_the_line_goes_on() -> None:
    """A flash that takes 3 s a sector: more than the ring keeps."""
    files = {"boot.py": BUSY.replace(b"% 3 == 0", b" == 40")}
    with PicoLine(PicoSettings(files=files, erase_ms=3000.0)) as line:
        line.stage.play(one_ring(line.stage))
        line.stage.play(idle(line.stage, 8.0))
        heartbeat = line.desk.last_heartbeat
        assert 2 * 8000 < heartbeat.lost_samples < 10 * 8000
        assert line.pico.record("calls")[0]["rings"] == 1
        assert line.pico.resets == 0


def test_a_hung_board_is_reset_by_its_watchdog_and_says_so() -> None:
    with PicoLine(PicoSettings(files={"boot.py": HANGS})) as line:
        line.stage.play(idle(line.stage, 13.0))
        (reset,) = line.pico.latest("reset")
        assert 2.0 + 7.3 < reset.at_s < 2.5 + 8.3
        assert line.desk.last_heartbeat.reset_reason == "watchdog"
        assert "started after watchdog" in line.pico.log


def test_a_fault_puts_the_phone_back_says_what_it_was_and_begins_anew() -> None:
    with PicoLine(PicoSettings(files={"boot.py": FAILS})) as line:
        line.stage.play(dials_at_once(line.stage))
        line.stage.play(idle(line.stage, 1.0))
        assert line.pico.resets == 1
        relay = [happening.value for happening in line.pico.latest("pin 8", since_s=0.6)]
        assert relay[:2] == [1, 0]
        assert "RuntimeError: sabotaged" in line.pico.log
        assert "started after fault" in line.pico.log
        assert not line.stage.relay_energised


def power_fails_in_a_dialogue(line: PicoLine) -> Script:
    stage = line.stage
    yield from a_call(stage)
    stage.lift()
    yield from stage.wait(0.5)
    yield from stage.press("*57")
    yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)
    yield from stage.wait(1.0)
    line.pico.power_cut()
    yield
    assert not line.pico.relay_energised
    yield from stage.wait(0.5)
    line.pico.start()
    yield from stage.wait(1.5)


def test_without_power_the_phone_is_on_the_exchange_and_the_call_is_kept() -> None:
    with PicoLine() as line:
        line.stage.play(power_fails_in_a_dialogue(line))
        assert not line.stage.relay_energised
        assert line.pico.record("calls")[0]["caller_id"]["number"] == CALLER
        assert line.pico.log.count("started after power_on") == 2


@pytest.mark.hil
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_story_of_the_demo_ends_on_the_pico_as_in_a_process(story: Story, tmp_path: Path) -> None:
    on_pico = perform(story, tmp_path / "pico", lambda _event: None, "pico").result
    in_process = perform(story, tmp_path / "emulated", lambda _event: None, "emulated").result
    assert on_pico == in_process
