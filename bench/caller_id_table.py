"""Measures caller ID by FSK, this project's receiver and the peers on the same audio, row by row.

    python -m bench.caller_id_table [--calls N] [--wrong-calls N] [--only TEXT ...] [--alone]

`--only` keeps the rows whose names contain one of the texts; `--alone` leaves the peers out. Every row has its own
seed, so that it is measured on the same audio whichever others are. FSK is sent at -13 dBm0; noise is white over 0 to
4000 Hz, SNR counts what lies in 300 to 3400 Hz; half a second of the line is between bursts. A caller is read when
number, name, date and reason are as sent; one that differs in any of them, or that was never sent, is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from typing import Any

import numpy as np

from bench import calls, peers, speech
from bench.callers import Caller, Score, score
from bench.calls import LEVEL_DBM0, Calls, Condition, Sender, calls_through
from bench.curves import Curve, crossing_db
from bench.micropython import Pcm, run
from bench.peers import CallerIdPeer
from bench.table import Row, heading, line
from host_tools.exchange.fsk import BELL_202, BT, NTT, V23, Burst, FskStandard, off_hook, on_hook
from host_tools.exchange.impairments import (
    Clipping,
    Codec,
    DcOffset,
    Hum,
    Impairment,
    Line,
    Loop,
    Noise,
    NoiseAt,
    PicoAdc,
)
from host_tools.exchange.levels import RATE_HZ, samples_of

SEED = 57
OURS = "Star57"
STANDARDS = (BELL_202, V23)
MOST = 0.99  # the share that "99 %" means
MOST_CURVE_SNR_DB = 15.0
WRONG_SNRS_DB = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
QUIET_SNR_DB = 25.0  # EN 300 659-1: what a terminal must read at
NOISE_ALONE_DBM0 = -16.0  # as at 3 dB SNR
_PIECE_CALLS = 50  # calls in one recording: the work is shared out by recordings
_PIECE_S = 300  # of noise
_PIECES_AT_A_TIME = 16

Scores = dict[str, Score]
"""By the receiver's name, ours first."""


class Star57:
    """This project's receiver, in MicroPython, listening all the time."""

    name = OURS

    def callers(self, samples: Pcm, standard: FskStandard) -> list[Caller]:  # noqa: ARG002
        facts = (json.loads(text) for text in run("hear_callers.py", samples))
        return [_caller_of(fact) for fact in facts if "error" not in fact]


def _caller_of(fact: Mapping[str, Any]) -> Caller:
    parts = (fact.get(name) for name in ("number", "name", "date_time", "reason", "message_waiting"))
    return Caller(*parts)


@dataclass(frozen=True)
class Sweep:
    """One figure of the line or the sender, varied: where are 99 % read?

    Attributes:
        name, unit: of the figure.
        values: in rising order.
        low, high: the range that must hold.
        nominal: a value in that range, from which what is read is followed outwards.
        condition: for one value.
    """

    name: str
    unit: str
    values: Sequence[float]
    low: float
    high: float
    nominal: float
    condition: Callable[[float], Condition]


@dataclass(frozen=True)
class Sending:
    """Calls against SNR.

    Attributes:
        name: the standard's, and whose sender it is unless it is this project's.
        standard: of the burst.
        half_goal_db, most_goal_db: the SNR at which half of the messages and 99 % must be read; None for no goal.
        sender, level_dbm0: another project's, and its level.
    """

    name: str
    standard: FskStandard
    half_goal_db: float
    most_goal_db: float | None = None
    sender: Sender | None = None
    level_dbm0: float = LEVEL_DBM0

    def at(self, snr_db: float) -> Condition:
        """Calls in so much noise."""
        return Condition(_sent(self.standard), Line(Noise(snr_db, self.level_dbm0)), sender=self.sender)


def sendings() -> list[Sending]:
    """This project's, then spandsp's if it is installed.

    spandsp changes from bit to bit at whole samples, as Asterisk and most senders in software do: at 8 kHz a bit is
    then of 6 or 7 samples, and what the phase gains in it is off by as much.
    """
    rows = [Sending("Bell 202", BELL_202, 4.5, 7.5), Sending("V.23", V23, 5.5)]
    spandsp = peers.spandsp()
    if spandsp is None:
        return rows
    return rows + [
        replace(
            row,
            name=f"{row.name} sent by spandsp",
            sender=partial(spandsp.burst, standard=row.standard),
            level_dbm0=spandsp.BURST_DBM0,
        )
        for row in rows
    ]


class CallerIdBench:
    """Measures rows; what it has measured for one row and needs for another it keeps.

    Args:
        receivers: ours first.
        calls: at each point.
        wrong_calls: at each SNR where wrong callers are counted.
        speech_pieces: of bench/speech.py, so many at most; None for all.
        curve_step_db: from one point of the curves to the next.
    """

    def __init__(
        self,
        receivers: Sequence[CallerIdPeer],
        calls: int = 200,
        wrong_calls: int = 1000,
        speech_pieces: int | None = None,
        curve_step_db: float = 0.5,
    ) -> None:
        self.receivers = receivers
        self.calls = calls
        self.wrong_calls = wrong_calls
        self.speech_pieces = speech_pieces
        self.curve_snrs_db = tuple(np.arange(0, MOST_CURVE_SNR_DB + curve_step_db, curve_step_db).tolist())
        self.sendings = sendings()
        self.curve = cache(self._curve)
        self._pool = ThreadPoolExecutor(os.cpu_count())

    @property
    def peers(self) -> list[str]:
        return [receiver.name for receiver in self.receivers[1:]]

    def rows(self, only: Sequence[str] = ()) -> Iterator[Row]:
        """The rows whose names contain one of the texts, all if there is none."""
        for name, measure in self._cases():
            if not only or any(text in name for text in only):
                yield measure(name)

    def curves(self, sending: Sending) -> list[Curve]:
        """Every receiver's share of messages read against SNR."""
        curve = self.curve(sending)
        return [
            Curve(receiver.name, {snr_db: scores[receiver.name].share for snr_db, scores in curve.items()})
            for receiver in self.receivers
        ]

    def measured(self, name: str, condition: Condition, count: int | None = None) -> Scores:
        """Scores of every receiver on the same calls; `name` is the seed."""
        return self._heard(self._recordings(name, condition, count or self.calls), condition.burst.standard)

    @staticmethod
    def _recordings(name: str, condition: Condition, count: int) -> Iterator[Calls]:
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
        for first in range(0, count, _PIECE_CALLS):
            yield calls_through(condition, min(_PIECE_CALLS, count - first), rng)

    def _heard(self, recordings: Iterator[Calls], standard: FskStandard) -> Scores:
        scores = {receiver.name: Score(0, 0, 0) for receiver in self.receivers}
        # Some at a time: all of them may be gigabytes.
        while some := list(islice(recordings, _PIECES_AT_A_TIME)):
            jobs = [
                (receiver.name, piece.sent, self._pool.submit(receiver.callers, piece.samples, standard))
                for piece in some
                for receiver in self.receivers
            ]
            for name, sent, job in jobs:
                scores[name] += score(sent, job.result())
        return scores

    def _curve(self, sending: Sending) -> dict[float, Scores]:
        """Scores at each SNR of `curve_snrs_db`."""
        return {
            snr_db: self.measured(f"{sending.name} {snr_db} dB", sending.at(snr_db))
            for snr_db in self.curve_snrs_db
        }

    def _cases(self) -> Iterator[tuple[str, Callable[[str], Row]]]:
        for sending in self.sendings:
            yield f"half read, {sending.name}", partial(self._half, sending)
        for sending in self.sendings:
            yield f"99 % read, {sending.name}", partial(self._most, sending)
        for sending in self.sendings:
            yield f"wrong callers, {sending.name}", partial(self._wrong, sending)
        yield "wrong callers in noise alone", self._wrong_in_noise
        yield "wrong callers in speech", self._wrong_in_speech
        for standard in STANDARDS:
            for sweep in _sweeps(standard):
                yield f"{sweep.name}, {standard.name}", partial(self._sweep, sweep)
        for name, condition in conditions():
            yield name, partial(self._point, condition)

    def _half(self, sending: Sending, name: str) -> Row:
        return self._crossing(name, sending, 0.5, sending.half_goal_db)

    def _most(self, sending: Sending, name: str) -> Row:
        return self._crossing(name, sending, MOST, sending.most_goal_db)

    def _crossing(self, name: str, sending: Sending, share: float, goal_db: float | None) -> Row:
        reached = {curve.name: crossing_db(curve.shares, share) for curve in self.curves(sending)}
        told = {
            who: f"{snr_db:.1f} dB" if snr_db < np.inf else "not reached" for who, snr_db in reached.items()
        }
        goal = f"{goal_db} dB SNR or less" if goal_db is not None else "-"
        return Row(name, goal, told[OURS], reached[OURS] <= (goal_db or np.inf), told)

    def _wrong(self, sending: Sending, name: str) -> Row:
        at = {
            snr_db: self.measured(f"wrong, {sending.name} {snr_db} dB", sending.at(snr_db), self.wrong_calls)
            for snr_db in WRONG_SNRS_DB
        }
        told = {}
        for receiver in self.receivers:
            wrong = {snr_db: scores[receiver.name].wrong for snr_db, scores in at.items()}
            total = f"{sum(wrong.values())} in {self.wrong_calls * len(at)} calls"
            worst = max(wrong, key=lambda snr_db: wrong[snr_db])
            told[receiver.name] = total + (
                f", {wrong[worst]} of {self.wrong_calls} at {worst:.0f} dB" if wrong[worst] else ""
            )
        ours = max(scores[OURS].wrong for scores in at.values())
        return Row(name, "at most 1 in 1000 at any SNR", told[OURS], ours * 1000 <= self.wrong_calls, told)

    def _wrong_in_noise(self, name: str) -> Row:
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
        noise = Line(NoiseAt(NOISE_ALONE_DBM0))
        silence = np.zeros(samples_of(1000 * _PIECE_S))
        pieces = min(3600, 18 * self.calls) // _PIECE_S
        return self._false(name, (noise.samples(silence, rng) for _ in range(pieces)))

    def _wrong_in_speech(self, name: str) -> Row:
        return self._false(name, (samples for _, samples in islice(speech.corpus(), self.speech_pieces)))

    def _false(self, name: str, pieces: Iterator[Pcm]) -> Row:
        """Callers in what has none; the peers set to Bell 202."""
        heard_samples = 0

        def counted() -> Iterator[Calls]:
            nonlocal heard_samples
            for samples in pieces:
                heard_samples += len(samples)
                yield Calls(samples, ())

        scores = self._heard(counted(), BELL_202)
        told = {
            who: f"{found.wrong} in {heard_samples / RATE_HZ / 3600:.1f} h" for who, found in scores.items()
        }
        return Row(name, "none", told[OURS], scores[OURS].wrong == 0, told)

    def _sweep(self, sweep: Sweep, name: str) -> Row:
        at = {value: self.measured(f"{name} {value}", sweep.condition(value)) for value in sweep.values}
        told = {}
        for receiver in self.receivers:
            scores = {value: points[receiver.name] for value, points in at.items()}
            told[receiver.name] = _range(scores, sweep)
        short = _shortfalls({value: points[OURS] for value, points in at.items()}, sweep)
        goal = f"{sweep.low:+g} to {sweep.high:+g} {sweep.unit}, 99 %"
        return Row(name, goal, told[OURS] + short, not short, told)

    def _point(self, condition: Condition, name: str) -> Row:
        scores = self.measured(name, condition)
        told = {who: str(found) for who, found in scores.items()}
        return Row(name, "99 %", told[OURS], scores[OURS].share >= MOST and not scores[OURS].wrong, told)


def _range(scores: Mapping[float, Score], sweep: Sweep) -> str:
    """The values around the nominal one at which 99 % are read."""
    values = list(sweep.values)
    good = [scores[value].share >= MOST for value in values]
    low = high = values.index(sweep.nominal)
    while low and good[low - 1]:
        low -= 1
    while high + 1 < len(values) and good[high + 1]:
        high += 1
    return f"{values[low]:+g} to {values[high]:+g} {sweep.unit}" if good[low] else "nowhere"


def _shortfalls(scores: Mapping[float, Score], sweep: Sweep) -> str:
    """The values of the goal at which less than 99 % are read, or a wrong caller."""
    short = [
        f"{value:+g}: {found}"
        for value, found in scores.items()
        if sweep.low <= value <= sweep.high and (found.wrong or found.share < MOST)
    ]
    return f" ({'; '.join(short)})" if short else ""


def _sent(standard: FskStandard) -> Burst:
    return _at_level(on_hook(standard))


def _at_level(burst: Burst) -> Burst:
    return replace(burst, level_dbm0=LEVEL_DBM0)


def _noisy(snr_db: float, *after: Impairment) -> Line:
    return Line(Noise(snr_db, LEVEL_DBM0), *after)


def _sweeps(standard: FskStandard) -> Iterator[Sweep]:
    quiet = _noisy(QUIET_SNR_DB)
    burst = _sent(standard)
    yield Sweep(
        "level, clean", "dBm0", (-57, -54, -51, -48, -42, -36, -30, -27, -24, -18, -12, -6, 0, 3), -48, 0, -12,
        lambda level_dbm0: Condition(replace(burst, level_dbm0=level_dbm0), Line()),
    )  # fmt: skip
    yield Sweep(
        "mark over space", "dB", (-14, -12, -10, -6, -3, 0, 3, 6, 10, 12, 14), -10, 10, 0,
        lambda twist_db: Condition(replace(burst, twist_db=twist_db), quiet),
    )  # fmt: skip
    yield Sweep(
        "baud off", "%", (-7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7), -4, 5, 0,
        lambda percent: Condition(replace(burst, baud_percent=percent), quiet),
    )  # fmt: skip
    yield Sweep(
        "both tones shifted", "Hz", (-300, -250, -200, -150, -100, -50, 0, 50, 100, 150, 200, 250, 300), -200, 200, 0,
        lambda shift_hz: Condition(replace(burst, shift_hz=shift_hz), quiet),
    )  # fmt: skip


def conditions() -> Iterator[tuple[str, Condition]]:
    """Every row at which 99 % must be read, with its name; but for what it says, all at QUIET_SNR_DB."""
    for standard in STANDARDS:
        for name, condition in _impairments(standard):
            yield f"{name}, {standard.name}", condition
    quiet = _noisy(QUIET_SNR_DB)
    yield "call waiting (no seizure, 80 marks), Bell 202", Condition(_at_level(off_hook(BELL_202)), quiet)
    yield "call waiting (no seizure, 80 marks), V.23", Condition(_at_level(off_hook(V23)), quiet)
    yield "call waiting (no seizure, 55 marks), BT", Condition(_at_level(off_hook(BT)), quiet)
    yield "BT (seizure 96, 55 marks)", Condition(_sent(BT), quiet)
    yield "NTT", Condition(_sent(NTT), quiet, calls.ntt)
    yield "ETSI call set-up", Condition(_sent(V23), quiet, calls.mdmf_etsi)
    yield "ETSI call set-up, 80 marks", Condition(replace(_sent(V23), mark_bits=80), quiet, calls.mdmf_etsi)
    for standard in STANDARDS:
        yield f"SDMF, {standard.name}", Condition(_sent(standard), quiet, calls.sdmf)
        yield f"no number (P, O), {standard.name}", Condition(_sent(standard), quiet, calls.mdmf_absent)
        for form, message in (("MDMF", calls.mdmf_message_waiting), ("SDMF", calls.sdmf_message_waiting)):
            yield f"message waiting in {form}, {standard.name}", Condition(_sent(standard), quiet, message)


def _impairments(standard: FskStandard) -> Iterator[tuple[str, Condition]]:
    burst = _sent(standard)

    def after(*impairments: Impairment) -> Condition:
        return Condition(burst, _noisy(QUIET_SNR_DB, *impairments))

    yield "DC offset 12000", after(DcOffset(12000))
    yield "DC offset -12000", after(DcOffset(-12000))
    yield "hum of 50 Hz at -10 dBm0", after(Hum(50, -10))
    yield "hum of 60 Hz at -10 dBm0", after(Hum(60, -10))
    yield "clipping by 12 dB", after(Clipping(12))
    yield "9 km of loop", after(Loop(9))
    yield "mu-law", after(Codec(("mu",)))
    yield "12-bit ADC with the RP2040's steps", after(PicoAdc())
    quiet = _noisy(QUIET_SNR_DB)
    yield "20 mark bits between bytes", Condition(replace(burst, gap_bits=20), quiet)
    yield "2 stop bits", Condition(replace(burst, stop_bits=2), quiet)
    yield "seizure cut anywhere", Condition(burst, quiet, cut_seizure=True)
    for mark_bits in (10, 80):
        again = replace(burst, mark_bits_between=mark_bits)
        yield f"a second message after {mark_bits} marks", Condition(again, quiet, messages=2)
    again = replace(burst, mark_bits_between=10, seizure_bits_between=standard.seizure_bits)
    yield "a second message after a seizure", Condition(again, quiet, messages=2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--wrong-calls", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    others = [] if options.alone else peers.caller_id_peers()
    bench = CallerIdBench([Star57(), *others], options.calls, options.wrong_calls)
    sys.stdout.write(heading(bench.peers))
    for row in bench.rows(options.only):
        sys.stdout.write(line(row, bench.peers))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
