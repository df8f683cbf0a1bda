"""The self-test of a board: its measuring, its limits, and all of it on an emulated Pico with plug and cord."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.pico_firmware import pico_flash
from host_tools.rig.pico_on_usb import SERIAL_NUMBER, PicoOnUsb
from host_tools.technician.boards import Board, Kind
from host_tools.technician.faults import BoardRefuses
from host_tools.technician.ports import USB_FOLDER, usb_here
from host_tools.technician.prompt import Prompt
from host_tools.technician.self_test import (
    LIMITS,
    LOOP_DB,
    Limit,
    Row,
    level_dbm0,
    noise_dbm0,
    run,
    signal_to_rest_db,
)
from host_tools.technician.waiting import Patience, wait_until_well
from tests.host.rig.wired_on_ptys import needs_wired_picos

AT = np.arange(800)


def sine(hz: float, dbm0: float, phase: float = 0.3) -> Any:
    return 22748 * 10 ** (dbm0 / 20) * np.sin(2 * np.pi * hz / 8000 * AT + phase)


@pytest.mark.parametrize("hz", LOOP_DB)
@pytest.mark.parametrize("dbm0", [-9.0, -30.5])
def test_a_level_is_measured_whatever_the_phase_and_dc(hz: int, dbm0: float) -> None:
    for phase in (0.0, 1.0, 2.5):
        assert level_dbm0(sine(hz, dbm0, phase) + 200, hz) == pytest.approx(dbm0, abs=0.01)


def test_noise_is_measured_in_the_band() -> None:
    noise = np.random.default_rng(57).normal(0, 100, 80_000)
    # Of white noise of rms 100 the band of 3.2 kHz has four fifths.
    assert noise_dbm0(noise + 300) == pytest.approx(20 * np.log10(100 * np.sqrt(0.8) / 16085), abs=0.5)
    assert noise_dbm0(sine(1000, -40, 0)) == pytest.approx(-40, abs=0.01)
    assert noise_dbm0(sine(60, -20) - sine(60, -20).mean()) < -40


def test_what_is_beside_a_sine_is_measured() -> None:
    assert signal_to_rest_db(sine(1004, -9) + sine(2008, -39), 1004) == pytest.approx(30, abs=0.3)
    assert signal_to_rest_db(sine(1004, -9), 1004) > 60


def test_limits() -> None:
    assert Limit("a", "dB", "s", -1.0, 1.0).words == "-1 to 1"
    assert [Limit("a", "dB", "s", -1.0, 1.0).holds(value) for value in (-1.1, -1.0, 1.0, 1.1)] == [
        False,
        True,
        True,
        False,
    ]
    assert Limit("a", "dB", "s", high=-48.0).words == "at most -48"
    assert Limit("a", "dB", "s", low=30.0).words == "at least 30"
    assert Limit("a", "", "s", expected="yes").holds("yes")
    assert not Limit("a", "", "s", expected="yes").holds("no")
    names = [limit.name for limit in LIMITS]
    assert len(set(names)) == len(names)


@dataclass
class SelfTested:
    code: int
    document: dict[str, Any]
    record: list[dict[str, Any]]

    @property
    def failed(self) -> set[str]:
        return {row["name"] for row in self.document["rows"] if not row["passed"]}


def self_tested(folder: Path, monkeypatch: pytest.MonkeyPatch, **plugged_in: Any) -> SelfTested:
    """What `star57 selftest` says of a Pico with these things plugged in."""
    (folder / "usb").mkdir()
    monkeypatch.setenv(USB_FOLDER, str(folder / "usb"))
    with PicoOnUsb(pico_flash(IMAGE, {}), folder=folder / "usb", **plugged_in) as pico:
        wait_until_well(usb_here(), Board(SERIAL_NUMBER, "", Kind.SILENT), None, Patience(answer_s=30.0))
        ran = CliRunner().invoke(app, ["selftest", "--json", "--record", str(folder / "records")])
        assert (pico.relay, pico.fault) == (False, None)
    assert "error" not in json.loads(ran.stdout), ran.stderr
    record = (folder / "records" / f"{SERIAL_NUMBER}.jsonl").read_text().splitlines()
    return SelfTested(ran.exit_code, json.loads(ran.stdout), [json.loads(line) for line in record])


@needs_wired_picos
def test_a_board_with_plug_and_cord_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = self_tested(tmp_path, monkeypatch, loop_back=True, wires=[(8, 7), (10, 6)])
    assert (ran.failed, ran.code, ran.document["passed"]) == (set(), 0, True)
    assert ran.record == [ran.document]
    measured = {row["name"]: row["value"] for row in ran.document["rows"]}
    assert measured.keys() == {limit.name for limit in LIMITS}
    assert measured["line, 1004 Hz"] == pytest.approx(-0.3, abs=0.1)  # the emulated plug's gain
    assert measured["phone, DTMF"] == "0123456789*#ABCD"
    assert measured["caller ID"] == "5555550123"


class PromptInMemory:
    """A board that answers, or refuses, by what is asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    def run(self, program: str, _timeout_s: float = 0) -> str:
        for asked, answer in self._answers.items():
            if asked in program:
                if isinstance(answer, Exception):
                    raise answer
                return json.dumps(answer)
        return ""


def samples(values: Any) -> str:
    return b64encode(np.round(values).astype("<i2").tobytes()).decode()


def rows_of(**answers: Any) -> dict[str, Row]:
    """What is said of a board that is right but for these answers."""
    silence = samples(np.zeros(800))
    right = {
        "memory(": [200_000, 100_000],
        "flash(": [True, 60, 180_000],
        "tones(": [[samples(sine(hz, -9 + gain_db))] * 2 for hz, gain_db in LOOP_DB.items()]
        + [[silence] * 2],
        "digits(": ["0123456789*#ABCD"] * 2,
        "caller_id(": ["5555550123", {"level_dbm0": -13.5, "snr_db": 30.0, "twist_db": 0.1}],
        "close(": [0, 0],
        "bias(": [2048.0, 2048.0],
        "cord(": [[0, 1, 0], 40],
    }
    prompt = PromptInMemory({**right, **{f"{name}(": answer for name, answer in answers.items()}})
    return {row.limit.name: row for row in run(cast("Prompt", prompt))}


def failed(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if not row.passed}


def test_a_board_that_is_right_passes() -> None:
    assert failed(rows_of()) == set()


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        ({"memory": [200_000, 60_000]}, {"largest piece of heap"}),
        ({"flash": [False, 501, 180_000]}, {"flash read back", "flash, slowest 4 KB"}),
        ({"digits": ["0123456789*#ABCD", "0123456789*#ABC"]}, {"phone, DTMF"}),
        (
            {"caller_id": [None, None]},
            {"caller ID", "caller ID, level", "caller ID, SNR", "caller ID, twist"},
        ),
        (
            {"caller_id": ["5555550123", {"level_dbm0": -16, "snr_db": 12, "twist_db": 2}]},
            {"caller ID, level", "caller ID, SNR", "caller ID, twist"},
        ),
        ({"close": [3, 1]}, {"samples lost", "samples late"}),
        ({"bias": [1897.0, 2048.0]}, {"line, silence"}),
        ({"cord": [[0, 0, 0], 0]}, {"hook follows relay", "edges of 20 rings"}),
        ({"cord": [[0, 1, 1], 40]}, {"hook follows relay"}),
    ],
)
def test_what_is_out_of_its_limits_fails_and_nothing_else(answers: dict[str, Any], names: set[str]) -> None:
    assert failed(rows_of(**answers)) == names


def test_tones_that_do_not_come_back_fail() -> None:
    hiss = samples(np.random.default_rng(57).normal(0, 100, 800))
    names = failed(rows_of(tones=[[hiss] * 2] * (len(LOOP_DB) + 1)))
    assert names == {
        f"{side}, {what}"
        for side in ("line", "phone")
        for what in (*(f"{hz} Hz" for hz in LOOP_DB), "noise", "signal to all else")
    }


def test_a_board_without_room_for_its_audio_is_told_of_and_the_rest_is_measured() -> None:
    told = "MemoryError: memory allocation failed, allocating 25600 bytes"
    rows = rows_of(Audio=BoardRefuses(told))
    assert rows["line, 1004 Hz"].told == told
    assert {"line, noise", "phone, 3400 Hz"} <= failed(rows)
    assert rows["flash read back"].passed
    assert rows["hook follows relay"].passed


def test_what_a_board_cannot_do_is_told_and_the_rest_is_measured() -> None:
    rows = rows_of(digits=BoardRefuses("MemoryError: 32768 bytes"), tones=BoardRefuses("OSError: 5"))
    assert rows["line, DTMF"].told == "MemoryError: 32768 bytes"
    assert rows["phone, noise"].told == "OSError: 5"
    assert rows["caller ID"].passed
    assert len(failed(rows)) == 2 + 2 * (len(LOOP_DB) + 2)
