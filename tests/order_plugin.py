"""The files that take longest go first: with `--no-loadscope-reorder`, no core waits for another at the end.

Without that option pytest-xdist begins with the files that have the most tests, and those take the least time each.
"""

from __future__ import annotations

import pytest

_LONGEST_FIRST = (
    "tests/host/stories/test_on_a_pico.py",
    "tests/host/stories/test_performance.py",
    "tests/host/service/test_command.py",
    "tests/host/service/test_replicas.py",
    "tests/host/stories/test_update.py",
    "tests/host/stories/test_bad_input.py",
    "tests/host/stories/test_on_the_line.py",
    "tests/host/service/console/test_sign_in_by_keyboard.py",
    "tests/host/service/test_openapi.py",
    "tests/host/stories/test_fail_safe.py",
    "tests/host/technician/test_on_a_pico.py",
    "tests/host/stories/test_codes.py",
    "tests/host/faults/test_clock.py",
    "tests/host/service/console/test_bad_input.py",
    "tests/host/stories/test_on_a_board.py",
    "tests/host/faults/test_service_faults.py",
    "tests/host/boards/slots/test_slots_on_a_pico.py",
    "tests/host/technician/test_bench_on_pico.py",
    "tests/host/faults/test_network_faults.py",
    "tests/host/rig/test_board_on_line.py",
)
"""Those of more than ten seconds of a core, the dearest first."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts them first; the tests of a file stay in their order."""
    ranks = {config.rootpath / file: rank for rank, file in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))
