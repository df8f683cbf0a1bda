"""The codes on real audio: what each says, that it says it in the language chosen, and that all else is untouched."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import COMPLETE_NUMBERS, IncomingCall
from host_tools.exchange.levels import Samples
from host_tools.exchange.pair import Pair, PairBlock
from host_tools.rig.flash import read_record
from host_tools.stories.ear import PACK, sentences
from host_tools.stories.stage import Script, Stage
from tests.host.stories.conftest import LineFactory, a_call

SPANISH = PACK.parent / "es-US"
CODES = ("*51", "1151", "*52", "1152", "*53", "1153", "*54", "1154", "*57", "1157")
PRIVATE = IncomingCall(origin="5555550123", caller_id=CallerId(reason="P", name_reason="P"))
NAMELESS = IncomingCall(origin="5555550123", caller_id=None)


def asks(stage: Stage, code: str) -> Script:
    """The household dials a code, hears what it says, and hangs up."""
    stage.lift()
    yield from stage.wait(1.0)
    yield from stage.press(code)
    yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)
    yield from stage.until(lambda: not stage.relay_energised, "the exchange again", within_s=60.0)
    stage.hang_up()
    yield from stage.wait(1.5)


def rings_once(stage: Stage, call: IncomingCall) -> Script:
    stage.office.incoming_call(call)
    yield from stage.wait(5.0)
    stage.office.caller_clears()
    yield from stage.wait(7.5)


def said(stage: Stage) -> list[str]:
    """The prompts in the order heard; tones left out."""
    stage.tell_heard()
    names = [name for sentence in stage.heard for name in sentence.names]
    return [name for name in names if name not in ("dial", "reorder")]


def test_the_last_call_is_told_with_its_time_and_number(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        yield from a_call(stage)
        yield from asks(stage, "*51")

    stage.play(script())
    assert said(stage) == [
        *("last_call", "today", "at", "5", "30", "p_m"),
        *("number_is", "5", "5", "5", "5", "5", "5", "0", "1", "2", "3"),
    ]


@pytest.mark.parametrize(
    ("call", "prompt"), [(PRIVATE, "number_private"), (NAMELESS, "no_caller_id"), (None, "no_call_yet")]
)
def test_a_call_without_a_number_says_why(
    new_line: LineFactory, call: IncomingCall | None, prompt: str
) -> None:
    stage = new_line()

    def script() -> Script:
        yield from stage.wait(0.5)
        if call is not None:
            yield from rings_once(stage, call)
        yield from asks(stage, "*51")

    stage.play(script())
    assert said(stage)[-1] == prompt


def test_nothing_traced_yet_is_said_and_the_outcome_costs_nothing(
    new_line: LineFactory, tmp_path: Path
) -> None:
    stage = new_line(two_stage=False, answer_timeout_ms=200)

    def script() -> Script:
        yield from asks(stage, "*52")
        yield from asks(stage, "*53")
        yield from a_call(stage)
        yield from asks(stage, "*57")
        yield from asks(stage, "*53")

    stage.play(script())
    heard = said(stage)
    assert heard[:2] == ["no_traces", "no_request"]
    assert heard[heard.index("last_outcome") + 1 :][:1] == ["no_answer_yet"]
    assert len(read_record(tmp_path / "flash" / "outbox")) == 1


def test_a_line_without_trace_has_the_other_codes(new_line: LineFactory) -> None:
    stage = new_line(trace_offered=False)

    def script() -> Script:
        yield from asks(stage, "*51")
        stage.lift()
        yield from stage.wait(1.0)
        yield from stage.press("*57")
        yield from stage.wait(4.0)
        stage.hang_up()
        yield from stage.wait(1.5)

    stage.play(script())
    stage.tell_heard()
    assert said(stage) == ["no_call_yet"]
    assert stage.heard[-1].names == ("reorder",)


def test_a_language_is_chosen_at_once_and_through_a_power_cut(new_line: LineFactory, tmp_path: Path) -> None:
    stage = new_line()
    heard_from: list[int] = []

    def script() -> Script:
        stage.lift()
        yield from stage.wait(1.0)
        yield from stage.press("*54")
        yield from stage.wait(3.0)
        heard_from.append(stage.blocks + 1)
        yield from stage.press("2")
        yield from stage.until(lambda: not stage.relay_energised, "the exchange again", within_s=20.0)
        stage.hang_up()
        yield from stage.wait(1.5)
        stage.firmware.power_cut()
        stage.firmware.start()
        yield from asks(stage, "*51")

    stage.play(script())
    audio = np.concatenate(stage.pair.recording.phone_heard[heard_from[0] :])
    spanish = [name for sentence in sentences(audio, SPANISH) for name in sentence.names]
    assert [name for name in spanish if name != "dial"] == ["language_chosen", "no_call_yet"]
    assert read_record(tmp_path / "flash" / "household")["language"] == "es-US"


def test_a_technician_changes_a_code_and_a_wrong_one_is_named(new_line: LineFactory) -> None:
    stage = new_line(last_call_codes="*99 911", language_codes="")

    def script() -> Script:
        for digits in ("*51", "*54", "911"):
            stage.lift()
            yield from stage.wait(1.0)
            yield from stage.press(digits)
            yield from stage.wait(1.0)
            assert stage.office.dialled == digits
            assert not stage.relay_energised
            stage.hang_up()
            yield from stage.wait(1.5)
        yield from asks(stage, "*99")

    stage.play(script())
    assert said(stage) == ["no_call_yet"]
    assert "settings: last_call_codes 911 is wrong" in stage.firmware.log


class ListeningPair(Pair):
    """Remembers whether the adapter had anything to add to the pair."""

    was_silent = True

    def advance(self, n: int, relay_energised: bool, phone_out: Samples) -> PairBlock:
        self.was_silent = self.was_silent and not phone_out.any()
        return super().advance(n, relay_energised, phone_out)


def is_ours(digits: str) -> bool:
    return any(digits.startswith(code) for code in CODES)


def strings_of_digits(count: int, seed: int) -> list[str]:
    """Digit strings that no code of ours begins; many begin as one does."""
    draw = random.Random(seed)
    found: list[str] = []
    while len(found) < count:
        begin = draw.choice(["", "", "*", "*5", "11", "115", "#", "9"])
        digits = begin + "".join(draw.choices("0123456789*#", k=draw.randint(1, 7)))
        if not is_ours(digits):
            found.append(digits)
    return found


def test_what_is_no_code_of_ours_passes_untouched(new_line: LineFactory) -> None:
    stage = new_line()
    stage.pair = pair = ListeningPair(stage.office, stage.telephone)

    def script() -> Script:
        for digits in strings_of_digits(25, seed=57):
            stage.lift()
            yield from stage.wait(0.4)
            stage.telephone.press(digits, on_ms=50, off_ms=50)
            yield from stage.until(lambda: not stage.telephone.busy, "the last key")
            yield from stage.wait(0.2)
            assert stage.office.dialled == _register(digits), digits
            stage.hang_up()
            yield from stage.wait(1.2)

    stage.play(script())
    assert pair.was_silent
    assert not any(pair.recording.relay_energised)


def _register(digits: str) -> str:
    """What the exchange's register takes of it: it stops at the first complete number."""
    for length in range(1, len(digits)):
        if COMPLETE_NUMBERS.fullmatch(digits[:length]):
            return digits[:length]
    return digits
