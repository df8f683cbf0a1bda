"""Options that choose what the stories run on: `--hil` the emulated Pico in full, `--board` and `--line` real boards.

    pytest --board=/dev/ttyACM0 --line=/dev/ttyACM1 tests/host/stories/test_on_a_board.py

`--board` is the USB port of a board with the firmware, `--line` that of a line emulator that is wired to it
(boards/pico/WIRING.md, "Two boards").
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("star57")
    group.addoption("--hil", action="store_true", help="every story on the emulated Pico, too")
    group.addoption("--board", metavar="PORT", help="a real board's USB port")
    group.addoption("--line", metavar="PORT", help="the USB port of the line emulator that is wired to it")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hil: long, on the emulated Pico; runs with --hil")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--hil"):
        return
    left_out = pytest.mark.skip(reason="long: make hil")
    for item in items:
        if item.get_closest_marker("hil"):
            item.add_marker(left_out)
