"""`star57 adapter remove`: forgets an adapter."""

from __future__ import annotations

from typing import Annotated

import typer

from host_tools.cli.adapter.database import DATABASE, DatabaseOption, known, opened


def remove(
    adapter_id: Annotated[str, typer.Argument(metavar="ID")], database: DatabaseOption = DATABASE
) -> None:
    """Forget an adapter and its key: it is refused from now on. What it traced stays."""
    with opened(database) as records, records.writing() as ledger:
        known(ledger, adapter_id)
        ledger.remove_adapter(adapter_id)
    typer.echo(f"{adapter_id} is removed")
