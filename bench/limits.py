"""What theory leaves a receiver against SNR: the share of whole messages of phase-continuous FSK, and of DTMF's digits.

For FSK, three receivers, ideal but for what they do not use. They know the tones and the bits' times, and decide 300
bits:

- one bit at a time, the phase unknown (non-coherent): exact, by Marcum's Q function;
- several bits at a time, the phase unknown but running on from bit to bit: the middle one of them is decided, by the
  largest magnitude among all their sequences; simulated;
- the whole message at once, the phase known, and that each character has a start and a stop bit: the most likely
  sequence, by Viterbi's algorithm; simulated.

Eb/N0 is SNR (over 300 to 3400 Hz) times 3100 Hz over the rate. What the fields' grammar and the checksum know is not in
any of them: a receiver that uses it can do better still.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from host_tools.exchange.fsk import FskStandard
from host_tools.exchange.impairments import BAND_SHARE
from host_tools.exchange.levels import RATE_HZ

MESSAGE_BITS = 300
DIGIT_S = 0.05
DIGIT_KEYS = 16
DIGIT_FALSE_HOURS = 8.0
CHARACTER_BITS = 10

Complex = npt.NDArray[np.complex128]


def energy_over_noise(snr_db: float, standard: FskStandard) -> float:
    """Eb/N0 as a ratio."""
    return float(10 ** (snr_db / 10) * BAND_SHARE * RATE_HZ / 2 / standard.baud)


def one_bit(snr_db: float, standard: FskStandard) -> float:
    """Share of messages read by deciding one bit at a time, non-coherently (Proakis, Digital Communications, 5.4)."""
    ratio = energy_over_noise(snr_db, standard)
    alike = abs(_correlation(standard))
    apart = np.sqrt(1 - alike**2)
    a, b = np.sqrt(ratio / 2 * (1 - apart)), np.sqrt(ratio / 2 * (1 + apart))
    error = _marcum_q(a, b) - 0.5 * np.exp(-((a - b) ** 2) / 2) * float(np.i0(a * b) * np.exp(-a * b))
    return float((1 - error) ** MESSAGE_BITS)


def several_bits(
    snr_db: float, standard: FskStandard, bits: int, messages: int, rng: np.random.Generator
) -> float:
    """Share of messages read by deciding the middle one of `bits` (odd), non-coherently; of so many simulated."""
    sent = rng.integers(0, 2, (messages, MESSAGE_BITS))
    half = bits // 2
    around = np.pad(sent, ((0, 0), (half, half)), constant_values=1)
    heard = _correlators(around, snr_db, standard, rng)
    turn = _turns(standard)
    best = np.zeros(sent.shape)
    decided = np.zeros(sent.shape, np.int64)
    for sequence in product((0, 1), repeat=bits):
        total: Complex = np.zeros(sent.shape, np.complex128)
        phase = 0.0
        for place, bit in enumerate(sequence):
            total += heard[bit][:, place : place + MESSAGE_BITS] * np.exp(-2j * np.pi * phase)
            phase += turn[bit]
        magnitude = np.abs(total)
        decided[magnitude > best] = sequence[half]
        np.maximum(best, magnitude, out=best)
    return float(np.mean(np.all(decided == sent, axis=1)))


def whole_message(snr_db: float, standard: FskStandard, messages: int, rng: np.random.Generator) -> float:
    """Share of messages whose most likely sequence is the one sent, the phase known; of so many simulated."""
    sent = rng.integers(0, 2, (messages, MESSAGE_BITS))
    sent[:, ::CHARACTER_BITS] = 0
    sent[:, CHARACTER_BITS - 1 :: CHARACTER_BITS] = 1
    heard = _correlators(sent, snr_db, standard, rng)
    # Phases at bit boundaries are multiples of 1/12 cycle: both standards' tones are multiples of 100 Hz at 1200 baud.
    steps = [round(12 * turn) % 12 for turn in _turns(standard)]
    rotations = np.exp(-2j * np.pi * np.arange(12) / 12)
    likely = np.full((messages, 12), -np.inf)
    likely[:, 0] = 0
    chosen = np.zeros((MESSAGE_BITS, messages, 12), np.int64)
    for place in range(MESSAGE_BITS):
        options = np.full((2, messages, 12), -np.inf)
        for bit in (0, 1):
            if place % CHARACTER_BITS != (0, CHARACTER_BITS - 1)[1 - bit]:
                gained = (heard[bit][:, place, np.newaxis] * rotations).real
                options[bit] = np.roll(likely + gained, steps[bit], axis=1)
        chosen[place] = options.argmax(axis=0)
        likely = options.max(axis=0)
    decided = np.zeros_like(sent)
    state = likely.argmax(axis=1)
    rows = np.arange(messages)
    for place in reversed(range(MESSAGE_BITS)):
        decided[:, place] = chosen[place][rows, state]
        state = (state - np.array(steps)[decided[:, place]]) % 12
    return float(np.mean(np.all(decided == sent, axis=1)))


def digits(snr_db: float, trials: int, rng: np.random.Generator) -> float:
    """Share of DTMF digits of 50 ms that are heard by the energy of their two tones, of so many simulated.

    Tones and time are known, the phases are not; the threshold lets noise alone make one digit in 8 hours.
    """
    looks = DIGIT_FALSE_HOURS * 3600 / DIGIT_S * DIGIT_KEYS
    thresholds = np.linspace(1, 40, 3901)
    # Noise alone: the sum of two tones' energies, each exponential.
    threshold = thresholds[np.searchsorted(-np.exp(-thresholds) * (1 + thresholds), -1 / looks)]
    amplitude = np.sqrt(10 ** (snr_db / 10) * BAND_SHARE * RATE_HZ / 2 / 2 * DIGIT_S)
    noise = rng.normal(0, np.sqrt(0.5), (2, 2, trials))
    energy = ((noise[0] + amplitude) ** 2 + noise[1] ** 2).sum(axis=0)
    return float(np.mean(energy > threshold))


def _turns(standard: FskStandard) -> tuple[float, float]:
    """Cycles of space and of mark in one bit."""
    return standard.space_hz / standard.baud, standard.mark_hz / standard.baud


def _correlation(standard: FskStandard) -> complex:
    """Of mark against space over one bit, for carriers of unit energy that start at the same phase."""
    turns = (standard.mark_hz - standard.space_hz) / standard.baud
    return complex(np.exp(1j * np.pi * turns) * np.sinc(turns))


def _correlators(
    bits: npt.NDArray[np.int64], snr_db: float, standard: FskStandard, rng: np.random.Generator
) -> tuple[Complex, Complex]:
    """What the correlators for space and mark hear of each bit; noise of unit power, the first bit at phase 0."""
    amplitude = np.sqrt(energy_over_noise(snr_db, standard))
    turns = np.array(_turns(standard))[bits]
    carrier = amplitude * np.exp(2j * np.pi * (np.cumsum(turns, axis=1) - turns))
    alike = _correlation(standard)
    first, second = (
        (rng.normal(size=bits.shape) + 1j * rng.normal(size=bits.shape)) / np.sqrt(2) for _ in range(2)
    )
    space = carrier * np.where(bits, alike, 1) + first
    mark = carrier * np.where(bits, 1, np.conj(alike)) + (
        np.conj(alike) * first + np.sqrt(1 - abs(alike) ** 2) * second
    )
    return space, mark


def _marcum_q(a: float, b: float) -> float:
    """Marcum's Q function of order 1, integrated: x exp(-(x^2 + a^2) / 2) I0(a x) from b on."""
    x = np.linspace(b, b + 12, 20001)
    scaled_i0 = np.i0(a * x) * np.exp(-a * x)
    return float(np.trapezoid(x * np.exp(-((x - a) ** 2) / 2) * scaled_i0, x))
