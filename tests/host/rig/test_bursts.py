"""Bursts of caller ID as measured in a recording: where they are, and what they are like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from host_tools.exchange import tones
from host_tools.exchange.caller_id import ntt
from host_tools.exchange.fsk import BELL_202, BT, NTT, V23, Burst, FskStandard, off_hook, on_hook
from host_tools.exchange.impairments import Clipping, Codec, DcOffset, Hum, Line, Loop, Noise, PicoAdc
from host_tools.exchange.levels import Samples, to_samples
from host_tools.rig import bursts
from tests.host.rig.recordings import MESSAGE, Tape, speech

LEAD_SAMPLES = 2013


def recorded(burst: Burst, message: bytes = MESSAGE, line: Line | None = None) -> Samples:
    wave = np.concatenate([np.zeros(LEAD_SAMPLES), burst.wave(message), np.zeros(4000)])
    return to_samples(wave) if line is None else line.samples(wave, np.random.default_rng(57))


def the_burst(samples: Samples) -> bursts.Burst:
    found = bursts.find(samples)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("standard", [BELL_202, V23, BT, NTT], ids=lambda standard: standard.name)
@pytest.mark.parametrize("hook", [on_hook, off_hook])
def test_each_standard_is_found_where_it_is(standard: FskStandard, hook: type[Burst]) -> None:
    sent = hook(standard)
    message = ntt("5555550123") if standard is NTT else MESSAGE
    found = the_burst(recorded(sent, message))
    ends = LEAD_SAMPLES + len(sent.wave(message))
    message_starts = LEAD_SAMPLES + (sent.seizure_bits + sent.mark_bits) * bursts.BIT_SAMPLES
    assert abs(found.start - LEAD_SAMPLES) <= 50
    assert abs(found.message_start - message_starts) <= 4
    assert abs(found.end - ends) <= 100
    assert found.has_seizure == (sent.seizure_bits > 0)
    assert found.standard == ("bell_202" if standard is BELL_202 else "v23")
    assert abs(found.mark_hz - standard.mark_hz) < 2
    assert found.space_hz is not None
    assert abs(found.space_hz - standard.space_hz) < 15


@pytest.mark.parametrize("level_dbm0", [0.0, -20.0, -46.0])
def test_level(level_dbm0: float) -> None:
    assert (
        abs(the_burst(recorded(replace(on_hook(BELL_202), level_dbm0=level_dbm0))).level_dbm0 - level_dbm0)
        < 0.3
    )


@pytest.mark.parametrize("twist_db", [-6.0, 6.0, 10.0])
@pytest.mark.parametrize("standard", [BELL_202, V23], ids=lambda standard: standard.name)
def test_twist(twist_db: float, standard: FskStandard) -> None:
    found = the_burst(recorded(replace(off_hook(standard), twist_db=twist_db)))
    assert found.twist_db is not None
    assert abs(found.twist_db - twist_db) < 1.5


@pytest.mark.parametrize("baud_percent", [-4.0, 0.0, 5.0])
@pytest.mark.parametrize("hook", [on_hook, off_hook])
def test_baud(baud_percent: float, hook: type[Burst]) -> None:
    sent = replace(hook(BELL_202), baud_percent=baud_percent)
    found = the_burst(recorded(sent))
    assert found.baud is not None
    assert abs(found.baud - sent.baud) <= 4


@pytest.mark.parametrize("shift_hz", [-200.0, 200.0])
def test_shifted_tones(shift_hz: float) -> None:
    found = the_burst(recorded(replace(on_hook(V23), shift_hz=shift_hz)))
    assert abs(found.mark_hz - V23.mark_hz - shift_hz) < 2
    assert found.standard == "v23"


@pytest.mark.parametrize("snr_db", [5.0, 10.0, 20.0])
def test_snr(snr_db: float) -> None:
    found = the_burst(recorded(on_hook(BELL_202), line=Line(Noise(snr_db))))
    assert abs(found.snr_db - snr_db) < 2
    assert abs(found.start - LEAD_SAMPLES) <= 60


@pytest.mark.parametrize(
    "impairment",
    [DcOffset(12_000), Hum(50, -10), Hum(60, -10), Clipping(12), Loop(9), Codec(), PicoAdc()],
    ids=repr,
)
def test_through_a_line(impairment: Codec) -> None:
    found = the_burst(recorded(on_hook(BELL_202), line=Line(impairment)))
    assert abs(found.start - LEAD_SAMPLES) <= 60
    assert found.standard == "bell_202"


def test_a_seizure_that_nothing_follows_is_a_burst_too() -> None:
    sent = on_hook(BELL_202)
    samples = recorded(sent)
    cut = LEAD_SAMPLES + round((sent.seizure_bits + 100) * bursts.BIT_SAMPLES)
    found = the_burst(np.concatenate([samples[:cut], np.zeros(4000, np.int16)]))
    assert found.has_seizure
    assert abs(found.start - LEAD_SAMPLES) <= 50


def test_bursts_that_follow_each_other_are_parted() -> None:
    tape = Tape()
    began = []
    for _ in range(3):
        began.append(tape.burst())
        tape.pause(100)
    assert [round(burst.start / 8000, 1) for burst in bursts.find(tape.samples)] == [
        round(at, 1) for at in began
    ]


def test_nothing_else_is_a_burst() -> None:
    tape = Tape()
    tape.digits("123A456B789C*0#D")
    for tone in (tones.DIAL, tones.RINGBACK, tones.BUSY, tones.REORDER, tones.CALL_WAITING):
        tape.tone(tone, 3000)
    tape.tone(tones.Tone((1209,), -10), 1000)
    tape.tone(tones.Tone((1200, 2200), -10, (100, 100)), 1000)
    tape.add(tones.noise(-10, 3000, np.random.default_rng(57)))
    assert bursts.find(tape.samples) == []
    for gain in (1, 4):
        assert bursts.find(to_samples(speech().astype(np.float64) * gain)) == []


def test_too_short_for_a_frame() -> None:
    assert bursts.find(np.zeros(100, np.int16)) == []


@pytest.mark.parametrize("standard", [BELL_202, V23, NTT], ids=lambda standard: standard.name)
@pytest.mark.parametrize("gap_bits", [0, 7, 20])
def test_a_message_is_placed_by_its_bytes(standard: FskStandard, gap_bits: int) -> None:
    sent = replace(on_hook(standard), gap_bits=gap_bits)
    message = ntt("5555550123") if standard is NTT else MESSAGE
    samples = recorded(sent, message, Line(Noise(8)))
    start, agreement = bursts.place(samples, message, 0, len(samples))
    assert abs(start - LEAD_SAMPLES - (sent.seizure_bits + sent.mark_bits) * bursts.BIT_SAMPLES) <= 3
    assert agreement > 0.6


def test_of_two_places_the_last() -> None:
    sent = replace(on_hook(BELL_202), mark_bits_between=80)
    samples = to_samples(sent.wave(MESSAGE, MESSAGE))
    bits = 480, 480 + 10 * len(MESSAGE) + 80
    assert (
        abs(bursts.place(samples, MESSAGE, 0, len(samples), latest=True)[0] - bits[1] * bursts.BIT_SAMPLES)
        <= 3
    )
    assert (
        abs(
            bursts.place(samples, MESSAGE, 0, len(samples) - 800, latest=True)[0]
            - bits[0] * bursts.BIT_SAMPLES
        )
        <= 3
    )


def test_what_is_not_there_does_not_agree() -> None:
    noise = tones.noise(-10, 2000, np.random.default_rng(57))
    assert bursts.place(noise, MESSAGE, 0, len(noise))[1] < 0.35
    assert bursts.place(noise, MESSAGE, 0, 1000) == (0, 0.0)
