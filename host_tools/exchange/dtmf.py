"""DTMF (ITU-T Q.23): the telephone's keys as sound, and the register of the exchange that hears them."""

from __future__ import annotations

import numpy as np

from host_tools.exchange.levels import RATE_HZ, Samples, peak_of, samples_of, to_samples

LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")
CODES = "".join(KEYS)

LOW_DBM0 = -10.0
HIGH_DBM0 = -8.0  # AS/CA S002: the high tone 2 dB above the low


def digit(
    code: str,
    on_ms: float = 80,
    off_ms: float = 80,
    low_dbm0: float = LOW_DBM0,
    high_dbm0: float = HIGH_DBM0,
) -> Samples:
    """One key: the tone pair for `on_ms`, then silence for `off_ms`.

    Raises:
        ValueError: there is no such key.
    """
    row, column = divmod(CODES.index(code), 4)
    turns = 2 * np.pi * np.arange(samples_of(on_ms)) / RATE_HZ
    low = peak_of(low_dbm0) * np.sin(LOW_HZ[row] * turns)
    high = peak_of(high_dbm0) * np.sin(HIGH_HZ[column] * turns)
    return np.concatenate([to_samples(low + high), np.zeros(samples_of(off_ms), np.int16)])


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
