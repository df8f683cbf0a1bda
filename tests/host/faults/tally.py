"""What a fault did to the messages between household and service: counted, never judged by eye."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tally:
    """One row of docs/faults.md.

    Attributes:
        fault: which, and how it was made.
        faults: how many: cuts, wrong frames, broken connections.
        messages: that should have arrived.
        lost: of them never accepted by the service.
        twice: accepted more than once.
        wrong: accepted and never sent; or an answer believed that the service had not given.
        samples_lost: of the line, by the receivers.
        more: what else was counted, by name.
    """

    fault: str
    faults: int
    messages: int
    lost: int
    twice: int
    wrong: int
    samples_lost: int = 0
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, nothing came twice, and nothing wrong was believed."""
        return not (self.lost or self.twice or self.wrong or self.samples_lost)


def added(one: Tally, other: Tally) -> Tally:
    """Two runs of a row, together; what else was counted is added where it is a number of both."""
    more: dict[str, object] = dict(one.more)
    for name, value in other.more.items():
        before = more.get(name, 0)
        more[name] = before + value if isinstance(before, int) and isinstance(value, int) else value
    return Tally(
        one.fault,
        one.faults + other.faults,
        one.messages + other.messages,
        one.lost + other.lost,
        one.twice + other.twice,
        one.wrong + other.wrong,
        one.samples_lost + other.samples_lost,
        more,
    )


def table(tallies: Iterable[Tally]) -> str:
    """The tallies as a table in Markdown."""
    lines = [
        "| fault | faults | messages | lost | twice | wrong | samples lost | and |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for tally in tallies:
        more = ", ".join(
            f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
            for name, value in tally.more.items()
        )
        counts = (tally.faults, tally.messages, tally.lost, tally.twice, tally.wrong, tally.samples_lost)
        lines.append(f"| {tally.fault} | {' | '.join(f'{count:,}' for count in counts)} | {more} |")
    return "\n".join(lines) + "\n"
