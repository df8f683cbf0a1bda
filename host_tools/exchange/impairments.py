"""What a line does to a signal, each in its unit and by its definition.

    line = Line(Loop(length_km=9), Noise(snr_db=12), Hum(60, -10), DcOffset(12_000), PicoAdc())
    samples = line.samples(burst.wave(message), np.random.default_rng(57))

An impairment is a frozen row of figures and a pure function: `impairment(signal, rng) -> wave`. A signal is a wave
(levels.Wave: float64 at 8 kHz in steps of one sample) or 16-bit samples. What is random uses the generator and nothing
else does: the same seed gives the same line. `Line` applies its impairments in the order in which they stand, which on
a real line is:

    the sender's clock and clicks, CarrierSystem, Codec, Loop, Echo, Noise, Hum, tones, Talker, ImpulseNoise,
    DcOffset, Clipping, PicoAdc, LostSamples

Length is kept, but by `ClockOffset` and by `LostSamples(closed_up=True)`.

Levels are dBm0 by power: a sine of peak 32767 has +3.17 (ITU-T G.711). A ratio is to the mean power of the burst: of
what lies from the first to the last sample that reaches a thousandth of the peak, so silence around it does not count.
Where that is not so (digits with pauses, or DC that came before), `signal_dbm0` says what the signal is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soxr

from host_tools.exchange import g711
from host_tools.exchange.cable import AWG_26, TERMINATION_OHM, Cable
from host_tools.exchange.levels import (
    FULL_SCALE,
    FULL_SCALE_DBM0,
    RATE_HZ,
    Samples,
    Signal,
    Wave,
    mean_power_of,
    peak_of,
    power_of,
    samples_of,
    to_samples,
    to_wave,
)
from host_tools.exchange.spectrum import HIGH_HZ, LOW_HZ, Frequencies, Response, convolved, filtered
from host_tools.exchange.speech import active_level_dbm0

BAND_SHARE = (HIGH_HZ - LOW_HZ) / (RATE_HZ / 2)  # of white noise, what lies in 300 to 3400 Hz: -1.11 dB
_FLAT_BELOW_HZ = 60.0  # coloured noise would have no bound at 0 Hz

# The single interfering tone under which a set must still read (TIA-777-A, Bell 202): up to this frequency, the
# signal's level over the tone's, in dB.
TIA_777_TONES = ((60, -18), (120, -12), (200, -6), (3200, 25), (4000, 6))


class Impairment(Protocol):
    """Anything that a line does."""

    def __call__(self, wave: Signal, rng: np.random.Generator, /) -> Wave:
        """The wave after it; the one given is not changed."""


class Line:
    """Impairments, applied in the order given."""

    def __init__(self, *impairments: Impairment) -> None:
        self.impairments = impairments

    def __call__(self, signal: Signal, rng: np.random.Generator) -> Wave:
        """What arrives, not rounded and not clipped."""
        wave = to_wave(signal)
        for impairment in self.impairments:
            wave = impairment(wave, rng)
        return wave

    def samples(self, signal: Signal, rng: np.random.Generator) -> Samples:
        """What arrives, in 16 bits."""
        return to_samples(self(signal, rng))

    def __repr__(self) -> str:
        return f"Line({', '.join(map(repr, self.impairments))})"


def burst_of(wave: Signal) -> slice:
    """From the first to the last sample that reaches a thousandth of the peak; empty in silence."""
    magnitude = np.abs(to_wave(wave))
    peak = magnitude.max(initial=0)
    loud = np.flatnonzero(magnitude >= peak / 1000)
    return slice(int(loud[0]), int(loud[-1]) + 1) if peak else slice(0, 0)


def burst_power(wave: Signal) -> float:
    """Mean power of the burst in squared sample steps; 0 in silence."""
    return mean_power_of(to_wave(wave)[burst_of(wave)])


@dataclass(frozen=True)
class Noise:
    """Gaussian noise over 0 to 4000 Hz, white or coloured.

    Attributes:
        snr_db: mean power of the burst over the noise's power in 300 to 3400 Hz, in dB.
        signal_dbm0: the burst's level; None measures it on the wave.
        slope_db_per_octave: 0 for white; -3 for pink, -6 for brown noise, flat below 60 Hz.
    """

    snr_db: float
    signal_dbm0: float | None = None
    slope_db_per_octave: float = 0.0

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        power = _signal_power(wave, self.signal_dbm0) / 10 ** (self.snr_db / 10)
        return wave + _noise(power, self.slope_db_per_octave, len(wave), rng)


@dataclass(frozen=True)
class NoiseAt:
    """The same noise by its own level.

    Attributes:
        level_dbm0: of what lies in 300 to 3400 Hz.
        slope_db_per_octave: as of Noise.
    """

    level_dbm0: float
    slope_db_per_octave: float = 0.0

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        return wave + _noise(power_of(self.level_dbm0), self.slope_db_per_octave, len(wave), rng)


@dataclass(frozen=True)
class Hum:
    """Induction from the mains, its phases random.

    Attributes:
        mains_hz: 50 or 60.
        level_dbm0: of the whole hum, harmonics included.
        harmonics: (order, level over the fundamental's in dB).
    """

    mains_hz: float = 60.0
    level_dbm0: float = -10.0
    harmonics: tuple[tuple[int, float], ...] = ()

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        rows = ((1, 0.0), *self.harmonics)
        peak = peak_of(self.level_dbm0) / np.sqrt(sum(10 ** (over_db / 10) for _, over_db in rows))
        hum = wave.astype(np.float64)
        for order, over_db in rows:
            hum += peak * 10 ** (over_db / 20) * _sine(order * self.mains_hz, len(wave), rng)
        return hum


@dataclass(frozen=True)
class Tone:
    """One steady tone, its phase random.

    Attributes:
        frequency_hz: below 4000.
        level_dbm0: of the tone.
    """

    frequency_hz: float
    level_dbm0: float

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        return wave + peak_of(self.level_dbm0) * _sine(self.frequency_hz, len(wave), rng)


@dataclass(frozen=True)
class InterferingTone:
    """One steady tone, as much weaker than the burst as said, its phase random.

    Attributes:
        frequency_hz: below 4000.
        signal_to_tone_db: mean power of the burst over the tone's; `at_limit` takes it from TIA-777-A's table.
        signal_dbm0: the burst's level; None measures it on the wave.
    """

    frequency_hz: float
    signal_to_tone_db: float
    signal_dbm0: float | None = None

    @classmethod
    def at_limit(cls, frequency_hz: float, signal_dbm0: float | None = None) -> InterferingTone:
        """The strongest tone of this frequency that TIA-777-A wants a set to bear."""
        rows = (ratio_db for up_to_hz, ratio_db in TIA_777_TONES if frequency_hz <= up_to_hz)
        ratio_db = next(rows, TIA_777_TONES[-1][1])
        return cls(frequency_hz, ratio_db, signal_dbm0)

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        power = _signal_power(wave, self.signal_dbm0) / 10 ** (self.signal_to_tone_db / 10)
        return wave + math.sqrt(2 * power) * _sine(self.frequency_hz, len(wave), rng)


@dataclass(frozen=True)
class DcOffset:
    """A constant on every sample.

    Attributes:
        offset_samples: in steps of one sample.
    """

    offset_samples: float

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        return to_wave(wave) + self.offset_samples


@dataclass(frozen=True)
class Gain:
    """Amplification.

    Attributes:
        gain_db: negative is loss.
    """

    gain_db: float

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        return to_wave(wave) * float(10 ** (self.gain_db / 20))


@dataclass(frozen=True)
class Clipping:
    """Overload: the wave is amplified until its peak is so far beyond full scale (32767), then clipped there.

    Attributes:
        beyond_db: the peak before clipping over full scale; 0 or less clips nothing.
        restored: whether the amplification is taken back afterwards.
    """

    beyond_db: float
    restored: bool = False

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        peak = float(np.abs(to_wave(wave)).max(initial=0))
        if not peak:
            return wave.astype(np.float64)
        gain = float(FULL_SCALE / peak * 10 ** (self.beyond_db / 20))
        clipped: Wave = np.clip(wave * gain, -FULL_SCALE, FULL_SCALE)
        return clipped / gain if self.restored else clipped


@dataclass(frozen=True)
class Loop:
    """The subscriber's cable between two resistances, by its primary constants (cable.py).

    Attributes:
        length_km: of the pair.
        cable: one row of cable.CABLES; 26 AWG (0.4 mm) is the thinnest that is common.
        restored_hz: the frequency whose loss is made up by flat gain; None leaves the loss.
    """

    length_km: float
    cable: Cable = AWG_26
    restored_hz: float | None = None
    termination_ohm: float = TERMINATION_OHM

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        return filtered(wave, self.response)

    def response(self, frequencies_hz: Frequencies) -> Response:
        """What is left of each frequency, insertion loss and phase."""
        left = self._insertion(frequencies_hz)
        if self.restored_hz is None:
            return left
        return left / float(abs(self._insertion(np.array([self.restored_hz]))[0]))

    def _insertion(self, frequencies_hz: Frequencies) -> Response:
        return self.cable.insertion(
            self.length_km, frequencies_hz, self.termination_ohm, self.termination_ohm
        )


@dataclass(frozen=True)
class Codec:
    """ITU-T G.711: each law of the row in turn codes and decodes; what is too loud is clipped first.

    Attributes:
        laws: "mu" and "a"; one law twice over changes nothing, "mu", "a", "mu" does.
        robbed_bits: whether every sixth code of the last law loses its lowest bit to signalling, as on a T1 trunk;
            it arrives as 1.
    """

    laws: tuple[g711.Law, ...] = ("mu",)
    robbed_bits: bool = False

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        samples = to_samples(to_wave(wave))
        for index, law in enumerate(self.laws, 1):
            codes = g711.encode(law, samples)
            if self.robbed_bits and index == len(self.laws):
                codes[5::6] |= 1
            samples = g711.decode(law, codes)
        return to_wave(samples)


@dataclass(frozen=True)
class PicoAdc:
    """The RP2040's 12-bit converter, biased to the middle of its range; 16 sample steps are one code.

    Four codes are far too wide (erratum RP2040-E11): whatever falls into one reads as it. All other codes are a little
    narrower than ideal, so that 4096 codes fill the range. Silence lies in the middle of code 2048 and reads as 0.

    Attributes:
        full_scale_dbm0: the sine that just fills the range.
        wide_codes: the codes that are too wide.
        dnl_lsb: how much wider than ideal they are, in codes.
        enob: effective bits on a full-scale sine, its error by the wide codes included: the rest of the error is white
            noise before conversion. None: no noise.
        reads: conversions averaged for a sample, each with its own noise.
    """

    full_scale_dbm0: float = FULL_SCALE_DBM0
    wide_codes: tuple[int, ...] = (512, 1536, 2560, 3584)  # RP2040 datasheet, erratum RP2040-E11
    dnl_lsb: float = 9.0  # the same: more than 9 at code 512
    enob: float | None = 8.7  # RP2040 datasheet, ADC
    reads: int = 1

    CODES = 4096
    STEP_SAMPLES = 16

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        return (self.codes(wave, rng) - self.CODES / 2) * self.STEP_SAMPLES

    def codes(self, wave: Signal, rng: np.random.Generator) -> Wave:
        """What is read: whole codes 0 to 4095, or the mean of several."""
        volts = self._volts(wave / peak_of(self.full_scale_dbm0))
        total = np.zeros(len(wave))
        for _ in range(self.reads):
            noise = rng.normal(0, self.noise_lsb, len(wave)) if self.noise_lsb else 0.0
            total += self._converted(volts + noise)
        return total / self.reads

    def _volts(self, share: Wave) -> Wave:
        """The input in ideal codes, for a share of full scale from -1 to 1."""
        return share * (self.CODES / 2 - 0.5) + (self.CODES / 2 + 0.5)

    def _converted(self, volts: Wave) -> npt.NDArray[np.intp]:
        return np.searchsorted(self.edges, volts, side="right")

    @cached_property
    def edges(self) -> Wave:
        """The input, in ideal codes from 0, at which each code from 1 on begins."""
        wide = len(self.wide_codes) * (1 + self.dnl_lsb)
        widths = np.full(self.CODES, (self.CODES - wide) / (self.CODES - len(self.wide_codes)))
        widths[list(self.wide_codes)] = 1 + self.dnl_lsb
        return np.cumsum(widths)[:-1]

    @cached_property
    def noise_lsb(self) -> float:
        """Deviation of the noise before conversion, in codes; 0 when the wide codes alone cost more than `enob`."""
        if self.enob is None:
            return 0.0
        # A sine over 2^n codes has a power of 2^(2n)/8, its rounding one of 1/12: n bits are 6.02 n + 1.76 dB.
        error = (self.CODES / 2**self.enob) ** 2 / 12
        return math.sqrt(max(0.0, error - self._error_without_noise()))

    def _error_without_noise(self) -> float:
        """Mean square of a full-scale sine's error, in codes, after the gain and the offset that fit best."""
        sine = np.sin(2 * np.pi * np.arange(1 << 14) * (1001 / (1 << 14)))
        read = self._converted(self._volts(sine))
        deviation = read - read.mean()
        gain = (deviation * sine).sum() / (sine * sine).sum()
        return mean_power_of(deviation - gain * sine)


@dataclass(frozen=True)
class Echo:
    """The signal itself, later and weaker.

    Attributes:
        delay_ms: to the nearest sample.
        loss_db: below the signal.
    """

    delay_ms: float
    loss_db: float

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        delay = samples_of(self.delay_ms)
        out = wave.astype(np.float64)
        out[delay:] += wave[: max(0, len(wave) - delay)] * 10 ** (-self.loss_db / 20)
        return out


@dataclass(frozen=True)
class ClockOffset:
    """Sender and receiver disagree on 8 kHz.

    Attributes:
        offset_ppm: how much faster the receiver's clock is: it takes that many more samples of the same signal, and
            every frequency and rate seems lower by as much.
    """

    offset_ppm: float

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        if not self.offset_ppm or not len(wave):
            return wave.astype(np.float64)
        resampled: Wave = soxr.resample(wave, RATE_HZ, RATE_HZ * (1 + self.offset_ppm / 1e6), quality="VHQ")
        return resampled


@dataclass(frozen=True)
class LostSamples:
    """Runs of samples that never arrive, at random places.

    Attributes:
        per_second: mean number of runs (Poisson).
        run_samples: of each run.
        closed_up: whether what follows moves up; else there is silence in its place.
    """

    per_second: float
    run_samples: int
    closed_up: bool = False

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        kept = self.kept(len(wave), rng)
        return wave[kept].astype(np.float64) if self.closed_up else np.where(kept, wave, 0.0)

    def kept(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Which of `n` samples arrive; the same for the same seed, so that a receiver can be told."""
        starts = np.flatnonzero(rng.random(n) < self.per_second / RATE_HZ)
        changes = np.zeros(n + self.run_samples + 1, np.int64)
        np.add.at(changes, starts, 1)
        np.add.at(changes, starts + self.run_samples, -1)
        kept: npt.NDArray[np.bool_] = np.cumsum(changes)[:n] == 0
        return kept


@dataclass(frozen=True)
class ImpulseNoise:
    """Clicks at random times: decaying oscillations, each of random sign.

    Attributes:
        per_second: mean number (Poisson).
        peak_dbm0: the level of a sine that has the same peak.
        frequency_hz: of the oscillation; 0 for a bare decay.
        decay_ms: to 1/e.
    """

    per_second: float
    peak_dbm0: float
    frequency_hz: float = 1800.0
    decay_ms: float = 1.0

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        struck = rng.random(len(wave)) < self.per_second / RATE_HZ
        strokes = np.where(struck, rng.choice((-1.0, 1.0), len(wave)), 0.0)
        return wave + convolved(strokes, peak_of(self.peak_dbm0) * self.shape())[: len(wave)]

    def shape(self) -> Wave:
        """One click of peak 1, to a thousandth of it."""
        times_ms = np.arange(samples_of(7 * self.decay_ms) + 1) * (1000 / RATE_HZ)
        oscillation = np.cos(2 * np.pi * self.frequency_hz / 1000 * times_ms)
        shape: Wave = oscillation * np.exp(-times_ms / self.decay_ms)
        return shape


@dataclass(frozen=True)
class StartStopClicks:
    """The sender's switch: a step of DC at the burst's first sample, the opposite after its last, both decaying.

    Attributes:
        step_samples: in steps of one sample.
        decay_ms: to 1/e.
    """

    step_samples: float
    decay_ms: float = 2.0

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        out = wave.astype(np.float64)
        burst = burst_of(wave)
        decay = self.step_samples * np.exp(-np.arange(len(wave)) * (1000 / RATE_HZ / self.decay_ms))
        for at, sign in ((burst.start, 1), (burst.stop, -1)):
            out[at:] += sign * decay[: len(wave) - at]
        return out


@dataclass(frozen=True, eq=False)
class Talker:
    """Speech at the same time, repeated as long as it is needed.

    Attributes:
        recording: 8 kHz.
        level_dbm0: active speech level (ITU-T P.56): what pauses there are does not count.
        start_samples: where in the recording it begins; None for anywhere.
    """

    recording: Signal
    level_dbm0: float
    start_samples: int | None = None

    def __call__(self, wave: Signal, rng: np.random.Generator) -> Wave:
        if math.isinf(self._recorded_dbm0):
            return wave.astype(np.float64)
        start = self.start_samples
        if start is None:
            start = int(rng.integers(len(self.recording)))
        heard = to_wave(self.recording).take(np.arange(start, start + len(wave)), mode="wrap")
        return wave + heard * math.exp((self.level_dbm0 - self._recorded_dbm0) * math.log(10) / 20)

    @cached_property
    def _recorded_dbm0(self) -> float:
        return active_level_dbm0(self.recording)


@dataclass(frozen=True)
class CarrierSystem:
    """The band and the group delay of a carrier channel: Butterworth high-pass and low-pass.

    Attributes:
        low_hz, high_hz: where it has lost 3 dB.
        order: of each filter; the delay at the edges grows with it.
    """

    low_hz: float = LOW_HZ
    high_hz: float = HIGH_HZ
    order: int = 4

    def __call__(self, wave: Signal, _rng: np.random.Generator) -> Wave:
        return filtered(wave, self.response)

    def response(self, frequencies_hz: Frequencies) -> Response:
        """What is left of each frequency; the bilinear transform of the analog filters."""
        s = 1j * np.tan(np.pi * np.minimum(frequencies_hz / RATE_HZ, 0.5 - 1e-9))
        low, high = (np.tan(np.pi * edge_hz / RATE_HZ) for edge_hz in (self.low_hz, self.high_hz))
        poles = np.exp(1j * np.pi * (0.5 + (np.arange(self.order) + 0.5) / self.order))
        response = np.ones(len(frequencies_hz), np.complex128)
        for pole in poles:
            response *= 1 / (s / high - pole)
            response *= s / (low - pole * s)
        return response


def _sine(frequency_hz: float, n: int, rng: np.random.Generator) -> Wave:
    """`n` samples of peak 1, the phase random."""
    sine: Wave = np.sin(2 * np.pi * (frequency_hz / RATE_HZ * np.arange(n) + rng.random()))
    return sine


def _signal_power(wave: Signal, signal_dbm0: float | None) -> float:
    return burst_power(wave) if signal_dbm0 is None else power_of(signal_dbm0)


def _noise(power: float, slope_db_per_octave: float, n: int, rng: np.random.Generator) -> Wave:
    """`n` samples of Gaussian noise that has this power in 300 to 3400 Hz."""
    white = rng.normal(0, math.sqrt(power / BAND_SHARE), n)
    if not slope_db_per_octave:
        return white
    power_law = slope_db_per_octave / (20 * math.log10(2))
    band_gains = np.linspace(LOW_HZ, HIGH_HZ, 1000) ** power_law
    gain = 1 / math.sqrt(mean_power_of(band_gains))
    return filtered(white, lambda hz: gain * np.maximum(hz, _FLAT_BELOW_HZ) ** power_law)
