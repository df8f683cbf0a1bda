"""`star57 provision` on emulated boards, by the real mpremote, with the real service behind it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.cli.provision import _DatabaseRegistrar
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.pico_firmware import pico_flash
from host_tools.rig.pico_flash import Files
from host_tools.rig.pico_on_usb import SERIAL_NUMBER, PicoOnUsb
from host_tools.service.adapters import Adapters
from host_tools.service.lines import Lines
from host_tools.service.store import run_once
from host_tools.technician.boards import Board, Kind
from host_tools.technician.ports import USB_FOLDER, usb_here
from host_tools.technician.registrar import NewAdapter, NotRegistered
from host_tools.technician.waiting import Patience, wait_until_well
from tests.host.rig.wired_on_ptys import needs_wired_picos

LINE = "5555550100"


@needs_wired_picos
def test_a_board_out_of_its_box_becomes_the_adapter_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(USB_FOLDER, str(tmp_path / "usb"))
    (tmp_path / "usb").mkdir()
    database = f"sqlite:///{tmp_path / 'service.sqlite'}"
    with PicoOnUsb(pico_flash(IMAGE, {}), folder=tmp_path / "usb") as pico:
        wait_until_well(usb_here(), Board(SERIAL_NUMBER, "", Kind.SILENT), None, Patience(answer_s=30.0))
        ran = CliRunner().invoke(
            app,
            [
                *("provision", "--line", LINE, "--country", "CA", "--set", "price_cents=300", "--json"),
                *("--database", database, "--record", str(tmp_path / "record.csv")),
                *("--labels", str(tmp_path / "labels.pdf")),
            ],
        )
        settings = json.loads(Files(bytearray(pico.flash())).read("settings.json") or b"")
        assert (pico.relay_moves, pico.fault) == (0, None)
    assert ran.exit_code == 0, ran.output
    (outcome,) = json.loads(ran.stdout)
    adapter_id = outcome["provisioned"]["adapter_id"]
    key = run_once(database, lambda connection: Adapters(connection).key(adapter_id))
    assert settings == {
        "adapter_id": adapter_id,
        "adapter_key": key.hex() if key else None,
        "line": LINE,
        "country": "CA",
        "price_cents": 300,
    }
    assert run_once(database, lambda connection: Lines(connection).of_adapter(adapter_id)) == [LINE]
    (row,) = csv.DictReader((tmp_path / "record.csv").read_text(encoding="utf-8").splitlines())
    assert (row["adapter_id"], row["line"], row["has_new_key"]) == (adapter_id, LINE, "True")
    assert adapter_id in PdfReader(tmp_path / "labels.pdf").pages[0].extract_text()
    told = ran.output + (tmp_path / "record.csv").read_text() + (tmp_path / "labels.pdf").read_bytes().hex()
    assert settings["adapter_key"] not in told


def test_without_a_board_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USB_FOLDER, str(tmp_path))
    ran = CliRunner().invoke(app, ["provision", "--line", LINE, "--json"])
    assert ran.exit_code == 3
    assert json.loads(ran.stdout)["error"].startswith("no board is plugged in; star57 doctor says")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--line", "555-0100"], "line is 1 to 15 digits, and nothing else"),
        (["--set", "colour=red"], "there is no setting 'colour'"),
        (["--set", "colour"], "a setting is NAME=VALUE"),
        (["--set", "adapter_key=5a"], "adapter_key would be seen"),
    ],
)
def test_what_makes_no_sense_is_said_before_any_board_is_looked_at(words: list[str], told: str) -> None:
    ran = CliRunner().invoke(app, ["provision", *words])
    assert ran.exit_code == 2
    assert told in ran.stderr


def test_a_database_that_takes_nothing_is_one_boards_fault_and_ends_no_batch(tmp_path: Path) -> None:
    registrar = _DatabaseRegistrar(f"sqlite:///{tmp_path / 'no folder' / 'service.sqlite'}")
    with pytest.raises(NotRegistered, match="does not take it"):
        registrar.register(NewAdapter("bench-01", bytes(32), LINE, replaces=False))


@pytest.mark.parametrize("option", ["--record", "--labels"])
def test_where_nothing_can_be_written_is_said_before_a_key_is_made(tmp_path: Path, option: str) -> None:
    ran = CliRunner().invoke(app, ["provision", "--line", LINE, option, str(tmp_path / "none" / "file")])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert f"there is no folder {tmp_path / 'none'}" in ran.stderr
