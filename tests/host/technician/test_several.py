"""Several boards at once."""

from __future__ import annotations

import threading

import pytest

from host_tools.technician.boards import Board, Kind
from host_tools.technician.faults import BoardGone
from host_tools.technician.several import Outcome, for_each

BOARDS = [Board(f"E{number}", f"/dev/ttyACM{number}", Kind.STAR57) for number in range(4)]


def test_all_are_at_work_at_the_same_time() -> None:
    together = threading.Barrier(len(BOARDS), timeout=20)
    done = for_each(BOARDS, lambda board: (together.wait(), board.serial_number)[1])
    assert done == [Outcome(board, board.serial_number, None) for board in BOARDS]


def test_one_that_fails_is_told_and_the_others_go_on() -> None:
    gone = BoardGone("E2 was pulled out")

    def do(board: Board) -> str:
        if board.serial_number == "E2":
            raise gone
        return "done"

    assert [(outcome.done, outcome.fault) for outcome in for_each(BOARDS, do, at_once=1)] == [
        ("done", None),
        ("done", None),
        (None, gone),
        ("done", None),
    ]


def test_a_mistake_of_the_program_is_no_boards_fault() -> None:
    with pytest.raises(ZeroDivisionError):
        for_each(BOARDS, lambda _board: 1 / 0)


def test_what_is_interrupted_begins_nothing_more() -> None:
    begun = []

    def do(board: Board) -> None:
        begun.append(board.serial_number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        for_each(BOARDS * 50, do, at_once=1)
    assert len(begun) < len(BOARDS) * 50
