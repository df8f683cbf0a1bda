"""Word numbers of the call-progress receiver that modules copy from each other: const() folds only those of its own."""

from __future__ import annotations

import ast

import pytest

from host_tools.rig.micropython import ROOT
from tests.host.rig.test_viper_literals import constants_of

# Whose number it is, and who copies it.
COPIES = {
    "_CELLS": ("ear", ("low_ear", "progress")),
    "_RUN": ("ear", ("low_ear",)),
    "_ALARM": ("ear", ("low_ear",)),
    "_BLOCK": ("ear", ("lines", "progress")),
    "_SUMS": ("ear", ("lines", "progress")),
    "_TOTALS": ("ear", ("low_ear", "high_ear")),
    "_POWER": ("ear", ("high_ear",)),
    "_SAMPLES": ("lines", ("progress",)),
    "_HALF_SAMPLES": ("high_ear", ("progress",)),
}


def constants(module: str) -> dict[str, int]:
    return constants_of(ast.parse((ROOT / "firmware/star57/dsp" / f"{module}.py").read_text()))


@pytest.mark.parametrize("name", COPIES)
def test_a_copied_number_is_that_of_its_owner(name: str) -> None:
    owner, copies = COPIES[name]
    number = constants(owner)[name]
    assert {module: constants(module)[name] for module in copies} == dict.fromkeys(copies, number)


def test_words_of_one_ear_begin_behind_those_of_both() -> None:
    behind = constants("ear")["_POWER"] + 1
    assert constants("low_ear")["_LOOKED"] == behind
    assert constants("high_ear")["_TONE"] == behind


def test_words_of_the_front_end_fill_those_of_the_high_ear() -> None:
    high = constants("high_ear")
    front = constants("progress")
    assert front["_FRONT"] == high["EXPECTS_HOWLER"] + 1
    assert front["_LOST"] == front["_FRONT"] + front["_WAITING"] + 1
    assert front["_KEPT"] == front["_LOST"] + 1 == high["_WORDS"] - 1
