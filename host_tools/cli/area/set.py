"""`star57 area set`: sets what holds for the lines of an area."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import ACTOR, DATABASE, DatabaseOption, work_on
from host_tools.cli.line.terms import CapOption, OfferedOption, PriceOption, terms, wrong
from host_tools.service.lines import AreaPolicy, Areas
from host_tools.service.policy_changes import set_area

_COMMAND = "area"


def set_policy(
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="What its lines begin with, 1 to 15 digits.")
    ],
    *,
    name: Annotated[
        str | None, typer.Option(help="As you call the area; its prefix, when it is new.")
    ] = None,
    offered: OfferedOption = None,
    price: PriceOption = None,
    cap: CapOption = None,
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Set offer, price and monthly cap of an area: the lines that begin with its prefix, and with no longer one.

    What is not named stays as it is; in a new area trace is offered. Price and cap can be taken back to the operator's
    setting with default; an area is offered, or not.
    """
    named = terms(_COMMAND, offered, price, cap)
    if name is not None:
        named["name"] = name

    def setting(connection: Connection) -> AreaPolicy:
        present = Areas(connection).find(prefix) or AreaPolicy(prefix=prefix, name=prefix, is_offered=True)
        changed = AreaPolicy.model_validate({**present.model_dump(), **named})
        set_area(connection, changed, actor=ACTOR, at=time.time())
        return changed

    try:
        changed = work_on(database, setting, command=_COMMAND)
    except ValidationError as error:
        raise wrong(_COMMAND, error) from error
    answer(changed, f"area {prefix} is set", as_json=json)
