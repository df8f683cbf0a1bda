"""`star57 line set`: sets what is different on one line."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import ACTOR, DATABASE, DatabaseOption, stopped, work_on
from host_tools.cli.line.terms import DEFAULT, CapOption, OfferedOption, PriceOption, terms, wrong
from host_tools.service.lines import LinePolicy, Lines, UnknownAdapter
from host_tools.service.policy_changes import set_line

_COMMAND = "line"


def set_policy(
    line: Annotated[str, typer.Argument(metavar="LINE", help="1 to 15 digits.")],
    *,
    adapter: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The only adapter that may trace for the line, or default for none."),
    ] = None,
    offered: OfferedOption = None,
    price: PriceOption = None,
    cap: CapOption = None,
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Bind a line to its adapter, and set offer, price and monthly cap of it alone.

    What is not named stays as it is; default takes it back, to what is set of the line's area or by the operator.
    """
    named = terms(_COMMAND, offered, price, cap)
    if adapter is not None:
        named["adapter_id"] = None if adapter == DEFAULT else adapter

    def setting(connection: Connection) -> LinePolicy:
        present = Lines(connection).find(line) or LinePolicy(line=line)
        changed = LinePolicy.model_validate({**present.model_dump(), **named})
        set_line(connection, changed, actor=ACTOR, at=time.time())
        return changed

    try:
        changed = work_on(database, setting, command=_COMMAND)
    except ValidationError as error:
        raise wrong(_COMMAND, error) from error
    except UnknownAdapter as error:
        raise stopped(
            _COMMAND, 1, f"there is no adapter {error}: make it known with star57 adapter add"
        ) from error
    answer(changed, f"line {line} is set", as_json=json)
