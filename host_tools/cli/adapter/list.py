"""`star57 adapter list`: which adapters are known, and how they are."""

from __future__ import annotations

import time

from rich.console import Console
from rich.table import Table
from rich.text import Text

from host_tools.cli.adapter.database import DATABASE, DatabaseOption, opened
from host_tools.service.messages import Heartbeat
from host_tools.service.records import Adapter

SILENT_AFTER_S = 150
"""Two heartbeats and a half: one that was lost worries nobody."""
LATE_MS = 60
"""Longer between two blocks of 20 ms, and the audio in between may have been lost."""


def list_adapters(database: DatabaseOption = DATABASE) -> None:
    """List the adapters: when each was last heard, its firmware, its health."""
    with opened(database) as records, records.reading() as ledger:
        adapters = ledger.adapters()
    table = Table("adapter", "last heard", "firmware", "health", box=None)
    now = int(time.time())
    for adapter in adapters:
        table.add_row(*(Text(cell) for cell in row(adapter, now)))
    Console().print(table)


def row(adapter: Adapter, now: int) -> tuple[str, str, str, str]:
    """Id, last heard, firmware and health of an adapter, in words; `now` in Unix seconds."""
    if adapter.heartbeat is None or adapter.heard_at is None:
        return adapter.adapter_id, "never", "", ""
    heartbeat = Heartbeat.model_validate_json(adapter.heartbeat)
    silent_s = max(0, now - adapter.heard_at)
    firmware = " ".join(filter(None, [heartbeat.board, heartbeat.firmware, heartbeat.commit[:10]]))
    wrong = [f"silent for {ago(silent_s)}"] if silent_s > SILENT_AFTER_S else []
    wrong += _complaints(heartbeat)
    return adapter.adapter_id, f"{ago(silent_s)} ago", firmware, ", ".join(wrong) or "well"


def ago(seconds: int) -> str:
    """A time in words, in its largest whole unit."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _complaints(heartbeat: Heartbeat) -> list[str]:
    told = [
        (heartbeat.reset_reason != "power_on", f"started after a {heartbeat.reset_reason} reset"),
        (heartbeat.time_source == "none", "has no clock"),
        (heartbeat.outbox, f"{heartbeat.outbox} waiting"),
        (heartbeat.lost_samples, f"{heartbeat.lost_samples} samples lost"),
        (heartbeat.underruns, f"{heartbeat.underruns} underruns"),
        (heartbeat.longest_gap_ms > LATE_MS, f"{heartbeat.longest_gap_ms} ms late"),
        (heartbeat.refusals, f"{heartbeat.refusals} refusals"),
        (heartbeat.settings_refused, f"refused {', '.join(heartbeat.settings_refused)}"),
        (
            heartbeat.prompt and heartbeat.prompt.state == "failed",
            f"prompt {heartbeat.prompt.name if heartbeat.prompt else ''} failed",
        ),
    ]
    return [words for is_so, words in told if is_so]
