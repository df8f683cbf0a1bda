"""`star57 adapter log`: what an adapter has logged."""

from __future__ import annotations

import time
from json import loads
from typing import Annotated

import typer
from sqlalchemy.engine import Connection

from host_tools.cli.adapter.database import audit, known, stopped, work_on
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption, shown
from host_tools.service.adapters import Adapter, Adapters
from host_tools.service.orders import want_log

_LOOKS_EACH_S = 0.5


def log(
    adapter_id: Annotated[str, typer.Argument(metavar="ID")],
    within_s: Annotated[
        float, typer.Option(help="How long to wait for the adapter, which is heard each minute.")
    ] = 130,
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Ask an adapter for the lines that it has logged, and show them, each with its number since it started."""

    def asking(connection: Connection) -> None:
        known(connection, adapter_id)
        Adapters(connection).change(adapter_id, **want_log())
        audit(connection, "adapter.changed", adapter_id, log="wanted")

    work_on(database, asking)
    adapter = _pulled(database, adapter_id, within_s)
    lines = [(number, shown(line)) for number, line in loads(adapter.log_lines)]
    if not (json and adapter.log_wanted):
        answer(
            [{"number": number, "line": line} for number, line in lines],
            "\n".join(f"{number:6} {line}" for number, line in lines) or None,
            as_json=json,
        )
    if adapter.log_wanted:
        raise stopped(
            1, f"{adapter_id} has not sent all within {within_s:g} s; it will after its next heartbeat"
        )


def _pulled(database: str, adapter_id: str, within_s: float) -> Adapter:
    end_s = time.monotonic() + within_s
    while True:
        adapter = work_on(database, lambda connection: known(connection, adapter_id))
        if not adapter.log_wanted or time.monotonic() >= end_s:
            return adapter
        time.sleep(_LOOKS_EACH_S)
