"""What a line does to a signal, each in its unit and by its definition.

    line = Line(Loop(length_km=9), Noise(snr_db=12), Hum(60, -10), DcOffset(12_000), PicoAdc())
    samples = line.samples(burst.wave(message), np.random.default_rng(57))

An impairment is a frozen row of figures and a pure function: `impairment(wave, rng) -> wave`. A wave is float64 at
8 kHz in steps of one sample (levels.Wave); 16-bit samples are taken too. The generator is used by what is random, and
by nothing else: the same seed gives the same line. `Line` applies its impairments in the order in which they stand,
which on a real line is: the sender's clicks and clock, carrier system and codec, loop, echo, noises and talkers, DC,
gain and clipping, the converter, and what is lost after it. Length is kept, but by `ClockOffset` and by
`LostSamples(closed_up=True)`.

Levels are dBm0 by power: a sine of peak 32767 has +3.17 (ITU-T G.711). SNR is the mean power of the burst (from the
first to the last sample that reaches a thousandth of the peak, so silence around it does not count) over the noise's
power in 300 to 3400 Hz, in dB.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soxr

from host_tools.exchange import g711
from host_tools.exchange.cable import AWG_26, TERMINATION_OHM, Cable, Frequencies, Response
from host_tools.exchange.levels import (
    FULL_SCALE,
    FULL_SCALE_DBM0,
    RATE_HZ,
    Samples,
    Wave,
    peak_of,
    power_of,
    samples_of,
    to_samples,
    to_wave,
)

LOW_HZ, HIGH_HZ = 300.0, 3400.0  # the band in which SNR counts noise: ITU-T G.120's telephone channel
BAND_SHARE = (HIGH_HZ - LOW_HZ) / (RATE_HZ / 2)  # of white noise, what lies in it: -1.11 dB
_FILTER_TAPS = 4096  # 512 ms: far longer than any response here
_FILTER_BLOCK = 1 << 16


class Impairment(Protocol):
    """Anything that a line does."""

    def __call__(self, wave: Wave, rng: np.random.Generator, /) -> Wave:
        """The wave after it; the one given is not changed."""


class Line:
    """Impairments, applied in the order given."""

    def __init__(self, *impairments: Impairment) -> None:
        self.impairments = impairments

    def __call__(self, signal: Samples | Wave, rng: np.random.Generator) -> Wave:
        """What arrives, not rounded and not clipped."""
        wave = to_wave(signal)
        for impairment in self.impairments:
            wave = impairment(wave, rng)
        return wave

    def samples(self, signal: Samples | Wave, rng: np.random.Generator) -> Samples:
        """What arrives, in 16 bits."""
        return to_samples(self(signal, rng))

    def __repr__(self) -> str:
        return f"Line({', '.join(map(repr, self.impairments))})"


def burst_of(wave: Wave) -> slice:
    """From the first to the last sample that reaches a thousandth of the peak; empty in silence."""
    loud = np.flatnonzero(np.abs(wave) >= np.abs(wave).max(initial=0) / 1000)
    return slice(int(loud[0]), int(loud[-1]) + 1) if len(loud) and wave[loud].any() else slice(0, 0)


def burst_power(wave: Wave) -> float:
    """Mean power of the burst in squared sample steps; 0 in silence."""
    burst = to_wave(wave)[burst_of(wave)]
    return float(burst @ burst) / max(1, len(burst))


def band_power(wave: Wave, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ) -> float:
    """Mean power between two frequencies in squared sample steps, over all samples."""
    if not len(wave):
        return 0.0
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE_HZ)
    powers = np.abs(np.fft.rfft(wave)) ** 2
    powers[1 : len(powers) - (len(wave) + 1) % 2] *= 2
    return float(powers[(frequencies >= low_hz) & (frequencies < high_hz)].sum()) / len(wave) ** 2


def filtered(wave: Wave, response: Callable[[Frequencies], Response]) -> Wave:
    """The wave after a filter with this response from 0 to 4000 Hz, of 512 ms at most; the same length."""
    half = _FILTER_TAPS // 2
    frequencies_hz = np.arange(half + 1) * (RATE_HZ / _FILTER_TAPS)
    impulse = np.fft.irfft(response(frequencies_hz), _FILTER_TAPS)
    return _convolved(wave, np.roll(impulse, half))[half : half + len(wave)]


def _convolved(wave: Samples | Wave, impulse: npt.NDArray[np.floating]) -> Wave:
    """The whole convolution, by overlap-add."""
    out = np.zeros(len(wave) + len(impulse) - 1)
    size = _FILTER_BLOCK
    while size > 2 * len(impulse) and size // 2 >= len(out):
        size //= 2
    step = size - len(impulse) + 1
    spectrum = np.fft.rfft(impulse, size)
    for at in range(0, len(wave), step):
        piece = np.fft.irfft(np.fft.rfft(wave[at : at + step], size) * spectrum, size)
        out[at : at + size] += piece[: len(out) - at]
    return out


@dataclass(frozen=True)
class Noise:
    """Gaussian noise, white over 0 to 4000 Hz.

    Attributes:
        snr_db: mean power of the burst over the noise's power in 300 to 3400 Hz.
        signal_dbm0: the burst's level where it is known; None measures it on the wave.
    """

    snr_db: float
    signal_dbm0: float | None = None

    def __call__(self, wave: Wave, rng: np.random.Generator) -> Wave:
        signal = burst_power(wave) if self.signal_dbm0 is None else power_of(self.signal_dbm0)
        deviation = np.sqrt(signal / 10 ** (self.snr_db / 10) / BAND_SHARE)
        return wave + rng.normal(0, deviation, len(wave))


@dataclass(frozen=True)
class NoiseAt:
    """The same noise by its own level.

    Attributes:
        level_dbm0: of what lies in 300 to 3400 Hz.
    """

    level_dbm0: float

    def __call__(self, wave: Wave, rng: np.random.Generator) -> Wave:
        return wave + rng.normal(0, np.sqrt(power_of(self.level_dbm0) / BAND_SHARE), len(wave))


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

    def __call__(self, wave: Wave, rng: np.random.Generator) -> Wave:
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

    def __call__(self, wave: Wave, rng: np.random.Generator) -> Wave:
        return wave + peak_of(self.level_dbm0) * _sine(self.frequency_hz, len(wave), rng)


@dataclass(frozen=True)
class DcOffset:
    """A constant on every sample.

    Attributes:
        offset_samples: in steps of one sample.
    """

    offset_samples: float

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
        return wave + float(self.offset_samples)


@dataclass(frozen=True)
class Gain:
    """Amplification.

    Attributes:
        gain_db: negative is loss.
    """

    gain_db: float

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
        return wave * float(10 ** (self.gain_db / 20))


@dataclass(frozen=True)
class Clipping:
    """Overload: the wave is amplified until its peak is so far beyond full scale (32767), then clipped there.

    Attributes:
        beyond_db: the peak before clipping over full scale; 0 or less clips nothing.
        restored: whether the amplification is taken back afterwards.
    """

    beyond_db: float
    restored: bool = False

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
        peak = float(np.abs(wave).max(initial=0))
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

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
        return filtered(wave, self.response)

    def response(self, frequencies_hz: Frequencies) -> Response:
        """What is left of each frequency, insertion loss and phase."""
        whole = self._insertion(frequencies_hz)
        return (
            whole
            if self.restored_hz is None
            else whole / abs(self._insertion(np.array([self.restored_hz]))[0])
        )

    def _insertion(self, frequencies_hz: Frequencies) -> Response:
        return self.cable.insertion(
            self.length_km, frequencies_hz, self.termination_ohm, self.termination_ohm
        )


@dataclass(frozen=True)
class Codec:
    """ITU-T G.711: each law of the row in turn codes and decodes; what is too loud is clipped first.

    Attributes:
        laws: "mu" and "a"; one law twice over changes nothing, "mu", "a", "mu" does.
    """

    laws: tuple[g711.Law, ...] = ("mu",)

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
        samples = to_samples(wave)
        for law in self.laws:
            samples = g711.decode(law, g711.encode(law, samples))
        return to_wave(samples)


@dataclass(frozen=True)
class PicoAdc:
    """The RP2040's 12-bit converter, biased to the middle of its range; 16 sample steps are one code.

    Four codes are far too wide (erratum RP2040-E11): whatever falls into one reads as it. All other codes are a little
    narrower than ideal, so that 4096 codes fill the range.

    Attributes:
        full_scale_dbm0: the sine that just fills the range.
        wide_codes: the codes that are too wide.
        dnl_lsb: how much wider than ideal they are, in codes.
        enob: effective bits for a full-scale sine; noise makes up what 12 ideal bits are better. The wide codes'
            distortion is not counted in it. None: no noise.
        reads: conversions averaged for a sample, each with its own noise.
    """

    full_scale_dbm0: float = FULL_SCALE_DBM0
    wide_codes: tuple[int, ...] = (512, 1536, 2560, 3584)  # RP2040 datasheet, ADC: DNL
    dnl_lsb: float = 8.9
    enob: float | None = 8.7  # RP2040 datasheet, ADC
    reads: int = 1

    CODES = 4096
    STEP_SAMPLES = 16

    def __call__(self, wave: Wave, rng: np.random.Generator) -> Wave:
        return (self.codes(wave, rng) - self.CODES / 2) * self.STEP_SAMPLES

    def codes(self, wave: Wave, rng: np.random.Generator) -> Wave:
        """What is read: whole codes 0 to 4095, or the mean of several."""
        # Silence is in the middle of code 2048; full scale either way ends half a code beyond 1 and 4095.
        volts = wave / peak_of(self.full_scale_dbm0) * (self.CODES / 2 - 0.5) + (self.CODES / 2 + 0.5)
        edges = self.edges()
        total = np.zeros(len(wave))
        for _ in range(self.reads):
            noisy = volts + rng.normal(0, self.noise_lsb, len(wave)) if self.noise_lsb else volts
            total += np.searchsorted(edges, noisy, side="right")
        return total / self.reads

    def edges(self) -> Wave:
        """The input, in ideal codes, at which each code from 1 on begins."""
        wide = len(self.wide_codes) * (1 + self.dnl_lsb)
        widths = np.full(self.CODES, (self.CODES - wide) / (self.CODES - len(self.wide_codes)))
        widths[list(self.wide_codes)] = 1 + self.dnl_lsb
        return np.cumsum(widths)[:-1]

    @property
    def noise_lsb(self) -> float:
        """Deviation of the noise before conversion, in codes."""
        if self.enob is None:
            return 0.0
        # A sine over 2^n codes has a power of 2^(2n)/8, and rounding one of 1/12: n bits are 6.02 n + 1.76 dB.
        return float(np.sqrt(max(0.0, (self.CODES / 2**self.enob) ** 2 - 1) / 12))


@dataclass(frozen=True)
class Echo:
    """The signal itself, later and weaker.

    Attributes:
        delay_ms: to the nearest sample.
        loss_db: below the signal.
    """

    delay_ms: float
    loss_db: float

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
        delay = samples_of(self.delay_ms)
        out = wave.astype(np.float64)
        out[delay:] += wave[: len(wave) - delay] * 10 ** (-self.loss_db / 20)
        return out


@dataclass(frozen=True)
class ClockOffset:
    """Sender and receiver disagree on 8 kHz.

    Attributes:
        offset_ppm: how much faster the receiver's clock is: it takes that many more samples of the same signal, and
            every frequency and rate seems lower by as much.
    """

    offset_ppm: float

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
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

    def __call__(self, wave: Wave, rng: np.random.Generator) -> Wave:
        kept = self.kept(len(wave), rng)
        return wave[kept].astype(np.float64) if self.closed_up else np.where(kept, wave, 0.0)

    def kept(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Which of `n` samples arrive."""
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

    def __call__(self, wave: Wave, rng: np.random.Generator) -> Wave:
        struck = rng.random(len(wave)) < self.per_second / RATE_HZ
        strokes = np.where(struck, rng.choice((-1.0, 1.0), len(wave)), 0.0)
        return wave + _convolved(strokes, peak_of(self.peak_dbm0) * self.shape())[: len(wave)]

    def shape(self) -> Wave:
        """One click of peak 1, to a thousandth of it."""
        times_ms = np.arange(samples_of(7 * self.decay_ms) + 1) * (1000 / RATE_HZ)
        shape: Wave = np.cos(2 * np.pi * self.frequency_hz / 1000 * times_ms) * np.exp(
            -times_ms / self.decay_ms
        )
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

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
        out = wave.astype(np.float64)
        burst = burst_of(wave)
        decay = self.step_samples * np.exp(-np.arange(len(wave)) * (1000 / RATE_HZ / self.decay_ms))
        for at, sign in ((burst.start, 1), (burst.stop, -1)):
            out[at:] += sign * decay[: len(wave) - at]
        return out


@dataclass(frozen=True)
class Talker:
    """Speech, or any other recording, at the same time; repeated as long as it is needed.

    Attributes:
        recording: 8 kHz.
        level_dbm0: mean power over the whole recording.
        start_samples: where in the recording it begins.
    """

    recording: Samples | Wave
    level_dbm0: float
    start_samples: int = 0

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
        speech = to_wave(self.recording)
        power = float(speech @ speech) / max(1, len(speech))
        if not power:
            return wave.astype(np.float64)
        heard = speech.take(np.arange(len(wave)) + self.start_samples, mode="wrap")
        return wave + heard * math.sqrt(power_of(self.level_dbm0) / power)


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

    def __call__(self, wave: Wave, _rng: np.random.Generator) -> Wave:
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
