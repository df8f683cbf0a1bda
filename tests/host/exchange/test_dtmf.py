"""DTMF keys as sound, and the exchange's receiver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange import dtmf, tones
from host_tools.exchange.dtmf import CODES, DigitReceiver
from host_tools.exchange.levels import Samples, mixed
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


def test_there_is_no_such_key() -> None:
    with pytest.raises(ValueError, match="not one of"):
        dtmf.digit("E")


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
