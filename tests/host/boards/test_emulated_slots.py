"""Two firmware slots of the emulated board: a try comes back unless it is confirmed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from host_tools.exchange.pair import HOOK_EDGE, PairBlock
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.rig.micropython import ROOT

N = 160
FIRMWARE = b"star57 9.8.7\n" + bytes(range(256)) * 20
INSTALLED = "sha256 " + hashlib.sha256(FIRMWARE).hexdigest()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[MicroPythonFirmware]:
    slots = tmp_path / "slots"
    slots.mkdir()
    program = ROOT / "tests" / "firmware" / "programs" / "try_slot.py"
    board = MicroPythonFirmware(BoardSettings(flash=tmp_path, program=program, slots=slots))
    board.start()
    yield board
    board.stop()


def move_hook(board: MicroPythonFirmware, hook: int) -> None:
    samples = np.zeros(N, np.int16)
    board.exchange_block(PairBlock(N, samples, samples, [(0, HOOK_EDGE, hook)]))
    board.exchange_block(PairBlock(N, samples, samples, []))


def test_a_try_begins_in_the_other_slot_as_if_switched_on(board: MicroPythonFirmware) -> None:
    move_hook(board, hook=1)
    assert board.log.splitlines() == [
        "power_on a False False 0.1.0",
        INSTALLED,
        "power_on b True False 9.8.7",
    ]


def test_what_was_confirmed_stays(board: MicroPythonFirmware) -> None:
    move_hook(board, hook=1)
    move_hook(board, hook=0)
    board.power_cut()
    board.start()
    assert board.log.splitlines()[-1] == "power_on b False False 9.8.7"


def test_what_was_not_confirmed_comes_back_and_says_so(board: MicroPythonFirmware) -> None:
    move_hook(board, hook=1)
    for _ in range(2):
        board.power_cut()
        board.start()
        assert board.log.splitlines()[-1] == "power_on a False True 0.1.0"
    move_hook(board, hook=1)
    assert board.log.splitlines()[-1] == "power_on b True False 9.8.7"
