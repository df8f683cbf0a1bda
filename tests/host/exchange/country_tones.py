"""Tones of eight countries: the figures of TELEPHONY 6, and what is measured of the firmware's own, for docs/tones.md.

The figures are transcribed here from the sources that TELEPHONY names, not from the firmware's table. A row of one
country that says "chosen" has none: what stands there is held to what the firmware promises.

    python -m tests.host.exchange.country_tones       writes docs/tones.md
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from host_tools.exchange.levels import RATE_HZ, Samples, dbm0_of_peak, peak_of
from host_tools.rig.micropython import ROOT, interpreter_command

Wave = npt.NDArray[np.float64]
Lines = tuple[tuple[float, float], ...]
"""What sounds together: frequency in Hz and level in dBm0, each."""

DOCUMENT = ROOT / "docs" / "tones.md"

_STEADY_MS = 2000
_TAIL_MS = 1500
_SHORTEST_GAP_SAMPLES = 40
_EDGE_SAMPLES = 48  # 6 ms, of which a ramp has 4
_NEWTON_STEPS = 8


@dataclass(frozen=True)
class Row:
    """One tone as its source has it.

    Attributes:
        country: its letters.
        tone: its name in the firmware's table.
        lines: what sounds in each on-time, in turn.
        cadence_s: on-times above zero, off-times below; of one that is steady at last, 0 as the last.
        repeats: whether the cadence goes on for ever.
        source: as in TELEPHONY, or "chosen".
        named: what the firmware's receiver calls it; "" where its plan of that country has no such tone.
    """

    country: str
    tone: str
    lines: tuple[Lines, ...]
    cadence_s: tuple[float, ...]
    repeats: bool
    source: str
    named: str

    @property
    def cycle_ms(self) -> float:
        """The length of what repeats, or of all that is not steady."""
        return 1000 * sum(abs(part) for part in self.cadence_s)

    @property
    def played_ms(self) -> int:
        """As long as it takes to see all of it, and a repetition."""
        if self.repeats:
            return round(2 * self.cycle_ms) + 400
        return round(self.cycle_ms) + (_STEADY_MS if self.cadence_s[-1] == 0 else 0)


@dataclass(frozen=True)
class Sound:
    """An on-time that was measured. distortion_db: what is none of its lines, below all of it."""

    start_ms: float
    duration_ms: float
    lines: Lines
    distortion_db: float


@dataclass(frozen=True)
class Heard:
    """One tone of the firmware, as it was played and measured."""

    samples: Samples
    sounds: tuple[Sound, ...]
    named: tuple[str, ...]


def _pair(first_hz: float, second_hz: float, dbm0: float) -> Lines:
    return ((first_hz, dbm0), (second_hz, dbm0))


def _one(frequency_hz: float, dbm0: float) -> Lines:
    return ((frequency_hz, dbm0),)


_BEEPS = (0.1, -0.1) * 3
_UK_DIAL: Lines = ((350, -22), (440, -18))
_SIT = tuple(_one(frequency_hz, -24) for frequency_hz in (950, 1400, 1800))
_SIT_S = (0.33, 0.33, 0.33, -1.0)


def _us() -> Iterator[Row]:
    dial, busy = _pair(350, 440, -13), _pair(480, 620, -24)
    yield Row("US", "dial", (dial,), (0,), False, "6.1: PTP", "dial")
    yield Row("US", "recall", (dial,), (*_BEEPS, 0), False, "6.1: S8", "recall_dial")
    yield Row("US", "ringback", (_pair(440, 480, -19),), (2, -4), True, "6.1: PTP", "ringback")
    yield Row("US", "busy", (busy,), (0.5, -0.5), True, "6.1: PTP", "busy")
    yield Row("US", "reorder", (busy,), (0.25, -0.25), True, "6.1: PTP", "reorder")
    yield Row("US", "confirmation", (dial,), _BEEPS, False, "6.1: S63", "confirmation")
    yield Row("US", "call_waiting", (_one(440, -13),), (0.3, -10), True, "6.1: S8", "call_waiting")
    low1, high1, low2, high2 = (913.8, 0.274), (985.2, 0.38), (1370.6, 0.274), (1428.5, 0.38)
    for name, first, second in (
        ("sit_reorder", low1, high2),
        ("sit_vacant_code", high1, low2),
        ("sit_no_circuit", high1, high2),
        ("sit_intercept", low1, low2),
    ):
        lines = tuple(_one(frequency_hz, -24) for frequency_hz in (first[0], second[0], 1776.7))
        yield Row("US", name, lines, (first[1], second[1], 0.38), False, "6.1: S65", name)


def _gb() -> Iterator[Row]:
    ring, busy = _pair(400, 450, -19), _one(400, -21)
    yield Row("GB", "dial", (_UK_DIAL,), (0,), False, "6.2: S68, S19", "dial")
    yield Row("GB", "recall", (_UK_DIAL, _one(440, -18)), (0.75, 0.75), True, "6.2: S68", "stutter_dial")
    yield Row("GB", "ringback", (ring,), (0.4, -0.2, 0.4, -2), True, "6.2: S68", "ringback")
    yield Row("GB", "busy", (busy,), (0.375, -0.375), True, "6.2: S68", "busy")
    yield Row("GB", "reorder", (busy,), (0.4, -0.35, 0.225, -0.525), True, "6.2: S68", "reorder")
    yield Row("GB", "confirmation", (_one(1400, -18),), (1,), False, "S8, its length chosen", "")
    yield Row("GB", "call_waiting", (busy,), (0.1, -4), True, "6.2: S68", "call_waiting")
    yield Row("GB", "unobtainable", (busy,), (0,), False, "6.2: S68", "unobtainable")
    yield Row("GB", "sit", _SIT, (0.33, -0.015, 0.33, -0.015, 0.33, -1), True, "6.2: S68", "sit")


def _de() -> Iterator[Row]:
    tone = (_one(425, -16),)
    yield Row("DE", "dial", tone, (0,), False, "6.2: S8, S47", "dial")
    yield Row("DE", "recall", tone, (*_BEEPS, 0), False, "S8", "recall_dial")
    yield Row("DE", "ringback", tone, (1, -4), True, "6.2: S8", "ringback")
    yield Row("DE", "busy", tone, (0.48, -0.48), True, "6.2: S8", "busy")
    yield Row("DE", "reorder", tone, (0.24, -0.24), True, "6.2: S8", "reorder")
    yield Row("DE", "confirmation", tone, _BEEPS, False, "chosen", "")
    yield Row("DE", "call_waiting", tone, (0.2, -0.2, 0.2, -5), True, "6.2: S8", "call_waiting")
    yield Row("DE", "sit", tuple(_one(hz, -16) for hz in (950, 1400, 1800)), _SIT_S, True, "6.2: S47", "sit")


def _jp() -> Iterator[Row]:
    dial, busy, modulated = (_one(400, -10),), (_one(400, -21),), (_pair(384, 416, -19),)
    yield Row("JP", "dial", dial, (0,), False, "6.2: S8", "dial")
    yield Row("JP", "recall", dial, (*(0.2, -0.2) * 3, 0), False, "6.2: S8", "recall_dial")
    yield Row("JP", "ringback", modulated, (1, -2), True, "6.2: S39", "ringback")
    yield Row("JP", "busy", busy, (0.5, -0.5), True, "6.2: S8", "busy")
    yield Row("JP", "reorder", busy, (0.5, -0.5), True, "6.2: S8, the same as busy", "busy")
    yield Row("JP", "confirmation", dial, _BEEPS, False, "chosen", "")
    yield Row("JP", "call_waiting", modulated, (0.5, -8), True, "6.2: S39", "call_waiting")
    yield Row("JP", "sit", _SIT, _SIT_S, True, "S8", "sit")


def _au() -> Iterator[Row]:
    dial, busy, weak = _pair(413, 438, -13), _one(425, -13), _one(425, -23)
    yield Row("AU", "dial", (dial,), (0,), False, "6.2: S8", "dial")
    yield Row("AU", "recall", (dial,), (*_BEEPS, 0), False, "chosen", "")
    yield Row("AU", "ringback", (_pair(400, 450, -19),), (0.4, -0.2, 0.4, -2), True, "6.2: S40", "ringback")
    yield Row("AU", "busy", (busy,), (0.375, -0.375), True, "6.2: S8", "busy")
    yield Row(
        "AU", "reorder", (busy, weak), (0.375, -0.375, 0.375, -0.375), True, "6.2: S8, 10 dB down", "reorder"
    )
    yield Row("AU", "confirmation", (busy,), (1,), False, "S8, its length chosen", "")
    yield Row("AU", "call_waiting", (busy,), (0.2, -0.2, 0.2, -4.4), True, "6.2: S8", "call_waiting")
    yield Row("AU", "unobtainable", (busy,), (2.5, -0.5), True, "6.2: S8", "unobtainable")
    yield Row("AU", "sit", _SIT, _SIT_S, True, "6.1: S67", "sit")


def _in() -> Iterator[Row]:
    dial, busy = _pair(375, 425, -13), (_one(400, -21),)
    yield Row("IN", "dial", (dial,), (0,), False, "6.2: S8", "dial")
    yield Row("IN", "recall", (_pair(350, 440, -13),), (*_BEEPS, 0), False, "S8", "recall_dial")
    yield Row("IN", "ringback", (_pair(375, 425, -19),), (0.4, -0.2, 0.4, -2), True, "6.2: S8", "ringback")
    yield Row("IN", "busy", busy, (0.75, -0.75), True, "6.2: S8", "busy")
    yield Row("IN", "reorder", busy, (0.25, -0.25), True, "6.2: S8", "reorder")
    yield Row("IN", "confirmation", (dial,), _BEEPS, False, "chosen", "")
    yield Row("IN", "call_waiting", busy, (0.2, -0.1, 0.2, -7.5), True, "6.2: S8", "call_waiting")
    yield Row("IN", "unobtainable", busy, (2.5, -0.5), True, "6.2: S5", "unobtainable")
    yield Row("IN", "sit", _SIT, _SIT_S, True, "S8", "sit")


def _br() -> Iterator[Row]:
    dial, busy = (_one(425, -10),), (_one(425, -21),)
    yield Row("BR", "dial", dial, (0,), False, "6.2: S8", "dial")
    yield Row("BR", "recall", dial, (*_BEEPS, 0), False, "chosen", "")
    yield Row("BR", "ringback", (_one(425, -16),), (1, -4), True, "6.2: S8", "ringback")
    yield Row("BR", "busy", busy, (0.25, -0.25), True, "6.2: S8", "busy")
    yield Row("BR", "reorder", busy, (0.25, -0.25, 0.75, -0.25), True, "6.2: S8", "reorder")
    yield Row("BR", "confirmation", dial, _BEEPS, False, "chosen", "")
    yield Row("BR", "call_waiting", busy, (0.05, -1), True, "6.2: S8", "call_waiting")
    yield Row("BR", "sit", _SIT, _SIT_S, True, "S8", "sit")


def _fr() -> Iterator[Row]:
    dial, busy = (_one(440, -10),), (_one(440, -21),)
    yield Row("FR", "dial", dial, (0,), False, "6.2: S8", "dial")
    yield Row("FR", "recall", (_pair(350, 440, -13),), (*_BEEPS, 0), False, "S8", "recall_dial")
    yield Row("FR", "ringback", (_one(440, -16),), (1.5, -3.5), True, "6.2: S8", "ringback")
    yield Row("FR", "busy", busy, (0.5, -0.5), True, "6.2: S8", "busy")
    yield Row("FR", "reorder", busy, (0.25, -0.25), True, "6.2: S8", "reorder")
    yield Row("FR", "confirmation", dial, _BEEPS, False, "chosen", "")
    yield Row("FR", "call_waiting", busy, (0.3, -10), True, "6.2: S8", "call_waiting")
    yield Row("FR", "sit", _SIT, _SIT_S, True, "6.2: S8", "sit")


ROWS = (*_us(), *_gb(), *_de(), *_jp(), *_au(), *_in(), *_br(), *_fr())


@dataclass(frozen=True)
class Burst:
    """Stutter dial tone of a country: dial tone's frequencies moved by less than 1 %, and how loud they are played."""

    country: str
    lines: Lines
    named: str


STUTTERS = (
    Burst("US", _pair(353, 444, -3), "stutter_dial"),
    Burst("GB", _pair(353, 444, -3), ""),
    Burst("DE", _one(428, 0), ""),
    Burst("JP", _one(403, 0), "stutter_dial"),
    Burst("AU", _pair(416, 441, -3), ""),
    Burst("IN", _pair(378, 428, -3), ""),
    Burst("BR", _one(428, 0), ""),
    Burst("FR", _one(443, 0), "stutter_dial"),
)
STUTTER_ROWS = tuple(
    Row(burst.country, "stutter", (burst.lines,), (0.1, -0.099) * 10, False, "regions.py", burst.named)
    for burst in STUTTERS
)

# Plays [country, tone, ms] of JSON, each into a file of its own, and tells what the receiver calls it.
_PLAY = """
import json, micropython, sys
from array import array
from star57.dsp.progress import ProgressReceiver
from star57.dsp.tone_plans import TONE_NAMES, plan
from star57.sound.player import Player, Signal
from star57.sound.regions import REGIONS

class Sink:
    def __init__(self):
        self.named = []
    def call_progress(self, index):
        self.named.append(TONE_NAMES[index])
    def call_progress_end(self, index, duration_samples):
        pass

folder = sys.argv[1]
tail_ms = int(sys.argv[2])
block = array("h", bytes(320))
answer = []
for number, (country, tone, duration_ms) in enumerate(json.load(sys.stdin)):
    player = Player((), REGIONS[country])
    sink = Sink()
    receiver = ProgressReceiver(sink, plan(country))
    player.play((Signal(tone, duration_ms),))
    with open("{}/{}.raw".format(folder, number), "wb") as file:
        for _ in range((duration_ms + tail_ms) // 20):
            micropython.heap_lock()
            player.fill(block, 160)
            micropython.heap_unlock()
            receiver.feed(block, 160)
            file.write(block)
    answer.append(sink.named)
print(json.dumps(answer))
"""


def play(rows: Sequence[Row]) -> list[tuple[Samples, tuple[str, ...]]]:
    """What the firmware plays for each row, in MicroPython, silence behind it, and what its receiver calls that."""
    asked = [[row.country, row.tone, row.played_ms] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            [*interpreter_command(), "-X", "heapsize=8M", "-c", _PLAY, folder, str(_TAIL_MS)],
            input=json.dumps(asked).encode(),
            env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
            check=True,
            capture_output=True,
        )
        names = json.loads(answer.stdout)
        played = [np.fromfile(Path(folder) / f"{number}.raw", "<i2") for number in range(len(rows))]
    return [(samples, tuple(named)) for samples, named in zip(played, names, strict=True)]


def measured(row: Row, samples: Samples, named: tuple[str, ...]) -> Heard:
    """The on-times of a tone, each with its frequencies and levels; the row tells how many to look for."""
    wave = np.asarray(samples, np.float64)
    sounds: list[Sound] = []
    for start, end in _on_times(row, wave):
        lines = row.lines[len(sounds) % len(row.lines)]
        found, distortion_db = _fitted(wave[start + _EDGE_SAMPLES : end - _EDGE_SAMPLES], lines)
        sounds.append(Sound(_ms(start), _ms(end - start), found, distortion_db))
    return Heard(samples, tuple(sounds), named)


def _ms(samples: int) -> float:
    return samples * 1000 / RATE_HZ


def _on_times(row: Row, wave: Wave) -> Iterator[tuple[int, int]]:
    """First sample and end of each on-time, also of those that follow each other without a gap."""
    sounding = np.flatnonzero(wave)
    breaks = np.flatnonzero(np.diff(sounding) > _SHORTEST_GAP_SAMPLES)
    firsts = sounding[np.concatenate([[0], breaks + 1])]
    ends = sounding[np.concatenate([breaks, [-1]])] + 1
    runs = _runs(row)
    for number, (first, end) in enumerate(zip(firsts.tolist(), ends.tolist(), strict=True)):
        at = first
        for duration_s in runs[number % len(runs)][:-1]:
            expected = at + round(duration_s * RATE_HZ)
            if expected + 2 * _EDGE_SAMPLES > end:
                break
            boundary = _weakest(wave, expected)
            yield at, boundary
            at = boundary
        yield at, end


def _runs(row: Row) -> list[list[float]]:
    """The on-times of a cycle that follow each other without a gap, together."""
    if row.repeats and all(part > 0 for part in row.cadence_s):
        return [list(row.cadence_s) * (row.played_ms // round(1000 * row.cadence_s[0]) + 1)]
    runs: list[list[float]] = [[]]
    for part in row.cadence_s:
        if part >= 0:
            runs[-1].append(part)
        else:
            runs.append([])
    return [run for run in runs if run]


def _weakest(wave: Wave, near: int) -> int:
    """Where within 15 ms the wave is weakest: there one tone ends, and another begins."""
    reach, window = 120, 24
    part = wave[near - reach - window // 2 : near + reach + window // 2] ** 2
    return near - reach + int(np.argmin(np.convolve(part, np.ones(window), mode="valid")))


def _fitted(wave: Wave, near: Lines) -> tuple[Lines, float]:
    """The sines that a wave is the sum of, by Newton's steps from where they ought to be; and what is none of them."""
    places = np.arange(len(wave)) - len(wave) / 2
    steps = 2 * np.pi * np.array([frequency_hz for frequency_hz, _ in near]) / RATE_HZ
    peaks = np.zeros(len(steps))
    rest = wave
    for _ in range(_NEWTON_STEPS):
        cosines, sines = np.cos(np.outer(places, steps)), np.sin(np.outer(places, steps))
        weights = np.linalg.lstsq(np.hstack([cosines, sines]), wave, rcond=None)[0]
        real, imaginary = weights[: len(steps)], weights[len(steps) :]
        peaks = np.hypot(real, imaginary)
        rest = wave - cosines @ real - sines @ imaginary
        slopes = places[:, np.newaxis] * (cosines * imaginary - sines * real)
        change = np.linalg.lstsq(np.hstack([cosines, sines, slopes]), rest, rcond=None)[0][-len(steps) :]
        steps = steps + change
    lines = tuple(
        (float(step * RATE_HZ / (2 * np.pi)), dbm0_of_peak(float(peak)))
        for step, peak in zip(steps, peaks, strict=True)
    )
    return lines, float(10 * np.log10(np.mean(rest**2) / np.mean(wave**2)))


def largest_step(row: Row) -> float:
    """By how much the loudest sound of a row changes from one sample to the next, at the most."""
    return max(
        sum(2 * peak_of(dbm0) * math.sin(math.pi * frequency_hz / RATE_HZ) for frequency_hz, dbm0 in lines)
        for lines in row.lines
    )


def table(heard: Mapping[Row, Heard]) -> str:
    """The table of docs/tones.md."""
    lines = [
        "| Country | Tone | Frequencies and levels, Hz at dBm0 | On and (off), ms | Named | Source |",
        "|---|---|---|---|---|---|",
    ]
    for row, tone in heard.items():
        lines.append(
            f"| {row.country} | {row.tone} | {_frequencies(row, tone)} | {_cadence(row, tone)} "
            f"| {tone.named[0] if row.named and tone.named else '-'} | {row.source} |"
        )
    return "\n".join(lines) + "\n"


def _frequencies(row: Row, heard: Heard) -> str:
    sounds = heard.sounds[: len(row.lines)]
    return ", then ".join(
        " + ".join(f"{hz:.1f} at {round(dbm0, 1) + 0.0:.1f}" for hz, dbm0 in sound.lines) for sound in sounds
    )


def _cadence(row: Row, heard: Heard) -> str:
    on_times = sum(part >= 0 for part in row.cadence_s)
    parts = []
    for number, sound in enumerate(heard.sounds[:on_times]):
        is_steady = not row.repeats and row.cadence_s[-1] == 0 and number == on_times - 1
        parts.append("steady" if is_steady else f"{sound.duration_ms:.0f}")
        if number + 1 < len(heard.sounds):
            gap_ms = heard.sounds[number + 1].start_ms - sound.start_ms - sound.duration_ms
            if gap_ms > 1:
                parts.append(f"({gap_ms:.0f})")
    return _shortened(parts)


def _shortened(parts: list[str]) -> str:
    """Ten beeps as one."""
    if len(parts) > 8 and len(set(parts[:-1])) == 2:
        return f"{(len(parts) + 1) // 2} times {parts[0]} {parts[1]}"
    return " ".join(parts)


def document(heard: Mapping[Row, Heard]) -> str:
    """docs/tones.md, whole."""
    return _ABOVE + table(heard) + _BELOW


_ABOVE = """\
# Tones of eight countries

What the adapter itself plays to the household, with the setting `country`: the table of
`firmware/star57/sound/regions.py`, played by the firmware in MicroPython and measured from its samples. Canada has the
plan of the United States. `tests/host/exchange/test_country_tones.py` holds each row to the figures of its source:
frequencies within 0.5 %, levels within 0.5 dB, times within 2 ms, all that is none of its frequencies 40 dB below, no
step between two samples that is larger than those of the tone. This page is what it measured:

    python -m tests.host.exchange.country_tones

"Named" is what the firmware's own receiver of call-progress tones calls it, with the plan of that country; "-" where
that plan has no such tone. Sources are those of the firmware's table, where each choice between two is explained;
"chosen" is the nearest that there is where a country has no such tone. Levels without a figure are those of the United
States' plan. Beeps of stutter dial tone are played so loud because the pair has them 15 dB down.

"""
_BELOW = """
The exchange of the tests (`host_tools/exchange/tones.py`) has a table of its own for dial tone, ringback, busy, reorder
and call waiting: neither side's figures come from the other's.

To add a country: a row of `regions.py`, of `line/ring.py` and `line/hook.py`, its letters in `settings.py`, its plan in
`dsp/tone_plans.py` where its tones are to be recognised, and its rows in `tests/host/exchange/country_tones.py`.
"""


def measure(rows: Sequence[Row]) -> dict[Row, Heard]:
    """Every row, played and measured."""
    return {row: measured(row, *played) for row, played in zip(rows, play(rows), strict=True)}


if __name__ == "__main__":
    DOCUMENT.write_text(document(measure([*ROWS, *STUTTER_ROWS])), encoding="utf-8")
