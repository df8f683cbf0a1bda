"""`star57 adapter add`: makes an adapter known."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from host_tools.cli.adapter.database import stopped, work_on
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import ACTOR, DATABASE, DatabaseOption
from host_tools.service.adapters import AdapterExists
from host_tools.service.messages import AdapterId, Line
from host_tools.service.registration import LineTaken, Registration, register
from host_tools.service.signing import new_key


def add(
    adapter_id: Annotated[str, typer.Argument(metavar="ID", help="1 to 32 letters, digits and hyphens.")],
    line: Annotated[
        str | None, typer.Option(help="The only line that it may trace for; the line is its own from now on.")
    ] = None,
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
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

    registration = Registration(adapter_id, key, line)
    try:
        work_on(
            database,
            lambda connection: register(connection, registration, actor=ACTOR, at=time.time()),
            may_be_new=True,
        )
    except AdapterExists as error:
        raise stopped(1, f"there is an adapter {adapter_id} already") from error
    except LineTaken as error:
        raise stopped(1, f"line {line} is bound to adapter {error}: see star57 line set") from error
    settings = {
        "adapter_id": adapter_id,
        "adapter_key": key.hex(),
        **({} if line is None else {"line": line}),
    }
    text = "\n".join(f'"{name}": "{value}",' for name, value in settings.items())
    answer(settings, text, as_json=json)
