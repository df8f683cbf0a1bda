"""`star57 adapter list`: which adapters are known, and how they are."""

from __future__ import annotations

import time

from rich.table import Table
from rich.text import Text

from host_tools.cli.adapter.database import work_on
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption
from host_tools.service.adapter_health import adapter_health
from host_tools.service.adapters import Adapter, Adapters

_NAMES = ("adapter_id", "last_heard", "firmware", "health")


def list_adapters(database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """List the adapters: when each was last heard, its firmware, its health."""
    adapters = work_on(database, lambda connection: Adapters(connection).all())
    table = Table("adapter", "last heard", "firmware", "health", box=None)
    now = int(time.time())
    rows = [row(adapter, now) for adapter in adapters]
    for cells in rows:
        table.add_row(*(Text(cell) for cell in cells))
    answer([dict(zip(_NAMES, cells, strict=True)) for cells in rows], table, as_json=json)


def row(adapter: Adapter, now: int) -> tuple[str, str, str, str]:
    """Id, last heard, firmware and health of an adapter, in words; `now` in Unix seconds."""
    health = adapter_health(adapter.heartbeat, adapter.heard_at, now)
    return adapter.adapter_id, health.last_heard, health.firmware, health.words
