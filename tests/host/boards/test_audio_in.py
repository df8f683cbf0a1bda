"""What the Pico makes of its converter's codes: `rp2040.audio_in` on an emulated Pico, on rings that are made here."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("rp2040py", reason="rp2040py is not installed: make setup")

from host_tools.exchange.impairments import PicoAdc
from host_tools.exchange.levels import FULL_SCALE_DBM0, RATE_HZ, peak_of
from host_tools.rig.emulated_pico import IMAGE, EmulatedPico

pytestmark = pytest.mark.skipif(not IMAGE.exists(), reason="no image has been built: make image")

RING_SAMPLES = 8192
BLOCK_SAMPLES = 160
STEP_SAMPLES = 16
WIDE_CODES = (512, 1536, 2560, 3584)  # RP2040 data sheet, erratum RP2040-E11
ALL_CODES = np.arange(4096)
BAND_HZ = (200, 3400)

Codes = npt.NDArray[np.int64]

_DEFINITIONS = """
import binascii, uctypes
from array import array
from rp2040 import audio_in

class NoConverter(audio_in.AudioIn):
    def _start(self, run_transfers):
        self._dma = NoDma()

class NoDma:
    def offset(self):
        return 0

out = array("h", bytes(2 * 4096))
other = array("h", bytes(2 * 4096))
line = array("h", bytes(2 * 160))
phone = array("h", bytes(2 * 160))

def show(samples, n):
    print(binascii.b2a_base64(memoryview(samples)[:n]).decode().strip())

def convert(address, place, n, dc):
    state = array("i", (dc, 0))
    audio_in.take(uctypes.bytearray_at(address, 32768), place, out, n, state)
    show(out, n)
    print(state[1])

source = NoConverter()

def take_blocks(address, blocks):
    source._dma.memory = uctypes.bytearray_at(address, 32768)
    source._settled = [False, False]
    source._states = (array("i", (0, 0)), array("i", (0, 0)))
    source.taken = 0
    for i in range(blocks):
        source.take(line, phone, 160)
        out[160 * i : 160 * (i + 1)] = line
        other[160 * i : 160 * (i + 1)] = phone
    show(out, 160 * blocks)
    show(other, 160 * blocks)
"""


@dataclass(frozen=True)
class Pico:
    """The emulated one, with rings laid out in its flash."""

    emulated: EmulatedPico

    def take(self, codes: Codes, place: int = 0, dc: int = 0) -> tuple[Codes, int]:
        """The samples of `codes`, which lie in a ring from `place` on, and what `take` says is their sum.

        Args:
            codes: of one input; the other reads 7.
            place: in half-words, as `take` wants it.
            dc: in 1/16 of a sample's unit.
        """
        ring = np.full(2 * RING_SAMPLES, 7)
        ring[(place + 2 * np.arange(len(codes))) % len(ring)] = codes
        told = self.emulated.execute(f"convert({self._lay_out(ring)}, {place}, {len(codes)}, {dc})").split()
        return _samples(told[0]), int(told[1])

    def take_blocks(self, line: Codes, phone: Codes) -> tuple[Codes, Codes]:
        """Both inputs, at most 25 blocks of each, as `AudioIn.take` gives them."""
        ring = np.full(2 * RING_SAMPLES, 2048)
        ring[0 : 2 * len(line) : 2] = line
        ring[1 : 2 * len(phone) : 2] = phone
        blocks = len(line) // BLOCK_SAMPLES
        told = self.emulated.execute(f"take_blocks({self._lay_out(ring)}, {blocks})").split()
        return _samples(told[0]), _samples(told[1])

    def _lay_out(self, ring: Codes) -> int:
        return self.emulated.lay_out(ring.astype("<u2").tobytes())


def _samples(told: str) -> Codes:
    return np.frombuffer(base64.b64decode(told), "<i2").astype(np.int64)


@pytest.fixture(scope="module")
def pico() -> Pico:
    emulated = EmulatedPico()
    emulated.boot()
    emulated.execute(_DEFINITIONS)
    return Pico(emulated)


@pytest.fixture(scope="module")
def samples_of_codes(pico: Pico) -> Codes:
    """What each code becomes. Without DC a sample is made of its code alone, so this is `take` for any signal."""
    return pico.take(ALL_CODES)[0]


def _sine_codes(cycles: int, dbm0: float, offset_codes: float = 0) -> Codes:
    """8192 codes of the model of the converter, with its wide codes and without noise."""
    sine = peak_of(dbm0) * np.sin(2 * np.pi * cycles / RING_SAMPLES * np.arange(RING_SAMPLES))
    wave = sine + offset_codes * STEP_SAMPLES
    return PicoAdc(enob=None).codes(wave, np.random.default_rng(57)).astype(np.int64)


def _to_distortion_db(samples: Codes, cycles: int) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    lowest, highest = (hz * RING_SAMPLES // RATE_HZ for hz in BAND_HZ)
    band = power[lowest : highest + 1].sum()
    return float(10 * np.log10(power[cycles] / (band - power[cycles])))


def _cycles(hz: float) -> int:
    """Odd, so that no code is read twice in 8192."""
    return 2 * round((hz * RING_SAMPLES / RATE_HZ - 1) / 2) + 1


def test_codes_become_samples_in_order(samples_of_codes: Codes) -> None:
    rising = np.diff(samples_of_codes)

    assert samples_of_codes[2048] == 0
    assert rising.min() >= 0
    # Only the ends, which the correction has moved beyond 16 bits, read alike: 19 codes and 18.
    assert np.flatnonzero(rising == 0).tolist() == [*range(18), *range(4078, 4095)]


def test_what_lies_beyond_a_wide_code_is_moved_out(samples_of_codes: Codes) -> None:
    steps = np.diff(samples_of_codes) // STEP_SAMPLES

    assert {steps[code - 1] + steps[code] for code in WIDE_CODES} == {2 + 9}
    assert {abs(steps[code - 1] - steps[code]) for code in WIDE_CODES} == {1}
    others = np.delete(steps, [place for code in WIDE_CODES for place in (code - 1, code)])
    assert others.max() == 1


@pytest.mark.parametrize("place", [0, 1, 3000, 2 * RING_SAMPLES - 3])
def test_one_input_is_read_round_the_rings_end(pico: Pico, place: int) -> None:
    codes = 2048 + np.arange(-100, 100)
    samples, total = pico.take(codes, place)

    assert list(samples) == list((codes - 2048) * STEP_SAMPLES)
    assert total == samples.sum()


@pytest.mark.parametrize("dc", [-528_896, -4_800 * 16, 0, 4_800 * 16, 528_640])
def test_what_is_too_loud_is_clipped_and_does_not_wrap(pico: Pico, dc: int) -> None:
    """At the ends of the converter, with DC that is as far out as it can be, and on either side of it."""
    samples, total = pico.take(np.array([0, 4095, 0, 4095]), dc=dc)
    ideal = np.array([-33_056, 33_040, -33_056, 33_040]) - (dc >> 4)

    assert list(samples) == list(np.clip(ideal, -32_768, 32_767))
    assert total == ideal.sum()


@pytest.mark.parametrize("hz", [400, 1004, 2200])
@pytest.mark.parametrize(("dbm0", "as_read_db", "corrected_db"), [(0, 54.5, 68), (-8, 42.5, 56)])
def test_the_wide_codes_are_corrected(
    samples_of_codes: Codes, hz: float, dbm0: float, as_read_db: float, corrected_db: float
) -> None:
    """From -8.9 dBm0 on a sine meets two of the codes, from 0.7 dBm0 on all four."""
    codes = _sine_codes(_cycles(hz), dbm0)

    assert _to_distortion_db(codes, _cycles(hz)) < as_read_db
    assert _to_distortion_db(samples_of_codes[codes], _cycles(hz)) > corrected_db


@pytest.mark.parametrize("hz", [400, 1004, 2200])
def test_a_sine_of_full_scale_bears_what_the_correction_clips(samples_of_codes: Codes, hz: float) -> None:
    """18 codes at either end become one sample, 0.08 dB: it costs up to 5 dB, and nothing once it is 0.1 dB quieter."""
    codes = _sine_codes(_cycles(hz), FULL_SCALE_DBM0)
    quieter = _sine_codes(_cycles(hz), FULL_SCALE_DBM0 - 0.1)

    assert _to_distortion_db(codes, _cycles(hz)) > 55
    assert _to_distortion_db(samples_of_codes[codes], _cycles(hz)) > 52
    assert _to_distortion_db(samples_of_codes[quieter], _cycles(hz)) > 70


@pytest.mark.parametrize("hz", [400, 1004, 2200])
def test_a_quiet_sine_meets_no_wide_code(samples_of_codes: Codes, hz: float) -> None:
    codes = _sine_codes(_cycles(hz), -20)
    samples = samples_of_codes[codes]

    assert list(samples) == list((codes - 2048) * STEP_SAMPLES)
    assert _to_distortion_db(samples, _cycles(hz)) > 50


@pytest.mark.parametrize("hz", [400, 1004, 2200])
def test_a_quiet_sine_whose_bias_is_wrong_is_corrected(samples_of_codes: Codes, hz: float) -> None:
    """The worst that the four codes can do: silence lies on one of them."""
    codes = _sine_codes(_cycles(hz), -20, offset_codes=512)

    assert _to_distortion_db(codes, _cycles(hz)) < 36
    assert _to_distortion_db(samples_of_codes[codes], _cycles(hz)) > 45


def test_the_offset_of_either_input_is_gone_at_once(pico: Pico) -> None:
    """It is taken from the first block itself, though a tone stands on it."""
    tone = np.round(100 * np.sin(2 * np.pi * 1000 / RATE_HZ * np.arange(3 * BLOCK_SAMPLES))).astype(np.int64)
    line, phone = pico.take_blocks(2048 + 300 + tone, 2048 - 300 - tone)

    for samples in (line, phone):
        for block in samples.reshape(-1, BLOCK_SAMPLES):
            assert abs(block.mean()) <= 1
    assert list(line) == list(tone * STEP_SAMPLES)
    assert list(phone) == list(-tone * STEP_SAMPLES)


def test_an_offset_that_comes_later_goes_slowly(pico: Pico) -> None:
    """By a sixteenth a block, 0.3 s: a step is no reason to drop the lowest frequencies."""
    blocks = 20
    codes = np.where(np.arange(blocks * BLOCK_SAMPLES) < BLOCK_SAMPLES, 2048, 2048 + 300)
    line, _ = pico.take_blocks(codes, codes)
    means = line.reshape(blocks, BLOCK_SAMPLES).mean(axis=1)

    assert means[1] == 300 * STEP_SAMPLES
    assert means[1 + 16] == pytest.approx(300 * STEP_SAMPLES * (15 / 16) ** 16, rel=0.02)
    assert np.all(np.diff(means[1:]) <= 0)
