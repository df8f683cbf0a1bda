"""Where sources and images are looked for."""

from __future__ import annotations

from host_tools.rig.micropython import ROOT
from host_tools.technician.repository import repository


def test_the_program_that_runs_in_a_repository_takes_that() -> None:
    assert repository() == ROOT
    assert (repository() / "firmware" / "main.py").is_file()
