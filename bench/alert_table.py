"""Measures the firmware's alert receiver against TELEPHONY 3: CAS (DT-AS) and SAS, with speech and without, talk-off.

    python -m bench.alert_table [--trials N] [--only TEXT ...]

`--only` tells the rows whose names contain one of the texts. Every row is seeded. Levels are of one tone in dBm0 (a
sine of peak 32767 is +3.17 dBm0), which is dBm at a point of 0 dBr; SNR is the power of a burst's tones together over
that of the noise in 300 to 3400 Hz, the noise being white from 0 to 4000 Hz. Bursts begin anywhere on the receiver's
grid, with any phases. What a standard takes is heard with all rows of limits, what it refuses with its own row alone.

With speech: the exchange has muted the far end, and the near end talks on at -20 dBm0 of active level (ITU-T P.56),
near the mean of what telephones send. Each CAS begins while the talker is active, not in a pause. What the curve is
over is by how much the talker is louder than one tone where the receiver listens: -6 to +12 dB at tip and ring, for CAS
of -14 to -32 dBm0 (SR-TSV-002476). It listens at the receive pair of a hybrid (TELEPHONY 3), where the near end is
fainter and CAS is not: by 36 dB if that is balanced (TELEPHONY 8), by 6 dB at the least. Up to +6 dB there is a goal;
beyond it the curve tells. Talkers and talk-off are of bench/speech.py.

A burst is right when it is told once, by its kind, and within 50 ms of its end (of a SAS 80 ms): the terminal's answer
is due after 100 ms. What else is told is extra.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product

import numpy as np

from bench import calls, speech
from bench.curves import Curve
from bench.micropython import Pcm, run, run_each
from bench.table import Row, heading, line
from host_tools.exchange import dtmf
from host_tools.exchange.fsk import BELL_202, V23, on_hook
from host_tools.exchange.impairments import BAND_SHARE
from host_tools.exchange.levels import (
    RATE_HZ,
    Wave,
    peak_of,
    power_of,
    samples_of,
    to_samples,
)
from host_tools.exchange.speech import MARGIN_DB, active_level_dbm0
from host_tools.exchange.tones import DIAL, RINGBACK, ToneGenerator

CAS_HZ = (2130.0, 2750.0)
SAS_HZ = 440.0
SAS_DBM0 = -13.0
TALKER_DBM0 = -20.0
TALKER_OVER_CAS_DB = (-6, -3, 0, 3, 6, 9, 12, 15, 18, 21)
FAINTEST_CAS_OVER_DB = 6  # at -32 dBm0 under a talker at -20 dBm0, of whom the hybrid takes 6 dB
SURE = 0.995  # TELEPHONY 3, the stricter figure
TOLD_WITHIN_MS = {"cas": 50.0, "sas": 80.0}
OURS = "Star57"
_BLOCK_SAMPLES = 80
_SPACE_MS = 400.0
_ACTIVE_MS = 20.0
_PIECES_AT_A_TIME = 16


@dataclass(frozen=True)
class Burst:
    """A CAS, or a SAS where `high_dbm0` is None. `low_off` and `high_off` are factors of the frequencies."""

    duration_ms: float = 80.0
    low_dbm0: float = -20.0
    high_dbm0: float | None = -20.0
    low_off: float = 1.0
    high_off: float = 1.0

    @property
    def kind(self) -> str:
        return "sas" if self.high_dbm0 is None else "cas"

    @property
    def power(self) -> float:
        return power_of(self.low_dbm0) + (0 if self.high_dbm0 is None else power_of(self.high_dbm0))

    def wave(self, rng: np.random.Generator) -> Wave:
        """The tones with random phases."""
        turns = 2 * np.pi * np.arange(samples_of(self.duration_ms)) / RATE_HZ
        low_hz = SAS_HZ if self.high_dbm0 is None else CAS_HZ[0]
        low_phase, high_phase = rng.uniform(0, 2 * np.pi, 2)
        sound: Wave = peak_of(self.low_dbm0) * np.sin(low_hz * self.low_off * turns + low_phase)
        if self.high_dbm0 is not None:
            sound += peak_of(self.high_dbm0) * np.sin(CAS_HZ[1] * self.high_off * turns + high_phase)
        return sound


@dataclass(frozen=True)
class Limits:
    """What a row of the firmware's limits, by its name there, must take and refuse by its standard (TELEPHONY 3)."""

    name: str
    standard: str
    off: float
    highest_dbm0: float
    lowest_dbm0: float
    twist_db: float
    durations_ms: tuple[float, float]
    refused_ms: float | None = None
    refused_dbm0: float | None = None
    snr_db: float | None = None

    def sent(self, sides: Sequence[int], twist: int, level: int, duration: int) -> Burst:
        """A burst at these limits: signs of what the tones are off and of the twist, 0 and 1 of level and duration."""
        twist_db = twist * self.twist_db
        low_dbm0 = self.highest_dbm0 - max(0.0, -twist_db) if level else self.lowest_dbm0 + max(0.0, twist_db)
        low_off, high_off = (1 + self.off * side for side in sides)
        return Burst(self.durations_ms[duration], low_dbm0, low_dbm0 - twist_db, low_off, high_off)


LIMITS = (
    Limits("TELCORDIA", "SR-TSV-002476, off-hook", 0.005, -14, -32, 6, (75, 85), refused_dbm0=-45),
    Limits("ETSI", "ETS 300 778-2, off-hook", 0.005, -9.78, -32.78, 6, (75, 85)),
    Limits("BT", "SIN 227, off-hook", 0.006, 0.22, -37.78, 7, (80, 85), refused_ms=70),
    Limits("BT_ON_HOOK", "SIN 227, on-hook", 0.011, 0.22, -37.78, 7, (88, 110), 20, -43.78, 20),
)


@dataclass(frozen=True)
class Sent:
    """Bursts in the order in which they lie in the samples; the ends in samples."""

    bursts: list[Burst]
    ends: list[int]
    samples: Pcm


@dataclass(frozen=True)
class Told:
    """An alert as the receiver told it, at sample `at`; duration in samples."""

    kind: str
    at: int
    duration: int


@dataclass(frozen=True)
class Score:
    """Of `sent` bursts, `right` were told once, in time and by their kind; `extra` were told that are none of these."""

    sent: int
    right: int
    extra: int

    @property
    def share(self) -> float:
        return self.right / self.sent

    def __str__(self) -> str:
        return f"{100 * self.share:.2f} % of {self.sent}" + (f", {self.extra} extra" if self.extra else "")

    def __add__(self, other: Score) -> Score:
        return Score(self.sent + other.sent, self.right + other.right, self.extra + other.extra)


def told_in(lines: Iterable[str]) -> list[Told]:
    """What the lines of hear_alert.py tell."""
    return [Told(kind, int(at), int(duration)) for kind, at, duration, *_ in map(str.split, lines)]


def score(sent: Sent, told: Sequence[Told]) -> Score:
    """How many bursts were told right."""
    right = 0
    for burst, end in zip(sent.bursts, sent.ends, strict=True):
        latest = end + samples_of(TOLD_WITHIN_MS[burst.kind]) + _BLOCK_SAMPLES
        right += sum(fact.kind == burst.kind and end <= fact.at <= latest for fact in told) == 1
    return Score(len(sent.bursts), right, len(told) - right)


def in_silence(bursts: Sequence[Burst], rng: np.random.Generator, snr_db: float | None = None) -> Sent:
    """Bursts one after the other, 400 to 500 ms apart; around each of them noise, if there is an SNR."""
    parts: list[Wave] = []
    ends = []
    place = 0
    for burst in bursts:
        sound = burst.wave(rng)
        lead = samples_of(_SPACE_MS / 2) + int(rng.integers(samples_of(_SPACE_MS / 4)))
        wave = np.concatenate([np.zeros(lead), sound, np.zeros(samples_of(_SPACE_MS / 2))])
        ends.append(place + lead + len(sound))
        place += len(wave)
        if snr_db is not None:
            wave += rng.normal(0, np.sqrt(burst.power / 10 ** (snr_db / 10) / BAND_SHARE), len(wave))
        parts.append(wave)
    return Sent(list(bursts), ends, to_samples(np.concatenate(parts)))


def under_talker(talk: Pcm, bursts: Sequence[Burst], rng: np.random.Generator) -> Sent:
    """As many of the bursts as the talk has room for, each begun while the talker is active."""
    talk_dbm0 = active_level_dbm0(talk)
    wave = talk * 10 ** ((TALKER_DBM0 - talk_dbm0) / 20)
    step = samples_of(_ACTIVE_MS)
    powers = np.mean(np.square(wave[: len(wave) // step * step].reshape(-1, step)), axis=1)
    active = step * np.flatnonzero(powers > power_of(TALKER_DBM0 - MARGIN_DB))
    kept: list[Burst] = []
    ends: list[int] = []
    place = 0
    for burst in bursts:
        place += samples_of(_SPACE_MS) + int(rng.integers(samples_of(_SPACE_MS)))
        later = active[active >= place]
        if not len(later):
            break
        sound = burst.wave(rng)
        start = int(later[0]) + int(rng.integers(step))
        place = start + len(sound)
        if place + samples_of(_SPACE_MS) > len(wave):
            break
        wave[start:place] += sound
        kept.append(burst)
        ends.append(place)
    return Sent(kept, ends, to_samples(wave[: place + samples_of(_SPACE_MS)]))


class AlertBench:
    """Measures one row at a call.

    Args:
        trials: bursts at each point; three times as many under a talker.
        speech_pieces: of bench/speech.py, so many at most; None for all.
    """

    def __init__(self, trials: int = 800, speech_pieces: int | None = None, seed: int = 57) -> None:
        self.trials = trials
        self.speech_pieces = speech_pieces
        self.rng = np.random.default_rng(seed)

    def rows(self) -> Iterator[Row]:
        """Every row."""
        for limits in LIMITS:
            yield from self.limit_rows(limits)
        yield from self.subscriber_rows()
        yield from self.talker_rows()
        yield from self.talk_off_rows()
        yield from self.false_rows()

    def expect(self, name: str, kinds: Sequence[Burst], share: float, *limits: str, **how: float) -> Row:
        """`trials` bursts, each of the kinds equally often; all of them told, or none."""
        sent = in_silence([kinds[i % len(kinds)] for i in range(self.trials)], self.rng, **how)
        found = score(sent, told_in(run("hear_alert.py", sent.samples, _BLOCK_SAMPLES, *limits)))
        holds = found.share == share and (not found.extra if share else not found.right + found.extra)
        return Row(name, "all" if share else "none", str(found), holds)

    def limit_rows(self, limits: Limits) -> Iterator[Row]:
        """What one standard has, property by property, then all at once."""
        signs = list(product((-1, 1), repeat=2))
        how = {} if limits.snr_db is None else {"snr_db": limits.snr_db}

        def expect(name: str, kinds: Sequence[Burst]) -> Row:
            return self.expect(f"{limits.standard}: {name}", kinds, 1, **how)

        noisy = f", SNR {limits.snr_db:.0f} dB" if limits.snr_db else ""
        least_ms, most_ms = limits.durations_ms
        yield expect(
            f"off by +-{100 * limits.off:.1f} %{noisy}",
            [limits.sent(s, 0, k, k) for s in signs for k in (0, 1)],
        )
        yield expect(
            f"{limits.highest_dbm0:+g} and {limits.lowest_dbm0:+g} dBm0{noisy}",
            [limits.sent((0, 0), 0, level, k) for level in (0, 1) for k in (0, 1)],
        )
        yield expect(
            f"twist of +-{limits.twist_db:g} dB{noisy}",
            [limits.sent((0, 0), twist, level, 0) for twist in (-1, 1) for level in (0, 1)],
        )
        durations = [Burst(ms) for ms in np.linspace(least_ms, most_ms, 8).tolist()]
        yield expect(f"{least_ms:g} to {most_ms:g} ms{noisy}", durations)
        yield expect(
            f"all of these at their limits at once{noisy}",
            [limits.sent(s, *k) for s in signs for k in product((-1, 0, 1), (0, 1), (0, 1))],
        )
        if limits.refused_ms is not None:
            bursts = [Burst(limits.refused_ms, dbm0, dbm0) for dbm0 in (-10.0, -20.0, limits.lowest_dbm0)]
            name = f"{limits.standard}: {limits.refused_ms:g} ms"
            yield self.expect(name, bursts, 0, limits.name)
        if limits.refused_dbm0 is not None:
            bursts = [Burst(ms, limits.refused_dbm0, limits.refused_dbm0) for ms in limits.durations_ms]
            name = f"{limits.standard}: {limits.refused_dbm0:g} dBm0"
            yield self.expect(name, bursts, 0, limits.name)

    def subscriber_rows(self) -> Iterator[Row]:
        """SAS, which no standard limits: what the firmware's own row says."""
        for name, kinds, share in (
            ("300 ms, -13 dBm0", [Burst(300, SAS_DBM0, None)], 1),
            ("off by +-1 %", [Burst(300, SAS_DBM0, None, off) for off in (0.99, 1.01)], 1),
            ("-3 and -36 dBm0", [Burst(300, dbm0, None) for dbm0 in (-3.0, -36.0)], 1),
            ("250 to 350 ms", [Burst(ms, SAS_DBM0, None) for ms in (250.0, 275.0, 325.0, 350.0)], 1),
            ("200 ms and shorter", [Burst(ms, SAS_DBM0, None) for ms in (50.0, 100.0, 150.0, 200.0)], 0),
            ("450 ms and longer", [Burst(ms, SAS_DBM0, None) for ms in (450.0, 500.0, 1000.0)], 0),
            ("off by +-5 %", [Burst(300, SAS_DBM0, None, off) for off in (0.95, 1.05)], 0),
        ):
            yield self.expect(f"SAS: {name}", kinds, share)

    def talker_rows(self) -> Iterator[Row]:
        """What of CAS and SAS is told while the near end talks."""
        for over_db, found in self.curve.items():
            name = f"CAS under a talker {over_db:+d} dB over a tone"
            asked = over_db <= FAINTEST_CAS_OVER_DB
            goal = f"at least {100 * SURE:g} %" if asked else "-"
            yield Row(name, goal, str(found), not asked or found.share >= SURE)
        found = self.scored_under_talkers(Burst(300, SAS_DBM0, None))
        name = f"SAS at {SAS_DBM0:g} dBm0 under a talker"
        yield Row(name, "-", str(found), True)

    @cached_property
    def curve(self) -> dict[int, Score]:
        """Of CAS told under a talker, by how many dB the talker is over one tone."""
        return {
            over_db: self.scored_under_talkers(Burst(80, TALKER_DBM0 - over_db, TALKER_DBM0 - over_db))
            for over_db in TALKER_OVER_CAS_DB
        }

    def curves(self) -> list[Curve]:
        """The share told, by how many dB the talker is over one tone."""
        return [Curve(OURS, {over_db: found.share for over_db, found in self.curve.items()})]

    def scored_under_talkers(self, burst: Burst) -> Score:
        """Bursts like this one under each of the talkers."""
        talkers = [talk for _, talk in islice(speech.pieces(), self.speech_pieces)]
        each = -(-3 * self.trials // len(talkers))
        sent = [under_talker(talk, [burst] * each, self.rng) for talk in talkers]
        lines = run_each("hear_alert.py", [one.samples for one in sent], _BLOCK_SAMPLES)
        told = [told_in(some) for some in lines]
        # Speech that is taken for the other kind is of talk-off, not of this.
        of_kind = [[fact for fact in facts if fact.kind == burst.kind] for facts in told]
        return sum(map(score, sent, of_kind), Score(0, 0, 0))

    def talk_off_rows(self) -> Iterator[Row]:
        """What the speech alone is taken for."""
        seconds = 0.0
        false = {"cas": 0, "sas": 0}
        pieces = (samples for _, samples in islice(speech.corpus(), self.speech_pieces))
        # Some at a time: all of them are gigabytes.
        while some := list(islice(pieces, _PIECES_AT_A_TIME)):
            seconds += sum(map(len, some)) / RATE_HZ
            for lines in run_each("hear_alert.py", some, _BLOCK_SAMPLES):
                for fact in told_in(lines):
                    false[fact.kind] += 1
        for kind, count in false.items():
            told = f"{count} in {seconds / 3600:.1f} h"
            yield Row(f"false {kind.upper()} in speech", "none in 8 h", told, not count)

    def false_rows(self) -> Iterator[Row]:
        """What else is on a line, and is neither."""
        digits = [dtmf.Press(dtmf_key, 70.0, 70.0) for dtmf_key in "123A456B789C*0#D" * (self.trials // 16)]
        bursts = [on_hook(s).samples(calls.mdmf_of_30_bytes(self.rng)[0]) for s in (BELL_202, V23) * 20]
        # As long as a SAS, which is one tone of each.
        pairs = [tone for tone in (DIAL, RINGBACK) for _ in range(self.trials // 2)]
        dials = [ToneGenerator(tone).samples(int(self.rng.integers(2000, 2800))) for tone in pairs]
        gap = np.zeros(RATE_HZ // 2, np.int16)
        for name, parts in (
            ("DTMF digits", [to_samples(dtmf.train(dtmf.scattered(digits, self.rng)).wave)]),
            ("caller ID by FSK", bursts),
            ("short dial tone and ringback", dials),
        ):
            heard = np.concatenate([part for one in parts for part in (gap, one)] + [gap])
            told = told_in(run("hear_alert.py", heard, _BLOCK_SAMPLES))
            yield Row(
                f"false ones in {name}", "none", f"{len(told)} in {len(heard) / RATE_HZ:.0f} s", not told
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=800)
    parser.add_argument("--only", nargs="*", default=[""])
    options = parser.parse_args()
    sys.stdout.write(heading())
    for row in AlertBench(options.trials).rows():
        if any(text in row.name for text in options.only):
            sys.stdout.write(line(row))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
