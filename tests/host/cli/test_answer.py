"""How verbs answer: a document for programs, words for people, and one sentence when they are hindered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from rich.table import Table
from typer.testing import CliRunner

from host_tools.cli.answer import JsonOption, answer, progress, several_bars, stopped
from host_tools.cli.exit_codes import ExitCode


class Board(BaseModel):
    port: str
    folder: Path


@dataclass
class Level:
    dbm0: float


def run(*words: str, text: Any = "one board", document: Any = None) -> Any:
    app = typer.Typer()

    @app.command()
    def verb(*, json: JsonOption = False, fails: bool = False) -> None:
        if fails:
            raise stopped(ExitCode.NOTHING_THERE, "no board is plugged in")
        answer(document, text, as_json=json)

    return CliRunner().invoke(app, list(words))


def test_people_get_the_text() -> None:
    assert run().stdout == "one board\n"


def test_people_get_a_table() -> None:
    table = Table("port")
    table.add_row("ttyACM0")
    assert "ttyACM0" in run(text=table).stdout


@pytest.mark.parametrize(
    ("document", "printed"),
    [
        (Board(port="ttyACM0", folder=Path("/dev")), {"port": "ttyACM0", "folder": "/dev"}),
        ([Level(-9.5)], [{"dbm0": -9.5}]),
        ({"name": "café"}, {"name": "café"}),
    ],
)
def test_programs_get_one_document(document: Any, printed: Any) -> None:
    shown = run("--json", document=document)
    assert json.loads(shown.stdout) == printed
    assert "\\u" not in shown.stdout


def test_what_hinders_is_said_on_stderr() -> None:
    shown = run("--fails")
    assert (shown.exit_code, shown.stdout) == (3, "")
    assert shown.stderr == "star57: no board is plugged in\n"


def test_what_hinders_is_a_document_too() -> None:
    shown = run("--fails", "--json")
    assert shown.exit_code == 3
    assert json.loads(shown.stdout) == {"error": "no board is plugged in", "exit_code": 3}


def test_json_of_one_call_is_not_that_of_the_next() -> None:
    run("--json", "--fails")
    assert run("--fails").stdout == ""


def test_no_bar_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("flashing", 10, as_json=False) as bar:
        bar.advance(10)
    with several_bars(as_json=True) as bars:
        assert bars.disable
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
