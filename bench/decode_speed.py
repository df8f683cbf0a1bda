"""How long `star57 decode` takes for an hour of audio.

    python -m bench.decode_speed

The hour is speech with a caller-ID burst in 12 dB of SNR, and ten digits, once a minute.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from bench import speech
from bench.calls import LEVEL_DBM0, Condition, calls_through
from bench.micropython import Pcm
from bench.table import Row, markdown
from host_tools.exchange import dtmf
from host_tools.exchange.fsk import BELL_202, on_hook
from host_tools.exchange.impairments import Line, Noise
from host_tools.exchange.levels import RATE_HZ

SEED = 57
GOAL_S = 20.0
_MINUTE_SAMPLES = 60 * RATE_HZ
_DECODE = "from host_tools.cli.main import app; app()"


def rows(minutes: int = 60) -> Iterator[Row]:
    """One row; the goal is for an hour."""
    samples = audio(minutes)
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "line.wav"
        soundfile.write(recording, samples, RATE_HZ, "PCM_16")
        began = time.monotonic()
        finished = subprocess.run(
            [sys.executable, "-c", _DECODE, "decode", str(recording), "--json"],
            stdout=subprocess.PIPE,
            check=True,
        )
        took_s = time.monotonic() - began
    goal_s = GOAL_S * minutes / 60
    told = f"{took_s:.0f} s, {len(finished.stdout.splitlines())} events"
    name = f"star57 decode, {len(samples) / _MINUTE_SAMPLES:.0f} minutes of speech with {minutes} calls"
    yield Row(name, f"under {goal_s:g} s", told, took_s < goal_s)


def audio(minutes: int) -> Pcm:
    """So many minutes, each of speech that ends in a call and ten digits."""
    rng = np.random.default_rng(SEED)
    condition = Condition(replace(on_hook(BELL_202), level_dbm0=LEVEL_DBM0), Line(Noise(12, LEVEL_DBM0)))
    digits = np.concatenate([dtmf.digit(key, 50, 50) for key in "1234567890"])
    talk = _talk()
    parts: list[Pcm] = []
    for _ in range(minutes):
        ending = np.concatenate([calls_through(condition, 1, rng).samples, digits])
        parts += [next(talk)[: _MINUTE_SAMPLES - len(ending)], ending]
    return np.concatenate(parts)


def _talk() -> Iterator[Pcm]:
    """Minutes of speech, and of silence when there is no more."""
    for _, samples in speech.pieces():
        for first in range(0, len(samples) - _MINUTE_SAMPLES, _MINUTE_SAMPLES):
            yield samples[first : first + _MINUTE_SAMPLES]
    while True:
        yield np.zeros(_MINUTE_SAMPLES, np.int16)


def main() -> None:
    sys.stdout.write(markdown(rows()))


if __name__ == "__main__":
    main()
