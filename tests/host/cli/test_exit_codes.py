"""The exit codes, as docs/exit_codes.md tells them."""

from __future__ import annotations

import re

from host_tools.cli.exit_codes import ExitCode
from host_tools.rig.micropython import ROOT


def test_the_documented_codes_are_those_of_the_command() -> None:
    text = (ROOT / "docs" / "exit_codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([a-z ]+) \|", text, re.MULTILINE)
    assert {int(code): name.replace(" ", "_").upper() for code, name in rows} == {
        int(code): code.name for code in ExitCode
    }
