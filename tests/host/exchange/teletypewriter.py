"""A TTY of the tests: reads Baudot text from samples, and types.

It knows the code from the table of TIA/EIA-825-A (ITU-T V.18, Annex A), not from the firmware, and takes the stronger
of two tones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from host_tools.exchange.levels import RATE_HZ, Samples, peak_of, to_samples

MARK_HZ, SPACE_HZ = 1400.0, 1800.0
BIT_MS = 22.0  # 45.45 baud
LETTERS = "\bE\nA SIU\rDRJNFCKTZLWHYPQOBG\0MXV\0"
FIGURES = "\b3\n- -87\r$4',!:(5\")2=6019?+\0./;\0"
FIGURES_SHIFT, LETTERS_SHIFT = 0b11011, 0b11111


@dataclass(frozen=True)
class Heard:
    """What was read: its characters, and how it was sent."""

    text: str
    mark_before_ms: float
    mark_behind_ms: float
    bit_ms: float
    shortest_stop_ms: float


def _power(samples: Samples, frequency_hz: float, window: int) -> npt.NDArray[np.float64]:
    """The power of one tone in the window around each sample."""
    turned = samples * np.exp(-2j * np.pi * frequency_hz * np.arange(len(samples)) / RATE_HZ)
    sums = np.concatenate([[0], np.cumsum(np.pad(turned, (window // 2, window - window // 2 - 1)))])
    return np.asarray(np.abs(sums[window:] - sums[:-window]) ** 2, np.float64)


def read(samples: Samples) -> Heard:
    """One text, with the mark before and behind it. AssertionError where a stop bit is none."""
    window = RATE_HZ // 100  # 10 ms: each tone is in a null of the other
    is_mark = _power(samples, MARK_HZ, window) > _power(samples, SPACE_HZ, window)
    sounding = np.flatnonzero(samples)
    first, last = sounding[0], sounding[-1]
    bit = RATE_HZ * BIT_MS / 1000
    starts, codes, stops = [], [], []
    spaces = np.flatnonzero(~is_mark[: last - 40]) if last > 40 else np.array([], int)
    at = int(first) + window
    while (later := spaces[np.searchsorted(spaces, at) :]).size:
        start = int(later[0])
        bits = [is_mark[round(start + (k + 0.5) * bit)] for k in range(1, 7)]
        assert bits[5], "no stop bit"
        starts.append(start)
        codes.append(sum(1 << k for k in range(5) if bits[k]))
        at = round(start + 6.5 * bit)
        following = spaces[np.searchsorted(spaces, at) :]
        stops.append((int(following[0]) if following.size else last) - start - 6 * bit)
    return Heard(
        _characters(codes),
        (starts[0] - first) / RATE_HZ * 1000,
        stops[-1] / RATE_HZ * 1000,
        _bit_ms(is_mark, starts[0], round(starts[-1] + 6 * bit)),
        min(stops) / RATE_HZ * 1000,
    )


def _bit_ms(is_mark: npt.NDArray[np.bool_], start: int, end: int) -> float:
    """The length of a bit, by all changes between the tones; they are whole numbers of bits apart."""
    changes = np.flatnonzero(np.diff(is_mark[start - 1 : end].astype(int))).astype(float)
    nominal = RATE_HZ * BIT_MS / 1000
    places = np.round((changes - changes[0]) / nominal)
    slope = np.polyfit(places, changes, 1)[0]
    return float(slope / RATE_HZ * 1000)


def _characters(codes: list[int]) -> str:
    text, table = "", "\0" * 32
    for code in codes:
        if code in (FIGURES_SHIFT, LETTERS_SHIFT):
            table = FIGURES if code == FIGURES_SHIFT else LETTERS
        else:
            text += table[code]
    return text


def typed(text: str, level_dbm0: float = -13.0) -> Samples:
    """What a TTY sends when letters and figures are typed on it, 1.5 stop bits behind each; mark before and behind."""
    bit = round(RATE_HZ * BIT_MS / 1000)
    marks = [np.full(RATE_HZ * 150 // 1000, MARK_HZ)]
    for code in _codes(text):
        bits = [False, *(bool(code >> k & 1) for k in range(5))]
        marks += [np.full(bit, MARK_HZ if is_mark else SPACE_HZ) for is_mark in bits]
        marks.append(np.full(3 * bit // 2, MARK_HZ))
    marks.append(np.full(RATE_HZ * 300 // 1000, MARK_HZ))
    phase = 2 * np.pi * np.cumsum(np.concatenate(marks)) / RATE_HZ
    return to_samples(peak_of(level_dbm0) * np.sin(phase))


def _codes(text: str) -> list[int]:
    codes = []
    for character in text:
        if character in LETTERS:
            codes += [LETTERS_SHIFT, LETTERS.index(character)]
        else:
            codes += [FIGURES_SHIFT, FIGURES.index(character)]
    return codes
