"""`star57 update list`: how far updates have come."""

from __future__ import annotations

import time

from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption
from host_tools.cli.update.standing import Standing, standing, work_on
from host_tools.service.adapters import Adapters
from host_tools.service.firmware import FirmwareReleases

_BAR_LETTERS = 20


def list_updates(*, database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """List the adapters: what each runs, and how far the release has come that was pushed to it last."""
    now = int(time.time())

    def reading(connection: Connection) -> list[Standing]:
        kept = FirmwareReleases(connection).kept()
        return [standing(adapter, kept, now) for adapter in Adapters(connection).all()]

    standings = work_on(database, reading)
    answer(standings, _table(standings), as_json=json)


def _table(standings: list[Standing]) -> Table:
    table = Table("adapter", "last heard", "board", "runs", "release", "state", "received", box=None)
    for each in standings:
        table.add_row(
            Text(each.adapter_id),
            each.last_heard,
            Text(each.board),
            Text(f"{each.firmware}, slot {each.slot}" if each.slot else each.firmware),
            str(each.release or ""),
            Text(f"{each.state}: {each.reason}" if each.reason else each.state),
            _received(each),
        )
    return table


def _received(each: Standing) -> RenderableType:
    if not each.size_bytes or each.state not in ("receiving", "kept", "trying"):
        return ""
    bar = Table.grid(padding=(0, 1))
    percent = 100 * each.received_bytes // each.size_bytes
    bar.add_row(
        ProgressBar(each.size_bytes, each.received_bytes, width=_BAR_LETTERS),
        f"{min(100, percent)} %",
    )
    return bar
