"""More than one telephone on a line, and a call that its called party has hung up before the caller has."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.exchange.central_office import CentralOffice, Phase
from host_tools.exchange.levels import dbm0_of
from host_tools.exchange.pair import HOOK_EDGE, Pair
from host_tools.exchange.telephone import InParallel, Telephone
from tests.host.exchange.hearing import level_at
from tests.host.exchange.lines import SMITH, Line

HOLD_S = 10.0


def held_line() -> Line:
    """A line whose exchange keeps an answered call when the household hangs up; it is answered."""
    line = Line()
    line.office = CentralOffice(called_party_hold_s=HOLD_S, far_end_dbm0=-30.0)
    line.pair = Pair(line.office, line.telephone)
    line.office.incoming_call(SMITH)
    line.run(500)
    line.telephone.lift()
    line.run(500)
    return line


def test_the_loop_is_closed_while_any_telephone_in_parallel_is_lifted() -> None:
    line, second = Line(), Telephone()
    line.pair = Pair(line.office, InParallel(line.telephone, second))
    line.telephone.lift()
    line.run(500)
    second.lift()
    line.telephone.hang_up()
    line.run(500)
    assert line.office.phase is Phase.DIALLING
    second.hang_up()
    line.run(500)
    assert [level for _, kind, level in line.edges if kind == HOOK_EDGE] == [1, 0]


def test_a_pulse_of_one_does_not_open_the_loop_that_the_other_closes() -> None:
    line, second = Line(), Telephone()
    line.pair = Pair(line.office, InParallel(line.telephone, second))
    line.telephone.lift()
    second.lift()
    line.run(500)
    second.pulse("5")
    line.run(1500)
    assert line.office.dialled == ""


def test_a_telephone_in_front_is_heard_by_the_exchange_while_the_relay_is_energised() -> None:
    line, front = Line(), Telephone()
    line.pair = Pair(line.office, line.telephone, in_front=front)
    line.telephone.lift()
    line.relay_energised = True
    line.run(500)
    assert line.office.phase is Phase.IDLE
    front.lift()
    line.run(600)
    front.press("911")
    line.run(600)
    assert line.office.dialled == "911"
    assert line.pair.recording.off_hook[-1]


@pytest.mark.parametrize("held_for_s", [1.0, 8.0])
def test_a_call_whose_caller_has_not_cleared_is_taken_up_again(held_for_s: float) -> None:
    line = held_line()
    call = line.office.talking
    line.telephone.hang_up()
    line.run(1000 * held_for_s)
    line.telephone.lift()
    heard = line.run(500)
    assert line.office.talking is call
    assert dbm0_of(heard[800:]) == pytest.approx(-30.0, abs=1.0)


def test_the_hold_ends_when_the_caller_clears_and_after_its_time() -> None:
    line = held_line()
    line.telephone.hang_up()
    line.run(2000)
    phases = [line.office.phase]
    line.office.caller_clears()
    phases.append(line.office.phase)
    assert phases == [Phase.HOLDING, Phase.IDLE]
    line = held_line()
    call = line.office.talking
    line.telephone.hang_up()
    line.run(1200 + 1000 * HOLD_S)
    assert (line.office.phase, line.office.talking) == (Phase.IDLE, None)
    assert call is not None
    assert call.ended is not None


def test_a_receiver_left_off_the_hook_hears_dial_tone_reorder_and_a_howler() -> None:
    line = Line()
    line.office = CentralOffice(permanent_signal_s=2.0)
    line.pair = Pair(line.office, line.telephone)
    line.telephone.lift()
    heard = line.run(14_000)
    assert level_at(heard[8000:12_000], 350) == pytest.approx(-13, abs=0.3)
    assert np.isneginf(level_at(heard[24_000:28_000], 350)) or level_at(heard[24_000:28_000], 350) < -40
    assert level_at(heard[24_000 : 24_000 + 8000], 480) > -32
    assert level_at(heard[104_000:108_000], 2450) > -20
