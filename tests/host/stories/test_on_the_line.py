"""What a telephone user expects of a line, on real audio (docs/line.md): calls that wait, flashes, other telephones."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import CentralOffice, IncomingCall, Phase
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import InParallel, Telephone
from host_tools.rig.flash import read_record
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import BLOCK_S, Script, Stage
from tests.host.stories.conftest import CALL, LINE, LineFactory, a_call

OTHER_CALL = IncomingCall(origin="5555550145", caller_id=CallerId(number="5555550145", name="B CALLER"))
RESTORED_WITHIN_BLOCKS = 1
HOLD_S = 15.0


def with_office(stage: Stage, office: CentralOffice) -> Stage:
    """The line, at another exchange."""
    stage.office, stage.pair = office, Pair(office, stage.telephone)
    return stage


def dials(stage: Stage, digits: str, after_s: float = 1.0) -> Script:
    stage.lift()
    yield from stage.wait(after_s)
    yield from stage.press(digits)


def starts_dialogue(stage: Stage, digits: str = "*57") -> Script:
    yield from dials(stage, digits)
    yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)


def starts_dialogue_off_the_exchange(stage: Stage) -> Script:
    yield from starts_dialogue(stage)
    yield from stage.wait(0.5)


def phase(stage: Stage) -> Phase:
    """What the line is doing now, as the exchange knows it."""
    return stage.office.phase


def names(stage: Stage) -> list[str]:
    """The prompts and tones that were heard."""
    stage.tell_heard()
    return [name for sentence in stage.heard for name in sentence.names]


def calls_on_flash(folder: Path) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = read_record(folder / "flash" / "calls")
    return calls


def held_on_hook(stage: Stage) -> int:
    """The longest time, in blocks, for which the relay was held although the loop was open."""
    recording = stage.pair.recording
    late = np.array(recording.relay_energised) & ~np.array(recording.off_hook)
    return max((len(list(run)) for held, run in itertools.groupby(late.tolist()) if held), default=0)


def beeps(stage: Stage) -> int:
    """How often 440 Hz alone sounded for the 300 ms of a call-waiting tone."""
    audio = np.concatenate(stage.pair.recording.phone_heard).astype(float)
    windows = audio[: len(audio) // 400 * 400].reshape(-1, 400)
    turn = np.exp(-2j * np.pi * 440 / 8000 * np.arange(400)) / 200
    tone = np.abs(windows @ turn)
    power = np.sqrt(2 * np.mean(windows**2, axis=1) + 1)
    sounds = (tone > 1000) & (tone > 0.9 * power)
    return sum(1 for on, run in itertools.groupby(sounds.tolist()) if on and 4 <= len(list(run)) <= 7)


# A call comes in during the dialogue


def test_a_call_during_the_dialogue_beeps_and_rings_when_she_hangs_up(
    new_line: LineFactory, tmp_path: Path
) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from starts_dialogue_off_the_exchange(stage)
        stage.office.incoming_call(OTHER_CALL)
        yield from stage.wait(9.0)
        assert not stage.telephone.ringing
        stage.hang_up()
        yield from stage.until(lambda: stage.telephone.ringing, "the ring", within_s=7.0)
        yield from stage.wait(0.5)
        stage.lift()
        yield from stage.wait(2.0)
        assert phase(stage) is Phase.TALKING
        stage.hang_up()
        yield from stage.wait(2.0)

    stage.play(script())
    assert beeps(stage) == 2
    first, second = calls_on_flash(tmp_path)
    assert (first["answered"], second["answered"], second["rings"]) == (False, True, 2)
    assert second["caller_id"]["number"] == "5555550145"
    assert held_on_hook(stage) <= RESTORED_WITHIN_BLOCKS


def test_a_flash_answers_the_call_that_rings_behind_the_dialogue(
    new_line: LineFactory, tmp_path: Path
) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from starts_dialogue_off_the_exchange(stage)
        stage.office.incoming_call(OTHER_CALL)
        yield from stage.wait(5.0)
        stage.telephone.flash()
        yield from stage.wait(2.0)
        assert phase(stage) is Phase.TALKING
        assert not stage.relay_energised
        stage.hang_up()
        yield from stage.wait(2.0)

    stage.play(script())
    assert calls_on_flash(tmp_path)[-1]["answered"]


def test_the_end_of_the_dialogue_answers_no_call_of_itself(new_line: LineFactory, tmp_path: Path) -> None:
    stage = new_line()

    def script() -> Script:
        yield from starts_dialogue_off_the_exchange(stage)
        stage.office.incoming_call(OTHER_CALL)
        yield from stage.wait(15.0)
        assert stage.relay_energised
        assert phase(stage) is Phase.RINGING
        stage.office.caller_clears()
        yield from stage.until(lambda: not stage.relay_energised, "the exchange again", within_s=7.5)
        yield from stage.wait(1.0)
        assert phase(stage) is Phase.DIALLING

    stage.play(script())
    assert names(stage)[-1] == "dial"
    (call,) = calls_on_flash(tmp_path)
    assert not call["answered"]


def test_hanging_up_when_all_was_said_lets_the_call_ring(new_line: LineFactory, tmp_path: Path) -> None:
    stage = new_line()

    def script() -> Script:
        yield from starts_dialogue_off_the_exchange(stage)
        stage.office.incoming_call(OTHER_CALL)
        yield from stage.wait(10.0)
        stage.hang_up()
        yield from stage.until(lambda: stage.telephone.ringing, "the ring", within_s=7.0)

    stage.play(script())
    assert "trace: no_call" in stage.firmware.log
    assert "Traceback" not in stage.firmware.log
    (call,) = calls_on_flash(tmp_path)
    assert not call["answered"]


# More than one telephone


def test_a_second_telephone_hears_the_same_and_holds_the_dialogue(new_line: LineFactory) -> None:
    stage = new_line()
    second = Telephone()
    stage.pair = Pair(stage.office, InParallel(stage.telephone, second))

    def script() -> Script:
        yield from a_call(stage)
        yield from starts_dialogue(stage)
        yield from stage.wait(2.0)
        second.lift()
        yield from stage.wait(1.0)
        assert second.heard_level_dbm0 == stage.telephone.heard_level_dbm0
        stage.telephone.hang_up()
        yield from stage.wait(3.0)
        assert stage.relay_energised
        second.press("1")
        yield from stage.wait(2.0)
        assert stage.relay_energised
        second.hang_up()
        yield from stage.wait(2.0)

    stage.play(script())
    assert "please_wait" in names(stage)
    assert not stage.relay_energised
    assert held_on_hook(stage) <= RESTORED_WITHIN_BLOCKS


def test_a_telephone_in_front_of_the_adapter_calls_for_help_during_the_dialogue(
    new_line: LineFactory,
) -> None:
    stage = new_line()
    front = Telephone()
    stage.pair = Pair(stage.office, stage.telephone, in_front=front)

    def script() -> Script:
        yield from starts_dialogue_off_the_exchange(stage)
        front.lift()
        yield from stage.wait(1.0)
        front.press("911")
        yield from stage.wait(1.0)
        assert stage.relay_energised

    stage.play(script())
    assert stage.office.dialled == "911"


def test_a_code_from_a_telephone_in_front_of_the_adapter_takes_nobody_off_the_line(
    new_line: LineFactory,
) -> None:
    stage = new_line()
    front = Telephone()
    stage.pair = Pair(stage.office, stage.telephone, in_front=front)

    def script() -> Script:
        yield from stage.wait(0.5)
        front.lift()
        yield from stage.wait(1.0)
        front.press("*57")
        yield from stage.wait(2.0)
        front.hang_up()
        yield from stage.wait(1.5)
        yield from dials(stage, "911")
        yield from stage.wait(1.0)

    stage.play(script())
    assert np.count_nonzero(stage.pair.recording.relay_energised) * BLOCK_S <= 0.1
    assert stage.office.dialled == "911"


# A flash


def test_a_flash_in_the_dialogue_gives_dial_tone_and_a_first_digit(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from starts_dialogue(stage)
        yield from stage.wait(3.0)
        stage.telephone.flash()
        yield from stage.wait(2.0)
        assert not stage.relay_energised
        yield from stage.press("911")
        yield from stage.wait(1.0)

    stage.play(script())
    assert names(stage).count("dial") == 2
    assert stage.office.dialled == "911"


def test_a_flash_as_short_as_a_dial_pulse_leaves_the_dialogue_too(new_line: LineFactory) -> None:
    stage = with_office(new_line(country="GB"), CentralOffice(line=LINE, starts_at=STARTS_AT, country="GB"))

    def script() -> Script:
        yield from starts_dialogue_off_the_exchange(stage)
        stage.telephone.flash(90)
        yield from stage.wait(1.0)
        assert not stage.relay_energised
        yield from stage.press("999")
        yield from stage.wait(0.5)

    stage.play(script())
    assert stage.office.dialled == "999"


def test_a_flash_while_dialling_makes_the_next_digit_the_first(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        yield from dials(stage, "55*5")
        stage.telephone.flash()
        yield from stage.wait(1.5)
        yield from stage.press("*57")
        yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)

    stage.play(script())


# The far end has not cleared


@pytest.mark.parametrize("clears", [False, True])
def test_the_trace_is_of_the_call_whose_far_end_is_still_there(
    new_line: LineFactory, tmp_path: Path, clears: bool
) -> None:
    office = CentralOffice(line=LINE, starts_at=STARTS_AT, called_party_hold_s=HOLD_S, far_end_dbm0=-30.0)
    stage = with_office(new_line(two_stage=False), office)

    def script() -> Script:
        yield from stage.wait(0.5)
        office.incoming_call(CALL)
        yield from stage.wait(5.0)
        stage.lift()
        yield from stage.wait(2.0)
        stage.hang_up()
        yield from stage.wait(3.0)
        yield from dials(stage, "*57")
        assert phase(stage) is Phase.TALKING
        assert "dial" not in names(stage)
        yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)
        yield from stage.wait(3.0)
        assert phase(stage) is Phase.HOLDING
        if clears:
            office.caller_clears()
            return
        stage.telephone.flash()  # leaves the dialogue: the phone is back, and so is the far end
        yield from stage.wait(2.0)
        assert phase(stage) is Phase.TALKING
        assert stage.telephone.heard_level_dbm0 == pytest.approx(-30.0, abs=1.0)

    stage.play(script())
    (call,) = calls_on_flash(tmp_path)
    (entry,) = read_record(tmp_path / "flash" / "outbox")
    assert entry["request"]["call"]["call_id"] == call["call_id"]
    exchange = np.array(stage.pair.recording.exchange_heard, dtype=np.int16)
    energised = np.array(stage.pair.recording.relay_energised)
    assert not exchange[energised][80:].any()  # nothing of what is said goes that way


# Dialling before it is time, or on top of something else


@pytest.mark.parametrize("after_s", [0.04, 0.1])
def test_a_code_before_dial_tone_is_taken(new_line: LineFactory, after_s: float) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from dials(stage, "*57", after_s)
        yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=0.5)

    stage.play(script())


def half_then_hook(stage: Stage) -> Script:
    yield from dials(stage, "*5")
    stage.hang_up()
    yield from stage.wait(1.5)
    yield from dials(stage, "7")


def half_then_pause(stage: Stage) -> Script:
    yield from dials(stage, "*5")
    yield from stage.wait(5.5)
    yield from stage.press("7")


def while_the_far_line_rings(stage: Stage) -> Script:
    yield from dials(stage, "5555550188")
    yield from stage.wait(3.0)
    yield from stage.press("*57")


def behind_other_digits(stage: Stage) -> Script:
    yield from dials(stage, "5*57")


@pytest.mark.parametrize(
    "script", [half_then_hook, half_then_pause, while_the_far_line_rings, behind_other_digits]
)
def test_no_half_code_counts(new_line: LineFactory, script: Callable[[Stage], Script]) -> None:
    stage = new_line()

    def whole() -> Script:
        yield from script(stage)
        yield from stage.wait(1.0)

    stage.play(whole())
    assert not any(stage.pair.recording.relay_energised)


# A receiver left off the hook


def test_a_receiver_left_off_the_hook_is_the_exchanges_again(new_line: LineFactory) -> None:
    office = CentralOffice(line=LINE, starts_at=STARTS_AT, permanent_signal_s=5.0)
    stage = with_office(new_line(), office)

    def script() -> Script:
        yield from a_call(stage)
        yield from starts_dialogue(stage)
        began_s = stage.now_s
        yield from stage.until(lambda: not stage.relay_energised, "the exchange again", within_s=90.0)
        assert stage.now_s - began_s < 75.0
        yield from stage.wait(10.0)

    stage.play(script())
    assert names(stage).count("call_trace") == 3
    assert names(stage)[-2:] == ["dial", "reorder"]


# Hanging up


@pytest.mark.parametrize("code", ["*57", "*51", "*52", "*53", "*54"])
def test_hanging_up_in_the_middle_of_anything_restores_the_line_in_a_block(
    new_line: LineFactory, code: str
) -> None:
    stage = new_line()
    moments_s = (0.02, 0.3, 1.1, 2.6, 4.3, 5.7)

    def script() -> Script:
        yield from a_call(stage)
        for after_s in moments_s:
            yield from starts_dialogue(stage, code)
            yield from stage.wait(after_s)
            assert stage.relay_energised or code in ("*52", "*53")
            stage.hang_up()
            yield from stage.wait(1.5)
        yield from dials(stage, "911")
        yield from stage.wait(1.0)

    stage.play(script())
    assert held_on_hook(stage) <= RESTORED_WITHIN_BLOCKS
    assert held_on_hook(stage) * BLOCK_S <= 0.02
    assert stage.office.dialled == "911"
    assert "Traceback" not in stage.firmware.log
