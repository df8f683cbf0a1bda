"""The pair, and the relay in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange import dtmf, tones
from host_tools.exchange.central_office import CentralOffice, Phase
from host_tools.exchange.levels import dbm0_of, mixed
from host_tools.exchange.pair import COUPLING_DB, HOOK_EDGE, Pair
from host_tools.exchange.telephone import Telephone
from tests.host.exchange.hearing import level_at
from tests.host.exchange.lines import SMITH, Line

PROMPT = tones.ToneGenerator(tones.Tone((1000,), -10)).samples(80)
SILENT = np.zeros(80, np.int16)


def test_at_rest_both_sides_and_the_phone_carry_the_sum() -> None:
    line = Line()
    line.seize()
    line.telephone.press("5")
    block = line.pair.advance(80, False, SILENT)
    alone = Telephone()
    alone.lift()
    alone.press("5")
    office_alone = CentralOffice()
    office_alone.advance(True, np.zeros(line.now - 80, np.int16))
    expected = mixed(alone.send(80).samples, office_alone.advance(True, SILENT).samples)
    assert block.line_in.tolist() == block.phone_in.tolist() == expected.tolist()
    assert line.pair.recording.phone_heard[-1].tolist() == expected.tolist()


def test_at_rest_what_the_adapter_couples_is_heard_at_both_ends_15_db_down() -> None:
    line = Line()
    line.telephone.lift()
    block = line.pair.advance(80, False, PROMPT)
    assert level_at(block.line_in, 1000) == pytest.approx(-10 - COUPLING_DB, abs=0.1)
    assert block.phone_in.tolist() == block.line_in.tolist()
    assert line.pair.recording.phone_heard[-1].tolist() == block.line_in.tolist()
    assert line.pair.recording.exchange_heard[-1].tolist() == block.line_in.tolist()


def test_at_rest_the_exchanges_register_hears_what_the_adapter_couples() -> None:
    line = Line()
    line.seize()
    press = dtmf.digit("8", on_ms=100, off_ms=0, low_dbm0=0, high_dbm0=0)
    for at in range(0, len(press), 80):
        line.phone_out = press[at : at + 80]
        line.run(10)
    assert line.office.dialled == "8"


def test_energised_the_phone_hears_the_adapter_and_the_exchange_an_open_loop() -> None:
    line = Line()
    line.seize()
    line.relay_energised, line.phone_out = True, PROMPT
    line.telephone.press("1", on_ms=300)
    line.run(310)
    assert not line.pair.advance(80, True, PROMPT).line_in.any()
    assert line.pair.recording.phone_heard[-1].tolist() == PROMPT.tolist()
    assert line.telephone.heard_level_dbm0 == pytest.approx(-10, abs=0.1)
    assert line.office.dialled == ""
    assert line.office.phase is Phase.IDLE


def test_energised_the_adapter_hears_the_phone_and_its_own_sound_20_db_down() -> None:
    line = Line()
    line.telephone.lift()
    line.telephone.press("1", on_ms=100)
    block = line.pair.advance(800, True, np.tile(PROMPT, 10))
    assert level_at(block.phone_in, 1000) == pytest.approx(-30, abs=0.3)
    assert level_at(block.phone_in, 697) == pytest.approx(-10, abs=0.3)
    assert not block.line_in.any()


def test_energised_the_exchange_can_ring_but_the_phone_does_not() -> None:
    line = Line()
    line.telephone.lift()
    line.run(500)
    line.relay_energised = True
    line.run(1000)
    line.office.incoming_call(SMITH)
    line.telephone.hang_up()
    heard = line.run(5000)
    assert len(line.ring_edges()) == 80
    assert not line.telephone.ringing
    assert dbm0_of(heard[20_800:24_000]) == pytest.approx(-13.5, abs=0.3)
    assert not any(block.any() for block in line.pair.recording.phone_heard[-400:])


def test_released_with_the_phone_off_hook_dial_tone_comes() -> None:
    line = Line()
    line.seize()
    line.relay_energised = True
    line.run(1000)
    line.relay_energised = False
    line.run(400)
    assert line.telephone.heard_level_dbm0 == pytest.approx(-10, abs=1)


def test_hook_edges_come_in_both_positions_at_their_sample() -> None:
    for relay_energised in (False, True):
        line = Line(block_samples=77)
        line.relay_energised = relay_energised
        line.run(10)
        lifted = line.now
        line.telephone.lift()
        line.telephone.pulse("2")
        line.run(1500)
        line.telephone.hang_up()
        hung_up = line.now
        line.run(10)
        hook = [(at, level) for at, kind, level in line.edges if kind == HOOK_EDGE]
        begun = [(lifted + offset, level) for offset, level in ((480, 1), (800, 0), (1280, 1))]
        assert hook == [*begun, (hung_up, 0)]


def test_ring_and_hook_edges_are_in_order() -> None:
    line = Line(block_samples=100)
    line.office.incoming_call(SMITH)
    line.run(1)
    line.telephone.lift()
    block = line.pair.advance(400, False, SILENT)
    assert block.edges == [(0, 0, 0), (0, 1, 1)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=40))
def test_blocks_of_any_length_make_one_line(lengths: list[int]) -> None:
    """Ringing and caller ID come at the same samples whatever the blocks."""
    pair = Pair(CentralOffice(), Telephone())
    pair.office.incoming_call(SMITH)
    whole = CentralOffice()
    whole.incoming_call(SMITH)
    lengths = [*lengths, *[499] * 60]
    blocks = [pair.advance(n, False, SILENT) for n in lengths]
    expected = whole.advance(False, np.zeros(sum(lengths), np.int16))
    assert np.concatenate([block.line_in for block in blocks]).tolist() == expected.samples.tolist()
    starts = np.cumsum([0, *lengths[:-1]])
    edges = [
        (int(start) + offset, level)
        for start, block in zip(starts, blocks, strict=True)
        for offset, _, level in block.edges
    ]
    assert edges == expected.ring_edges
    assert [block.n for block in blocks] == lengths


def test_the_recording_has_an_entry_a_block() -> None:
    line = Line()
    line.office.incoming_call(SMITH)
    line.run(3000)
    line.telephone.lift()
    line.run(100)
    line.relay_energised = True
    line.run(100)
    recording = line.pair.recording
    assert recording.ringing == [True] * 200 + [False] * 120
    assert recording.off_hook == [False] * 300 + [True] * 20
    assert recording.relay_energised == [False] * 310 + [True] * 10
    assert [len(block) for block in recording.phone_heard + recording.exchange_heard] == [80] * 640
