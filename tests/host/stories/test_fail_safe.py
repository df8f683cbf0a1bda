"""The line comes first: whatever happens, the phone is the exchange's, and no digit of anybody's is touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_tools.rig.flash import read_record
from host_tools.rig.micropython import ROOT
from host_tools.stories.stage import BLOCK_S, Script, Stage
from tests.host.stories.conftest import CALL, LineFactory, a_call

PROGRAMS = ROOT / "tests" / "firmware" / "programs"
RESTORED_WITHIN_S = 0.05


def dials(stage: Stage, digits: str, wait_s: float = 3.0) -> Script:
    yield from stage.wait(0.5)
    stage.lift()
    yield from stage.wait(1.0)
    yield from stage.press(digits)
    yield from stage.wait(wait_s)


def pulses(stage: Stage, digits: str, wait_s: float = 3.0) -> Script:
    yield from stage.wait(0.5)
    stage.lift()
    yield from stage.wait(1.0)
    stage.telephone.pulse(digits)
    yield from stage.until(lambda: not stage.telephone.busy, "the dial to come to rest")
    yield from stage.wait(wait_s)


def relay_ever(stage: Stage) -> bool:
    return any(stage.pair.recording.relay_energised)


@pytest.mark.parametrize(
    "digits", ["911", "5555550188", "0", "157", "*67", "*69", "9*57", "#57", "*5", "**57"]
)
def test_other_digits_reach_the_exchange_untouched(new_line: LineFactory, digits: str) -> None:
    stage = new_line()
    stage.play(dials(stage, digits))
    assert stage.office.dialled == digits
    assert not relay_ever(stage)


def test_the_exchange_hears_every_sample_of_a_911_call(new_line: LineFactory) -> None:
    stage = new_line()
    stage.play(dials(stage, "911"))
    recording = stage.pair.recording
    assert np.array_equal(np.concatenate(recording.phone_heard), np.concatenate(recording.exchange_heard))


def test_911_by_pulses_reaches_the_exchange(new_line: LineFactory) -> None:
    stage = new_line()
    stage.play(pulses(stage, "911"))
    assert stage.office.dialled == "911"
    assert not relay_ever(stage)


def test_911_can_be_dialled_after_a_dialogue(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        yield from dials(stage, "*57")
        stage.hang_up()
        yield from dials(stage, "911")

    stage.play(script())
    assert stage.office.dialled == "911"
    assert not stage.relay_energised


def test_digits_of_an_answered_call_are_no_trace_code(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        stage.office.incoming_call(CALL)
        yield from stage.wait(7.0)
        stage.lift()
        yield from stage.wait(1.0)
        yield from stage.press("*57")
        yield from stage.wait(1.0)

    stage.play(script())
    assert not relay_ever(stage)


@pytest.mark.parametrize("after_s", [0.1, 1.0, 4.0, 9.0, 14.0])
def test_hanging_up_restores_the_line_at_once(new_line: LineFactory, after_s: float) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from dials(stage, "*57", after_s)
        assert stage.relay_energised
        stage.hang_up()
        yield from stage.wait(2.0)
        yield from dials(stage, "911")

    stage.play(script())
    recording = stage.pair.recording
    energised = np.array(recording.relay_energised)
    off_hook = np.array(recording.off_hook)
    assert np.count_nonzero(energised & ~off_hook) * BLOCK_S <= RESTORED_WITHIN_S
    assert stage.office.dialled == "911"


def test_the_trace_code_works_by_dial_pulses(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from pulses(stage, "1157", 0.5)
        yield from stage.listen()
        stage.telephone.pulse("1")
        yield from stage.wait(1.0)
        yield from stage.listen()

    stage.play(script())
    assert "Please wait." in [sentence.text for sentence in stage.heard]


def test_one_stage_by_setting_asks_nothing(new_line: LineFactory) -> None:
    stage = new_line(two_stage=False)

    def script() -> Script:
        yield from a_call(stage)
        yield from dials(stage, "*57", 0.1)
        yield from stage.listen(quiet_s=9.0)

    stage.play(script())
    names = [name for sentence in stage.heard for name in sentence.names]
    assert "call_trace" not in names
    assert "stored" in names


def test_silence_and_wrong_digits_end_without_a_trace(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from dials(stage, "*57", 0.1)
        yield from stage.listen()
        yield from stage.press("5")
        yield from stage.listen(quiet_s=8.5)
        yield from stage.listen(quiet_s=8.5)

    stage.play(script())
    names = [name for sentence in stage.heard for name in sentence.names]
    assert names.count("call_trace") == 3
    assert "not_traced" in names
    assert "please_wait" not in names
    assert not stage.relay_energised


def test_a_newer_call_is_told_and_asked_about(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from dials(stage, "*57", 1.0)
        stage.office.incoming_call(CALL)
        yield from stage.wait(3.0)
        yield from stage.press("1")
        yield from stage.listen()
        yield from stage.press("1")
        yield from stage.listen(quiet_s=9.0)

    stage.play(script())
    names = [name for sentence in stage.heard for name in sentence.names]
    assert names.index("newer_call") < names.index("please_wait")


def test_the_same_call_is_traced_once(new_line: LineFactory) -> None:
    stage = new_line(two_stage=False)

    def traces() -> Script:
        yield from dials(stage, "*57", 0.1)
        yield from stage.listen(quiet_s=9.0)
        stage.hang_up()
        yield from stage.wait(2.0)

    def script() -> Script:
        yield from a_call(stage)
        yield from traces()
        yield from traces()

    stage.play(script())
    names = [name for sentence in stage.heard for name in sentence.names]
    assert names.count("please_wait") == 1
    assert names.count("stored") == 2


def test_the_last_call_survives_a_power_cut(new_line: LineFactory) -> None:
    stage = new_line(two_stage=False)

    def script() -> Script:
        yield from a_call(stage)
        stage.firmware.power_cut()
        stage.firmware.start()
        yield from dials(stage, "*57", 0.1)
        yield from stage.listen(quiet_s=9.0)

    stage.play(script())
    assert "stored" in [name for sentence in stage.heard for name in sentence.names]


def test_power_cut_in_the_dialogue_restores_the_line(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        yield from dials(stage, "*57", 1.0)
        assert stage.relay_energised
        stage.firmware.power_cut()
        yield from stage.wait(1.0)
        assert not stage.relay_energised
        stage.hang_up()
        yield from dials(stage, "911")

    stage.play(script())
    assert stage.office.dialled == "911"


@pytest.mark.parametrize(
    "where", ["_player.fill", "_player.prepare", "_dtmf.feed", "_ring.advance", "_dialled.advance"]
)
def test_a_fault_of_any_room_restores_the_line(new_line: LineFactory, where: str) -> None:
    stage = new_line(program=PROGRAMS / "sabotage.py", files={"sabotage.txt": where})

    def script() -> Script:
        yield from dials(stage, "*57", 1.0)
        stage.hang_up()
        yield from dials(stage, "911")

    stage.play(script())
    assert "Sabotage" in stage.firmware.log
    assert "started after fault" in stage.firmware.log
    assert np.count_nonzero(stage.pair.recording.relay_energised) * BLOCK_S <= RESTORED_WITHIN_S
    assert stage.office.dialled == "911"
    assert not stage.relay_energised


@pytest.mark.parametrize("type_two", [True, False])
def test_a_waiting_call_is_the_last_one_however_soon_the_household_hangs_up(
    new_line: LineFactory, tmp_path: Path, type_two: bool
) -> None:
    stage = new_line(type_two=type_two)

    def script() -> Script:
        stage.office.incoming_call(CALL)
        yield from stage.wait(10.0)
        stage.lift()
        yield from stage.wait(3.0)
        stage.office.incoming_call(CALL, call_waiting=True)
        yield from stage.wait(1.0)
        stage.hang_up()
        yield from stage.wait(2.0)

    stage.play(script())
    waiting = read_record(tmp_path / "flash" / "calls")[-1]
    assert waiting["call_waiting"]
    assert (waiting["caller_id"] is not None) == type_two
