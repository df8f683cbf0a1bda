"""ITU-T G.711: mu-law and A-law, exact; 16-bit samples as in ITU-T G.191's reference (the low bits are not used)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from host_tools.exchange.levels import Samples

Integers = npt.NDArray[np.int32]
Codes = npt.NDArray[np.uint8]
Law = Literal["mu", "a"]

_MU_BIAS = 33  # G.711 table 2a: the first segment begins at 33 of 8159, once 33 is added
_MU_LARGEST = 8191
_EVEN_BITS = 0x55  # G.711 clause 3.3: A-law is sent with its even bits inverted


def encode(law: Law, samples: Samples) -> Codes:
    """Each sample's code; on a decision value a negative sample takes the step nearer to 0."""
    return _ENCODED[law][samples.view(np.uint16)]


def decode(law: Law, codes: Codes) -> Samples:
    """Each code's sample: at most 32124 (mu-law) or 32256 (A-law)."""
    return _DECODED[law][codes]


def _mu_codes(samples: Integers) -> Integers:
    magnitude = np.minimum((np.where(samples < 0, ~samples, samples) >> 2) + _MU_BIAS, _MU_LARGEST)
    segment = _bit_length(magnitude) - 6
    step = (magnitude >> (segment + 1)) & 15
    codes: Integers = ~(np.where(samples < 0, 0x80, 0) | segment << 4 | step) & 0xFF
    return codes


def _mu_samples(codes: Integers) -> Integers:
    code = ~codes & 0xFF
    magnitude = (((code & 15) * 2 + _MU_BIAS) << (code >> 4 & 7)) - _MU_BIAS
    return np.where(code & 0x80, -magnitude, magnitude) * 4


def _a_codes(samples: Integers) -> Integers:
    magnitude = np.where(samples < 0, ~samples, samples) >> 4
    segment = np.maximum(_bit_length(magnitude) - 4, 0)
    step = (magnitude >> np.maximum(segment - 1, 0)) & 15
    codes: Integers = (np.where(samples < 0, 0, 0x80) | segment << 4 | step) ^ _EVEN_BITS
    return codes


def _a_samples(codes: Integers) -> Integers:
    code = codes ^ _EVEN_BITS
    segment, step = code >> 4 & 7, code & 15
    magnitude = np.where(segment, (step * 2 + 33) << np.maximum(segment - 1, 0), step * 2 + 1)
    return np.where(code & 0x80, magnitude, -magnitude) * 8


def _bit_length(values: Integers) -> Integers:
    """How many bits each value needs; 0 needs none."""
    lengths: Integers = np.frexp(values.astype(np.float64))[1]
    return lengths


def _encoded(codes: Callable[[Integers], Integers]) -> Codes:
    return codes(np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)).astype(np.uint8)


_ENCODED: dict[Law, Codes] = {"mu": _encoded(_mu_codes), "a": _encoded(_a_codes)}
_DECODED: dict[Law, Samples] = {
    "mu": _mu_samples(np.arange(256, dtype=np.int32)).astype(np.int16),
    "a": _a_samples(np.arange(256, dtype=np.int32)).astype(np.int16),
}
