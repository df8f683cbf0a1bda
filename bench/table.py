"""What the bench measures, as rows of a table, and the table as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One measured line of a table.

    Attributes:
        name: what is measured.
        goal: what must hold.
        measured: of this project's receiver.
        holds: whether `measured` is within `goal`.
        peers: what others measured on the same audio, by the peer's name; those without the row are left out.
    """

    name: str
    goal: str
    measured: str
    holds: bool
    peers: Mapping[str, str] = field(default_factory=dict)


def heading(peers: Sequence[str] = ()) -> str:
    """The first two lines of a Markdown table, with a column for each of `peers`."""
    columns = ["Row", "Goal", "Star57" if peers else "Measured", *peers, "Holds"]
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"


def line(row: Row, peers: Sequence[str] = ()) -> str:
    """One row as a line of the Markdown table."""
    cells = [row.name, row.goal, row.measured, *(row.peers.get(peer, "-") for peer in peers)]
    return f"| {' | '.join(cells)} | {'yes' if row.holds else 'NO'} |\n"


def markdown(rows: Iterable[Row], peers: Sequence[str] = ()) -> str:
    """All rows as a Markdown table."""
    return heading(peers) + "".join(line(row, peers) for row in rows)
