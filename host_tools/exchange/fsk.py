"""Caller ID as sound: phase-continuous FSK."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from host_tools.exchange.levels import RATE_HZ, Samples, peak_of, to_samples

Bits = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FskStandard:
    """One row of the table of modems; mark is 1, space is 0."""

    name: str
    mark_hz: float
    space_hz: float
    baud: float


BELL_202 = FskStandard("Bell 202", 1200, 2200, 1200)  # GR-30
V23 = FskStandard("V.23", 1300, 2100, 1200)  # EN 300 659-1, ITU-T V.23

SEIZURE_BITS = 300  # GR-30, on-hook: 250 ms of alternating bits, the first 0, the last 1
MARK_BITS = 180  # GR-30, on-hook
OFF_HOOK_MARK_BITS = 80  # GR-30, off-hook, without seizure
MARK_BITS_AFTER = 10  # after the last stop bit
SEND_LEVEL_DBM0 = -13.5  # at the exchange


def framed(data: bytes) -> Bits:
    """The bits of `data` as sent: a start bit (0), eight data bits, the lowest first, a stop bit (1)."""
    frames = np.ones((len(data), 10), np.uint8)
    frames[:, 0] = 0
    frames[:, 1:9] = np.unpackbits(np.frombuffer(data, np.uint8)[:, np.newaxis], axis=1, bitorder="little")
    return frames.reshape(-1)


def modulate(
    data: bytes,
    standard: FskStandard = BELL_202,
    seizure_bits: int = SEIZURE_BITS,
    mark_bits: int = MARK_BITS,
    level_dbm0: float = SEND_LEVEL_DBM0,
) -> Samples:
    """A whole burst: channel seizure, mark, the bytes, and a little mark.

    Args:
        data: the message, checksum included.
        standard: one row of the table.
        seizure_bits: alternating bits, 0 first; 0 for an off-hook burst.
        mark_bits: bits of mark before the first start bit.
        level_dbm0: of the carrier.

    Returns:
        The samples, as many as touch the burst.
    """
    bits = np.concatenate(
        [
            np.arange(seizure_bits, dtype=np.uint8) % 2,
            np.ones(mark_bits, np.uint8),
            framed(data),
            np.ones(MARK_BITS_AFTER, np.uint8),
        ]
    )
    return to_samples(peak_of(level_dbm0) * np.sin(_phases(bits, standard)))


def _phases(bits: Bits, standard: FskStandard) -> npt.NDArray[np.float64]:
    """The carrier's phase at every sample: whole bits before it, and its own bit up to it."""
    cycles_a_bit = np.where(bits, standard.mark_hz, standard.space_hz) / standard.baud
    cycles_before = np.cumsum(cycles_a_bit) - cycles_a_bit
    bit_times = np.arange(int(np.ceil(len(bits) * RATE_HZ / standard.baud))) * (standard.baud / RATE_HZ)
    bit = bit_times.astype(np.int64)
    cycles: npt.NDArray[np.float64] = cycles_before[bit] + cycles_a_bit[bit] * (bit_times - bit)
    return 2 * np.pi * (cycles % 1)
