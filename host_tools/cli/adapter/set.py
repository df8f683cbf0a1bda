"""`star57 adapter set`: pushes settings to an adapter."""

from __future__ import annotations

from json import loads
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from host_tools.cli.adapter.database import audit, known, stopped, work_on
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption, shown
from host_tools.service.adapters import Adapters
from host_tools.service.orders import Pushed, RevisionsExhausted, push_settings


def set_settings(
    adapter_id: Annotated[str, typer.Argument(metavar="ID")],
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="two_stage, trace_offered, call_log (true or false), price_cents, answer_timeout_ms (numbers).",
        ),
    ],
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Push settings to an adapter: it takes them with its next heartbeat, and keeps them."""
    pushed = _pushed(assignments)

    def pushing(connection: Connection) -> int:
        changed = push_settings(known(connection, adapter_id), pushed)
        Adapters(connection).change(adapter_id, **changed)
        revision: int = changed["settings_revision"]
        audit(
            connection, "adapter.changed", adapter_id, settings=changed["settings_values"], revision=revision
        )
        return revision

    try:
        revision = work_on(database, pushing)
    except RevisionsExhausted as error:
        raise stopped(1, f"adapter {adapter_id} takes no more revisions") from error
    document = {"adapter_id": adapter_id, "revision": revision}
    answer(document, f"revision {revision} goes to {adapter_id} with its next heartbeat", as_json=json)


def _pushed(assignments: list[str]) -> Pushed:
    try:
        values = {name: loads(value) for name, _, value in (text.partition("=") for text in assignments)}
    except ValueError as error:
        raise stopped(2, "a setting is NAME=VALUE, and a value true, false or a number") from error
    try:
        return Pushed.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise stopped(2, f"{shown(str(first['loc'][0]))}: {first['msg']}") from error
