"""`star57 update cancel`: takes back what was pushed."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.engine import Connection

from host_tools.cli.adapter.database import audit
from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.database import DATABASE, DatabaseOption, shown
from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.update.push import AdaptersArgument
from host_tools.cli.update.standing import work_on
from host_tools.service.adapters import Adapters
from host_tools.service.orders import cancel_update


def cancel(
    adapters: AdaptersArgument = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every adapter.")] = False,
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Send adapters no more of a release. One that has it whole already tries it all the same."""
    named = adapters or []
    if every == bool(named):
        raise stopped(ExitCode.USAGE, "name the adapters, or give --all")

    def cancelling(connection: Connection) -> list[str]:
        known = {adapter.adapter_id: adapter for adapter in Adapters(connection).all()}
        for adapter_id in named:
            if adapter_id not in known:
                raise stopped(ExitCode.NOTHING_THERE, f"there is no adapter {shown(adapter_id)}")
        waiting = [adapter_id for adapter_id in named or known if known[adapter_id].update_sha256 is not None]
        for adapter_id in waiting:
            Adapters(connection).change(adapter_id, **cancel_update())
            audit(connection, "adapter.changed", adapter_id, update=None)
        return waiting

    cancelled = work_on(database, cancelling)
    text = (
        "\n".join(f"{adapter_id} is sent no more" for adapter_id in cancelled) or "no update was on its way"
    )
    answer({"cancelled": cancelled}, text, as_json=json)
