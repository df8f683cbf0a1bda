"""FSK bursts: framing, length, level, phase; each departure from a standard measured back without the sender's help."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange import fsk
from host_tools.exchange.fsk import (
    BELL_202,
    BT,
    ETSI,
    NTT,
    STANDARDS,
    V23,
    Burst,
    FskStandard,
    off_hook,
    on_hook,
)
from host_tools.exchange.levels import RATE_HZ, Wave, dbm0_of, peak_of, to_samples
from tests.host.exchange.hearing import fsk_bytes, level_at

LONG_MARK = Burst(seizure_bits=0, mark_bits=1200)
MESSAGE = bytes(range(0x30, 0x60))


def tone_in(wave: Wave) -> tuple[float, float]:
    """Frequency and peak of a steady sine, exact: x[n-1] + x[n+1] = 2 cos(w) x[n], and its energy operator."""
    before, here, after = wave[:-2], wave[1:-1], wave[2:]
    angle = np.arccos(here @ (before + after) / (2 * here @ here))
    peak = np.sqrt(np.mean(here**2 - before * after)) / np.sin(angle)
    return float(angle * RATE_HZ / (2 * np.pi)), float(peak)


def is_space(wave: Wave, standard: FskStandard) -> Wave:
    """What of every sample is space, 0 to 1, by the energy operator, which knows a tone from three samples."""
    energy = wave[1:-1] ** 2 - wave[:-2] * wave[2:]
    mark, space = (np.sin(2 * np.pi * hz / RATE_HZ) ** 2 for hz in (standard.mark_hz, standard.space_hz))
    spaces: Wave = (energy / wave.max() ** 2 - mark) / (space - mark)
    return spaces


def baud_of_alternation(wave: Wave, standard: FskStandard) -> float:
    """The rate of alternating bits, by their strongest line within 8 % of the standard's."""
    spaces = is_space(wave, standard) - 0.5
    rates = standard.baud * np.linspace(0.92, 1.08, 641)
    lines = np.exp(-1j * np.pi * np.outer(rates, np.arange(len(spaces)) / RATE_HZ)) @ spaces
    return float(rates[np.abs(lines).argmax()])


def first_space(wave: Wave, standard: FskStandard) -> int:
    return int(np.argmax(is_space(wave, standard) > 0.5))


def test_a_byte_is_start_eight_bits_lowest_first_stop() -> None:
    assert fsk.framed(b"\x55\x04").tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]


def test_stop_bits_and_gaps_are_mark_and_none_trails() -> None:
    byte = [0, *[0] * 8]
    assert fsk.framed(b"\0\0", stop_bits=4).tolist() == [*byte, 1, 1, 1, 1] * 2
    assert fsk.framed(b"\0\0", stop_bits=2, gap_bits=3).tolist() == [*byte, *[1] * 5, *byte, 1, 1]
    assert not len(fsk.framed(b"", gap_bits=20))


@pytest.mark.parametrize("standard", [BELL_202, V23])
@settings(max_examples=25, deadline=None)
@given(data=st.binary(min_size=1, max_size=60))
def test_what_is_sent_can_be_read(standard: FskStandard, data: bytes) -> None:
    assert fsk_bytes(fsk.modulate(data, standard), standard) == data


@pytest.mark.parametrize("standard", STANDARDS.values(), ids=STANDARDS)
@pytest.mark.parametrize("hook", [on_hook, off_hook])
def test_every_standard_can_be_read(standard: FskStandard, hook: type[Burst]) -> None:
    assert fsk_bytes(hook(standard).samples(MESSAGE), standard) == MESSAGE


@pytest.mark.parametrize(
    ("burst", "seizure_ms", "mark_ms"),
    [
        (on_hook(BELL_202), 250, 150),  # GR-30
        (off_hook(BELL_202), 0, 66.7),
        (on_hook(ETSI), 250, 150),  # EN 300 659-1
        (on_hook(BT), 80, 45.8),  # SIN 227: 96 and 55 bits
        (on_hook(NTT), 0, 62.5),
    ],
)
def test_seizure_and_mark_of_each_standard(burst: Burst, seizure_ms: float, mark_ms: float) -> None:
    wave = burst.wave(b"\0")
    start_bit = round((seizure_ms + mark_ms) * 8)
    mark = wave[round(seizure_ms * 8) + 7 : start_bit - 7]
    assert tone_in(mark)[0] == pytest.approx(burst.standard.mark_hz, abs=0.01)
    assert first_space(wave[start_bit - 20 :], burst.standard) == pytest.approx(20, abs=2)


@pytest.mark.parametrize(("length", "burst_ms"), [(21, 575), (37, 708.3)])
def test_length_of_a_burst(length: int, burst_ms: float) -> None:
    """TELEPHONY 1.2: SDMF of 21 bytes 575 ms, MDMF of 37 bytes 708 ms, without the mark after it."""
    samples = fsk.modulate(bytes(length))
    assert len(samples) == np.ceil((burst_ms + fsk.MARK_BITS_AFTER / 1.2) * 8)


def test_length_with_20_mark_bits_between_bytes() -> None:
    """TELEPHONY 1.2: MDMF of 37 bytes 1308 ms."""
    assert len(Burst(gap_bits=20, mark_bits_after=0).wave(bytes(37))) == pytest.approx(1308.3 * 8, abs=1)


def test_seizure_is_alternating_and_then_mark() -> None:
    heard = fsk.modulate(b"", seizure_bits=300, mark_bits=180)
    assert level_at(heard[2000:3200], 1200) == pytest.approx(-13.5, abs=0.1)
    assert level_at(heard[2000:3200], 2200) < -40
    assert level_at(heard[:2000], 1200 - 600 + 1100) > -20  # the middle of an alternating signal: 1700 Hz


def test_off_hook_burst_has_no_seizure() -> None:
    heard = fsk.modulate(b"\x80", seizure_bits=0, mark_bits=80)
    assert len(heard) == 667
    assert level_at(heard[:533], 2200) < -35


@given(st.binary(max_size=30), st.floats(-40, 0))
def test_level_is_constant_and_phase_continuous(data: bytes, level_dbm0: float) -> None:
    heard = fsk.modulate(data, level_dbm0=level_dbm0)
    assert dbm0_of(heard) == pytest.approx(level_dbm0, abs=0.3)
    steepest = 2 * peak_of(level_dbm0) * np.sin(np.pi * BELL_202.space_hz / 8000)
    assert np.abs(np.diff(heard.astype(int))).max() <= steepest + 2


@pytest.mark.parametrize("standard", [BELL_202, V23])
@pytest.mark.parametrize("baud_percent", [-4, -1, 0, 2.5, 5])
def test_baud_off(standard: FskStandard, baud_percent: float) -> None:
    burst = replace(on_hook(standard), baud_percent=baud_percent)
    wave = burst.wave()
    seizure = wave[: int(300 * RATE_HZ / (1200 * (1 + baud_percent / 100)))]
    assert baud_of_alternation(seizure, standard) == pytest.approx(1200 * (1 + baud_percent / 100), rel=5e-4)
    assert tone_in(wave[-400:])[0] == pytest.approx(standard.mark_hz, abs=1e-6)


@pytest.mark.parametrize("shift_hz", [-200, 0, 137.5, 200])
def test_both_tones_shifted(shift_hz: float) -> None:
    wave = replace(LONG_MARK, shift_hz=shift_hz).wave(b"\0")
    assert tone_in(wave[:8000])[0] == pytest.approx(1200 + shift_hz, abs=1e-6)
    assert tone_in(wave[8001:8059])[0] == pytest.approx(2200 + shift_hz, abs=1e-6)


@pytest.mark.parametrize("twist_db", [-10, -3, 0, 6, 10])
@pytest.mark.parametrize("level_dbm0", [-13.5, -40])
def test_twist_is_mark_over_space_about_the_level(twist_db: float, level_dbm0: float) -> None:
    wave = replace(LONG_MARK, twist_db=twist_db, level_dbm0=level_dbm0).wave(b"\0")
    mark, space = (20 * np.log10(tone_in(part)[1] / peak_of(0)) for part in (wave[:8000], wave[8001:8059]))
    assert mark - space == pytest.approx(twist_db, abs=1e-6)
    assert (mark + space) / 2 == pytest.approx(level_dbm0, abs=1e-6)


def test_a_wave_is_exact_at_any_level() -> None:
    faint = replace(Burst(), level_dbm0=-120.0)
    assert dbm0_of(faint.wave(MESSAGE)) == pytest.approx(-120, abs=0.05)
    assert not faint.samples(MESSAGE).any()
    assert np.allclose(faint.wave(MESSAGE) * 1e6, replace(faint, level_dbm0=0.0).wave(MESSAGE))


def test_samples_are_the_wave_rounded_and_clipped() -> None:
    loud = replace(Burst(), level_dbm0=9.0)
    assert loud.wave(MESSAGE).max() > 60_000
    assert np.array_equal(loud.samples(MESSAGE), to_samples(loud.wave(MESSAGE)))
    assert loud.samples(MESSAGE).max() == 32767


def test_a_cut_seizure_is_the_rest_of_the_whole_one() -> None:
    """Six bits of seizure are 40 samples and 8.5 cycles."""
    whole = Burst()
    assert np.allclose(replace(whole, cut_bits=6, phase=0.5).wave(MESSAGE), whole.wave(MESSAGE)[40:])


@settings(deadline=None)
@given(st.floats(0, 480))
def test_a_burst_cut_anywhere_in_front_of_its_data_can_be_read(cut_bits: float) -> None:
    """The test's own receiver wants 50 bits of mark, so it has a longer one."""
    burst = replace(Burst(), mark_bits=250, cut_bits=cut_bits)
    assert fsk_bytes(burst.samples(MESSAGE)) == MESSAGE
    assert len(burst.wave(MESSAGE)) == np.ceil((1040 - cut_bits) * RATE_HZ / 1200)


@pytest.mark.parametrize("samples", [1, 7, 33])
def test_a_cut_may_be_part_of_a_bit(samples: int) -> None:
    """A sample is 0.15 bits at 1200 baud, and 0.15 cycles of mark."""
    cut = replace(LONG_MARK, cut_bits=0.15 * samples, phase=0.15 * samples)
    assert np.allclose(cut.wave(MESSAGE)[:-1], LONG_MARK.wave(MESSAGE)[samples:-1])


@pytest.mark.parametrize("phase", [0, 0.25, 0.6])
def test_start_phase(phase: float) -> None:
    wave = replace(LONG_MARK, phase=phase).wave()
    assert wave[0] == pytest.approx(peak_of(LONG_MARK.level_dbm0) * np.sin(2 * np.pi * phase))


@pytest.mark.parametrize(("gap_bits", "stop_bits"), [(0, 1), (20, 1), (0, 2), (7, 4)])
def test_gaps_and_stop_bits_can_be_read(gap_bits: int, stop_bits: int) -> None:
    burst = replace(Burst(), gap_bits=gap_bits, stop_bits=stop_bits)
    assert fsk_bytes(burst.samples(MESSAGE)) == MESSAGE
    assert len(burst.bits(MESSAGE)) == 490 + len(MESSAGE) * (9 + stop_bits) + (len(MESSAGE) - 1) * gap_bits


def test_several_messages_in_one_burst() -> None:
    burst = replace(Burst(), mark_bits_between=30)
    assert fsk_bytes(burst.samples(b"one", b"two", b"three")) == b"onetwothree"
    bits = replace(burst, seizure_bits_between=4, seizure_bits=2, mark_bits=3, mark_bits_after=1).bits(
        b"\0", b"\0"
    )
    byte = [*[0] * 9, 1]
    assert bits.tolist() == [0, 1, 1, 1, 1, *byte, *[1] * 30, 0, 1, 0, 1, 1, 1, 1, *byte, 1]


BURSTS = st.builds(
    Burst,
    standard=st.sampled_from(list(STANDARDS.values())),
    level_dbm0=st.floats(-60, 10),
    twist_db=st.floats(-12, 12),
    baud_percent=st.floats(-10, 10),
    shift_hz=st.floats(-300, 300),
    seizure_bits=st.integers(0, 400),
    cut_bits=st.floats(-1, 5000),
    mark_bits=st.integers(0, 200),
    gap_bits=st.integers(0, 20),
    stop_bits=st.integers(1, 4),
    mark_bits_between=st.integers(0, 80),
    seizure_bits_between=st.integers(0, 80),
    mark_bits_after=st.integers(0, 50),
    phase=st.floats(0, 1),
)


@settings(max_examples=200, deadline=None)
@given(burst=BURSTS, messages=st.lists(st.binary(max_size=20), max_size=3))
def test_any_burst_is_finite_as_long_as_its_bits_and_never_louder_than_its_louder_tone(
    burst: Burst, messages: list[bytes]
) -> None:
    wave = burst.wave(*messages)
    left = len(burst.bits(*messages)) - min(max(burst.cut_bits, 0), len(burst.bits(*messages)))
    assert wave.dtype == np.float64
    assert len(wave) == np.ceil(left * RATE_HZ / burst.baud)
    assert np.abs(wave).max(initial=0) <= peak_of(burst.level_dbm0 + abs(burst.twist_db) / 2) * (1 + 1e-9)


@settings(max_examples=100, deadline=None)
@given(burst=BURSTS, message=st.binary(min_size=1, max_size=20))
def test_the_phase_never_jumps(burst: Burst, message: bytes) -> None:
    burst = replace(burst, twist_db=0, cut_bits=0)
    fastest_hz = max(burst.standard.mark_hz, burst.standard.space_hz) + burst.shift_hz
    steepest = 2 * peak_of(burst.level_dbm0) * np.sin(np.pi * fastest_hz / RATE_HZ)
    assert np.abs(np.diff(burst.wave(message))).max() <= steepest * (1 + 1e-9)
