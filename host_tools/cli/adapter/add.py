"""`star57 adapter add`: makes an adapter known."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.engine import Connection

from host_tools.cli.adapter.database import audit, stopped, work_on
from host_tools.cli.database import DATABASE, DatabaseOption
from host_tools.service.adapters import AdapterExists, Adapters
from host_tools.service.lines import LinePolicy, Lines
from host_tools.service.messages import AdapterId, Line
from host_tools.service.signing import new_key


def add(
    adapter_id: Annotated[str, typer.Argument(metavar="ID", help="1 to 32 letters, digits and hyphens.")],
    line: Annotated[
        str | None, typer.Option(help="The only line that it may trace for; the line is its own from now on.")
    ] = None,
    database: DatabaseOption = DATABASE,
) -> None:
    """Make an adapter known, and print what goes into its settings.json. Its key is shown this once."""
    try:
        TypeAdapter(AdapterId).validate_python(adapter_id)
    except ValidationError as error:
        raise stopped(2, "an ID has 1 to 32 letters, digits and hyphens") from error
    try:
        TypeAdapter(Line | None).validate_python(line)
    except ValidationError as error:
        raise stopped(2, "a line has 1 to 15 digits") from error
    key = new_key()

    def adding(connection: Connection) -> None:
        Adapters(connection).add(adapter_id, key)
        audit(connection, "adapter.added", adapter_id, line=line)
        if line is not None:
            bound = Lines(connection).find(line) or LinePolicy(line=line)
            Lines(connection).put(bound.model_copy(update={"adapter_id": adapter_id}))

    try:
        work_on(database, adding, may_be_new=True)
    except AdapterExists as error:
        raise stopped(1, f"there is an adapter {adapter_id} already") from error
    typer.echo(f'"adapter_id": "{adapter_id}",\n"adapter_key": "{key.hex()}",')
    if line is not None:
        typer.echo(f'"line": "{line}",')
