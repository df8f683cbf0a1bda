"""What tests of the exchange hear in samples: the level of a frequency, and the bytes of an FSK burst."""

from __future__ import annotations

import numpy as np

from host_tools.exchange.fsk import BELL_202, FskStandard
from host_tools.exchange.levels import RATE_HZ, Samples, Signal, dbm0_of_peak


def level_at(samples: Signal, frequency_hz: float) -> float:
    """The level of one frequency over all samples, in dBm0."""
    turns = np.exp(-2j * np.pi * frequency_hz * np.arange(len(samples)) / RATE_HZ)
    return dbm0_of_peak(2 * abs(complex(samples @ turns)) / max(1, len(samples)))


def fsk_bytes(samples: Samples, standard: FskStandard = BELL_202) -> bytes:
    """The bytes of a burst after its long mark: the stronger of mark and space, averaged over one bit."""
    bit_samples = RATE_HZ / standard.baud
    mark = _energies(samples, standard.mark_hz, round(bit_samples))
    space = _energies(samples, standard.space_hz, round(bit_samples)) > mark
    spaces = np.flatnonzero(space)
    data = bytearray()
    at = _end_of_mark(space, round(50 * bit_samples))
    while (later := spaces[spaces >= at]).size and later[0] + 10 * bit_samples < len(space):
        bits = [not space[round(later[0] + (bit + 0.5) * bit_samples)] for bit in range(1, 9)]
        data.append(sum(1 << bit for bit, value in enumerate(bits) if value))
        at = later[0] + 9.5 * bit_samples
    return bytes(data)


def _energies(
    samples: Samples, frequency_hz: float, window: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    turns = np.exp(-2j * np.pi * frequency_hz * np.arange(len(samples)) / RATE_HZ)
    return np.abs(np.convolve(samples * turns, np.ones(window), mode="same"))


def _end_of_mark(space: np.ndarray[tuple[int], np.dtype[np.bool_]], least: int) -> float:
    """Where the first run of at least `least` samples of mark ends."""
    run = 0
    for at, value in enumerate(space.tolist()):
        if value and run >= least:
            return at
        run = 0 if value else run + 1
    return len(space)
