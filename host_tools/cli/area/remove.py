"""`star57 area remove`: forgets an area."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import ACTOR, DATABASE, DatabaseOption, shown, stopped, work_on
from host_tools.service.policy_changes import remove_area

_COMMAND = "area"


def remove(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX")],
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Forget an area: its lines are of the area with a shorter prefix, or have the operator's settings."""
    is_removed = work_on(
        database,
        lambda connection: remove_area(connection, prefix, actor=ACTOR, at=time.time()),
        command=_COMMAND,
    )
    if not is_removed:
        raise stopped(_COMMAND, 1, f"there is no area {shown(prefix)}")
    answer({"prefix": prefix, "is_removed": True}, f"area {prefix} is removed", as_json=json)
