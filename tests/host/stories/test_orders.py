"""What the service wants of an adapter, with the firmware at the other end: settings, a prompt, its log."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from host_tools.exchange.central_office import CentralOffice
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.service.adapters import Adapter, Adapters
from host_tools.service.messages import Heartbeat
from host_tools.service.orders import Pushed, push_prompt, push_settings, want_log
from host_tools.service.store import run_once
from host_tools.stories.adapters import Placement, emulated
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import Stage
from host_tools.stories.trace_service import TraceService

LINE = "5555550101"
FILE = bytes(range(256)) * 20
"""Six parts; that it is no recording, only the player could tell."""


def test_settings_a_prompt_and_the_log_within_a_minute(tmp_path: Path) -> None:
    starts_at = int(STARTS_AT.timestamp())
    with TraceService(tmp_path, tmp_path / "cdr.sqlite", "*") as service:
        key = service.add_adapter("adapter-1")
        settings = push_settings(Adapter("adapter-1"), Pushed(price_cents=300))
        wanted = {**settings, **push_prompt("traced", FILE), **want_log()}
        url = f"sqlite:///{service.database}"
        run_once(url, lambda connection: Adapters(connection).change("adapter-1", **wanted))
        chosen = {"adapter_id": "adapter-1", "adapter_key": key, "line": LINE, "service_port": service.port}
        firmware = emulated(Placement(tmp_path, chosen, service.url, starts_at))
        office, telephone = CentralOffice(line=LINE, starts_at=STARTS_AT), Telephone()
        stage = Stage(
            office,
            telephone,
            Pair(office, telephone),
            firmware,
            clock=lambda now_s: service.set_time(starts_at + now_s),
        )
        service.set_time(starts_at)
        service.start()
        firmware.start()
        try:
            stage.play(stage.until(lambda: _is_done(service.database), "what was ordered", within_s=60.0))
        finally:
            firmware.stop()
        adapter = run_once(url, lambda connection: Adapters(connection).adapter("adapter-1"))
    assert adapter is not None
    heartbeat = Heartbeat.model_validate_json(adapter.heartbeat or "")
    assert (heartbeat.settings_revision, heartbeat.settings_refused) == (1, [])
    assert heartbeat.prompt is not None
    assert (heartbeat.prompt.state, heartbeat.prompt.received) == ("kept", len(FILE))
    assert (tmp_path / "flash" / "prompts" / "en-US" / "traced.wav").read_bytes() == FILE
    assert heartbeat.prompt.sha256 == hashlib.sha256(FILE).hexdigest()
    assert "settings: revision 1" in [line for _, line in json.loads(adapter.log_lines)]


def _is_done(database: Path) -> bool:
    # Asked once a block: by itself, for that is quick.
    with closing(sqlite3.connect(database)) as connection:
        row = connection.execute("SELECT prompt_file IS NULL AND NOT log_wanted FROM adapters").fetchone()
    return bool(row[0])
