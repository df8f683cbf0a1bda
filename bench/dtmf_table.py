"""Measures the firmware's DTMF receiver against the limits of ITU-T Q.24 and of docs, row by row.

    python -m bench.dtmf_table [--trials N]

Every row is seeded, and its audio goes through the receiver in MicroPython. Levels are of one tone in dBm0 (a sine of
peak 32767 is +3.17 dBm0); SNR is the power of a digit's two tones over that of the noise in 300 to 3400 Hz, the noise
being white from 0 to 4000 Hz. Speech is that of bench/speech.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt

from bench import speech
from bench.micropython import Pcm, run, run_each
from bench.table import Row, heading, line

Samples = npt.NDArray[np.float64]

SAMPLE_HZ = 8000
PEAK_0_DBM0 = 22748.0  # ITU-T G.711: a peak of 32767 is +3.17 dBm0
KEYS = "123A456B789C*0#D"
LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
NOISE_SHARE = 3100 / 4000  # of white noise, what lies in 300 to 3400 Hz
SUB_BLOCK_SAMPLES = 40  # leads are drawn so that digits begin anywhere on the receiver's grid
_BLOCK_SAMPLES = 160


@dataclass(frozen=True)
class Heard:
    """A digit as the receiver told it, at sample `at`; `duration` in samples (None: no end came)."""

    at: int
    key: str
    level_dbm0: int
    twist_db: int
    snr_db: int
    duration: int | None = None


@dataclass(frozen=True)
class Digit:
    """A digit to send: `on_ms` of tone with a gap of `gap_ms` in its middle, then `off_ms` of silence.

    Levels in dBm0; `low_off` and `high_off` are factors of the frequencies, the shifts come on top.
    """

    key: str
    on_ms: float = 50.0
    off_ms: float = 50.0
    low_dbm0: float = -10.0
    high_dbm0: float = -10.0
    low_off: float = 1.0
    high_off: float = 1.0
    low_shift_hz: float = 0.0
    high_shift_hz: float = 0.0
    gap_ms: float = 0.0


@dataclass
class Train:
    """Digits one after the other, each anywhere on the receiver's grid. `starts` and `ends` in samples."""

    digits: list[Digit]
    samples: Samples
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Score:
    """Of `sent` digits, `right` were told once and alone; `extra` were told that were not sent (or sent once)."""

    sent: int
    right: int
    extra: int

    @property
    def share(self) -> float:
        return self.right / self.sent


def tones(digit: Digit, rng: np.random.Generator) -> Samples:
    """The digit's two tones with random phases, the gap cut out; without the pause after it."""
    index = KEYS.index(digit.key)
    n = round(digit.on_ms * SAMPLE_HZ / 1000)
    gap = round(digit.gap_ms * SAMPLE_HZ / 1000)
    time = np.arange(n + gap) / SAMPLE_HZ
    low_hz = LOW_HZ[index // 4] * digit.low_off + digit.low_shift_hz
    high_hz = HIGH_HZ[index % 4] * digit.high_off + digit.high_shift_hz
    phases = rng.uniform(0, 2 * np.pi, 2)
    sound: Samples = PEAK_0_DBM0 * (
        10 ** (digit.low_dbm0 / 20) * np.sin(2 * np.pi * low_hz * time + phases[0])
        + 10 ** (digit.high_dbm0 / 20) * np.sin(2 * np.pi * high_hz * time + phases[1])
    )
    sound[n // 2 : n // 2 + gap] = 0
    return sound


def train(digits: Sequence[Digit], rng: np.random.Generator, lead_ms: float = 200.0) -> Train:
    """The digits in a row, after `lead_ms` of silence."""
    parts = [np.zeros(round(lead_ms * SAMPLE_HZ / 1000))]
    sent = Train(list(digits), parts[0])
    place = len(parts[0])
    for digit in digits:
        sound = tones(digit, rng)
        pause = round(digit.off_ms * SAMPLE_HZ / 1000) + int(rng.integers(0, SUB_BLOCK_SAMPLES))
        sent.starts.append(place)
        sent.ends.append(place + len(sound))
        parts += [sound, np.zeros(pause)]
        place += len(sound) + pause
    parts.append(np.zeros(SAMPLE_HZ // 2))
    sent.samples = np.concatenate(parts)
    return sent


def pcm(samples: Samples) -> Pcm:
    """Rounded to 16 bits, clipped."""
    return np.clip(np.round(samples), -32768, 32767).astype(np.int16)


def noise_rms(snr_db: float, digit: Digit) -> float:
    """Of white noise over 0 to 4000 Hz, at `snr_db` below the digit in 300 to 3400 Hz."""
    power = PEAK_0_DBM0**2 / 2 * (10 ** (digit.low_dbm0 / 10) + 10 ** (digit.high_dbm0 / 10))
    return float(np.sqrt(power / 10 ** (snr_db / 10) / NOISE_SHARE))


def dial_tone(n: int, dbm0: float, rng: np.random.Generator) -> Samples:
    """`n` samples of 350 + 440 Hz, each of `dbm0`."""
    time = np.arange(n) / SAMPLE_HZ
    phases = rng.uniform(0, 2 * np.pi, 2)
    sound: Samples = (
        PEAK_0_DBM0
        * 10 ** (dbm0 / 20)
        * (np.sin(2 * np.pi * 350 * time + phases[0]) + np.sin(2 * np.pi * 440 * time + phases[1]))
    )
    return sound


def hear(samples: Pcm) -> list[Heard]:
    """What the firmware's receiver tells of the samples; raises subprocess.CalledProcessError if it fails."""
    return heard_in(run("hear_dtmf.py", samples, _BLOCK_SAMPLES))


def heard_in(lines: Iterable[str]) -> list[Heard]:
    """What the lines of hear_dtmf.py tell."""
    heard: list[Heard] = []
    for text in lines:
        kind, at, key, *numbers = text.split()
        if kind == "digit":
            level_dbm0, twist_db, snr_db = map(int, numbers)
            heard.append(Heard(int(at), key, level_dbm0, twist_db, snr_db))
        else:
            last = heard[-1]
            heard[-1] = Heard(
                last.at, last.key, last.level_dbm0, last.twist_db, last.snr_db, duration=int(numbers[0])
            )
    return heard


def matched(sent: Train, heard: Sequence[Heard]) -> list[list[Heard]]:
    """For each digit sent, what was told from its start to the next one's."""
    bounds = [*sent.starts[1:], len(sent.samples) + SAMPLE_HZ]
    told: list[list[Heard]] = [[] for _ in sent.digits]
    place = 0
    for fact in heard:
        # A digit is told 30 ms after its start at the earliest.
        while place + 1 < len(bounds) and fact.at >= bounds[place] + 200:
            place += 1
        told[place].append(fact)
    return told


def score(sent: Train, heard: Sequence[Heard]) -> Score:
    """How many digits were told right, once each."""
    right = extra = 0
    for digit, facts in zip(sent.digits, matched(sent, heard), strict=True):
        good = any(fact.key == digit.key for fact in facts)
        right += good
        extra += len(facts) - good
    return Score(len(sent.digits), right, extra)


class Bench:
    """Measures one row at a call; `trials` digits (a multiple of 16 makes all keys equally frequent)."""

    def __init__(self, trials: int = 800, seed: int = 57) -> None:
        self.trials = trials
        self.rng = np.random.default_rng(seed)

    def digits(self, **kinds: float) -> list[Digit]:
        return [Digit(KEYS[i % 16], **kinds) for i in range(self.trials)]

    def run(self, **kinds: float) -> Score:
        """The score of `trials` digits of this kind."""
        return self.through(lambda samples: samples, **kinds)

    def through(self, impair: Callable[[Samples], Samples], **kinds: float) -> Score:
        """The same, through an impairment."""
        sent = train(self.digits(**kinds), self.rng)
        return score(sent, hear(pcm(impair(sent.samples))))

    def in_noise(self, snr_db: float, **kinds: float) -> Score:
        """The same, in white noise."""
        rms = noise_rms(snr_db, Digit("1", **kinds))
        return self.through(lambda samples: samples + self.rng.normal(0, rms, len(samples)), **kinds)

    def over_dial_tone(self, dial_dbm0: float, **kinds: float) -> Score:
        """The same, over dial tone of this level per tone."""
        return self.through(lambda samples: samples + dial_tone(len(samples), dial_dbm0, self.rng), **kinds)

    def with_offset(self, offset: float, **kinds: float) -> Score:
        """The same, with this added to every sample."""
        return self.through(lambda samples: samples + offset, **kinds)

    def snr_rows(self) -> Iterator[Row]:
        points = {snr_db: self.in_noise(snr_db) for snr_db in (0, 1, 2, 3, 4, 5, 6, 8, 10, 15)}
        curve = ", ".join(f"{snr_db} dB {100 * point.share:.1f} %" for snr_db, point in points.items())
        half = min((snr_db for snr_db, point in points.items() if point.share >= 0.5), default=99)
        extra = sum(point.extra for point in points.values())
        yield Row(
            "half of 50 ms digits", "3 dB SNR or less", f"{half} dB ({curve}; {extra} extra)", half <= 3
        )
        sure = min(
            (s for s in points if all(p.share == 1 for snr_db, p in points.items() if snr_db >= s)),
            default=99,
        )
        yield Row("all 50 ms digits", "from 6 dB SNR", f"from {sure} dB", sure <= 6)

    def expect(self, name: str, goal: str, point: Score, share: float) -> Row:
        measured = f"{100 * point.share:.2f} % of {point.sent}, {point.extra} extra"
        return Row(name, goal, measured, point.share == share and point.extra == 0)

    def twist_rows(self) -> Iterator[Row]:
        for twist_db in (4.0, -8.0):
            point = self.run(low_dbm0=-10.0 - max(0.0, twist_db), high_dbm0=-10.0 + min(0.0, twist_db))
            yield self.expect(f"twist {twist_db:+.0f} dB", "all", point, 1)

    def frequency_rows(self) -> Iterator[Row]:
        for low_sign, high_sign in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            signs = f"{'+' if low_sign > 0 else '-'}{'+' if high_sign > 0 else '-'}"
            point = self.run(
                low_off=1 + 0.015 * low_sign,
                high_off=1 + 0.015 * high_sign,
                low_shift_hz=2.0 * low_sign,
                high_shift_hz=2.0 * high_sign,
            )
            yield self.expect(f"both tones off by 1.5 % + 2 Hz, {signs}", "all", point, 1)
            point = self.run(low_off=1 + 0.035 * low_sign, high_off=1 + 0.035 * high_sign)
            yield self.expect(f"both tones off by 3.5 %, {signs}", "none", point, 0)
        for name, kinds in (("low", {"low_off": 1.035}), ("high", {"high_off": 0.965})):
            yield self.expect(f"only the {name} tone off by 3.5 %", "none", self.run(**kinds), 0)

    def time_rows(self) -> Iterator[Row]:
        yield self.expect("tone of 40 ms", "all", self.run(on_ms=40.0, off_ms=60.0), 1)
        yield self.expect("tone of 23 ms", "none", self.run(on_ms=23.0, off_ms=60.0), 0)
        point = self.run(on_ms=50.0, off_ms=40.0)
        yield self.expect("pause of 40 ms", "two digits", point, 1)
        doubled = [Digit(KEYS[i // 2 % 16], off_ms=40.0) for i in range(self.trials)]
        sent = train(doubled, self.rng)
        exact = self._with_exact_pauses(sent)
        yield self.expect("pause of 40 ms, the same key again", "two digits", exact, 1)
        for on_ms in (80.0, 120.0):
            for dbm0 in (-10.0, -30.0, -45.0, 0.0):
                point = self.run(on_ms=on_ms, gap_ms=10.0, off_ms=60.0, low_dbm0=dbm0, high_dbm0=dbm0)
                name = f"gap of 10 ms inside {on_ms:.0f} ms of tone, {dbm0:.0f} dBm0"
                yield self.expect(name, "one digit", point, 1)
        yield self.duration_row()

    def _with_exact_pauses(self, sent: Train) -> Score:
        """Pairs of one key, 40 ms apart exactly, the pairs anywhere on the grid."""
        parts = [np.zeros(1600)]
        again = Train(sent.digits, parts[0])
        place = 1600
        for i, digit in enumerate(sent.digits):
            sound = tones(digit, self.rng)
            pause = 320 if i % 2 == 0 else 800 + int(self.rng.integers(0, SUB_BLOCK_SAMPLES))
            again.starts.append(place)
            again.ends.append(place + len(sound))
            parts += [sound, np.zeros(pause)]
            place += len(sound) + pause
        again.samples = np.concatenate([*parts, np.zeros(SAMPLE_HZ // 2)])
        return score(again, hear(pcm(again.samples)))

    def duration_row(self) -> Row:
        worst = 0.0
        for on_ms in (50.0, 77.0, 200.0):
            sent = train(self.digits(on_ms=on_ms), self.rng)
            for facts in matched(sent, hear(pcm(sent.samples))):
                for fact in facts:
                    worst = max(worst, abs((fact.duration or 0) / 8 - on_ms))
        return Row("duration", "within 10 ms", f"within {worst:.1f} ms", worst <= 10)

    def level_rows(self) -> Iterator[Row]:
        for dbm0 in (0.0, -10.0, -20.0, -30.0, -40.0, -45.0):
            yield self.expect(f"{dbm0:.0f} dBm0 per tone", "all", self.run(low_dbm0=dbm0, high_dbm0=dbm0), 1)

    def impairment_rows(self) -> Iterator[Row]:
        for offset in (3000, -3000):
            for dbm0 in (-10.0, -45.0):
                point = self.with_offset(offset, low_dbm0=dbm0, high_dbm0=dbm0)
                yield self.expect(f"DC {offset}, {dbm0:.0f} dBm0", "all", point, 1)
        # Full scale is a peak sum of 32767: each tone at -2.85 dBm0; 12 dB beyond it +9.15.
        yield self.expect("clipping by 12 dB", "all", self.run(low_dbm0=9.15, high_dbm0=9.15), 1)
        for above_db in (0, 3, 6):
            for on_ms in (50.0, 40.0):
                point = self.over_dial_tone(-15.0 + above_db, on_ms=on_ms, low_dbm0=-15.0, high_dbm0=-15.0)
                yield self.expect(f"dial tone {above_db:+d} dB, {on_ms:.0f} ms", "all", point, 1)

    def rows(self) -> Iterator[Row]:
        """Every row but speech."""
        yield from self.snr_rows()
        yield from self.twist_rows()
        yield from self.frequency_rows()
        yield from self.time_rows()
        yield from self.level_rows()
        yield from self.impairment_rows()


def speech_row() -> Row:
    """False digits on all of the speech."""
    seconds = 0.0
    false: list[str] = []
    pieces = list(speech.corpus())
    for (name, samples), lines in zip(
        pieces, run_each("hear_dtmf.py", (samples for _, samples in pieces), _BLOCK_SAMPLES), strict=True
    ):
        seconds += len(samples) / SAMPLE_HZ
        false.extend(f"{name}: {digit.key} at {digit.at / SAMPLE_HZ:.1f} s" for digit in heard_in(lines))
    measured = f"{len(false)} in {seconds / 3600:.1f} h" + "".join(f"; {digit}" for digit in false[:8])
    return Row("false digits on speech", "none in 8 h", measured, not false)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=800)
    options = parser.parse_args()
    sys.stdout.write(heading())
    for row in chain(Bench(options.trials).rows(), [speech_row()]):
        sys.stdout.write(line(row))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
