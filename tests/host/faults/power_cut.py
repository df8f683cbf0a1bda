"""Power cuts: a whole adapter in MicroPython, cut at its writes to flash, and the real trace service."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from host_tools.rig.micropython import ROOT, interpreter_command
from host_tools.stories.trace_service import TraceService
from tests.host.faults.accepted import accepted
from tests.host.faults.tally import Tally

_PROGRAM = ROOT / "tests" / "firmware" / "programs" / "cut_power.py"
_PATH = [ROOT / "firmware", ROOT / "boards" / "emulated"]
_STORED = {"traced", "not_traceable", "already_traced", "stored"}
"""Outcomes that a household is told only of a request that was kept."""


class Broken(AssertionError):
    """The adapter or its flash did what must not be; the text says what."""


def cut_power(seed: int, cuts: int, service: TraceService, folder: Path, *, sweep: bool = False) -> Tally:
    """Lets an adapter live through so many cuts, and compares what its household was told with what is accepted.

    Args:
        folder: for what it tells.
        sweep: from write to write, and not drawn.

    Raises:
        Broken: the adapter ended, a record was neither old nor new, or requests wait though the service is there.
    """
    adapter_id = f"cut-{seed}"
    wanted = {
        "seed": seed,
        "cuts": cuts,
        "sweep": sweep,
        "port": service.port,
        "adapter_id": adapter_id,
        "key": service.add_adapter(adapter_id),
    }
    facts_file = folder / f"{adapter_id}.jsonl"
    told = subprocess.run(
        [
            *(*interpreter_command(), "-X", "heapsize=16M", str(_PROGRAM)),
            *(str(facts_file), json.dumps(wanted)),
        ],
        env={"MICROPYPATH": ":".join([*map(str, _PATH), ".frozen"])},
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise Broken(told.stderr)
    facts = [json.loads(line) for line in facts_file.read_text().splitlines()]
    faults = [fact["fault"] for fact in facts if "fault" in fact]
    waiting = facts[-1].get("end")
    if faults or waiting != 0:
        raise Broken(f"seed {seed}: {waiting} requests wait; {faults[:3]}\n{told.stderr[-2000:]}")
    return _tally(seed, facts, [row["call_id"] for row in accepted(service.database, adapter_id)])


def _tally(seed: int, facts: list[dict[str, Any]], traced_calls: Iterable[str]) -> Tally:
    promised = {fact["of"] for fact in facts if fact.get("told") in _STORED}
    order = [fact["call"] for fact in facts if "call" in fact]
    traced_calls = list(traced_calls)
    if [order.index(call) for call in traced_calls] != sorted(order.index(call) for call in traced_calls):
        raise Broken(f"seed {seed}: not in the order dialled")
    times = Counter(traced_calls)
    outcomes = Counter(fact["told"] for fact in facts if "told" in fact)
    cuts = [fact for fact in facts if "cut" in fact]
    return Tally(
        fault="power cut at a write to flash",
        faults=len(cuts),
        messages=len(promised),
        lost=len(promised - set(times)),
        twice=sum(count - 1 for count in times.values()),
        wrong=len(set(times) - set(order)),
        more={
            "cuts in the middle of a write": sum(cut["torn"] for cut in cuts),
            "calls": len(order),
            "accepted": len(times),
            **{f"told {outcome}": count for outcome, count in sorted(outcomes.items())},
        },
    )
