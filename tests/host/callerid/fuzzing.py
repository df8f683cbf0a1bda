"""Runs the programs that fuzz caller ID in MicroPython, and reads what they tell."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from host_tools.rig.micropython import interpreter_command
from tests.host.callerid.reading import FIRMWARE_PATH, PROGRAMS

# What a garbage collector that looks for pointers on the stack may take for one; growth is more, and goes on.
MOST_GROWTH_BYTES = 2048


class FuzzFailed(Exception):
    """A parser or receiver did what it may not; the text has the case, and the seed to replay it by."""


@dataclass(frozen=True)
class Run:
    """A program's run.

    Attributes:
        report: its last line.
        never_sent: of each message that was reported and never sent, the case.
        cpu_s: what it took.
    """

    report: dict[str, Any]
    never_sent: list[dict[str, Any]]
    cpu_s: float

    @property
    def cases(self) -> int:
        """How many there were in all."""
        cases: int = self.report["cases"]
        return cases

    @property
    def growth_bytes(self) -> int:
        """The most memory that was in use at a checkpoint after the first, over that at the first."""
        growth: int = self.report["memory_highest"] - self.report["memory_before"]
        return growth


def fuzz_messages(cases: int, seed: int) -> Run:
    """Messages through the parsers and framers.

    Raises:
        FuzzFailed: by a case.
    """
    return _run("fuzz_messages.py", cases, seed)


def fuzz_bursts(cases: int, seed: int, first: int = 0) -> Run:
    """Bursts through the receivers, from the `first` case on.

    Raises:
        FuzzFailed: by a case.
    """
    return _run("fuzz_bursts.py", cases, seed, first)


def _run(program: str, cases: int, seed: int, first: int = 0) -> Run:
    before_s = os.times().children_user
    finished = subprocess.run(
        [*interpreter_command(), "-X", "heapsize=8M", str(PROGRAMS / program)],
        env={
            **FIRMWARE_PATH,
            "STAR57_FUZZ_CASES": str(cases),
            "STAR57_FUZZ_SEED": str(seed),
            "STAR57_FUZZ_FIRST": str(first),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise FuzzFailed(finished.stderr)
    *never_sent, report = [json.loads(line) for line in finished.stdout.splitlines()]
    return Run(report, never_sent, os.times().children_user - before_s)
