"""FSK bursts: framing, length, level, phase."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.exchange import fsk
from host_tools.exchange.fsk import BELL_202, V23, FskStandard
from host_tools.exchange.levels import dbm0_of, peak_of
from tests.host.exchange.hearing import fsk_bytes, level_at


def test_a_byte_is_start_eight_bits_lowest_first_stop() -> None:
    assert fsk.framed(b"\x55\x04").tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("standard", [BELL_202, V23])
@settings(max_examples=25, deadline=None)
@given(data=st.binary(min_size=1, max_size=60))
def test_what_is_sent_can_be_read(standard: FskStandard, data: bytes) -> None:
    assert fsk_bytes(fsk.modulate(data, standard), standard) == data


@pytest.mark.parametrize(("length", "burst_ms"), [(21, 575), (37, 708.3)])
def test_length_of_a_burst(length: int, burst_ms: float) -> None:
    """TELEPHONY 1.2: SDMF of 21 bytes 575 ms, MDMF of 37 bytes 708 ms, without the mark after it."""
    samples = fsk.modulate(bytes(length))
    assert len(samples) == np.ceil((burst_ms + fsk.MARK_BITS_AFTER / 1.2) * 8)


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
