"""The central office, at the other end of a pair whose relay rests."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange import tones
from host_tools.exchange.caller_id import CallerId, mdmf
from host_tools.exchange.central_office import CentralOffice, IncomingCall, Phase, Ringing
from host_tools.exchange.levels import dbm0_of
from tests.host.exchange.hearing import fsk_bytes, level_at
from tests.host.exchange.lines import NUMBER, SMITH, Line
from tests.host.exchange.test_call_records import rows

SECOND = IncomingCall(CallerId("5555550199", "B CALLER"), origin="5555550199")


@pytest.mark.parametrize("seed", range(5))
def test_dial_tone_comes_100_to_300_ms_after_off_hook(seed: int) -> None:
    line = Line(seed=seed)
    line.run(100)
    line.telephone.lift()
    heard = line.run(1000)
    assert 800 <= np.flatnonzero(heard)[0] <= 2402
    assert level_at(heard[4000:], 350) == pytest.approx(-13, abs=0.2)
    assert level_at(heard[4000:], 440) == pytest.approx(-13, abs=0.2)


@pytest.mark.parametrize("pulsed", [False, True])
def test_dial_tone_stops_at_the_first_digit(pulsed: bool) -> None:
    line = Line()
    line.seize()
    (line.telephone.pulse if pulsed else line.telephone.press)("1")
    line.run(200)
    assert not line.run(2000).any()


@pytest.mark.parametrize("keys", ["*57", "911", "5555550123", "15555550123", "1157", "0", "#A"])
def test_the_register_has_what_was_dialled(keys: str) -> None:
    line = Line()
    line.seize()
    line.dial(keys)
    assert line.office.dialled == keys


def test_the_register_takes_pulses() -> None:
    line = Line()
    line.seize()
    line.telephone.pulse("1157092")
    line.until(lambda: not line.telephone.busy, 20_000)
    assert line.office.dialled == "1157092"


@settings(max_examples=10, deadline=None)
@given(keys=st.text("0123456789*#ABCD", min_size=1, max_size=12), block_samples=st.integers(16, 400))
def test_the_register_takes_anything_in_blocks_of_any_length(keys: str, block_samples: int) -> None:
    line = Line(block_samples=block_samples)
    line.seize()
    line.dial("*" + keys)
    assert line.office.dialled == "*" + keys


def test_emergency_is_put_through() -> None:
    line = Line()
    line.seize()
    line.dial("911")
    heard = line.run(2000)
    assert level_at(heard[-4000:], 440) == pytest.approx(-19, abs=0.3)
    assert level_at(heard[-4000:], 480) == pytest.approx(-19, abs=0.3)


@pytest.mark.parametrize("keys", ["*57", "1157", "555"])
def test_what_is_not_a_whole_number_waits(keys: str) -> None:
    line = Line()
    line.seize()
    line.dial(keys)
    assert not line.run(20_000).any()
    assert line.office.phase is Phase.DIALLING


def test_hanging_up_and_lifting_begins_anew() -> None:
    line = Line()
    line.seize()
    line.dial("911")
    line.telephone.hang_up()
    line.run(500)
    assert line.office.phase is Phase.IDLE
    assert line.office.dialled == "911"
    line.seize()
    assert line.office.dialled == ""
    assert line.telephone.heard_level_dbm0 == pytest.approx(-10, abs=1)


@pytest.mark.parametrize("block_samples", [33, 80, 160])
def test_ring_voltage_is_20_hz_2_s_on_4_s_off_to_the_sample(block_samples: int) -> None:
    line = Line(block_samples=block_samples)
    line.office.incoming_call(replace(SMITH, rings=3))
    line.run(20_000)
    expected = [(ring * 48_000 + half * 200, 1 - half % 2) for ring in range(3) for half in range(80)]
    assert line.ring_edges() == expected
    assert line.office.phase is Phase.IDLE


def test_a_country_may_ring_otherwise() -> None:
    line = Line()
    line.office.incoming_call(replace(SMITH, rings=2, ringing=Ringing(25, ((400, 200), (400, 2000)))))
    line.run(10_000)
    bursts = [(start, start + 3200) for start in (0, 4800, 24_000, 28_800)]
    assert line.ring_edges() == [
        (at, 1 - half % 2) for start, end in bursts for half, at in enumerate(range(start, end, 160))
    ]


def test_caller_id_comes_600_ms_after_the_first_ring_and_only_there() -> None:
    line = Line()
    line.office.incoming_call(SMITH)
    heard = line.run(18_000)
    sounding = np.flatnonzero(heard)
    assert 20_800 <= sounding[0] <= 20_802
    assert sounding[-1] < 48_000 - 1600
    burst = heard[20_800 : sounding[-1] + 1]
    assert dbm0_of(burst) == pytest.approx(-13.5, abs=0.2)
    assert fsk_bytes(burst) == mdmf(CallerId(NUMBER, "SMITH JOHN", date_time="01011200"))


def test_the_date_is_that_of_the_offices_zone_unless_given() -> None:
    zone = timezone(timedelta(hours=-5))
    office = CentralOffice(starts_at=datetime(2026, 3, 4, 23, 59, 59, tzinfo=zone))
    office.incoming_call(SMITH)
    heard = office.advance(False, np.zeros(40_000, np.int16)).samples
    assert b"03042359" in fsk_bytes(heard)
    office = CentralOffice()
    office.incoming_call(IncomingCall(CallerId(NUMBER, date_time="12011731"), NUMBER))
    assert b"12011731" in fsk_bytes(office.advance(False, np.zeros(40_000, np.int16)).samples)


def test_a_line_without_caller_id_is_silent() -> None:
    line = Line()
    line.office.incoming_call(IncomingCall(None, NUMBER))
    assert not line.run(10_000).any()


def test_off_hook_trips_the_ring_at_once() -> None:
    line = Line()
    line.office.incoming_call(SMITH)
    line.run(1010)
    line.telephone.lift()
    heard = line.run(5000)
    assert line.ring_edges()[-1] == (8080, 0)
    assert line.office.phase is Phase.TALKING
    assert dbm0_of(heard) == pytest.approx(-60, abs=1)


def test_the_caller_gives_up() -> None:
    line = Line()
    call = line.office.incoming_call(SMITH)
    line.run(1010)
    line.office.caller_clears()
    line.run(5000)
    assert line.ring_edges()[-1] == (8080, 0)
    assert line.office.phase is Phase.IDLE
    assert call.ended == 8080


def test_after_the_far_end_clears_dial_tone_comes_only_after_on_hook() -> None:
    line = Line()
    line.talk()
    line.office.caller_clears()
    assert not line.run(10_000).any()
    line.telephone.hang_up()
    line.run(400)
    line.seize()
    assert line.telephone.heard_level_dbm0 == pytest.approx(-10, abs=1)


def test_the_called_party_clears() -> None:
    line = Line()
    line.talk()
    call = line.office.talking
    line.telephone.hang_up()
    hung_up = line.now
    line.run(2000)
    assert line.office.phase is Phase.IDLE
    assert call is not None
    assert call.ended == hung_up + 1100 * 8


def test_a_busy_line_is_busy() -> None:
    line = Line()
    line.seize()
    assert line.office.incoming_call(SECOND, call_waiting=True).busy
    line.telephone.hang_up()
    line.run(500)
    line.talk()
    assert line.office.incoming_call(SECOND).busy
    assert line.office.phase is Phase.TALKING


@pytest.mark.parametrize("block_samples", [80, 160])
def test_call_waiting_alerts_and_identifies_to_a_type_two_set(block_samples: int) -> None:
    line = Line(type_two=True, block_samples=block_samples)
    line.talk()
    line.office.incoming_call(SECOND, call_waiting=True)
    heard = line.run(2000)
    assert level_at(heard[:2400], 440) == pytest.approx(-13, abs=0.1)
    assert not heard[2400:2560].any()
    assert level_at(heard[2560:3200], 2130) == pytest.approx(-15, abs=0.1)
    assert level_at(heard[2560:3200], 2750) == pytest.approx(-15, abs=0.1)
    acknowledged = 3200 + int(np.flatnonzero(heard[3200:])[0])
    assert acknowledged <= 3200 + 800
    assert level_at(heard[acknowledged : acknowledged + 480], 941) == pytest.approx(-10, abs=0.3)
    began = acknowledged + 480 + int(np.flatnonzero(heard[acknowledged + 480 :])[0])
    assert began - (acknowledged + 480) <= 4000
    assert level_at(heard[began : began + 533], 1200) == pytest.approx(-13.5, abs=0.2)
    message = mdmf(CallerId("5555550199", "B CALLER", date_time="01011200"))
    assert fsk_bytes(heard[began:])[: len(message)] == message
    assert dbm0_of(heard[-800:]) == pytest.approx(-60, abs=1)


def test_a_plain_set_hears_the_tones_and_no_more() -> None:
    line = Line()
    line.talk()
    line.office.incoming_call(SECOND, call_waiting=True)
    heard = line.run(2000)
    assert not heard[3200 : 3200 + 1600].any()
    assert dbm0_of(heard[3200 + 1600 :]) == pytest.approx(-60, abs=1)


def test_a_call_that_waits_gives_up_after_10_s() -> None:
    line = Line(type_two=True)
    line.talk()
    call = line.office.incoming_call(SECOND, call_waiting=True)
    line.run(10_000)
    assert line.office.waiting is call
    line.run(2000)
    assert line.office.waiting is None
    assert call.answered is None
    assert call.ended is not None
    assert line.office.phase is Phase.TALKING


def test_a_flash_answers_the_call_that_waits_and_another_goes_back() -> None:
    line = Line(type_two=True)
    line.talk()
    first = line.office.talking
    second = line.office.incoming_call(SECOND, call_waiting=True)
    line.run(2000)
    for talking, held in ((second, first), (first, second)):
        line.telephone.flash()
        line.run(800)
        assert (line.office.talking, line.office.held, line.office.waiting) == (talking, held, None)
    line.office.caller_clears(second)
    assert line.office.held is None
    line.telephone.flash()
    line.run(800)
    assert line.office.talking is first


def test_hanging_up_ends_every_call() -> None:
    line = Line()
    line.talk()
    first = line.office.talking
    second = line.office.incoming_call(SECOND, call_waiting=True)
    line.run(1000)
    line.office.caller_clears()
    line.telephone.hang_up()
    line.run(1200)
    assert line.office.phase is Phase.IDLE
    assert first is not None
    assert None not in (first.ended, second.ended)


def test_every_call_is_on_record_from_its_first_alert(tmp_path: Path) -> None:
    path = tmp_path / "cdr.sqlite"
    line = Line(records=path)
    line.run(2000)
    line.office.incoming_call(IncomingCall(CallerId(reason="P", name_reason="P"), origin=NUMBER))
    (row,) = rows(path)
    assert (row["src"], row["dst"], row["disposition"]) == (NUMBER, "5555550100", "NO ANSWER")
    assert (row["calldate"], row["uniqueid"]) == ("2026-01-01 12:00:02", "1767268802.1")
    line.run(3000)
    line.telephone.lift()
    line.run(4000)
    assert rows(path)[0]["disposition"] == "ANSWERED"
    line.office.incoming_call(replace(SECOND, origin=""), call_waiting=True)
    assert rows(path)[1]["src"] == ""
    line.office.incoming_call(SECOND, call_waiting=True)
    line.office.caller_clears()
    line.telephone.hang_up()
    line.run(2000)
    assert [(row["disposition"], row["duration"], row["billsec"]) for row in rows(path)] == [
        ("ANSWERED", 7, 4),
        ("NO ANSWER", 1, 0),
        ("BUSY", 0, 0),
    ]


def test_a_call_out_is_on_record(tmp_path: Path) -> None:
    path = tmp_path / "cdr.sqlite"
    line = Line(records=path)
    line.seize()
    line.dial("911")
    (row,) = rows(path)
    assert (row["src"], row["dst"]) == ("5555550100", "911")


def test_the_same_seed_gives_the_same_line() -> None:
    def story(seed: int) -> list[int]:
        line = Line(seed=seed)
        line.talk()
        line.telephone.hang_up()
        line.run(1500)
        line.seize()
        return [int(sample) for block in line.pair.recording.exchange_heard for sample in block]

    assert story(1) == story(1)
    assert story(1) != story(2)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["lift", "hang up", "flash", "press", "call", "waiting", "clear", "relay"]),
            st.integers(0, 1500),
        ),
        max_size=12,
    )
)
def test_whatever_happens_a_line_left_alone_becomes_idle(steps: list[tuple[str, int]]) -> None:
    line = Line(type_two=True)
    for step, wait_ms in steps:
        if step == "lift":
            line.telephone.lift()
        elif step == "hang up":
            line.telephone.hang_up()
        elif step == "relay":
            line.relay_energised = not line.relay_energised
        elif step in ("flash", "press") and line.telephone.off_hook:
            line.telephone.flash() if step == "flash" else line.telephone.press("D9")
        elif step in ("call", "waiting"):
            line.office.incoming_call(replace(SMITH, rings=1), call_waiting=step == "waiting")
        elif step == "clear":
            line.office.caller_clears()
        line.run(wait_ms)
    line.telephone.hang_up()
    line.run(8000)
    assert line.office.phase is Phase.IDLE
    assert (line.office.talking, line.office.waiting, line.office.held) == (None, None, None)
    assert dbm0_of(line.run(100)) == -math.inf
    line.relay_energised = False
    line.seize()
    assert line.telephone.heard_level_dbm0 == pytest.approx(
        dbm0_of(tones.ToneGenerator(tones.DIAL).samples(8000)), abs=1
    )
