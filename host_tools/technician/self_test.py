"""A board's test of itself, from the bench: what it measures (boards/rp2040/self_test.py), held against limits.

The audio goes through the loop-back plug, and relay, hook and ring through the test cord (boards/pico/WIRING.md).
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from host_tools.exchange.caller_id import CallerId, mdmf
from host_tools.technician.faults import BoardRefuses
from host_tools.technician.prompt import Prompt

Samples = npt.NDArray[np.float64]

SAMPLE_RATE_HZ = 8000
PEAK_0_DBM0 = 22748.0  # ITU-T G.711: a sine of peak 32767 is +3.17 dBm0
SENT_DBM0 = -9  # below the wide codes of the RP2040's converter (WIRING.md, "The reference of the ADC")
DIGITS = "0123456789*#ABCD"
CALLER = "5555550123"

# What comes back of a sine through transmit filter, hold and receive filter: WIRING.md, "The loop-back plug", and the
# sum of its columns "receive" and "transmit with hold" where that has no row.
LOOP_DB = {300: 0.06, 697: -0.34, 1004: -0.52, 1633: -0.01, 2200: 0.16, 2750: -0.54, 3000: -0.12, 3400: -0.70}

_TONE_TIMEOUT_S = 120.0
_BAND_HZ = (200.0, 3400.0)
_SIDES = ("line", "phone")


@dataclass(frozen=True)
class Limit:
    """What is good enough.

    Attributes:
        name: what is measured.
        unit: of the value; "" for what is not measured in any.
        low, high: the least and the most; None where there is none.
        expected: for what is no number.
        source: why.
    """

    name: str
    unit: str
    source: str
    low: float | None = None
    high: float | None = None
    expected: str | None = None

    def holds(self, value: float | str) -> bool:
        """Whether the value is good enough."""
        if isinstance(value, str):
            return value == self.expected
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def words(self) -> str:
        """For people."""
        if self.expected is not None:
            return self.expected
        if self.low is None:
            return f"at most {self.high:g}"
        return f"at least {self.low:g}" if self.high is None else f"{self.low:g} to {self.high:g}"


def _loop_limit(side: str, hz: int, tolerance_db: float) -> Limit:
    gain_db = LOOP_DB[hz]
    source = "WIRING.md, The loop-back plug"
    return Limit(f"{side}, {hz} Hz", "dB", source, gain_db - tolerance_db, gain_db + tolerance_db)


_PLUG = "WIRING.md, The loop-back plug"
_CORD = "WIRING.md, The test cord"
LIMITS = (
    *(_loop_limit(side, hz, 1.0 if hz in (697, 1004) else 3.0) for side in _SIDES for hz in LOOP_DB),
    *(Limit(f"{side}, noise", "dBm0", _PLUG, high=-48.0) for side in _SIDES),
    *(Limit(f"{side}, silence", "codes", _PLUG, 2008.0, 2088.0) for side in _SIDES),
    *(
        Limit(f"{side}, signal to all else", "dB", "WIRING.md, The PWM: 36 dB at 0 dBm0", low=30.0)
        for side in _SIDES
    ),
    *(Limit(f"{side}, DTMF", "", "ITU-T Q.24", expected=DIGITS) for side in _SIDES),
    Limit("caller ID", "", "GR-30", expected=CALLER),
    Limit("caller ID, level", "dBm0", "sent at -13.5", -15.0, -12.5),
    Limit("caller ID, SNR", "dB", "the loop has no line", low=20.0),
    Limit("caller ID, twist", "dB", "WIRING.md: no board differs by more than 1.5 dB", -1.5, 1.5),
    Limit("samples lost", "", "none", high=0.0),
    Limit("samples late", "", "none", high=0.0),
    Limit("hook follows relay", "", _CORD, expected="0, 1, 0"),
    Limit("edges of 20 rings", "", _CORD, 38.0, 42.0),
    Limit("heap free", "bytes", "docs/pico.md", low=150_000.0),
    Limit("largest piece of heap", "bytes", "a ring of 32 KB in one piece", low=65_536.0),
    Limit("flash read back", "", "what was written", expected="yes"),
    Limit("flash, slowest 4 KB", "ms", "W25Q16JV: 400 ms a sector", high=500.0),
    Limit("flash free", "bytes", "calls, requests and prompts", low=65_536.0),
)
"""Every row of the test, in the order in which it is shown."""


@dataclass(frozen=True)
class Row:
    """One thing that was measured. `value` is None when the board could not do it; `told` says why."""

    limit: Limit
    value: float | str | None
    told: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is good enough."""
        return self.value is not None and self.limit.holds(self.value)


def run(prompt: Prompt, advance: Callable[[], None] = lambda: None) -> list[Row]:
    """Runs the test on the board behind a prompt; a row for each limit.

    Args:
        advance: called after each of STEPS.

    Raises:
        BoardRefuses: the board's image has no test of itself.
        BoardGone, NoAnswer: the board is gone.
    """
    prompt.run("import json\nfrom rp2040 import self_test")
    measured: dict[str, tuple[float | str | None, str]] = {}
    for step in STEPS:
        measured.update(step(prompt))
        advance()
    return [Row(limit, *measured.get(limit.name, (None, "it was not measured"))) for limit in LIMITS]


_Measured = Iterator[tuple[str, tuple[float | str | None, str]]]


def _tones(prompt: Prompt) -> _Measured:
    rows = [(hz, SENT_DBM0, 0, 0) for hz in LOOP_DB] + [(0, 0, 0, 0)]
    answer = _audio_begins(prompt) or _asked(prompt, f"audio.tones({rows})")
    if isinstance(answer, str):
        yield from ((name, (None, answer)) for name in _names("Hz", "noise", "signal"))
        return
    for place, side in enumerate(_SIDES):
        heard = [_samples(row[place]) for row in answer]
        for hz, samples in zip(LOOP_DB, heard, strict=False):
            yield f"{side}, {hz} Hz", (round(level_dbm0(samples, hz) - SENT_DBM0, 2), "")
        yield f"{side}, noise", (round(noise_dbm0(heard[-1]), 1), "")
        yield (
            f"{side}, signal to all else",
            (round(signal_to_rest_db(heard[list(LOOP_DB).index(1004)], 1004), 1), ""),
        )


def _audio_begins(prompt: Prompt) -> str:
    """Why it cannot; "" when it has begun."""
    try:
        prompt.run("audio = self_test.Audio()")
    except BoardRefuses as refused:
        return str(refused)
    return ""


def _digits(prompt: Prompt) -> _Measured:
    answer = _asked(prompt, f"audio.digits({DIGITS!r})")
    for place, side in enumerate(_SIDES):
        yield f"{side}, DTMF", (None, answer) if isinstance(answer, str) else (answer[place], "")


def _caller_id(prompt: Prompt) -> _Measured:
    data = bytes(mdmf(CallerId(number=CALLER, name="SELF TEST", date_time="01011200")))
    answer = _asked(prompt, f"audio.caller_id({data!r})")
    if isinstance(answer, str):
        yield "caller ID", (None, answer)
        return
    number, quality = answer
    yield "caller ID", (number, "" if number else "no message was read")
    for name, key in (("level", "level_dbm0"), ("SNR", "snr_db"), ("twist", "twist_db")):
        yield f"caller ID, {name}", ((quality or {}).get(key), "")


def _audio_ends(prompt: Prompt) -> _Measured:
    answer = _asked(prompt, "audio.close()")
    prompt.run("audio = None")
    for place, name in enumerate(("samples lost", "samples late")):
        yield name, (None, answer) if isinstance(answer, str) else (answer[place], "")


def _bias(prompt: Prompt) -> _Measured:
    answer = _asked(prompt, "self_test.bias()")
    for place, side in enumerate(_SIDES):
        yield f"{side}, silence", (None, answer) if isinstance(answer, str) else (round(answer[place], 1), "")


def _cord(prompt: Prompt) -> _Measured:
    answer = _asked(prompt, "self_test.cord()")
    if isinstance(answer, str):
        yield from ((name, (None, answer)) for name in _names("hook", "edges"))
        return
    yield "hook follows relay", (", ".join(map(str, answer[0])), "")
    yield "edges of 20 rings", (answer[1], "")


def _memory(prompt: Prompt) -> _Measured:
    answer = _asked(prompt, "self_test.memory()")
    for place, name in enumerate(("heap free", "largest piece of heap")):
        yield name, (None, answer) if isinstance(answer, str) else (answer[place], "")


def _flash(prompt: Prompt) -> _Measured:
    answer = _asked(prompt, "self_test.flash()")
    if isinstance(answer, str):
        yield from ((name, (None, answer)) for name in _names("flash"))
        return
    yield "flash read back", ("yes" if answer[0] else "no", "")
    yield "flash, slowest 4 KB", (answer[1], "")
    yield "flash free", (answer[2], "")


# The rings of the audio want a heap in one piece: nothing else may have used it before.
STEPS: tuple[Callable[[Prompt], _Measured], ...] = (
    *(_tones, _digits, _caller_id, _audio_ends, _bias, _cord, _memory, _flash),
)
"""What the test does, one after another."""


def _asked(prompt: Prompt, expression: str) -> Any:
    """What the board answers; the text of its fault when it cannot do it."""
    try:
        return json.loads(prompt.run(f"print(json.dumps({expression}))", _TONE_TIMEOUT_S))
    except BoardRefuses as refused:
        return str(refused)


def _names(*parts: str) -> list[str]:
    return [limit.name for limit in LIMITS if any(part in limit.name for part in parts)]


def _samples(text: str) -> Samples:
    return np.frombuffer(b64decode(text), "<i2").astype(np.float64)


def level_dbm0(samples: Samples, hz: float) -> float:
    """The level of a sine of that frequency in samples, fitted by least squares."""
    amplitude = float(np.hypot(*_fit(samples, hz)[0]))
    return 20 * float(np.log10(max(amplitude, 0.1) / PEAK_0_DBM0))


def noise_dbm0(samples: Samples) -> float:
    """The level of all that is in the samples, but for DC, between 200 and 3400 Hz."""
    mean_square = _band_mean_square(samples - samples.mean())
    return 10 * float(np.log10(max(mean_square, 0.01) / (PEAK_0_DBM0**2 / 2)))


def signal_to_rest_db(samples: Samples, hz: float) -> float:
    """The ratio of a sine to all else between 200 and 3400 Hz."""
    (sine, cosine), fitted = _fit(samples, hz)
    rest = _band_mean_square(samples - fitted)
    return 10 * float(np.log10((sine**2 + cosine**2) / 2 / max(rest, 0.01)))


def _fit(samples: Samples, hz: float) -> tuple[Samples, Samples]:
    """Amplitudes of sine and cosine, and what they with DC make."""
    phase = 2 * np.pi * hz / SAMPLE_RATE_HZ * np.arange(len(samples))
    basis = np.column_stack((np.sin(phase), np.cos(phase), np.ones_like(phase)))
    solved = np.linalg.lstsq(basis, samples, rcond=None)[0]
    return np.asarray(solved[:2]), np.asarray(basis @ solved)


def _band_mean_square(samples: Samples) -> float:
    spectrum = np.fft.rfft(samples)
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    in_band = (frequency_hz >= _BAND_HZ[0]) & (frequency_hz <= _BAND_HZ[1])
    return float(2 * np.sum(np.abs(spectrum[in_band]) ** 2) / len(samples) ** 2)
