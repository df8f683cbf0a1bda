"""A store with the audit log, on each database, and a time-stamping authority."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from host_tools.service.audit import triggers
from host_tools.service.audit.time_stamp import TimeStampAuthority
from host_tools.service.store import Store
from tests.host.service.audit.authority import Authority


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store without a row."""
    store = Store(database_url)
    await store.prepare()
    await store.together(triggers.install)
    yield store
    await store.close()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """An authority that answers."""
    authority = Authority(tmp_path / "authority")
    yield authority
    authority.stop()


@pytest.fixture
def client(authority: Authority) -> TimeStampAuthority:
    """The service's side of the authority."""
    return TimeStampAuthority(authority.url, authority.root.read_bytes())
