"""What a load of many adapters came to: what they tell held against the service's store, and docs/load.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CARRIERS = ("serial", "network")

_ANSWER = ("outcome", "trace_id", "charge_cents")


@dataclass(frozen=True)
class Fact:
    """What an adapter tells of itself.

    Attributes:
        carrier: one of CARRIERS.
        answer: to its trace request; None when none came.
        took_ms: from the request in its outbox to the answer there.
        heartbeats: that were answered.
        refusals: that it got, and answers that were none.
        faults: of its courier.
    """

    adapter_id: str
    carrier: str
    request_id: str
    answer: Mapping[str, Any] | None
    took_ms: float
    heartbeats: int
    refusals: int
    faults: int


@dataclass(frozen=True)
class Kept:
    """What the service keeps.

    Attributes:
        traces: rows of the table of traces.
        asked: by adapter id, how many sequence numbers the adapter has used up to the newest that was taken.
        beats: ids of the adapters whose last heartbeat is there.
    """

    traces: Sequence[Mapping[str, Any]]
    asked: Mapping[str, int]
    beats: frozenset[str]


@dataclass(frozen=True)
class Counts:
    """The one held against the other.

    Attributes:
        adapters: how many there were.
        heartbeats: that were answered.
        unheard: adapters of which the service has no heartbeat.
        accepted: requests that an adapter made and the service keeps.
        answered: requests whose answer came back, and is what the service keeps.
        lost: requests that the service does not have.
        twice: requests that it has more than once, by the call that they are to trace.
        wrong: requests that nobody made, and answers believed that the service had not given.
        unanswered: asks that have used a number, and no answer came: they were sent again, or the end came first.
        refusals: that adapters got.
        faults: of couriers.
    """

    adapters: int
    heartbeats: int
    unheard: int
    accepted: int
    answered: int
    lost: int
    twice: int
    wrong: int
    unanswered: int
    refusals: int
    faults: int

    @property
    def holds(self) -> bool:
        """Whether all was accepted once, and answered right."""
        is_whole = self.accepted == self.answered == self.adapters
        return is_whole and not (self.unheard or self.lost or self.twice or self.wrong or self.faults)


def counted(facts: Sequence[Fact], kept: Kept) -> Counts:
    """What adapters tell, held against what the service keeps."""
    rows = {row["request_id"]: row for row in kept.traces}
    asked = {fact.request_id: fact for fact in facts}
    calls = Counter((row["line"], row["call_id"]) for row in kept.traces)
    answers = [(fact, rows.get(fact.request_id)) for fact in facts if fact.answer is not None]
    right = sum(row is not None and _is_answer_of(fact, row) for fact, row in answers)
    return Counts(
        adapters=len(facts),
        heartbeats=sum(fact.heartbeats for fact in facts),
        unheard=sum(fact.adapter_id not in kept.beats for fact in facts),
        accepted=len(asked.keys() & rows.keys()),
        answered=right,
        lost=len(asked.keys() - rows.keys()),
        twice=sum(count - 1 for count in calls.values()),
        wrong=len(rows.keys() - asked.keys()) + len(answers) - right,
        unanswered=sum(
            kept.asked.get(fact.adapter_id, 0) - fact.heartbeats - (fact.answer is not None) for fact in facts
        ),
        refusals=sum(fact.refusals for fact in facts),
        faults=sum(fact.faults for fact in facts),
    )


def _is_answer_of(fact: Fact, row: Mapping[str, Any]) -> bool:
    answer = fact.answer or {}
    return row["adapter_id"] == fact.adapter_id and all(answer[name] == row[name] for name in _ANSWER)


@dataclass(frozen=True)
class Use:
    """What a process used.

    Attributes:
        beating_cpu_s: of processor, in a period with heartbeats only.
        burst_cpu_s: in a period that begins with the burst.
        peak_bytes: of memory, the most at any time.
    """

    beating_cpu_s: float
    burst_cpu_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Load:
    """A load and what came of it.

    Attributes:
        seed: of all moments.
        cores: of the machine that all of it ran on.
        processes: that the adapters ran in.
        period_s: between two heartbeats of an adapter; the burst began after one, and it ended after two.
        burst_s: the time in which each adapter traced a call.
        adapters_cpu_s: of all processes of adapters, from beginning to end.
    """

    seed: int
    cores: int
    processes: int
    period_s: float
    burst_s: float
    facts: Sequence[Fact]
    counts: Counts
    gateway: Use
    service: Use
    adapters_cpu_s: float

    def took_ms(self, carrier: str | None = None) -> Times:
        """The answer times over a carrier, or all."""
        return times(
            fact.took_ms for fact in self.facts if fact.answer is not None and carrier in (None, fact.carrier)
        )


@dataclass(frozen=True)
class Times:
    """Answer times, in milliseconds; NaN when there were none."""

    count: int
    median_ms: float
    percentile_99_ms: float
    longest_ms: float


def times(took_ms: Iterable[float]) -> Times:
    """Median, 99th percentile and maximum."""
    taken = list(took_ms)
    if not taken:
        return Times(0, *[float("nan")] * 3)
    median, most, longest = np.percentile(taken, (50, 99, 100))
    return Times(len(taken), float(median), float(most), float(longest))


_PAGE = """# Load

Written by `python -m bench.link_load`, seed {seed}: {adapters:,} adapters on one host with one gateway and one trace
service. An adapter is the firmware's own link in MicroPython: outbox, courier, heartbeat, signer and carrier, with its
flash in memory. Half of them speak over a pseudo terminal each with the one `star57 gateway`, half over a TCP
connection each with the one `star57 service`, which has its SQLite store, and the exchange's call records to look in.

Each has a heartbeat every {period_s:g} s, at moments of its own. After {period_s:g} s, within {burst_s:g} s, each
traces a call. All of it shares {cores} cores; the adapters, in {processes} processes, have what gateway and service
leave of them.

| | |
| --- | ---: |
{counts}
What was accepted is counted in the service's store: its traces, and the newest sequence number of each adapter.

## Answer times

From the moment that a request is in an adapter's outbox to the moment that its answer is there.

| carrier | traces | median | 99th percentile | maximum |
| --- | ---: | ---: | ---: | ---: |
{times}
## What it takes

| process | processor, {period_s:g} s of heartbeats | processor, {period_s:g} s with the burst | memory, at most |
| --- | ---: | ---: | ---: |
{uses}
The adapters themselves took {adapters_cpu_s:.1f} s of processor.
"""


def page(load: Load) -> str:
    """docs/load.md."""
    return _PAGE.format(
        seed=load.seed,
        adapters=load.counts.adapters,
        period_s=load.period_s,
        burst_s=load.burst_s,
        processes=load.processes,
        cores=load.cores,
        counts=_counts(load.counts),
        times="".join(_times(carrier, load.took_ms(carrier)) for carrier in CARRIERS)
        + _times("both", load.took_ms()),
        uses=_use("gateway", load.gateway) + _use("service", load.service),
        adapters_cpu_s=load.adapters_cpu_s,
    )


def _counts(counts: Counts) -> str:
    rows = {
        "adapters": counts.adapters,
        "heartbeats answered": counts.heartbeats,
        "adapters of which the service has no heartbeat": counts.unheard,
        "traces accepted": counts.accepted,
        "traces answered, as the service keeps them": counts.answered,
        "lost": counts.lost,
        "twice": counts.twice,
        "wrong": counts.wrong,
        "asks without an answer: sent again, or under way at the end": counts.unanswered,
        "refusals": counts.refusals,
    }
    return "".join(f"| {name} | {count:,} |\n" for name, count in rows.items())


def _times(name: str, taken: Times) -> str:
    cells = f"{taken.median_ms:,.0f} ms | {taken.percentile_99_ms:,.0f} ms | {taken.longest_ms:,.0f} ms"
    return f"| {name} | {taken.count:,} | {cells} |\n"


def _use(name: str, use: Use) -> str:
    cells = f"{use.beating_cpu_s:.1f} s | {use.burst_cpu_s:.1f} s | {use.peak_bytes / 2**20:.0f} MB"
    return f"| {name} | {cells} |\n"
