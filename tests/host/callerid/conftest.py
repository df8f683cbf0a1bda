"""The reader that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.host.callerid.reading import MessageReader


@pytest.fixture(scope="session")
def reader() -> Iterator[MessageReader]:
    with MessageReader() as process:
        yield process
