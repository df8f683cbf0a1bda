"""`star57 adapter remove`: forgets an adapter."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.engine import Connection

from host_tools.cli.adapter.database import audit, known, work_on
from host_tools.cli.database import DATABASE, DatabaseOption
from host_tools.service.adapters import Adapters


def remove(
    adapter_id: Annotated[str, typer.Argument(metavar="ID")], database: DatabaseOption = DATABASE
) -> None:
    """Forget an adapter and its key: it is refused from now on. What it traced stays."""

    def removing(connection: Connection) -> None:
        known(connection, adapter_id)
        Adapters(connection).remove(adapter_id)
        audit(connection, "adapter.removed", adapter_id)

    work_on(database, removing)
    typer.echo(f"{adapter_id} is removed")
