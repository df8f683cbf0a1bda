"""`star57 adapter log`: what an adapter has logged."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from host_tools.cli.adapter.database import DATABASE, DatabaseOption, known, opened, shown, stopped
from host_tools.service.orders import want_log
from host_tools.service.records import Adapter, Records

_LOOKS_EACH_S = 0.5


def log(
    adapter_id: Annotated[str, typer.Argument(metavar="ID")],
    within_s: Annotated[
        float, typer.Option(help="How long to wait for the adapter, which is heard each minute.")
    ] = 130,
    database: DatabaseOption = DATABASE,
) -> None:
    """Ask an adapter for the lines that it has logged, and show them, each with its number since it started."""
    with opened(database) as records:
        with records.writing() as ledger:
            known(ledger, adapter_id)
            ledger.change_adapter(adapter_id, **want_log())
        adapter = _pulled(records, adapter_id, within_s)
    for number, line in json.loads(adapter.log_lines):
        typer.echo(f"{number:6} {shown(line)}")
    if adapter.log_wanted:
        raise stopped(
            1, f"{adapter_id} has not sent all within {within_s:g} s; it will after its next heartbeat"
        )


def _pulled(records: Records, adapter_id: str, within_s: float) -> Adapter:
    end_s = time.monotonic() + within_s
    while True:
        with records.reading() as ledger:
            adapter = known(ledger, adapter_id)
        if not adapter.log_wanted or time.monotonic() >= end_s:
            return adapter
        time.sleep(_LOOKS_EACH_S)
