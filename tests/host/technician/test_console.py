"""The console beside a board's link, by a pseudo terminal that says what a board would."""

from __future__ import annotations

import os
import re
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest
import serial

from host_tools.technician.console import Console
from host_tools.technician.faults import BoardGone, BoardRefuses, NoAnswer, PortBusy

FRAME = b"\n*57 q 414 3b8f5361 0 656 eyJhbGciOiJIUzI1NiJ9\n"
_MARK = re.compile(rb"'<'\+'(\w+)',\((.*)\)\)$")


class Board:
    """Echoes what is typed and answers each line by `answers`, with a frame of the link in the middle of it all."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = {b"0": b"0"} | answers
        self._own, self._other = os.openpty()
        tty.setraw(self._other)
        self.name = os.ttyname(self._other)
        self.typed: list[bytes] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Board:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Nobody has the other end open any more: reading ends.
        os.close(self._other)
        self._thread.join()
        os.close(self._own)

    def _lines(self) -> Iterator[bytes]:
        line = b""
        while True:
            try:
                data = os.read(self._own, 1)
            except OSError:
                return
            if data == b"\r":
                yield line
                line = b""
            else:
                line += data
                os.write(self._own, data)

    def _run(self) -> None:
        for line in self._lines():
            found = _MARK.search(line)
            if found is None:
                continue
            self.typed.append(found[2])
            os.write(self._own, FRAME + b"board.log\n")
            answer = self._answers.get(found[2])
            if answer is None:
                continue
            if answer.startswith(b"Traceback"):
                os.write(self._own, b"\r\n" + answer)
            else:
                os.write(self._own, b"\r\n('<" + found[1] + b"', " + answer + b")\r\n" + FRAME)


def test_a_value_is_read_from_between_frames_and_log() -> None:
    with Board({b"board.version": b"'0.1.0'"}) as board, Console(board.name) as console:
        assert console.ask("board.version") == "0.1.0"
        assert console.ask("board.version") == "0.1.0"
    # In step first, and once only.
    assert board.typed == [b"0", b"board.version", b"board.version"]


def test_what_it_raises_is_told_by_its_last_line() -> None:
    told = b"Traceback (most recent call last):\r\n  File \"<string>\"\r\nNameError: name 'bench' isn't defined\r\n"
    with (
        Board({b"bench.status()": told}) as board,
        Console(board.name) as console,
        pytest.raises(BoardRefuses, match="NameError: name 'bench' isn't defined"),
    ):
        console.ask("bench.status()")


def test_nobody_answers() -> None:
    with Board({}) as board, Console(board.name, timeout_s=0.2) as console, pytest.raises(NoAnswer):
        console.ask("board.version")


def test_an_answer_that_is_no_literal_is_none() -> None:
    with (
        Board({b"board": b"<Board>"}) as board,
        Console(board.name) as console,
        pytest.raises(NoAnswer, match="cannot be read"),
    ):
        console.ask("board")


def test_a_port_of_another_program_is_busy() -> None:
    with Board({}) as board, serial.Serial(board.name, exclusive=True), pytest.raises(PortBusy):
        Console(board.name)


def test_a_port_that_is_gone_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(BoardGone):
        Console(str(tmp_path / "gone"))


def test_a_question_that_the_console_would_cut_off_is_not_asked() -> None:
    with (
        Board({}) as board,
        Console(board.name) as console,
        pytest.raises(ValueError, match="160 characters"),
    ):
        console.ask("0" * 160)
