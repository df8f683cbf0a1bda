"""Measures the firmware's call-progress receiver: every tone of every country, at its limits, and what is no tone.

    python -m bench.progress_table [--trials N]

The tones are those of star57/dsp/tone_plans.py, sent by this program. Each country's are heard with the plan of that
country, then with the plan of all. A tone counts as heard when it is told once, by its name. Levels are those of all
frequencies of a tone together, in dBm0 (a sine of peak 32767 is +3.17 dBm0); SNR is that level over noise in 300 to
3400 Hz, the noise being white from 0 to 4000 Hz. What is modulated (three lines) has 90 % of modulation. Speech is
that of bench/speech.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from bench import calls, speech
from bench.micropython import Pcm, run, run_each
from bench.table import Row, heading, line
from host_tools.exchange import dtmf
from host_tools.exchange.fsk import BELL_202, V23, on_hook
from host_tools.exchange.levels import RATE_HZ, peak_of, power_of, samples_of, to_samples
from host_tools.exchange.tones import CPE_ALERT, burst

Wave = npt.NDArray[np.float64]

NOISE_SHARE = 3100 / 4000  # of white noise, what lies in 300 to 3400 Hz
SIDEBAND = 0.45  # of the carrier's amplitude: 90 % of modulation
STEADY_MS = 4000
LASTS_MS = 1500
BEEPS = 10
FALLS_DB = 10.0
_BLOCK_SAMPLES = 160


@dataclass(frozen=True)
class ToneRow:
    """A row of the firmware's table. Each section: frequencies (none in silence) and duration; 0 ms lasts."""

    country: str
    tone: str
    kind: str
    tolerance_percent: int
    sections: tuple[tuple[tuple[float, ...], float], ...]
    permille: int

    @property
    def pitch_permille(self) -> float:
        """How far off frequencies are sent: 5 % in the UK, 50 Hz of 1800 for ITU's SIT, of others 3/4 of what fits."""
        return self.permille if self.permille > 20 else 0.75 * self.permille

    @property
    def pace_percent(self) -> float:
        """How much longer or shorter its durations may be: 5 % of a precise SIT, 10 % of others, unless more."""
        return min(self.tolerance_percent, 10) - 2 * (self.tolerance_percent < 10)


@dataclass(frozen=True)
class Sending:
    """How a tone is sent: its level, how far off it is, the upper of two lines over the lower.

    `pitch` and `pace` are parts, -1 to +1, of what the row allows its frequencies and its durations to be off.
    """

    dbm0: float = -20.0
    pitch: float = 0.0
    pace: float = 0.0
    twist_db: float = 0.0
    snr_db: float | None = None


@dataclass(frozen=True)
class Told:
    """A tone as the receiver told it, at sample `at`; `duration` in samples (None: no end came)."""

    at: int
    tone: str
    level_dbm0: int
    snr_db: int
    frequencies: tuple[int, ...]
    countries: tuple[str, ...]
    duration: int | None = None


def tone_rows() -> list[ToneRow]:
    """The firmware's table."""
    rows = []
    for text in run("hear_progress.py", np.zeros(0, np.int16), "rows"):
        fields = json.loads(text)
        fields["sections"] = tuple((tuple(lines), ms) for lines, ms in fields["sections"])
        rows.append(ToneRow(**fields))
    return rows


def played(row: ToneRow) -> list[tuple[tuple[float, ...], float, float]]:
    """What is sent: frequencies, ms and dB for each section, one after the other."""
    sections = [(lines, ms or LASTS_MS, 0.0) for lines, ms in row.sections]
    if row.kind == "steady":
        return [(row.sections[0][0], STEADY_MS, 0.0)]
    if row.kind == "once":
        return sections
    if row.kind == "beeps":
        return sections * BEEPS + [(row.sections[0][0], LASTS_MS, 0.0)]
    if row.kind == "falling":
        return ([(lines, ms, FALLS_DB) for lines, ms, _ in sections] + sections) * 3
    if row.kind == "cycle":
        return sections * max(3, 4 * 4 // len(sections))
    return sections * 2


def sound(lines: Sequence[float], duration_ms: float, sending: Sending, rng: np.random.Generator) -> Wave:
    """Frequencies together; silence when there are none. Phases are random, but three lines are those of AM."""
    time = np.arange(samples_of(duration_ms)) / RATE_HZ
    amplitudes = np.ones(len(lines))
    if len(lines) == 2:
        amplitudes[1] = 10 ** (sending.twist_db / 20)
    elif len(lines) == 3:
        amplitudes[[0, 2]] = SIDEBAND
    phases = rng.uniform(0, 2 * np.pi, len(lines))
    if len(lines) == 3:
        phases[2] = 2 * phases[1] - phases[0]
    wave = np.zeros(len(time))
    for hz, amplitude, phase in zip(lines, amplitudes, phases, strict=True):
        part = peak_of(sending.dbm0) * amplitude / np.sqrt(np.sum(amplitudes**2))
        wave += part * np.sin(2 * np.pi * hz * time + phase)
    return wave


def recording(row: ToneRow, sending: Sending, rng: np.random.Generator) -> Pcm:
    """The tone after silence of half a second or more, and silence after it."""
    parts = [np.zeros(4000 + int(rng.integers(0, RATE_HZ // 4)))]
    for lines, ms, gain_db in played(row):
        louder = replace(sending, dbm0=sending.dbm0 + gain_db)
        off = [hz * (1 + sending.pitch * row.pitch_permille / 1000) for hz in lines]
        parts.append(sound(off, ms * (1 + sending.pace * row.pace_percent / 100), louder, rng))
    parts.append(np.zeros(RATE_HZ))
    wave = np.concatenate(parts)
    if sending.snr_db is not None:
        rms = np.sqrt(power_of(sending.dbm0) / 10 ** (sending.snr_db / 10) / NOISE_SHARE)
        wave = wave + rng.normal(0, rms, len(wave))
    return to_samples(wave)


def told_in(lines: Sequence[str]) -> list[Told]:
    """What the lines of hear_progress.py tell."""
    told: list[Told] = []
    for text in lines:
        word, at, tone, *fields = text.split(" ")
        if word == "told":
            level_dbm0, snr_db, _, _, frequencies, countries = fields
            hz = tuple(int(number) for number in frequencies.split(",") if number)
            told.append(Told(int(at), tone, int(level_dbm0), int(snr_db), hz, tuple(countries.split(","))))
        else:
            told[-1] = replace(told[-1], duration=int(fields[0]))
    return told


class Bench:
    """Measures one row at a call, over every tone of the table or of one country; `trials` recordings of each."""

    def __init__(self, trials: int = 4, seed: int = 57) -> None:
        self.trials = trials
        self.rng = np.random.default_rng(seed)
        self.rows = tone_rows()
        self.countries = list(dict.fromkeys(row.country for row in self.rows))

    def names(self, row: ToneRow) -> set[str]:
        """Of the row, and of what its country sends just so under another name."""
        return {
            other.tone
            for other in self.rows
            if other.country == row.country and other.kind == row.kind and other.sections == row.sections
        }

    def hear(self, rows: Sequence[ToneRow], sendings: Sequence[Sending], *countries: str) -> list[list[Told]]:
        recordings = [recording(row, s, self.rng) for row, s in zip(rows, sendings, strict=True)]
        lead = np.zeros(2 * RATE_HZ, np.int16)
        # Long enough for what was told to be over before the next recording.
        gaps = [np.zeros(20 * RATE_HZ, np.int16) for _ in recordings]
        ends = np.cumsum([len(r) + len(g) for r, g in zip(recordings, gaps, strict=True)]) + len(lead)
        whole = np.concatenate([lead, *chain.from_iterable(zip(recordings, gaps, strict=True))])
        told: list[list[Told]] = [[] for _ in recordings]
        for fact in told_in(run("hear_progress.py", whole, _BLOCK_SAMPLES, *countries)):
            told[int(np.searchsorted(ends, fact.at))].append(fact)
        return told

    def expect(self, name: str, goal: str, sendings: Sequence[Sending], country: str) -> Row:
        """Every tone of a country, sent in each of these ways, heard with its plan."""
        rows = [row for row in self.rows if row.country == country for _ in sendings]
        told = self.hear(rows, [s for row in self.rows if row.country == country for s in sendings], country)
        wrong = []
        right = 0
        for row, facts in zip(rows, told, strict=True):
            if [fact.tone in self.names(row) for fact in facts] == [True]:
                right += 1
            else:
                wrong.append(f"{row.tone} as {' '.join(fact.tone for fact in facts) or 'nothing'}")
        measured = f"{100 * right / len(rows):.1f} % of {len(rows)}"
        measured += "".join(f"; {text}" for text in dict.fromkeys(wrong))
        return Row(f"{country}: {name}", goal, measured, not wrong)

    def tone_table(self) -> Iterator[Row]:
        for country in self.countries:
            yield self.expect("as they are", "all", [Sending()] * self.trials, country)
            yield self.expect("frequencies off", "all", [Sending(pitch=p) for p in (-1.0, 1.0)], country)
            yield self.expect("durations off", "all", [Sending(pace=p) for p in (-1.0, 1.0)], country)
            levels = [Sending(dbm0=dbm0) for dbm0 in (-3.0, -9.0, -30.0, -40.0)]
            yield self.expect("-3 to -40 dBm0", "all", levels, country)
            yield self.expect("twist -+6 dB", "all", [Sending(twist_db=t) for t in (-6.0, 6.0)], country)
            for snr_db in (20.0, 15.0):
                noisy = [Sending(snr_db=snr_db)] * self.trials
                yield self.expect(f"SNR {snr_db:.0f} dB", "all", noisy, country)
            yield self.expect("all of these at random", "all", self.anyhow(self.trials), country)

    def anyhow(self, n: int) -> list[Sending]:
        """Levels, frequencies, durations, twist and noise anywhere within their limits."""
        return [
            Sending(
                dbm0=self.rng.uniform(-40, -9),
                pitch=self.rng.uniform(-1, 1),
                pace=self.rng.uniform(-1, 1),
                twist_db=self.rng.uniform(-6, 6),
                snr_db=self.rng.uniform(15, 40),
            )
            for _ in range(n)
        ]

    def of_any_country(self) -> Row:
        """Every tone heard with the rows of all countries: its own country is named, or another's of the same lines."""
        rows = [row for row in self.rows if row.tone != "executive_override"]
        told = self.hear(rows, [Sending()] * len(rows))
        named = sum(
            any(row.country in fact.countries for fact in facts)
            for row, facts in zip(rows, told, strict=True)
        )
        heard = sum(bool(facts) for facts in told)
        measured = f"heard {heard} of {len(rows)}, the country named for {named}"
        return Row(
            "plan of all countries",
            "every tone heard, most of them with their country",
            measured,
            heard == len(rows),
        )


def false_rows(speech_pieces: int | None = None, seed: int = 57) -> Iterator[Row]:
    """What is no tone, heard with the rows of all countries; of bench/speech.py so many pieces at most."""
    rng = np.random.default_rng(seed)
    pieces = list(speech.corpus())[:speech_pieces]
    yield _false("speech", [samples for _, samples in pieces])
    yield _false("DTMF digits", [_digits(rng) for _ in range(4)])
    yield _false("caller ID by FSK", [_bursts(rng) for _ in range(4)])
    yield _false("CAS", [np.concatenate([_gap(rng), burst(CPE_ALERT)] * 100)])
    yield _false("music", [_music(600.0, rng) for _ in range(4)])


def _false(name: str, recordings: Sequence[Pcm]) -> Row:
    told = [
        fact.tone
        for lines in run_each("hear_progress.py", recordings, _BLOCK_SAMPLES)
        for fact in told_in(lines)
    ]
    hours = sum(map(len, recordings)) / RATE_HZ / 3600
    return Row(
        f"false tones in {name}",
        "none",
        f"{len(told)} in {hours:.2f} h {' '.join(told[:8])}".strip(),
        not told,
    )


def _gap(rng: np.random.Generator) -> Pcm:
    return np.zeros(int(rng.integers(800, 8000)), np.int16)


def _digits(rng: np.random.Generator) -> Pcm:
    presses = [
        dtmf.Press(str(rng.choice(list("123A456B789C*0#D"))), *rng.choice([50.0, 80.0, 100.0, 250.0], 2))
        for _ in range(400)
    ]
    return to_samples(dtmf.train(dtmf.scattered(presses, rng)).wave)


def _bursts(rng: np.random.Generator) -> Pcm:
    parts = []
    for i in range(60):
        message, _ = calls.mdmf_of_30_bytes(rng)
        parts += [_gap(rng), on_hook((BELL_202, V23)[i % 2]).samples(message)]
    return np.concatenate(parts)


def _music(seconds: float, rng: np.random.Generator) -> Pcm:
    """Chords of three notes that fade, and a tune over them, each note with six harmonics, in equal temperament."""
    wave = np.zeros(round(seconds * RATE_HZ))
    place = 0
    while place < len(wave):
        beat = float(rng.choice([0.25, 0.375, 0.5, 1.0]))
        notes = [*(rng.choice(12, 3, replace=False) + 48), int(rng.integers(60, 84))]
        time = np.arange(min(round(beat * RATE_HZ), len(wave) - place)) / RATE_HZ
        for note in notes:
            for harmonic in range(1, 7):
                hz = 440 * 2 ** ((note - 69) / 12) * harmonic
                fade = np.exp(-time * rng.uniform(0.3, 4)) * 1200 / harmonic
                wave[place : place + len(time)] += fade * np.sin(
                    2 * np.pi * hz * time + rng.uniform(0, 2 * np.pi)
                )
        place += len(time)
    return to_samples(wave)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=4)
    options = parser.parse_args()
    sys.stdout.write(heading())
    bench = Bench(options.trials)
    for row in chain(bench.tone_table(), [bench.of_any_country()], false_rows()):
        sys.stdout.write(line(row))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
