"""What the tests of the bench share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.host.technician.small_firmware import SmallFirmware


@pytest.fixture
def firmware(tmp_path: Path) -> SmallFirmware:
    return SmallFirmware(tmp_path / "firmware")
