"""A unit of systemd, checked by systemd itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def check_unit(unit: Path, folder: Path) -> None:
    """Whether systemd takes the unit; skips the test where there is none.

    Args:
        unit: its file; the command in it need not be installed.
        folder: for a copy of it.
    """
    systemd_analyze = shutil.which("systemd-analyze")
    if systemd_analyze is None:
        pytest.skip("systemd-analyze is not here")
    here = folder / unit.name
    here.write_text(unit.read_text().replace("/opt/star57/bin/star57", sys.executable))
    run = subprocess.run(
        [systemd_analyze, "verify", "--man=no", str(here)], capture_output=True, text=True, check=False
    )
    assert unit.name not in run.stderr
    assert run.returncode == 0
