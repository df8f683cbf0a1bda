"""Measures the firmware's hook detector: dial pulses at every speed, flash and hang-up, through bouncing contacts.

    python -m bench.pulse_table [--trials N]

The loop is made here, sample by sample. Contacts bounce for up to 5 ms at every edge: for a random time they open and
close at random. Blocks are of 10 ms.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from bench.micropython import Pcm, run
from bench.table import Row, heading, line
from host_tools.exchange.levels import samples_of

BOUNCE_MS = 5.0
BLOCK_SAMPLES = 80
BREAKS_MS = (47, 80)  # TELEPHONY 5
BREAK_PERCENT = (33, 72)
SPEEDS = (8, 9, 10, 11, 12)
# Flashes of each country, TELEPHONY 5; then a break that is a hang-up.
FLASHES_MS = {
    "US": ((300, 1000), 1500),
    "GB": ((50, 130), 500),
    "AU": ((80, 140), 500),
    "FI": ((90, 500), 1000),
    "DE": ((300, 1000), 1500),
    "JP": ((300, 1000), 1500),
    "IN": ((300, 1000), 1500),
    "BR": ((300, 1000), 1500),
    "FR": ((300, 1000), 1500),
}

Runs = Sequence[tuple[int, float]]
"""Levels of the loop, each with its milliseconds."""


class Bench:
    """Measures one row at a call, with `trials` digits or flashes of each kind."""

    def __init__(self, trials: int = 20, seed: int = 57) -> None:
        self.trials = trials
        self.rng = np.random.default_rng(seed)

    def loop(self, runs: Runs, bounces: bool) -> Pcm:
        """The loop; with bounces at the beginning of each run."""
        parts = []
        for level, ms in runs:
            part = np.full(samples_of(ms), level, np.int16)
            if bounces:
                bouncing = samples_of(float(self.rng.uniform(0, BOUNCE_MS)))
                part[1:bouncing] = self.rng.integers(0, 2, max(0, bouncing - 1))
            parts.append(part)
        return np.concatenate(parts)

    def told(self, runs: Runs, country: str, bounces: bool) -> list[str]:
        """What is told but off-hook: digits, `flash`, `on_hook`."""
        lines = run("hear_pulses.py", self.loop(runs, bounces), BLOCK_SAMPLES, country)
        return [words[-1] if words[0] == "digit" else words[0] for words in map(str.split, lines)][1:]

    def rows(self) -> Iterator[Row]:
        for country in FLASHES_MS:
            for bounces in (False, True):
                name = f"{country}{', bouncing contacts' if bounces else ''}"
                yield self.digits_row(name, country, bounces)
                yield self.flash_row(name, country, bounces)
                yield self.hang_up_row(name, country, bounces)

    def digits_row(self, name: str, country: str, bounces: bool) -> Row:
        runs: list[tuple[int, float]] = [(1, 1000.0)]
        sent: list[str] = []
        for speed in SPEEDS:
            for _ in range(self.trials):
                least = max(BREAKS_MS[0], BREAK_PERCENT[0] * 10 / speed)
                most = min(BREAKS_MS[1], BREAK_PERCENT[1] * 10 / speed)
                break_ms = float(self.rng.choice([least, most, self.rng.uniform(least, most)]))
                # Where a single pulse may be a flash the digit 1 is not sent first.
                digit = int(self.rng.integers(2, 11)) if len(sent) % 3 == 0 else int(self.rng.integers(1, 11))
                sent.append(str(digit % 10))
                runs += [(0, break_ms), (1, 1000 / speed - break_ms)] * (digit - 1)
                runs += [(0, break_ms), (1, float(self.rng.uniform(250, 800)))]
        told = self.told(runs, country, bounces)
        right = sum(one == other for one, other in zip(sent, told, strict=False))
        measured = f"{right} of {len(sent)}, {len(told)} told"
        return Row(f"{name}: digits at 8 to 12 pulses a second", "all", measured, told == sent)

    def flash_row(self, name: str, country: str, bounces: bool) -> Row:
        (least, most), _ = FLASHES_MS[country]
        runs: list[tuple[int, float]] = [(1, 1000.0)]
        for i in range(self.trials):
            flash_ms = (least, most)[i] if i < 2 else float(self.rng.uniform(least, most))
            runs += [(0, flash_ms), (1, 1000.0)]
        told = self.told(runs, country, bounces)
        measured = f"{told.count('flash')} of {self.trials}, {len(told)} told"
        return Row(f"{name}: flash of {least} to {most} ms", "all", measured, told == ["flash"] * self.trials)

    def hang_up_row(self, name: str, country: str, bounces: bool) -> Row:
        _, hang_up_ms = FLASHES_MS[country]
        runs = [(1, 1000.0), (0, float(hang_up_ms))] * self.trials
        told = self.told(runs, country, bounces)
        hung_up = [fact for fact in told if fact != "off_hook"]
        measured = f"{hung_up.count('on_hook')} of {self.trials}, {len(hung_up)} told"
        return Row(
            f"{name}: hang-up of {hang_up_ms} ms", "all", measured, hung_up == ["on_hook"] * self.trials
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=20)
    options = parser.parse_args()
    sys.stdout.write(heading())
    for row in Bench(options.trials).rows():
        sys.stdout.write(line(row))


if __name__ == "__main__":
    main()
