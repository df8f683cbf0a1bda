"""What the PWM makes of a sine: its spectrum, pulse by pulse, and what is left of it behind the wires of two boards."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from host_tools.exchange.levels import RATE_HZ, peak_of
from tests.host.boards.micropython_source import argument_of, constants_of

_BOARDS = Path(__file__).parents[3] / "boards"
_SOURCE = _BOARDS / "rp2040" / "audio_out.py"
_CONSTANTS = constants_of(_SOURCE)
_WIRING = (_BOARDS / "pico" / "WIRING.md").read_text(encoding="utf-8")
_WIRE = (_BOARDS / "line_emulator" / "filter.cir").read_text(encoding="utf-8")
_BAND_HZ = (200, 3400)
_FASTEST_CLOCK_HZ = 133_000_000  # RP2040 data sheet
_OHM_AND_FARAD = {"": 1.0, "k": 1e3, "n": 1e-9}
_ADC_OHM = 100e3
_ADC_CODES = 4096

Wave = npt.NDArray[np.floating]
Spectrum = npt.NDArray[np.complexfloating]
Duties = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pwm:
    """A carrier whose duty is set once a sample."""

    clock_hz: int
    duties: int
    clocks_a_sample: int

    def pulses(self, samples: Duties) -> Duties:
        """The clocks for which each period of the carrier is high. A duty counts from the next period on."""
        duty = (samples ^ 0x8000) * self.duties >> 16
        periods = len(samples) * self.clocks_a_sample // self.duties
        held: Duties = duty[np.arange(periods) * self.duties // self.clocks_a_sample]
        return held

    def spectrum(self, samples: Duties, hz: Wave) -> Spectrum:
        """Of samples that repeat for ever, at `hz`, which are the first frequencies that they have.

        A pulse from 0 to W has (1 - exp(-jwW)) / jw. Its series in W is summed, an FFT for each of six terms; the
        seventh is 130 dB down.
        """
        widths = self.pulses(samples) / self.clock_hz
        turns = -2j * np.pi * hz
        total = np.zeros(len(hz), np.complex128)
        for order in range(1, 7):
            total += turns ** (order - 1) / math.factorial(order) * np.fft.rfft(widths**order)[: len(hz)]
        return total


AS_IT_IS = Pwm(_CONSTANTS["CLOCK_HZ"], _CONSTANTS["_DUTIES"], _CONSTANTS["_PACE_CLOCKS"])
OUT_OF_STEP = Pwm(125_000_000, 2048, 15_625)
"""A carrier of 61.035 kHz, 7.63 periods a sample."""


def _sine(cycles: int, n: int, dbm0: float) -> Duties:
    """`n` samples, as half-words without a sign."""
    sine = peak_of(dbm0) * np.sin(2 * np.pi * cycles / n * np.arange(n))
    samples: Duties = np.round(sine).astype(np.int64) & 0xFFFF
    return samples


def _odd_cycles(hz: float, n: int) -> int:
    """The odd number of cycles in `n` samples that is nearest to `hz`: odd, so that rounding errors do not repeat."""
    return 2 * round((hz * n / RATE_HZ - 1) / 2) + 1


def _to_distortion_db(power: Wave, n: int, cycles: int) -> float:
    """The power of one line over that of all others of the band, of a spectrum of `n` samples."""
    lowest, highest = (hz * n // RATE_HZ for hz in _BAND_HZ)
    signal = power[cycles]
    return float(10 * np.log10(signal / (power[lowest : highest + 1].sum() - signal)))


def _signal_to_distortion_db(pwm: Pwm, hz: float, dbm0: float) -> float:
    n = 10_240  # 1.28 s, in which either carrier has whole periods
    cycles = _odd_cycles(hz, n)
    lines = np.arange(_BAND_HZ[1] * n // RATE_HZ + 1) * (RATE_HZ / n)
    spectrum = pwm.spectrum(_sine(cycles, n, dbm0), lines)
    return _to_distortion_db(np.abs(spectrum) ** 2, n, cycles)


def _stages() -> list[tuple[float, float]]:
    """(ohm, farad) of the poles of a wire between two boards."""
    found = re.findall(r"^([RC])\d{3}\s+\w+\s+\w+\s+([\d.]+)([kn]?)\s*$", _WIRE, re.MULTILINE)
    values = [float(number) * _OHM_AND_FARAD[unit] for _, number, unit in found]
    assert [kind for kind, _, _ in found] == ["R", "C"] * (len(found) // 2)
    return list(zip(values[::2], values[1::2], strict=True))


def _passed(hz: Wave) -> Spectrum:
    """What the wire leaves of each frequency, at the input of the converter."""
    admittance = np.full(len(hz), 1 / _ADC_OHM, np.complex128)
    passed = np.ones(len(hz), np.complex128)
    for ohm, farad in reversed(_stages()):
        admittance += 2j * np.pi * hz * farad
        passed /= 1 + ohm * admittance
        admittance /= 1 + ohm * admittance
    return passed


def _codes_at_each_phase(samples: Duties) -> list[Wave]:
    """What the converter of the other board reads, for 40 places of its samples in the sender's.

    The boards' crystals differ, by 60 ppm or so: it goes through them all in a quarter of a second.
    """
    step_clocks = 20
    pulses = AS_IT_IS.pulses(samples)
    clocks = np.arange(0, AS_IT_IS.duties, step_clocks)
    share_high = np.clip((pulses[:, None] - clocks) / step_clocks, 0, 1).ravel()
    spectrum = np.fft.rfft(share_high)
    lines = np.arange(len(spectrum)) * (RATE_HZ / len(samples))
    volts = np.fft.irfft(spectrum * _passed(lines), len(share_high))
    steps_a_sample = AS_IT_IS.clocks_a_sample // step_clocks
    return [
        np.floor(volts[phase::steps_a_sample] * _ADC_CODES)
        for phase in range(0, steps_a_sample, steps_a_sample // 40)
    ]


def _worst_between_boards_db(hz: float, dbm0: float) -> float:
    n = 1280
    cycles = _odd_cycles(hz, n)
    codes = _codes_at_each_phase(_sine(cycles, n, dbm0))
    return min(_to_distortion_db(np.abs(np.fft.rfft(read)) ** 2, n, cycles) for read in codes)


def _rows(heading: str) -> list[list[float]]:
    table = _WIRING.split(f"\n{heading}", 1)[1].split("\n\n", 1)[0]
    return [[float(cell) for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_a_sample_is_eight_whole_periods_of_the_carrier() -> None:
    assert AS_IT_IS.clock_hz == AS_IT_IS.clocks_a_sample * RATE_HZ <= _FASTEST_CLOCK_HZ
    assert AS_IT_IS.clocks_a_sample == 8 * AS_IT_IS.duties
    assert AS_IT_IS.clock_hz / AS_IT_IS.duties == argument_of(_SOURCE, "PWM", "freq") == 64_000
    assert 2 * _CONSTANTS["_MIDDLE"] == AS_IT_IS.duties


def test_a_full_scale_sine_has_all_duties() -> None:
    pulses = AS_IT_IS.pulses(np.array([0x8000, 0, 0x7FFF]))
    assert list(pulses[::8]) == [0, AS_IT_IS.duties // 2, AS_IT_IS.duties - 1]


@pytest.mark.parametrize(
    ("hz", "dbm0", "at_least_db"),
    [(400, 0, 42), (1004, 0, 35), (2200, 0, 60), (400, -18, 46), (1004, -18, 45), (2200, -18, 45)],
)
def test_a_sine_has_little_distortion_and_had_more_out_of_step(
    hz: float, dbm0: float, at_least_db: float
) -> None:
    now_db = _signal_to_distortion_db(AS_IT_IS, hz, dbm0)
    assert now_db > at_least_db
    assert _signal_to_distortion_db(OUT_OF_STEP, hz, dbm0) < min(now_db - 5, 40)


def test_the_table_of_distortion_is_what_the_pulses_make() -> None:
    rows = _rows("| sine, Hz |")
    assert len(rows) == 6
    for hz, dbm0, now_db, before_db in rows:
        assert now_db == pytest.approx(_signal_to_distortion_db(AS_IT_IS, hz, dbm0), abs=0.1)
        assert before_db == pytest.approx(_signal_to_distortion_db(OUT_OF_STEP, hz, dbm0), abs=0.1)


def test_a_wire_between_two_boards_leaves_the_signal_clear_of_the_carrier() -> None:
    rows = _rows("| between boards, Hz |")
    assert {row[1] for row in rows} == {0, -13, -18}
    for hz, dbm0, worst_db in rows:
        assert worst_db == pytest.approx(_worst_between_boards_db(hz, dbm0), abs=0.2)
        assert worst_db > (25 if dbm0 == 0 else 35)


def test_silence_between_two_boards_wanders_little() -> None:
    """What is left of the carrier is read as DC that follows the crystals' difference, some hertz."""
    silence = [float(codes.mean()) for codes in _codes_at_each_phase(np.zeros(64, np.int64))]
    assert max(silence) - min(silence) == pytest.approx(58, abs=2)
    # It rests at half, less what the converter's own resistance takes.
    assert np.mean(silence) == pytest.approx(1897, abs=5)
