"""Does something to several boards at once; one that fails does not hold up the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from host_tools.technician.boards import Board
from host_tools.technician.faults import BenchFault

MOST_AT_ONCE = 16
"""A USB host's bandwidth, and this computer's processors, are shared by them all."""

_Done = TypeVar("_Done")


@dataclass(frozen=True)
class Outcome(Generic[_Done]):
    """What became of one board: what was done, or what hindered it."""

    board: Board
    done: _Done | None
    fault: BenchFault | None


def for_each(
    boards: Sequence[Board], do: Callable[[Board], _Done], at_once: int = MOST_AT_ONCE
) -> list[Outcome[_Done]]:
    """Calls `do` with each board, in threads; answers in the order of `boards`.

    When it is interrupted, what has been begun is ended, and nothing more is begun.
    """

    def outcome(board: Board) -> Outcome[_Done]:
        try:
            return Outcome(board, do(board), None)
        except BenchFault as fault:
            return Outcome(board, None, fault)

    with ThreadPoolExecutor(at_once) as pool:
        try:
            return list(pool.map(outcome, boards))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
