"""The household's telephone: a hook, keys, a dial, an ear; a type II set answers a call-waiting alert."""

from __future__ import annotations

import functools
import itertools
import math
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from host_tools.exchange import dtmf
from host_tools.exchange.levels import RATE_HZ, Samples, dbm0_of, mixed, peak_of, samples_of
from host_tools.exchange.tones import CPE_ALERT

BREAK_MS = 60
MAKE_MS = 40  # 10 pulses a second
BETWEEN_DIGITS_MS = 700
FLASH_MS = 600  # between 300 and 1000 ms
ACK_MS = 60  # type II: 55 to 65 ms of DTMF D, beginning 0 to 100 ms after the alert


class OnHook(Exception):
    """Nobody can dial with the handset on the hook."""


@dataclass(frozen=True)
class Sent:
    """What the telephone did in a block.

    Attributes:
        samples: int16, what it sent.
        runs: (samples, off_hook), in order; together as long as the block.
    """

    samples: Samples
    runs: list[tuple[int, bool]]


class Terminal(Protocol):
    """What hangs on a pair: a telephone, or several in parallel."""

    @property
    def off_hook(self) -> bool:
        """Whether loop current flows now."""

    def send(self, n: int) -> Sent:
        """The next `n` samples, and where the hook was in them."""

    def hear(self, samples: Samples, ring_voltage: bool) -> None:
        """Takes what the terminals carried in the block that was just sent."""


class Telephone:
    """A telephone. What it is told to do begins with the next sample and follows its queue.

    Attributes:
        off_hook: whether loop current flows now; opens for a pulse and a flash.
        ringing: ring voltage reached the set in the last block.
        heard_level_dbm0: level of the last block at its terminals, its own sound included; minus infinity for
            silence.
    """

    def __init__(self, type_two: bool = False) -> None:
        self.off_hook = False
        self.ringing = False
        self.heard_level_dbm0 = -math.inf
        self._alert = _AlertDetector() if type_two else None
        self._queue: deque[tuple[bool, Samples]] = deque()

    @property
    def busy(self) -> bool:
        """Whether something is left to send."""
        return bool(self._queue)

    def lift(self) -> None:
        """Takes the handset off the hook."""
        self.off_hook = True

    def hang_up(self) -> None:
        """Puts the handset on the hook; what was left to send is dropped."""
        self._queue.clear()
        self.off_hook = False

    def press(
        self,
        keys: str,
        on_ms: float = 80,
        off_ms: float = 80,
        low_dbm0: float = dtmf.LOW_DBM0,
        high_dbm0: float = dtmf.HIGH_DBM0,
    ) -> None:
        """Presses keys, one after the other.

        Raises:
            OnHook: the handset is on the hook.
            ValueError: there is no such key.
        """
        self._must_be_lifted()
        self._queue.extend((True, dtmf.digit(key, on_ms, off_ms, low_dbm0, high_dbm0)) for key in keys)

    def pulse(self, digits: str) -> None:
        """Dials with breaks of the loop, 60 ms open and 40 ms closed, ten of them for 0.

        Raises:
            OnHook: the handset is on the hook.
            ValueError: not a digit.
        """
        self._must_be_lifted()
        for pulses in [int(digit) or 10 for digit in digits]:
            self._queue.extend([(False, _quiet(BREAK_MS)), (True, _quiet(MAKE_MS))] * pulses)
            self._queue.append((True, _quiet(BETWEEN_DIGITS_MS)))

    def send_samples(self, samples: Samples) -> None:
        """Sends what something beside the handset makes, such as a TTY.

        Raises:
            OnHook: the handset is on the hook.
        """
        self._must_be_lifted()
        self._queue.append((True, samples))

    def pause(self, duration_ms: float) -> None:
        """Waits before what comes next.

        Raises:
            OnHook: the handset is on the hook.
        """
        self._must_be_lifted()
        self._queue.append((True, _quiet(duration_ms)))

    def flash(self, duration_ms: float = FLASH_MS) -> None:
        """Opens the loop for a moment.

        Raises:
            OnHook: the handset is on the hook.
        """
        self._must_be_lifted()
        self._queue.extend([(False, _quiet(duration_ms)), (True, _quiet(MAKE_MS))])

    def send(self, n: int) -> Sent:
        """The next `n` samples, and where the hook was in them."""
        samples = np.zeros(n, np.int16)
        runs: list[tuple[int, bool]] = []
        at = 0
        while at < n:
            count = n - at
            if self._queue:
                self.off_hook, waiting = self._queue.popleft()
                part = waiting[:count]
                count = len(part)
                samples[at : at + count] = part
                if count < len(waiting):
                    self._queue.appendleft((self.off_hook, waiting[count:]))
            runs.append((count, self.off_hook))
            at += count
        return Sent(samples, runs)

    def hear(self, samples: Samples, ring_voltage: bool) -> None:
        """Takes what its terminals carried in the block that it has just sent."""
        self.ringing = ring_voltage and not self.off_hook
        self.heard_level_dbm0 = dbm0_of(samples)
        if self._alert and self.off_hook and self._alert.feed(samples) and not self.busy:
            self.press("D", on_ms=ACK_MS, off_ms=0)

    def _must_be_lifted(self) -> None:
        if not (self.off_hook or self.busy):
            raise OnHook


def in_parallel(*sent: Sent) -> Sent:
    """What telephones on one pair do together: the loop is closed where it is for any of them."""
    closed = np.zeros(len(sent[0].samples), np.bool_)
    for one in sent:
        at = 0
        for count, off_hook in one.runs:
            closed[at : at + count] |= off_hook
            at += count
    changes = [0, *(np.flatnonzero(np.diff(closed)) + 1).tolist(), len(closed)]
    runs = [(end - begin, bool(closed[begin])) for begin, end in itertools.pairwise(changes)]
    return Sent(functools.reduce(mixed, (one.samples for one in sent)), runs)


class InParallel:
    """Telephones on one pair: current flows while any is lifted, and everyone hears everyone."""

    def __init__(self, *telephones: Telephone) -> None:
        self.telephones = telephones

    @property
    def off_hook(self) -> bool:
        """Whether loop current flows now."""
        return any(telephone.off_hook for telephone in self.telephones)

    def send(self, n: int) -> Sent:
        """The next `n` samples of all, and where the loop was closed in them."""
        return in_parallel(*(telephone.send(n) for telephone in self.telephones))

    def hear(self, samples: Samples, ring_voltage: bool) -> None:
        """Takes what the pair carried: no set rings while current flows."""
        rings = ring_voltage and not self.off_hook
        for telephone in self.telephones:
            telephone.hear(samples, rings)


class _AlertDetector:
    """Hears a CAS in windows of 10 ms; loose in frequency, strict in length."""

    WINDOW_SAMPLES = 80
    LEAST_WINDOWS = 6
    MOST_WINDOWS = 9
    LEAST_DBM0 = -36.0  # a set must take -32 dBm, and refuse -45 dBm
    LEAST_SHARE = 0.7

    def __init__(self) -> None:
        steps = np.array(CPE_ALERT.frequencies_hz)[:, np.newaxis] * np.arange(self.WINDOW_SAMPLES) / RATE_HZ
        self._turns = np.exp(-2j * np.pi * steps) / self.WINDOW_SAMPLES
        self._least_power = peak_of(self.LEAST_DBM0) ** 2 / 2
        self._unheard = np.zeros(0, np.int16)
        self._windows = 0

    def feed(self, samples: Samples) -> bool:
        """Whether an alert ended in these samples."""
        heard = np.concatenate([self._unheard, samples])
        whole = len(heard) // self.WINDOW_SAMPLES * self.WINDOW_SAMPLES
        self._unheard = heard[whole:]
        windows = heard[:whole].reshape(-1, self.WINDOW_SAMPLES).astype(np.float64)
        ended = [self._follow(window) for window in windows]
        return any(ended)

    def _follow(self, window: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
        powers = 2 * np.abs(self._turns @ window) ** 2
        share = self.LEAST_SHARE * float(window @ window) / self.WINDOW_SAMPLES
        if powers.min() >= self._least_power and powers.sum() >= share:
            self._windows += 1
            return False
        count, self._windows = self._windows, 0
        return self.LEAST_WINDOWS <= count <= self.MOST_WINDOWS


def _quiet(duration_ms: float) -> Samples:
    return np.zeros(samples_of(duration_ms), np.int16)
