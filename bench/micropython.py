"""Runs the programs of bench/firmware, which put samples through the firmware's receivers, in MicroPython.

`STAR57_FIRMWARE` names another folder than this project's `firmware`, so that two of them can be compared.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from host_tools.rig.micropython import interpreter_command

Pcm = npt.NDArray[np.int16]
"""8 kHz signed 16-bit samples."""

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "bench" / "firmware"
FIRMWARE = ROOT / "firmware"


def run(program: str, samples: Pcm, *arguments: object) -> list[str]:
    """What a program of bench/firmware prints when it is given the samples on its standard input.

    Args:
        program: its file name.
        samples: 8 kHz.
        arguments: of the program, each as its text.

    Returns:
        The lines that it wrote.

    Raises:
        host_tools.rig.micropython.InterpreterMissing: no MicroPython is here.
        subprocess.CalledProcessError: the program failed; what it said is on standard error.
    """
    finished = subprocess.run(
        [*interpreter_command(), str(PROGRAMS / program), *map(str, arguments)],
        input=samples.astype("<i2").tobytes(),
        stdout=subprocess.PIPE,
        env={**os.environ, "MICROPYPATH": f"{os.environ.get('STAR57_FIRMWARE', FIRMWARE)}:.frozen"},
        check=True,
    )
    return finished.stdout.decode().splitlines()


def run_each(program: str, recordings: Iterable[Pcm], *arguments: object) -> list[list[str]]:
    """As `run`, for each of the recordings, in their order; as many at a time as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda samples: run(program, samples, *arguments), recordings))
