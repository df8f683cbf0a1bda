"""Runs the firmware's own receivers over recorded audio, in MicroPython, as fast as they go."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from host_tools.exchange.levels import RATE_HZ, Samples
from host_tools.rig.micropython import ROOT, interpreter_command

_SHORTEST_SAMPLES = 80  # 10 ms, in which no receiver hears anything
_LOWEST_RATE_HZ = 2000
_FRAMES_AT_ONCE = 1 << 20
_PROGRAM = ROOT / "boards" / "emulated" / "listen.py"

Fact = dict[str, Any]
"""What a receiver told; boards/emulated/listen.py has the fields."""


class RecordingUnreadable(Exception):
    """The file is not audio that can be read; the text says why, in one sentence."""


@dataclass(frozen=True)
class Recording:
    """What a file holds.

    Attributes:
        samples: of the chosen channel, at 8 kHz.
        rate_hz, channels: of the file.
        encoding: of the file, as libsndfile names it: "PCM_16", "ULAW".
    """

    samples: Samples
    rate_hz: int
    channels: int
    encoding: str

    @property
    def duration_s(self) -> float:
        return len(self.samples) / RATE_HZ


@dataclass(frozen=True)
class Facts:
    """What the receivers told, each list in the order in which it was known.

    `faults`: those that ended with an error ("callers", "digits", "tones"), and a sentence; what they told until then
    is there.
    """

    callers: list[Fact]
    digits: list[Fact]
    tones: list[Fact]
    faults: dict[str, str]


def read(path: Path, channel: int = 0) -> Recording:
    """Reads a recording of any rate, width and encoding, piece by piece, as 8 kHz signed 16-bit samples.

    Args:
        path: a WAV file, or anything else that libsndfile reads.
        channel: which channel, from 0.

    Raises:
        RecordingUnreadable: no such file, no audio, nothing in it, values that are no numbers, no such channel, or a
            rate below 2 kHz.
    """
    if not path.is_file():
        raise RecordingUnreadable(f"{path}: there is no such file")
    try:
        with soundfile.SoundFile(path) as file:
            if not 0 <= channel < file.channels:
                raise RecordingUnreadable(
                    f"{path}: has {file.channels} channels, so none is number {channel}"
                )
            if file.samplerate < _LOWEST_RATE_HZ:
                raise RecordingUnreadable(
                    f"{path}: {file.samplerate} samples a second are too few for a telephone line"
                )
            pieces = list(_resampled(_channel_of(file, channel), file.samplerate))
            rate_hz, channels, encoding = file.samplerate, file.channels, file.subtype
    except soundfile.LibsndfileError as fault:
        raise RecordingUnreadable(f"{path}: this is no audio: {fault.error_string}") from fault
    except (OSError, TypeError, ValueError) as fault:
        raise RecordingUnreadable(f"{path}: cannot be read: {fault}") from fault
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    if len(samples) < _SHORTEST_SAMPLES:
        raise RecordingUnreadable(f"{path}: holds {1000 * len(samples) / RATE_HZ:.3g} ms, too little to hear")
    return Recording(samples, rate_hz, channels, encoding)


def _channel_of(file: Any, channel: int) -> Iterator[npt.NDArray[np.float32]]:
    """Full scale is 1."""
    while len(piece := file.read(_FRAMES_AT_ONCE, dtype="float32", always_2d=True)):
        if not np.isfinite(piece[:, channel]).all():
            raise RecordingUnreadable(f"{file.name}: holds values that are no numbers")
        yield np.ascontiguousarray(piece[:, channel])


def _resampled(pieces: Iterator[npt.NDArray[np.float32]], rate_hz: int) -> Iterator[Samples]:
    if rate_hz == RATE_HZ:
        yield from map(_in_steps, pieces)
        return
    resampler = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32")
    for piece in pieces:
        yield _in_steps(resampler.resample_chunk(piece))
    yield _in_steps(resampler.resample_chunk(np.zeros(0, np.float32), last=True))


def _in_steps(wave: npt.NDArray[np.float32]) -> Samples:
    samples: Samples = np.clip(np.round(wave * 32768), -32768, 32767).astype(np.int16)
    return samples


def hear(samples: Samples, schemes: Sequence[str] = (), country: str | None = None) -> Facts:
    """What the firmware's receivers tell of the samples: of caller ID by FSK, of digits, of tones, side by side.

    Args:
        samples: 8 kHz.
        schemes: of caller ID by DTMF, by name; those that no household can dial when none is named.
        country: whose call-progress tones are expected, by ISO 3166; those of all when none is named.

    Raises:
        InterpreterMissing: there is no MicroPython.
    """
    programs = (("callers",), ("digits", *schemes), ("tones", *([country] if country else [])))
    with tempfile.NamedTemporaryFile(prefix="star57-", suffix=".raw") as line:
        samples.astype("<i2").tofile(line)
        line.flush()
        with ThreadPoolExecutor(len(programs)) as side_by_side:
            told = list(side_by_side.map(lambda program: _run(Path(line.name), *program), programs))
    callers, digits, tones = ([json.loads(fact) for fact in output.splitlines()] for output, _ in told)
    faults = {program[0]: fault for program, (_, fault) in zip(programs, told, strict=True) if fault}
    return Facts(callers, digits, tones, faults)


def countries() -> list[str]:
    """The countries whose call-progress tones are known, by ISO 3166; none if the program does not run.

    Raises:
        InterpreterMissing: there is no MicroPython.
    """
    return _run(Path(os.devnull), "countries")[0].split()


def _run(line: Path, *arguments: str) -> tuple[str, str]:
    """The whole lines that a program wrote, and the sentence that tells its fault, "" if it had none."""
    with line.open("rb") as samples:
        finished = subprocess.run(
            [*interpreter_command(), str(_PROGRAM), *arguments],
            env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
            stdin=samples,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    whole = finished.stdout[: finished.stdout.rfind("\n") + 1]
    if not finished.returncode:
        return whole, ""
    last_words = finished.stderr.strip().rpartition("\n")[2]
    return whole, f"the receivers of {arguments[0]} ended with {finished.returncode}: {last_words}".rstrip(
        ": "
    )
