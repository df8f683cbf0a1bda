"""`star57 adapter add`: makes an adapter known."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from host_tools.cli.adapter.database import DATABASE, DatabaseOption, opened, stopped
from host_tools.service.messages import AdapterId
from host_tools.service.records import AdapterExists
from host_tools.service.signing import new_key


def add(
    adapter_id: Annotated[str, typer.Argument(metavar="ID", help="1 to 32 letters, digits and hyphens.")],
    database: DatabaseOption = DATABASE,
) -> None:
    """Make an adapter known, and print what goes into its settings.json. Its key is shown this once."""
    try:
        TypeAdapter(AdapterId).validate_python(adapter_id)
    except ValidationError as error:
        raise stopped(2, "an ID has 1 to 32 letters, digits and hyphens") from error
    key = new_key()
    with opened(database, may_be_new=True) as records:
        try:
            with records.writing() as ledger:
                ledger.add_adapter(adapter_id, key)
        except AdapterExists as error:
            raise stopped(1, f"there is an adapter {adapter_id} already") from error
    typer.echo(f'"adapter_id": "{adapter_id}",\n"adapter_key": "{key.hex()}",')
