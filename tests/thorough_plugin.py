"""Rows that `--thorough` (`make test THOROUGH=yes`, as .ci/run does) adds to those that a test always runs.

    @pytest.mark.parametrize("screen", [PHONE, thorough(DESKTOP)])     the second only with --thorough
    def test_it(is_thorough: bool) -> None: ...                        for what a test goes through by itself

What is left out without it proves no more than its neighbours do: a row between two others, another screen; or it takes
an emulated Pico half a minute, as every one of its stories does, and what it is about changes with the boards alone.
"""

from __future__ import annotations

from typing import Any

import pytest


def thorough(*values: Any) -> Any:
    """The values of a row that only --thorough runs."""
    return pytest.param(*values, marks=pytest.mark.thorough)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --thorough."""
    parser.addoption("--thorough", action="store_true", help="every row of every table, every screen")


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", "thorough: runs with --thorough alone, as .ci/run does")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what only --thorough runs."""
    if config.getoption("--thorough"):
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("thorough")]


@pytest.fixture
def is_thorough(pytestconfig: pytest.Config) -> bool:
    """Whether this run leaves nothing out."""
    return bool(pytestconfig.getoption("--thorough"))
