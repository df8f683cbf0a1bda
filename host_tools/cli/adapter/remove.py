"""`star57 adapter remove`: forgets an adapter."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.engine import Connection

from host_tools.cli.adapter.database import audit, known, work_on
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption
from host_tools.service.adapters import Adapters


def remove(
    adapter_id: Annotated[str, typer.Argument(metavar="ID")],
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Forget an adapter and its key: it is refused from now on. What it traced stays."""

    def removing(connection: Connection) -> None:
        known(connection, adapter_id)
        Adapters(connection).remove(adapter_id)
        audit(connection, "adapter.removed", adapter_id)

    work_on(database, removing)
    answer({"adapter_id": adapter_id, "is_removed": True}, f"{adapter_id} is removed", as_json=json)
