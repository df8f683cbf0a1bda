"""Which characters of a burst are doubtful: how clearly each of their bits stands in the recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from host_tools.exchange.fsk import framed
from host_tools.exchange.levels import RATE_HZ, Samples, Wave
from host_tools.rig import bursts
from host_tools.rig.bursts import Burst

_TAPS = 7  # one bit
_BITS = 10  # start, eight of data, stop
_EARLY_SAMPLES = 400
_AGREES = 0.4
_DOUBTFUL = 0.4  # of what the bits of this burst have in the middle
_MOST_IDLE_BITS = 25
_NOMINAL_BAUD = 1200.0
_LOWEST_HZ, _HIGHEST_HZ = 600.0, 2900.0


@dataclass(frozen=True)
class Character:
    """A character of a message.

    Attributes:
        index: in the message, from 0.
        value: as it was read.
        clearness: of its least clear bit: 1 for one as clear as most in this burst, 0 for none, below 0 when the
            recording says the other value.
        weak_bits: of its data, 0 the lowest, those that are doubtful.
    """

    index: int
    value: int
    clearness: float
    weak_bits: tuple[int, ...]

    @property
    def is_doubtful(self) -> bool:
        """Whether it may as well have been another one."""
        return self.clearness < _DOUBTFUL


def characters(samples: Samples, burst: Burst, data: bytes) -> list[Character]:
    """The characters of a message in a burst, as clear as they are; none when the message is not found in it."""
    if not data or burst.space_hz is None:
        return []
    first = max(0, burst.message_start - _EARLY_SAMPLES)
    start, agreement = bursts.place(samples, data, first, burst.end, burst.baud)
    if agreement < _AGREES:
        return []
    decision = _decision(samples, burst, first)
    bit_samples = RATE_HZ / (burst.baud or _NOMINAL_BAUD)
    clear = _clearness(decision, framed(data).reshape(len(data), _BITS), start - first, bit_samples)
    usual = float(np.median(np.abs(clear))) or 1.0
    return [_character(index, value, clear[index] / usual) for index, value in enumerate(data)]


def turned_to_hold(data: bytes, characters: list[Character]) -> list[tuple[int, int]]:
    """(index, value) of each doubtful character that makes the checksum hold when one of its weak bits is turned."""
    wrong = sum(data) & 0xFF
    found = []
    for character in characters:
        for bit in character.weak_bits if character.is_doubtful else ():
            turned = character.value ^ (1 << bit)
            if (wrong + turned - character.value) & 0xFF == 0:
                found.append((character.index, turned))
    return found


def _character(index: int, value: int, clear: Wave) -> Character:
    weak = tuple(int(bit) for bit in np.flatnonzero(clear[1:9] < _DOUBTFUL))
    return Character(index, value, round(float(clear.min()), 2), weak)


def _decision(samples: Samples, burst: Burst, first: int) -> Wave:
    """Above 0 for mark, below for space, from `first` to the end of the burst; either is 1 whatever the twist."""
    spectrum = np.fft.rfft(samples[first : burst.end])
    hz = np.fft.rfftfreq(burst.end - first, 1 / RATE_HZ)
    wave = np.fft.irfft(np.where((hz > _LOWEST_HZ) & (hz < _HIGHEST_HZ), spectrum, 0), burst.end - first)
    mark = magnitude_of(wave, burst.mark_hz)
    space = magnitude_of(wave, burst.space_hz or 0.0)
    decision: Wave = mark / _loud(mark) - space / _loud(space)
    return decision


def magnitude_of(wave: Wave, hz: float) -> Wave:
    """How much of a tone is in the bit around each sample."""
    turned = wave * np.exp(-2j * np.pi * hz / RATE_HZ * np.arange(len(wave)))
    heard: Wave = np.abs(np.convolve(turned, np.full(_TAPS, 1 / _TAPS), mode="same"))
    return heard


def _loud(magnitude: Wave) -> float:
    return float(np.percentile(magnitude, 90)) or 1.0


def _clearness(decision: Wave, bits: npt.NDArray[np.uint8], start: float, bit_samples: float) -> Wave:
    """Of each bit how clearly it is what was read; each character is looked for where its start bit begins."""
    padded = np.concatenate([decision, np.zeros(round(2 * _BITS * bit_samples))])
    clear = np.zeros(bits.shape)
    middles = (np.arange(_BITS) + 0.5) * bit_samples
    for index, character in enumerate(bits):
        signs = 2.0 * character - 1
        places = np.round(start + middles).astype(int)
        if places[0] >= len(decision):
            break
        clear[index] = signs * padded[np.minimum(places, len(padded) - 1)]
        start = _next_start(padded, start + _BITS * bit_samples, bit_samples)
    return clear


def _next_start(decision: Wave, expected: float, bit_samples: float) -> float:
    """Where the next start bit begins: within half a bit of where it should, or behind bits of mark."""
    first = max(0, round(expected - bit_samples / 2))
    ahead = decision[first : first + round(_MOST_IDLE_BITS * bit_samples)]
    below = np.flatnonzero((ahead[1:] < 0) & (ahead[:-1] >= 0))
    if not len(below):
        return expected
    found = first + float(below[0]) + 1
    is_near = abs(found - expected) < bit_samples / 2
    is_behind_mark = bool((decision[round(expected) : int(found)] > 0).all())
    return found if is_near or (found > expected and is_behind_mark) else expected
