"""Measures DTMF against the limits of ITU-T Q.24, this project's receiver and the peers on the same audio, row by row.

    python -m bench.dtmf_table [--trials N] [--only TEXT ...] [--alone]

`--only` tells the rows whose names contain one of the texts; `--alone` leaves the peers out. Every row is seeded.
Levels are of one tone in dBm0 (a sine of peak 32767 is +3.17 dBm0); SNR is the power of a digit's two tones over that
of the noise in 300 to 3400 Hz, the noise being white from 0 to 4000 Hz. Speech is that of bench/speech.py.

Of this project's digits each must be told in its own time. The peers do not tell when: theirs are matched in order, as
many as can be, so that they are taken for the best.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

import numpy as np
import numpy.typing as npt

from bench import peers, speech
from bench.curves import Curve, crossing_db
from bench.micropython import Pcm, run
from bench.peers import DtmfPeer
from bench.table import Row, heading, line

Samples = npt.NDArray[np.float64]

SAMPLE_HZ = 8000
PEAK_0_DBM0 = 22748.0  # ITU-T G.711: a peak of 32767 is +3.17 dBm0
KEYS = "123A456B789C*0#D"
LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
NOISE_SHARE = 3100 / 4000  # of white noise, what lies in 300 to 3400 Hz
SUB_BLOCK_SAMPLES = 40  # leads are drawn so that digits begin anywhere on the receiver's grid
OURS = "Star57"
CURVE_SNRS_DB = (-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15)
_BLOCK_SAMPLES = 160
_PIECES_AT_A_TIME = 16


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

    def __str__(self) -> str:
        return f"{100 * self.share:.2f} %" + (f", {self.extra} extra" if self.extra else "")


Scores = dict[str, Score]
"""By the receiver's name, ours first."""


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


def score_in_order(sent: Train, told: str) -> Score:
    """The same of a receiver that does not tell when: the longest common subsequence is right."""
    keys = np.array([digit.key for digit in sent.digits])
    right = np.zeros(len(keys) + 1, np.int64)
    for key in told:
        longer = right[:-1] + (keys == key)
        right[1:] = np.maximum.accumulate(np.maximum(right[1:], longer))
    return Score(len(keys), int(right[-1]), len(told) - int(right[-1]))


class DtmfBench:
    """Measures one row at a call.

    Args:
        others: the peers.
        trials: digits at each point (a multiple of 16 makes all keys equally frequent).
        speech_pieces: of bench/speech.py, so many at most; None for all.
    """

    def __init__(
        self,
        others: Sequence[DtmfPeer] = (),
        trials: int = 800,
        speech_pieces: int | None = None,
        seed: int = 57,
    ) -> None:
        self.others = others
        self.trials = trials
        self.speech_pieces = speech_pieces
        self.rng = np.random.default_rng(seed)
        self._pool = ThreadPoolExecutor(os.cpu_count())

    @property
    def peers(self) -> list[str]:
        return [other.name for other in self.others]

    def rows(self) -> Iterator[Row]:
        """Every row."""
        yield from self.snr_rows()
        yield from self.twist_rows()
        yield from self.frequency_rows()
        yield from self.time_rows()
        yield from self.level_rows()
        yield from self.impairment_rows()
        yield self.speech_row()

    def digits(self, **kinds: float) -> list[Digit]:
        return [Digit(KEYS[i % 16], **kinds) for i in range(self.trials)]

    def scores(self, sent: Train, samples: Samples) -> Scores:
        """Every receiver's score of the same samples."""
        heard = pcm(samples)
        theirs = {other.name: self._pool.submit(other.digits, heard) for other in self.others}
        scores = {OURS: score(sent, hear(heard))}
        return scores | {name: score_in_order(sent, told.result()) for name, told in theirs.items()}

    def run(self, **kinds: float) -> Scores:
        """The scores of `trials` digits of this kind."""
        return self.through(lambda samples: samples, **kinds)

    def through(self, impair: Callable[[Samples], Samples], **kinds: float) -> Scores:
        """The same, through an impairment."""
        sent = train(self.digits(**kinds), self.rng)
        return self.scores(sent, impair(sent.samples))

    def in_noise(self, snr_db: float, **kinds: float) -> Scores:
        """The same, in white noise."""
        rms = noise_rms(snr_db, Digit("1", **kinds))
        return self.through(lambda samples: samples + self.rng.normal(0, rms, len(samples)), **kinds)

    def over_dial_tone(self, dial_dbm0: float, **kinds: float) -> Scores:
        """The same, over dial tone of this level per tone."""
        return self.through(lambda samples: samples + dial_tone(len(samples), dial_dbm0, self.rng), **kinds)

    def with_offset(self, offset: float, **kinds: float) -> Scores:
        """The same, with this added to every sample."""
        return self.through(lambda samples: samples + offset, **kinds)

    @cached_property
    def curve(self) -> dict[float, Scores]:
        """Scores of 50 ms digits at each SNR of CURVE_SNRS_DB."""
        return {snr_db: self.in_noise(snr_db) for snr_db in CURVE_SNRS_DB}

    def snr_rows(self) -> Iterator[Row]:
        half = self._reached(0.5)
        yield Row(
            "half of 50 ms digits",
            "3 dB SNR or less",
            self._told(OURS, half),
            half[OURS] <= 3,
            self._all_told(half),
        )
        sure = self._reached(1)
        yield Row(
            "all 50 ms digits", "from 6 dB SNR", self._told(OURS, sure), sure[OURS] <= 6, self._all_told(sure)
        )

    def curves(self) -> list[Curve]:
        """Every receiver's share of 50 ms digits told against SNR."""
        return [
            Curve(name, {snr_db: scores[name].share for snr_db, scores in self.curve.items()})
            for name in (OURS, *self.peers)
        ]

    def _reached(self, share: float) -> dict[str, float]:
        return {curve.name: crossing_db(curve.shares, share) for curve in self.curves()}

    def _told(self, name: str, reached_db: Mapping[str, float]) -> str:
        extra = sum(scores[name].extra for scores in self.curve.values())
        return f"{reached_db[name]:.1f} dB" + (f", {extra} extra" if extra else "")

    def _all_told(self, reached_db: Mapping[str, float]) -> dict[str, str]:
        return {name: self._told(name, reached_db) for name in reached_db}

    def expect(self, name: str, goal: str, points: Scores, share: float) -> Row:
        ours = points[OURS]
        told = {who: str(found) for who, found in points.items()}
        return Row(name, goal, told[OURS], ours.share == share and ours.extra == 0, told)

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

    def _with_exact_pauses(self, sent: Train) -> Scores:
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
        return self.scores(again, again.samples)

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

    def speech_row(self) -> Row:
        """False digits on the speech."""
        seconds = 0.0
        false = dict.fromkeys((OURS, *self.peers), 0)
        pieces = (samples for _, samples in islice(speech.corpus(), self.speech_pieces))
        # Some at a time: all of them are gigabytes.
        while some := list(islice(pieces, _PIECES_AT_A_TIME)):
            seconds += sum(map(len, some)) / SAMPLE_HZ
            ours = [self._pool.submit(hear, samples) for samples in some]
            false[OURS] += sum(len(job.result()) for job in ours)
            for other in self.others:
                theirs = [self._pool.submit(other.digits, samples) for samples in some]
                false[other.name] += sum(len(job.result()) for job in theirs)
        told_of = {name: f"{count} in {seconds / 3600:.1f} h" for name, count in false.items()}
        return Row("false digits on speech", "none in 8 h", told_of[OURS], not false[OURS], told_of)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=800)
    parser.add_argument("--only", nargs="*", default=[""])
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    bench = DtmfBench([] if options.alone else peers.dtmf_peers(), options.trials)
    sys.stdout.write(heading(bench.peers))
    for row in bench.rows():
        if any(text in row.name for text in options.only):
            sys.stdout.write(line(row, bench.peers))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
