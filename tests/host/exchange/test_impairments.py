"""Every impairment measured back by its definition, on signals of this test's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange.cable import AWG_24, AWG_26, Cable
from host_tools.exchange.fsk import BELL_202, on_hook
from host_tools.exchange.g711 import Law
from host_tools.exchange.impairments import (
    CarrierSystem,
    Clipping,
    ClockOffset,
    Codec,
    DcOffset,
    Echo,
    Gain,
    Hum,
    Impairment,
    ImpulseNoise,
    InterferingTone,
    Line,
    Loop,
    LostSamples,
    Noise,
    NoiseAt,
    PicoAdc,
    StartStopClicks,
    Talker,
    Tone,
    burst_of,
    burst_power,
)
from host_tools.exchange.levels import RATE_HZ, Wave, dbm0_of, mean_power_of, peak_of, power_of, to_samples
from host_tools.exchange.spectrum import band_power
from tests.host.exchange.hearing import level_at

SECOND = RATE_HZ
SILENCE: Wave = np.zeros(10 * SECOND)


def rng(seed: int = 57) -> np.random.Generator:
    return np.random.default_rng(seed)


def sine(frequency_hz: float, level_dbm0: float, n: int = 10 * SECOND) -> Wave:
    wave: Wave = peak_of(level_dbm0) * np.sin(2 * np.pi * frequency_hz * np.arange(n) / RATE_HZ)
    return wave


def db(power: float, other: float) -> float:
    return 10 * math.log10(power / other)


def residual_after_fit(wave: Wave, frequency_hz: float) -> Wave:
    """What is left of a wave without its DC and its sine of this frequency, by least squares."""
    turns = 2 * np.pi * frequency_hz * np.arange(len(wave)) / RATE_HZ
    basis = np.stack([np.ones(len(wave)), np.cos(turns), np.sin(turns)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, wave, rcond=None)
    residual: Wave = wave - basis @ fit
    return residual


# --- noise -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("snr_db", [-3, 3.5, 12, 40])
@pytest.mark.parametrize("slope_db_per_octave", [0, -3, -6])
def test_snr_is_the_burst_over_the_noise_in_the_band(snr_db: float, slope_db_per_octave: float) -> None:
    burst = np.concatenate([np.zeros(3000), on_hook(BELL_202).wave(bytes(1500)), np.zeros(40_000)])
    noise = Noise(snr_db, slope_db_per_octave=slope_db_per_octave)(burst, rng()) - burst
    signal = burst[burst != 0]
    assert db(mean_power_of(signal), band_power(noise)) == pytest.approx(snr_db, abs=0.1)


def test_snr_by_the_level_that_was_given() -> None:
    digits = np.tile(np.concatenate([sine(1000, -10, 400), np.zeros(400)]), 100)
    noise = Noise(6, signal_dbm0=-10)(digits, rng()) - digits
    assert db(power_of(-10), band_power(noise)) == pytest.approx(6, abs=0.1)


def test_noise_is_white_and_gaussian() -> None:
    noise = NoiseAt(-20)(np.zeros(50 * SECOND), rng())
    bands = [db(band_power(noise, low, low + 500), mean_power_of(noise) / 8) for low in range(0, 4000, 500)]
    assert np.abs(bands).max() < 0.15
    assert np.mean(noise**4) / np.mean(noise**2) ** 2 == pytest.approx(3, abs=0.03)
    assert dbm0_of(noise) == pytest.approx(-20 + 10 * math.log10(4000 / 3100), abs=0.05)


@pytest.mark.parametrize("slope_db_per_octave", [0, -3, -6, 3])
def test_coloured_noise_has_its_level_and_its_slope(slope_db_per_octave: float) -> None:
    noise = NoiseAt(-20, slope_db_per_octave)(np.zeros(50 * SECOND), rng())
    assert db(band_power(noise), power_of(-20)) == pytest.approx(0, abs=0.1)
    octave = db(band_power(noise, 1400, 1440), band_power(noise, 700, 720))
    assert octave - 10 * math.log10(2) == pytest.approx(slope_db_per_octave, abs=0.4)


def test_the_burst_is_what_lies_between_silences() -> None:
    wave = np.concatenate([np.zeros(100), sine(1000, -13, 801), np.zeros(50)])
    assert burst_of(wave) == slice(101, 101 + 799)
    assert burst_power(wave) == pytest.approx(power_of(-13), rel=0.01)
    assert burst_of(np.zeros(10)) == slice(0, 0)
    assert burst_power(np.zeros(0)) == 0


# --- tones -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum(mains_hz: float) -> None:
    hum = Hum(mains_hz, -10)(SILENCE, rng())
    assert level_at(hum, mains_hz) == pytest.approx(-10, abs=0.01)
    assert mean_power_of(residual_after_fit(hum, mains_hz)) < 1e-6


def test_hum_with_harmonics_has_its_level_as_a_whole() -> None:
    hum = Hum(50, -10, harmonics=((3, -6), (5, -20)))(SILENCE, rng())
    assert dbm0_of(hum) == pytest.approx(-10, abs=0.01)
    assert level_at(hum, 150) - level_at(hum, 50) == pytest.approx(-6, abs=0.01)
    assert level_at(hum, 250) - level_at(hum, 50) == pytest.approx(-20, abs=0.01)


def test_a_tone() -> None:
    assert level_at(Tone(1004, -31.5)(SILENCE, rng()), 1004) == pytest.approx(-31.5, abs=0.01)


@pytest.mark.parametrize(
    ("frequency_hz", "ratio_db"),
    [(50, -18), (60, -18), (100, -12), (180, -6), (1000, 25), (3200, 25), (3500, 6)],
)
def test_an_interfering_tone_of_tia_777(frequency_hz: float, ratio_db: float) -> None:
    """TELEPHONY 1.1, noise."""
    burst = sine(1700, -13.5)
    tone = InterferingTone.at_limit(frequency_hz)(burst, rng()) - burst
    assert level_at(tone, frequency_hz) == pytest.approx(-13.5 - ratio_db, abs=0.02)
    known = InterferingTone(frequency_hz, ratio_db, signal_dbm0=-30)(SILENCE, rng())
    assert dbm0_of(known) == pytest.approx(-30 - ratio_db, abs=0.02)


def test_dc_offset_and_gain() -> None:
    assert (
        DcOffset(12_000)(np.array([0, 32767, -32768], np.int16), rng()) == [12_000, 44_767, -20_768]
    ).all()
    assert dbm0_of(Gain(-7.5)(sine(1000, -10), rng())) == pytest.approx(-17.5, abs=0.01)


# --- overload and line -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level_dbm0", [-40, 0, 12])
@pytest.mark.parametrize("beyond_db", [3, 12])
def test_clipping_by_so_much(level_dbm0: float, beyond_db: float) -> None:
    clipped = Clipping(beyond_db)(sine(997, level_dbm0), rng())
    # A sine is below a share s of its peak for 2/pi asin(s) of the time.
    below = 2 / np.pi * math.asin(10 ** (-beyond_db / 20))
    assert np.mean(np.abs(clipped) < 32766.9) == pytest.approx(below, abs=0.001)
    assert np.abs(clipped).max() == 32767


def test_clipping_restored_leaves_what_was_not_clipped() -> None:
    wave = sine(997, -20)
    restored = Clipping(12, restored=True)(wave, rng())
    limit = np.abs(wave).max() / 10 ** (12 / 20)
    assert np.allclose(restored, np.clip(wave, -limit, limit))


def test_no_clipping_at_full_scale() -> None:
    assert np.allclose(Clipping(0)(sine(997, -20), rng()), sine(997, 3.17), atol=2)
    assert not Clipping(12)(np.zeros(80), rng()).any()


@pytest.mark.parametrize("frequency_hz", [300, 1000, 1200, 2200, 3000])
@pytest.mark.parametrize(("length_km", "cable"), [(3, AWG_26), (9, AWG_26), (9, AWG_24)])
def test_a_loop_loses_what_the_two_port_says(frequency_hz: float, length_km: float, cable: Cable) -> None:
    heard = Loop(length_km, cable)(sine(frequency_hz, -10), rng())[SECOND:-SECOND]
    left = abs(cable.insertion(length_km, np.array([frequency_hz], np.float64))[0])
    assert level_at(heard, frequency_hz) == pytest.approx(-10 + 20 * math.log10(left), abs=0.01)


def test_nine_kilometres_tilt_bell_202() -> None:
    """16 dB at 1 kHz, and a slope that a receiver hears as twist."""
    mark, space = (
        level_at(Loop(9)(sine(hz, 0), rng())[SECOND:-SECOND], hz)
        for hz in (BELL_202.mark_hz, BELL_202.space_hz)
    )
    assert mark == pytest.approx(-17.0, abs=0.1)
    assert mark - space == pytest.approx(5.85, abs=0.1)


def test_a_loop_with_its_loss_made_up() -> None:
    loop = Loop(9, restored_hz=1000)
    assert level_at(loop(sine(1000, -10), rng())[SECOND:-SECOND], 1000) == pytest.approx(-10, abs=0.01)
    tilt = abs(loop.response(np.array([2200.0]))) / abs(Loop(9).response(np.array([2200.0])))
    assert 20 * math.log10(tilt[0]) == pytest.approx(15.64, abs=0.05)


def test_the_carrier_system_has_its_band() -> None:
    levels = [
        level_at(CarrierSystem()(sine(hz, 0), rng())[SECOND:-SECOND], hz)
        for hz in (150, 300, 1000, 3400, 3700)
    ]
    assert levels[1] == pytest.approx(-3.01, abs=0.02)
    assert levels[2] == pytest.approx(0, abs=0.01)
    assert levels[3] == pytest.approx(-3.01, abs=0.02)
    assert max(levels[0], levels[4]) < -20


@pytest.mark.parametrize("frequency_hz", [400.0, 1000.0, 3000.0])
def test_the_carrier_system_delays_a_pulse_by_its_group_delay(frequency_hz: float) -> None:
    system = CarrierSystem()
    times = np.arange(-SECOND, SECOND) / RATE_HZ
    pulse = np.exp(-((times / 0.05) ** 2)) * np.cos(2 * np.pi * frequency_hz * times)
    envelope = np.abs(
        np.convolve(system(pulse, rng()) * np.exp(-2j * np.pi * frequency_hz * times), np.ones(800))
    )
    middle_ms = float(envelope @ np.arange(len(envelope)) / envelope.sum() - SECOND - 399.5) / 8
    phases = np.unwrap(np.angle(system.response(frequency_hz + np.array([-1.0, 1.0]))))
    delay_ms = -(phases[1] - phases[0]) / (4 * np.pi) * 1000
    assert middle_ms == pytest.approx(delay_ms, abs=0.03)
    assert delay_ms > (0.9 if frequency_hz == 400 else 0.1)


def test_echo() -> None:
    impulse = np.zeros(100)
    impulse[10] = 1000
    heard = Echo(5, 20)(impulse, rng())
    assert {int(at): heard[at] for at in np.flatnonzero(heard)} == {10: 1000, 50: pytest.approx(100)}
    assert np.array_equal(Echo(50, 6)(impulse, rng()), impulse)


# --- converters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", ["mu", "a"])
def test_a_codec_costs_a_sine_as_much_as_it_must(law: Law) -> None:
    """33 dB from 0 to -30 dBm0 is what G.712 wants of a channel; a perfect codec has a little more, not much."""
    for level_dbm0 in (0, -10, -25):
        coded = Codec((law,))(sine(1017, level_dbm0), rng())
        ratio_db = db(power_of(level_dbm0), mean_power_of(residual_after_fit(coded, 1017)))
        assert 35 < ratio_db < 40


def test_a_law_again_changes_nothing_and_another_does() -> None:
    wave = NoiseAt(-15)(SILENCE, rng())
    once = Codec(("mu",))(wave, rng())
    assert np.array_equal(Codec(("mu",) * 3)(wave, rng()), once)
    assert not np.array_equal(Codec(("mu", "a", "mu"))(wave, rng()), once)


def test_robbed_bits_cost_every_sixth_sample_one_step() -> None:
    wave = NoiseAt(-15)(SILENCE, rng())
    changed = np.flatnonzero(Codec(robbed_bits=True)(wave, rng()) != Codec()(wave, rng()))
    assert set(np.unique(changed % 6)) == {5}
    assert len(changed) == pytest.approx(len(wave) / 12, rel=0.05)


def test_the_wide_codes_stand_out_of_a_histogram() -> None:
    """A ramp over the whole range: each code as often as it is wide."""
    ramp = np.linspace(-32767, 32767, 4095 * 200)
    codes = PicoAdc(enob=None).codes(ramp, rng()).astype(int)
    often = np.bincount(codes, minlength=4096)[2:-1] / 200
    assert np.flatnonzero(often > 2).tolist() == [512 - 2, 1536 - 2, 2560 - 2, 3584 - 2]
    assert often[often > 2] == pytest.approx(10, abs=0.02)
    assert often[often < 2] == pytest.approx(1 - 36 / 4092, abs=0.02)


@pytest.mark.parametrize("enob", [7.5, 8.0, 8.7])
def test_effective_bits_are_those_of_a_full_scale_sine(enob: float) -> None:
    codes = PicoAdc(enob=enob).codes(sine(1017, 3.17, 5 * SECOND), rng())
    error = mean_power_of(residual_after_fit(codes, 1017))
    assert math.log2(4096 / math.sqrt(12 * error)) == pytest.approx(enob, abs=0.03)


def test_without_its_faults_the_converter_has_12_bits() -> None:
    codes = PicoAdc(wide_codes=(), enob=None).codes(sine(1017.3, 3.17, 5 * SECOND), rng())
    error = mean_power_of(residual_after_fit(codes, 1017.3))
    assert math.log2(4096 / math.sqrt(12 * error)) == pytest.approx(12, abs=0.03)


def test_the_converter_is_biased_to_its_middle_and_spans_full_scale() -> None:
    adc = PicoAdc(enob=None)
    assert adc(np.array([0.0, 3.0, -3.0]), rng()).tolist() == [0, 0, 0]
    assert adc.codes(np.array([-40_000.0, -32767, 32767, 40_000]), rng()).tolist() == [0, 1, 4095, 4095]
    quiet = PicoAdc(full_scale_dbm0=-16.83, enob=None)
    assert dbm0_of(quiet(sine(1000, -20), rng())) == pytest.approx(0, abs=0.05)


def test_more_reads_are_less_noise() -> None:
    once, often = (PicoAdc(wide_codes=(), reads=reads)(SILENCE + 8, rng()) for reads in (1, 16))
    assert db(float(np.var(once)), float(np.var(often))) == pytest.approx(12.04, abs=0.3)


# --- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset_ppm", [-1000, -50, 100, 3000])
def test_a_faster_clock_sees_everything_slower(offset_ppm: float) -> None:
    heard = ClockOffset(offset_ppm)(sine(1000, -10), rng())
    assert len(heard) == pytest.approx(10 * SECOND * (1 + offset_ppm / 1e6), abs=1)
    steady = heard[200:-200]
    turns = np.unwrap(
        np.angle(np.convolve(steady * np.exp(-0.25j * np.pi * np.arange(len(steady))), np.ones(8), "valid"))
    )
    heard_hz = 1000 + (turns[-1] - turns[0]) / (len(turns) - 1) * RATE_HZ / (2 * np.pi)
    assert heard_hz == pytest.approx(1000 / (1 + offset_ppm / 1e6), abs=0.002)
    assert dbm0_of(steady) == pytest.approx(-10, abs=0.01)


def test_lost_samples() -> None:
    wave = 1 + np.arange(100 * SECOND, dtype=np.float64)
    silent = LostSamples(2, 80)(wave, rng())
    closed = LostSamples(2, 80, closed_up=True)(wave, rng())
    kept = LostSamples(2, 80).kept(len(wave), rng())
    assert np.array_equal(closed, wave[kept])
    assert np.array_equal(silent, np.where(kept, wave, 0))
    edges = np.flatnonzero(np.diff(kept.astype(int)))
    runs = np.diff(edges)[::2]
    assert len(runs) == pytest.approx(200, abs=45)
    assert np.median(runs) == 80
    assert runs.min() == 80


def test_impulses_come_at_their_rate_with_their_peak_and_shape() -> None:
    noise = ImpulseNoise(0.5, -10, frequency_hz=2000, decay_ms=1)
    heard = noise(np.zeros(400 * SECOND), rng())
    starts = np.flatnonzero(np.abs(heard) > 0.99 * peak_of(-10))
    assert len(starts) == pytest.approx(200, abs=45)
    shape = heard[starts[0] : starts[0] + 17] / heard[starts[0]]
    assert shape[::4] == pytest.approx(np.exp(-np.arange(0, 17, 4) / 8))
    assert shape[1::2] == pytest.approx(0, abs=1e-9)
    assert 0.4 < np.mean(heard[starts] > 0) < 0.6


def test_clicks_at_both_ends() -> None:
    wave = np.concatenate([np.zeros(100), np.full(800, 5.0), np.zeros(300)])
    clicks = StartStopClicks(400, decay_ms=2)(wave, rng()) - wave
    assert not clicks[:100].any()
    assert clicks[100] == 400
    assert clicks[116] == pytest.approx(400 / math.e)
    assert clicks[900] == pytest.approx(-400)
    assert clicks[916] == pytest.approx(-400 / math.e)


def test_a_talker_has_the_level_while_talking() -> None:
    talk = np.concatenate([sine(500, -7, 2 * SECOND), np.zeros(6 * SECOND)])
    heard = Talker(talk, -25, start_samples=0)(np.zeros(3 * len(talk)), rng())
    assert level_at(heard[: 2 * SECOND], 500) == pytest.approx(-25, abs=0.6)
    assert np.allclose(heard[: len(talk)], heard[len(talk) : 2 * len(talk)])
    anywhere = Talker(talk, -25)(np.zeros(len(talk)), rng())
    assert mean_power_of(anywhere) == pytest.approx(mean_power_of(heard))
    assert not np.array_equal(anywhere, heard[: len(talk)])


# --- all of them -------------------------------------------------------------------------------------------------

EVERY: list[Callable[[], Impairment]] = [
    lambda: Noise(10),
    lambda: Noise(-5, signal_dbm0=-20, slope_db_per_octave=-3),
    lambda: NoiseAt(-30),
    lambda: Hum(50, -10, ((2, -10), (3, -6))),
    lambda: Tone(1000, -20),
    lambda: InterferingTone.at_limit(60),
    lambda: DcOffset(-3000),
    lambda: Gain(20),
    lambda: Clipping(12),
    lambda: Clipping(12, restored=True),
    lambda: Loop(9),
    lambda: Loop(4, AWG_24, restored_hz=1000),
    lambda: Codec(("a", "mu"), robbed_bits=True),
    PicoAdc,
    lambda: PicoAdc(reads=3),
    lambda: Echo(5, 12),
    lambda: LostSamples(20, 40),
    lambda: ImpulseNoise(50, -6),
    lambda: StartStopClicks(300),
    lambda: Talker(np.array([3, -4, 5], np.int16), -20),
    lambda: Talker(np.zeros(0), -20),
    CarrierSystem,
]
SIGNALS = st.one_of(
    st.lists(st.integers(-32768, 32767), max_size=300).map(lambda values: np.array(values, np.int16)),
    st.lists(st.floats(-1e6, 1e6), max_size=300).map(lambda values: np.array(values, np.float64)),
)


@settings(max_examples=60, deadline=None)
@given(signal=SIGNALS, seed=st.integers(0, 1 << 30))
def test_any_signal_passes_through_each_as_long_as_it_was_and_unchanged_itself(
    signal: np.ndarray[tuple[int], np.dtype[np.int16]], seed: int
) -> None:
    before = signal.copy()
    for make in EVERY:
        heard = make()(signal, rng(seed))
        assert heard.dtype == np.float64
        assert len(heard) == len(signal)
        assert np.isfinite(heard).all()
        assert np.array_equal(heard, make()(signal, rng(seed)))
    assert np.array_equal(signal, before)


@settings(max_examples=60, deadline=None)
@given(signal=SIGNALS, offset_ppm=st.floats(-1000, 1000), seed=st.integers(0, 1 << 30))
def test_what_changes_the_length_takes_any_signal_too(
    signal: np.ndarray[tuple[int], np.dtype[np.int16]], offset_ppm: float, seed: int
) -> None:
    assert abs(len(ClockOffset(offset_ppm)(signal, rng())) - len(signal)) <= 1
    closed = LostSamples(50, 30, closed_up=True)(signal, rng(seed))
    assert closed.dtype == np.float64
    assert len(closed) <= len(signal)


def test_a_line_applies_in_order() -> None:
    signal = to_samples(sine(1000, -10, 800))
    line = Line(DcOffset(100), Gain(20), Noise(20))
    assert np.allclose(Line(DcOffset(100), Gain(20))(signal, rng()), (signal + 100.0) * 10)
    assert np.array_equal(line.samples(signal, rng()), to_samples(line(signal, rng())))
    assert np.array_equal(Line().samples(signal, rng()), signal)
    assert repr(line).startswith("Line(DcOffset(offset_samples=100), Gain(gain_db=20), Noise(snr_db=20")


def test_a_burst_through_every_part_of_a_line_can_still_be_told() -> None:
    line = Line(
        ClockOffset(50),
        StartStopClicks(300),
        CarrierSystem(),
        Codec(),
        Loop(5, restored_hz=1000),
        Echo(6, 25),
        Noise(25),
        Hum(60, -30, ((3, -10),)),
        ImpulseNoise(1, -20),
        DcOffset(500),
        PicoAdc(),
    )
    heard = line.samples(on_hook(BELL_202).samples(b"555-0100"), rng())
    assert heard.dtype == np.int16
    mark = heard[int(320 / 1.2 * 8) : int(460 / 1.2 * 8)]
    assert level_at(mark, 1200) > level_at(mark, 2200) + 20
