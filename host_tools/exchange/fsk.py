"""Caller ID as sound: phase-continuous FSK, exact, and off the standard by as much as a line or a sender is.

`on_hook(V23).samples(message)` is a burst as the standard says; `replace(off_hook(BELL_202), twist_db=6, gap_bits=20)`
departs from it, and `.wave(message)` is not rounded, for what comes after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from host_tools.exchange.levels import RATE_HZ, Samples, Wave, peak_of, to_samples

Bits = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FskStandard:
    """One row of the table of standards; mark is 1, space is 0.

    Attributes:
        seizure_bits: alternating bits before the mark, on-hook (type I); 0 where there is none.
        mark_bits: bits of mark before the first start bit, on-hook.
        off_hook_mark_bits: the same off-hook (type II), where there is no seizure.
        stop_bits: bits of mark at the end of each byte.
        mark_bits_after: bits of mark after the last byte.
    """

    name: str
    mark_hz: float
    space_hz: float
    baud: float
    seizure_bits: int
    mark_bits: int
    off_hook_mark_bits: int
    stop_bits: int = 1
    mark_bits_after: int = 10


# fmt: off
BELL_202 = FskStandard(
    "Bell 202",
    1200, 2200, 1200,  # GR-30; TIA-777-A: each within 1 %
    300, 180,          # GR-30, on-hook: 250 ms of alternating bits, the first 0, the last 1; 150 ms of mark
    80,                # GR-30, off-hook: 58 to 75 ms
)
V23 = FskStandard(
    "V.23",
    1300, 2100, 1200,  # ITU-T V.23; EN 300 659-1: tones within 1.5 %, rate within 1 %
    300, 180,          # EN 300 659-1, on-hook: 300 bits, the first 0, the last 1; 180 +- 25, or 80 +- 25
    80,                # EN 300 659-2, off-hook: 80 +- 25
)
BT = FskStandard(
    "BT",
    1300, 2100, 1200,  # SIN 227: V.23
    96, 55,            # SIN 227: seizure of 96 to 315 bits, at least 55 of mark
    55,                # SIN 227, off-hook: at least 55
)
NTT = FskStandard(
    "NTT",
    1300, 2100, 1200,  # V.23; the set has lifted before it is sent
    0, 75,             # no seizure; 75 as spandsp sends it, 78 in Lantiq's driver
    75,
    stop_bits=4,       # as spandsp sends it
)
# fmt: on
ETSI = V23

STANDARDS = {row.name: row for row in (BELL_202, V23, BT, NTT)}

SEIZURE_BITS = BELL_202.seizure_bits
MARK_BITS = BELL_202.mark_bits
OFF_HOOK_MARK_BITS = BELL_202.off_hook_mark_bits
MARK_BITS_AFTER = BELL_202.mark_bits_after
SEND_LEVEL_DBM0 = -13.5  # at the exchange: GR-30 and EN 300 659-1, within 1.5 dB


@dataclass(frozen=True)
class Burst:
    """How a burst is sent. `on_hook` and `off_hook` answer what a standard says; `dataclasses.replace` departs from it.

    Attributes:
        standard: tones and rate before `baud_percent` and `shift_hz`.
        level_dbm0: of the carrier; with twist the mean, in dB, of mark and space, so that its power is higher: by
            2.4 dB at 10 dB of twist and as many marks as spaces.
        twist_db: level of mark over that of space; half of it is added to mark, half taken from space.
        baud_percent: how much faster than the standard the bits are sent; the tones stay.
        shift_hz: added to both tones, as a carrier system that is off frequency does.
        seizure_bits: alternating bits, the first 0.
        cut_bits: the first bits of the burst, any fraction of one included, that are not sent: of the seizure, and
            when they are more than that, of the mark.
        mark_bits: bits of mark before the first start bit.
        gap_bits: bits of mark between bytes beyond the stop bits; 0 to 20 on real lines.
        stop_bits: bits of mark that end each byte.
        mark_bits_between: bits of mark between the last stop bit of a message and the first start bit of the next,
            or its seizure.
        seizure_bits_between: alternating bits between messages, `mark_bits` after them; 0 for none.
        mark_bits_after: bits of mark after the last stop bit.
        phase: of the carrier at the first sample, in cycles.
    """

    standard: FskStandard = BELL_202
    level_dbm0: float = SEND_LEVEL_DBM0
    twist_db: float = 0.0
    baud_percent: float = 0.0
    shift_hz: float = 0.0
    seizure_bits: int = SEIZURE_BITS
    cut_bits: float = 0.0
    mark_bits: int = MARK_BITS
    gap_bits: int = 0
    stop_bits: int = 1
    mark_bits_between: int = 80
    seizure_bits_between: int = 0
    mark_bits_after: int = MARK_BITS_AFTER
    phase: float = 0.0

    @property
    def baud(self) -> float:
        """Bits a second, as sent."""
        return self.standard.baud * (1 + self.baud_percent / 100)

    def bits(self, *messages: bytes) -> Bits:
        """Every bit of a burst with these messages, the ones that are cut included."""
        between = [_alternating(self.seizure_bits_between), _marks(self.mark_bits)]
        pieces = [_alternating(self.seizure_bits), _marks(self.mark_bits)]
        for index, message in enumerate(messages):
            if index:
                pieces.append(_marks(self.mark_bits_between))
                pieces += between if self.seizure_bits_between else []
            pieces.append(framed(message, self.stop_bits, self.gap_bits))
        return np.concatenate([*pieces, _marks(self.mark_bits_after)])

    def wave(self, *messages: bytes) -> Wave:
        """The burst, exact: every sample that touches it, in steps of one sample, not rounded and not clipped."""
        bits = self.bits(*messages)
        first_bit = min(max(0.0, self.cut_bits), len(bits))
        count = int(np.ceil((len(bits) - first_bit) * RATE_HZ / self.baud))
        # The last time can round up to the end of the last bit.
        times = np.minimum(first_bit + np.arange(count) * (self.baud / RATE_HZ), np.nextafter(len(bits), 0))
        bit = times.astype(np.int64)
        mark_peak, space_peak = (peak_of(self.level_dbm0 + sign * self.twist_db / 2) for sign in (1, -1))
        peaks = np.where(bits, mark_peak, space_peak)
        wave: Wave = peaks[bit] * np.sin(2 * np.pi * self._cycles(bits, times, bit))
        return wave

    def samples(self, *messages: bytes) -> Samples:
        """The same, rounded, and clipped where it is too loud."""
        return to_samples(self.wave(*messages))

    def _cycles(self, bits: Bits, times: Wave, bit: npt.NDArray[np.int64]) -> Wave:
        """The carrier's phase: whole bits before, and the bit's own part; `times` in bits."""
        if not len(times):
            return times
        tones_hz = np.where(bits, self.standard.mark_hz, self.standard.space_hz) + self.shift_hz
        cycles_a_bit = tones_hz / self.baud
        cycles_before = np.cumsum(cycles_a_bit) - cycles_a_bit
        cycles: Wave = cycles_before[bit] + cycles_a_bit[bit] * (times - bit)
        cycles += self.phase - cycles[0]
        return cycles % 1


def on_hook(standard: FskStandard) -> Burst:
    """Type I: before, between or without rings."""
    return Burst(
        standard,
        seizure_bits=standard.seizure_bits,
        mark_bits=standard.mark_bits,
        stop_bits=standard.stop_bits,
        mark_bits_after=standard.mark_bits_after,
    )


def off_hook(standard: FskStandard) -> Burst:
    """Type II: a call waits; no seizure."""
    return Burst(
        standard,
        seizure_bits=0,
        mark_bits=standard.off_hook_mark_bits,
        stop_bits=standard.stop_bits,
        mark_bits_after=standard.mark_bits_after,
    )


def framed(data: bytes, stop_bits: int = 1, gap_bits: int = 0) -> Bits:
    """The bits of `data` as sent: a start bit (0), eight data bits, the lowest first, and `stop_bits` (1).

    `gap_bits` more bits of mark stand between two bytes, none after the last.
    """
    frames = np.ones((len(data), 9 + stop_bits + gap_bits), np.uint8)
    frames[:, 0] = 0
    frames[:, 1:9] = np.unpackbits(np.frombuffer(data, np.uint8)[:, np.newaxis], axis=1, bitorder="little")
    return frames.reshape(-1)[: frames.size - gap_bits] if len(data) else frames.reshape(-1)


def modulate(
    data: bytes,
    standard: FskStandard = BELL_202,
    seizure_bits: int = SEIZURE_BITS,
    mark_bits: int = MARK_BITS,
    level_dbm0: float = SEND_LEVEL_DBM0,
) -> Samples:
    """A whole burst with one message, as most exchanges send it: channel seizure, mark, the bytes, and a little mark.

    Args:
        data: the message, checksum included.
        standard: one row of the table.
        seizure_bits: alternating bits, 0 first; 0 for an off-hook burst.
        mark_bits: bits of mark before the first start bit.
        level_dbm0: of the carrier.

    Returns:
        The samples, as many as touch the burst.
    """
    burst = Burst(
        standard, level_dbm0, seizure_bits=seizure_bits, mark_bits=mark_bits, stop_bits=standard.stop_bits
    )
    return burst.samples(data)


def _alternating(bits: int) -> Bits:
    return np.arange(bits, dtype=np.uint8) % 2


def _marks(bits: int) -> Bits:
    return np.ones(bits, np.uint8)
