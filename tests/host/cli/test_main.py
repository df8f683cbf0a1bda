"""The table of verbs: each is there, says what it does, and costs nothing until it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import VERBS, app, loaded

_IMPORTED = """
import sys
from host_tools.cli.main import app
try:
    app(["--help"])
except SystemExit:
    print(sorted(name for name in sys.modules if name.startswith("host_tools.cli.")))
"""


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_has_help_of_its_own(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert f" {name} " in shown.output


@pytest.mark.parametrize("name", VERBS)
def test_the_line_in_the_list_says_something(name: str) -> None:
    assert 10 < len(VERBS[name].line) < 70
    assert VERBS[name].line.endswith(".")
    assert loaded(name).name == name


def test_the_list_of_verbs_imports_none_of_them() -> None:
    ran = subprocess.run([sys.executable, "-c", _IMPORTED], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "['host_tools.cli.main']"
    assert all(name in ran.stdout for name in VERBS)


def test_a_verb_that_is_none_is_wrong_usage() -> None:
    assert CliRunner().invoke(app, ["nonsense"]).exit_code == 2
