"""DTMF (ITU-T Q.23): the telephone's keys as sound, and the register of the exchange that hears them.

`digit("5")` is a key as a good telephone sends it. `train(scattered(presses, rng))` are any number of presses, each as
far off as its `Press` says, with what is needed to score a receiver on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from host_tools.exchange.levels import RATE_HZ, Samples, Wave, peak_of, samples_of, to_samples

LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")
CODES = "".join(KEYS)

LOW_DBM0 = -10.0
HIGH_DBM0 = -8.0  # AS/CA S002: the high tone 2 dB above the low
ON_MS = 80.0
OFF_MS = 80.0


@dataclass(frozen=True)
class Press:
    """One press of a key, as exact or as far off as a telephone is.

    Attributes:
        key: one of CODES.
        on_ms: how long the tones sound, the gap not counted; all times to the nearest sample.
        off_ms: silence after them.
        low_dbm0, high_dbm0: level of each tone; their difference, high over low, is the twist of ITU-T Q.24.
        low_percent, high_percent: how much higher than nominal the frequency is.
        low_shift_hz, high_shift_hz: added to the frequency after that.
        gap_ms: silence in the middle; behind it the tones go on as if they had sounded through it.
        low_phase, high_phase: at the first sample, in cycles.

    Raises:
        ValueError: there is no such key.
    """

    key: str
    on_ms: float = ON_MS
    off_ms: float = OFF_MS
    low_dbm0: float = LOW_DBM0
    high_dbm0: float = HIGH_DBM0
    low_percent: float = 0.0
    high_percent: float = 0.0
    low_shift_hz: float = 0.0
    high_shift_hz: float = 0.0
    gap_ms: float = 0.0
    low_phase: float = 0.0
    high_phase: float = 0.0

    def __post_init__(self) -> None:
        if len(self.key) != 1 or self.key not in CODES:
            raise ValueError(f"{self.key!r} is not one of {CODES}")

    @property
    def low_hz(self) -> float:
        """The low tone's frequency, as sent."""
        return LOW_HZ[CODES.index(self.key) // 4] * (1 + self.low_percent / 100) + self.low_shift_hz

    @property
    def high_hz(self) -> float:
        """The high tone's frequency, as sent."""
        return HIGH_HZ[CODES.index(self.key) % 4] * (1 + self.high_percent / 100) + self.high_shift_hz

    def sound(self) -> Wave:
        """The tones with their gap, in steps of one sample, not rounded and not clipped; no silence after them."""
        on, gap = samples_of(self.on_ms), samples_of(self.gap_ms)
        times = np.arange(on + gap) / RATE_HZ
        low = peak_of(self.low_dbm0) * np.sin(2 * np.pi * (self.low_hz * times + self.low_phase))
        high = peak_of(self.high_dbm0) * np.sin(2 * np.pi * (self.high_hz * times + self.high_phase))
        sound: Wave = low + high
        sound[on // 2 : on // 2 + gap] = 0
        return sound

    def wave(self) -> Wave:
        """The same, and the silence after it."""
        return np.concatenate([self.sound(), np.zeros(samples_of(self.off_ms))])


@dataclass(frozen=True, eq=False)
class Train:
    """Presses in a row. `starts` and `ends` are the first sample of each one's tones, and the first after them."""

    presses: tuple[Press, ...]
    wave: Wave
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def train(presses: Iterable[Press], lead_ms: float = 200.0, tail_ms: float = 500.0) -> Train:
    """Presses one after the other, each with its own silence after it; `lead_ms` and `tail_ms` more at the ends."""
    pressed = tuple(presses)
    parts = [np.zeros(samples_of(lead_ms))]
    starts: list[int] = []
    ends: list[int] = []
    place = len(parts[0])
    for press in pressed:
        parts.append(press.wave())
        starts.append(place)
        place += len(parts[-1])
        ends.append(place - samples_of(press.off_ms))
    wave = np.concatenate([*parts, np.zeros(samples_of(tail_ms))])
    return Train(pressed, wave, tuple(starts), tuple(ends))


def scattered(presses: Iterable[Press], rng: np.random.Generator, jitter_ms: float = 5.0) -> Iterator[Press]:
    """The same presses with random phases, and each pause longer by up to `jitter_ms`.

    So tones meet in every way, and digits begin anywhere on a receiver's grid.
    """
    for press in presses:
        low_phase, high_phase = rng.random(2)
        off_ms = press.off_ms + rng.uniform(0, jitter_ms)
        yield replace(press, low_phase=low_phase, high_phase=high_phase, off_ms=off_ms)


def digit(
    code: str,
    on_ms: float = ON_MS,
    off_ms: float = OFF_MS,
    low_dbm0: float = LOW_DBM0,
    high_dbm0: float = HIGH_DBM0,
) -> Samples:
    """One key as a good telephone sends it: the tone pair for `on_ms`, then silence for `off_ms`.

    Raises:
        ValueError: there is no such key.
    """
    return to_samples(Press(code, on_ms, off_ms, low_dbm0, high_dbm0).wave())


class DigitReceiver:
    """The exchange's DTMF receiver, to AT&T's figures in ITU-T Q.24.

    A digit of 40 ms or more is accepted, one of 23 ms or less is not; a pause of 40 ms parts two digits, a
    gap of 10 ms does not. Windows of 102 samples, half overlapping: 40 ms fill at least four, 23 ms at most
    three.
    """

    WINDOW_SAMPLES = 102
    HOP_SAMPLES = 51
    HITS = 4
    MISSES = 4
    LEAST_DBM0 = -33.0  # Q.24: down to -25 dBm is accepted, -55 dBm and less is not
    HIGH_OVER_LOW_DB = 5.0  # Q.24: 4 dB
    LOW_OVER_HIGH_DB = 9.0  # Q.24: 8 dB
    LEAST_SHARE = 0.7  # of the window's power in the two tones; also refuses a window less than 70 % full

    def __init__(self) -> None:
        window = np.arange(self.WINDOW_SAMPLES)
        tones_hz = np.array(LOW_HZ + HIGH_HZ)[:, np.newaxis]
        self._turns = np.exp(-2j * np.pi * tones_hz * window / RATE_HZ).T / self.WINDOW_SAMPLES
        self._least_power = peak_of(self.LEAST_DBM0) ** 2 / 2
        self.reset()

    def reset(self) -> None:
        """As new."""
        self._unheard = np.zeros(0, np.int16)
        self._candidate = ""
        self._hits = 0
        self._misses = 0
        self.sounding = ""

    def feed(self, samples: Samples) -> str:
        """Hears any number of samples; answers the digits that became certain in them, while they sound."""
        heard = np.concatenate([self._unheard, samples])
        count = max(0, (len(heard) - self.WINDOW_SAMPLES) // self.HOP_SAMPLES + 1)
        self._unheard = heard[count * self.HOP_SAMPLES :]
        if not count:
            return ""
        windows = np.lib.stride_tricks.sliding_window_view(heard, self.WINDOW_SAMPLES)
        windows = windows[: count * self.HOP_SAMPLES : self.HOP_SAMPLES].astype(np.float64)
        tone_powers = 2 * np.abs(windows @ self._turns) ** 2
        powers = np.mean(windows**2, axis=1)
        return "".join(
            self._follow(self._code_in(*pair)) for pair in zip(tone_powers, powers.tolist(), strict=True)
        )

    def _code_in(self, tone_powers: np.ndarray[tuple[int], np.dtype[np.float64]], power: float) -> str:
        row, column = int(tone_powers[:4].argmax()), int(tone_powers[4:].argmax())
        low, high = float(tone_powers[row]), float(tone_powers[4 + column])
        heard = (
            min(low, high) >= self._least_power
            and low + high >= self.LEAST_SHARE * power
            and high <= low * 10 ** (self.HIGH_OVER_LOW_DB / 10)
            and low <= high * 10 ** (self.LOW_OVER_HIGH_DB / 10)
        )
        return KEYS[row][column] if heard else ""

    def _follow(self, code: str) -> str:
        """Takes what one window held; answers the digit that this window makes certain."""
        if self.sounding:
            self._misses = 0 if code == self.sounding else self._misses + 1
            if self._misses == self.MISSES:
                self.sounding = ""
        self._hits = self._hits + 1 if code == self._candidate else 1
        self._candidate = code
        if not code or code == self.sounding or self._hits < self.HITS:
            return ""
        self.sounding, self._misses = code, 0
        return code
