"""Measures caller ID by DTMF, this project's receiver and spandsp on the same audio, a row for each scheme.

    python -m bench.dtmf_caller_id_table [--calls N] [--alone]

A call is a number, a redirecting number or a reason, as the scheme can say it: keys of 70 ms and pauses of 70 ms
(Telia), 1.5 s between calls, -10 dBm0 a tone, at 15 dB of SNR. Star57 listens for all schemes at once, but for those
that begin with what a household dials too: each of these by itself. spandsp tells the keys; they are compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench import peers, speech
from bench.callers import Score
from bench.micropython import Pcm, run, run_each
from bench.table import Row, heading, line
from host_tools.exchange import dtmf
from host_tools.exchange.caller_id import DTMF_SCHEMES, DtmfScheme, Reason, dtmf_digits
from host_tools.exchange.impairments import Noise
from host_tools.exchange.levels import samples_of, to_samples

SEED = 57
SNR_DB = 15.0
TONE_DBM0 = -10.0
KEY_MS = 70.0
BETWEEN_MS = 1500.0
MOST = 0.99
UNAMBIGUOUS = ("a_to_c", "a_to_hash", "d_to_c")


@dataclass(frozen=True)
class Call:
    """What a scheme said: a number or a reason, and who the call was forwarded from."""

    number: str | None = None
    reason: Reason | None = None
    forwarded_from: str | None = None


def rows(calls: int = 200, alone: bool = False, speech_pieces: int | None = None) -> Iterator[Row]:
    """A row for each scheme, and what is heard in speech."""
    peer = None if alone else peers.spandsp()
    for place, (name, scheme) in enumerate(DTMF_SCHEMES.items()):
        rng = np.random.default_rng([SEED, place])
        sent = [_random_call(scheme, rng) for _ in range(calls)]
        keys = [dtmf_digits(name, call.number, call.reason, call.forwarded_from) for call in sent]
        samples = recording(keys, rng)
        ours = _score(sent, heard(samples, () if name in UNAMBIGUOUS else (name,)))
        told = {peer.name: str(_score(keys, peer.dtmf_callers(samples)))} if peer else {}
        holds = ours.share >= MOST and not ours.wrong
        yield Row(f"caller ID by DTMF, {name}", "99 %", str(ours), holds, told)
    yield _speech_row(speech_pieces)


def recording(keys: Sequence[str], rng: np.random.Generator) -> Pcm:
    """Strings of keys in noise, with silence between them."""
    pause = np.zeros(samples_of(BETWEEN_MS), np.int16)
    parts = [pause]
    for string in keys:
        parts += [dtmf.digit(key, KEY_MS, KEY_MS, TONE_DBM0, TONE_DBM0) for key in string]
        # Calls begin anywhere in the receiver's blocks.
        parts += [pause, np.zeros(rng.integers(0, 160), np.int16)]
    both_dbm0 = TONE_DBM0 + 10 * np.log10(2)
    return to_samples(Noise(SNR_DB, both_dbm0)(np.concatenate(parts).astype(np.float64), rng))


def heard(samples: Pcm, schemes: Sequence[str] = ()) -> list[Call]:
    """What the firmware's receiver tells."""
    return _calls_of(run("hear_dtmf_callers.py", samples, *schemes))


def _calls_of(lines: Sequence[str]) -> list[Call]:
    return [Call(**json.loads(text)) for text in lines]


def _score(sent: Sequence[object], told: Sequence[object]) -> Score:
    wanted = set(sent)
    return Score(len(wanted), len(wanted & set(told)), sum(one not in wanted for one in told))


def _random_call(scheme: DtmfScheme, rng: np.random.Generator) -> Call:
    if scheme.reasons and rng.random() < 0.1:
        reasons: list[Reason] = ["O", "P"]
        return Call(reason=reasons[int(rng.integers(2))])
    number = _digits(int(rng.integers(7, 13)), rng)
    is_forwarded = scheme.forwarded_from is not None and rng.random() < 0.2
    return Call(number, None, _digits(8, rng) if is_forwarded else None)


def _digits(count: int, rng: np.random.Generator) -> str:
    return "".join(str(digit) for digit in rng.integers(0, 10, count))


def _speech_row(pieces: int | None) -> Row:
    corpus = [samples for _, samples in speech.corpus()][:pieces]
    hours = sum(map(len, corpus)) / 8000 / 3600
    false = sum(len(lines) for lines in run_each("hear_dtmf_callers.py", corpus))
    return Row("callers by DTMF in speech", "none", f"{false} in {hours:.1f} h", not false)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    columns = [] if options.alone or peers.spandsp() is None else ["spandsp"]
    sys.stdout.write(heading(columns))
    for row in rows(options.calls, options.alone):
        sys.stdout.write(line(row, columns))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
