"""DTMF keys as sound, and the exchange's receiver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange import dtmf, tones
from host_tools.exchange.dtmf import CODES, HIGH_HZ, LOW_HZ, DigitReceiver, Press, scattered, train
from host_tools.exchange.levels import Samples, Wave, mixed, peak_of, to_samples
from tests.host.exchange.hearing import level_at


def dialled(keys: str, on_ms: float, off_ms: float) -> Samples:
    return np.concatenate([dtmf.digit(key, on_ms, off_ms) for key in keys])


def received(samples: Samples, block_samples: int = 80) -> str:
    receiver = DigitReceiver()
    return "".join(
        receiver.feed(samples[at : at + block_samples]) for at in range(0, len(samples), block_samples)
    )


def test_a_key_is_its_pair_and_then_silence() -> None:
    heard = dtmf.digit("5", on_ms=100, off_ms=50)
    assert len(heard) == 1200
    assert level_at(heard[:800], 770) == pytest.approx(-10, abs=0.2)
    assert level_at(heard[:800], 1336) == pytest.approx(-8, abs=0.2)
    assert not heard[800:].any()


@pytest.mark.parametrize("key", ["E", "", "12"])
def test_there_is_no_such_key(key: str) -> None:
    with pytest.raises(ValueError, match="not one of"):
        dtmf.digit(key)


def fitted_tones(wave: Wave, frequencies_hz: tuple[float, float]) -> tuple[list[float], Wave]:
    """The peaks of two tones of known frequency by least squares, and what is left without them."""
    turns = 2 * np.pi * np.outer(np.arange(len(wave)) / 8000, frequencies_hz)
    basis = np.concatenate([np.cos(turns), np.sin(turns)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, wave, rcond=None)
    residual: Wave = wave - basis @ fit
    return np.hypot(fit[:2], fit[2:]).tolist(), residual


@settings(deadline=None)
@given(
    key=st.sampled_from(CODES),
    on_ms=st.floats(20, 200),
    low_dbm0=st.floats(-50, 5),
    twist_db=st.floats(-12, 12),
    percents=st.tuples(st.floats(-4, 4), st.floats(-4, 4)),
    shifts_hz=st.tuples(st.floats(-10, 10), st.floats(-10, 10)),
    phases=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_press_is_off_by_what_it_says(
    key: str,
    on_ms: float,
    low_dbm0: float,
    twist_db: float,
    percents: tuple[float, float],
    shifts_hz: tuple[float, float],
    phases: tuple[float, float],
) -> None:
    sound = Press(
        key,
        on_ms,
        low_dbm0=low_dbm0,
        high_dbm0=low_dbm0 + twist_db,
        low_percent=percents[0],
        high_percent=percents[1],
        low_shift_hz=shifts_hz[0],
        high_shift_hz=shifts_hz[1],
        low_phase=phases[0],
        high_phase=phases[1],
    ).sound()
    nominal = (LOW_HZ[CODES.index(key) // 4], HIGH_HZ[CODES.index(key) % 4])
    low_hz, high_hz = (
        hz * (1 + percent / 100) + shift
        for hz, percent, shift in zip(nominal, percents, shifts_hz, strict=True)
    )
    peaks, residual = fitted_tones(sound, (low_hz, high_hz))
    assert len(sound) == round(on_ms * 8)
    assert peaks == pytest.approx([peak_of(low_dbm0), peak_of(low_dbm0 + twist_db)], rel=1e-6)
    assert np.abs(residual).max() < 1e-6 * max(peaks)
    turns = 2 * np.pi * np.array(phases)
    assert sound[0] == pytest.approx(float(peaks @ np.sin(turns)), abs=1e-6 * max(peaks))


def test_nominal_frequencies_are_those_of_q23() -> None:
    assert [Press(key).low_hz for key in "147*"] == [697, 770, 852, 941]
    assert [Press(key).high_hz for key in "123A"] == [1209, 1336, 1477, 1633]
    assert (Press("0").low_hz, Press("0").high_hz) == (941, 1336)


def test_a_gap_is_cut_out_of_tones_that_run_on() -> None:
    whole, gapped = Press("7", on_ms=60).sound(), Press("7", on_ms=50, gap_ms=10).sound()
    silent = np.flatnonzero(gapped == 0)
    assert set(range(200, 280)) == set(silent.tolist()) - {0}
    assert np.array_equal(np.delete(gapped, range(200, 280)), np.delete(whole, range(200, 280)))


def test_a_train_says_where_its_tones_are() -> None:
    presses = [Press(key, on_ms=50 + index, off_ms=40 + index) for index, key in enumerate("19D")]
    sent = train(presses, lead_ms=100, tail_ms=30)
    assert sent.presses == tuple(presses)
    assert sent.starts == (800, 800 + 720, 800 + 720 + 736)
    assert sent.ends == (1200, 1520 + 408, 2256 + 416)
    assert len(sent.wave) == sent.ends[-1] + (42 + 30) * 8
    for press, start, end in zip(sent.presses, sent.starts, sent.ends, strict=True):
        assert np.array_equal(sent.wave[start:end], press.sound())
        assert not sent.wave[end : end + round(press.off_ms * 8)].any()


def test_scattered_presses_are_the_same_but_for_phase_and_pause() -> None:
    presses = [Press(CODES[index % 16], off_ms=50) for index in range(320)]
    again = list(scattered(presses, np.random.default_rng(57), jitter_ms=5))
    assert [press.key for press in again] == [press.key for press in presses]
    pauses = np.array([press.off_ms for press in again]) - 50
    assert 0 <= pauses.min() < 0.2
    assert 4.8 < pauses.max() < 5
    assert np.std([press.low_phase for press in again]) == pytest.approx(12**-0.5, abs=0.03)
    assert again == list(scattered(presses, np.random.default_rng(57), jitter_ms=5))
    assert received(to_samples(train(again).wave)) == "".join(press.key for press in presses)


@settings(max_examples=40, deadline=None)
@given(
    keys=st.text(alphabet=CODES, min_size=1, max_size=8),
    on_ms=st.floats(40, 120),
    off_ms=st.floats(40, 120),
    lead_samples=st.integers(0, 102),
    block_samples=st.integers(1, 400),
)
def test_every_digit_once(
    keys: str, on_ms: float, off_ms: float, lead_samples: int, block_samples: int
) -> None:
    samples = np.concatenate([np.zeros(lead_samples, np.int16), dialled(keys, on_ms, off_ms)])
    assert received(samples, block_samples) == keys


@pytest.mark.parametrize("lead_samples", range(0, 51, 5))
@pytest.mark.parametrize("key", ["1", "D"])
def test_23_ms_are_no_digit(key: str, lead_samples: int) -> None:
    samples = np.concatenate([np.zeros(lead_samples, np.int16), dtmf.digit(key, on_ms=23, off_ms=80)])
    assert received(samples) == ""


@pytest.mark.parametrize("start", range(700, 760, 6))
def test_a_gap_of_10_ms_is_bridged(start: int) -> None:
    samples = dtmf.digit("8", on_ms=200, off_ms=80)
    samples[start : start + 80] = 0
    assert received(samples) == "8"


@pytest.mark.parametrize(("high_dbm0", "heard"), [(-11.0, "7"), (-23.0, "7"), (-7.0, ""), (-27.0, "")])
def test_twist(high_dbm0: float, heard: str) -> None:
    """Q.24, AT&T: the high tone at most 4 dB above and 8 dB below the low one."""
    assert received(dtmf.digit("7", low_dbm0=-15.0, high_dbm0=high_dbm0)) == heard


@pytest.mark.parametrize(("level_dbm0", "heard"), [(0.0, "#"), (-25.0, "#"), (-40.0, "")])
def test_level(level_dbm0: float, heard: str) -> None:
    assert received(dtmf.digit("#", low_dbm0=level_dbm0, high_dbm0=level_dbm0)) == heard


def test_tones_noise_and_fsk_are_no_digits() -> None:
    noise = tones.noise(-20, 20_000, np.random.default_rng(3))
    dial = tones.ToneGenerator(tones.DIAL).samples(40_000)
    assert received(noise) == ""
    assert received(dial) == ""
    assert received(mixed(dtmf.digit("9", 80, 80), noise[:1280])) == "9"


def test_as_new_after_reset() -> None:
    receiver = DigitReceiver()
    assert receiver.feed(dtmf.digit("4")[:500]) == "4"
    assert receiver.sounding == "4"
    receiver.reset()
    assert receiver.sounding == ""
    assert receiver.feed(dtmf.digit("4")) == "4"
