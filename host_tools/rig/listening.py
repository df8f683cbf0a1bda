"""Runs the firmware's own receivers over recorded audio, in MicroPython, as fast as they go."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from host_tools.rig.micropython import ROOT, interpreter_command

SAMPLE_RATE_HZ = 8000
STANDARDS = ("bell_202", "v23")


class RecordingUnreadable(Exception):
    """The file is not audio that can be read; the text says why."""


def read_audio(path: Path, channel: int = 0) -> npt.NDArray[np.int16]:
    """Reads a recording of any rate and width as 8 kHz signed 16-bit samples.

    Args:
        path: a WAV file, or anything else that libsndfile reads.
        channel: which channel, from 0.

    Raises:
        RecordingUnreadable: no such file, no audio, or no such channel.
    """
    try:
        samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as fault:
        raise RecordingUnreadable(f"{path}: {fault}") from fault
    if not 0 <= channel < samples.shape[1]:
        raise RecordingUnreadable(f"{path}: has {samples.shape[1]} channels, no channel {channel}")
    mono = samples[:, channel]
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ)
    whole: npt.NDArray[np.int16] = np.clip(np.round(mono * 32768), -32768, 32767).astype(np.int16)
    return whole


def listen(samples: npt.NDArray[np.int16], standard: str) -> Iterator[dict[str, Any]]:
    """What the firmware's receivers make of the samples, in the order in which they knew it.

    Args:
        samples: 8 kHz.
        standard: one of STANDARDS, the FSK caller ID that is expected.

    Yields:
        A fact with its `event`, and `at`, the second of the recording at which it was known.
    """
    finished = subprocess.run(
        [*interpreter_command(), str(ROOT / "boards" / "emulated" / "listen.py"), standard],
        env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        input=samples.astype("<i2").tobytes(),
        stdout=subprocess.PIPE,
        check=True,
    )
    for line in finished.stdout.splitlines():
        yield json.loads(line)
