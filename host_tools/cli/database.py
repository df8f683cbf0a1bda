"""The service's database, as commands work on it, also while the service runs; what hinders them is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy import make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from host_tools.cli import answer
from host_tools.service.settings import Settings, SettingsFileUnreadable
from host_tools.service.store import run_once

DATABASE = ""
"""As the service's settings say: the environment, the file that STAR57_SETTINGS_FILE names, or star57.sqlite here."""
ACTOR = "command"
"""Who the audit log says it was."""
DatabaseOption = Annotated[
    str, typer.Option(help="The database of the trace service (as in its settings).", show_default=False)
]

Answer = TypeVar("Answer")


class StoreSettings(Settings):
    """As of the service, without the centre's key: nothing is sealed here."""

    centre_public_key: str = ""


def work_on(
    database: str, work: Callable[[Connection], Answer], *, command: str, may_be_new: bool = False
) -> Answer:
    """What `work` answers, within one audited transaction; without `may_be_new` there must be a database.

    Raises:
        typer.Exit: it cannot be opened, or does not do what it is asked; said on stderr; and what `work` raises.
    """
    url = checked_url(database, command=command, may_be_new=may_be_new)
    try:
        return run_once(url, work)
    except (SQLAlchemyError, OSError) as error:
        raise stopped(command, 1, f"the database {shown_url(url)} cannot be written now") from error


def checked_url(database: str, *, command: str, may_be_new: bool = False) -> str:
    """The URL of the database; an SQLite file must be there, without `may_be_new`.

    Raises:
        typer.Exit: it is not; said on stderr.
    """
    url = store_settings(command, database or None).database
    is_file = make_url(url).get_backend_name() == "sqlite"
    if is_file and not may_be_new and not Path(make_url(url).database or "").exists():
        raise stopped(command, 1, f"there is no database {url}")
    return url


def store_settings(command: str, database: str | None = None) -> StoreSettings:
    """The service's settings, with another database if one is given.

    Raises:
        typer.Exit: something in them is wrong; said on stderr.
    """
    chosen: dict[str, Any] = {} if database is None else {"database": database}
    try:
        return StoreSettings(**chosen)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise stopped(command, 2, reason) from error
        name = str(first["loc"][0])
        where = "STAR57_DATABASE or --database" if name == "database" else f"STAR57_{name.upper()}"
        raise stopped(command, 2, f"set {where} right: {reason}") from error
    except (SettingsFileUnreadable, SettingsError) as error:
        raise stopped(command, 2, str(error).splitlines()[0]) from error


def shown_url(url: str) -> str:
    """The URL of a database for a terminal or a log: without its password."""
    return make_url(url).render_as_string(hide_password=True)


def stopped(command: str, status: int, sentence: str) -> typer.Exit:
    """As `answer.stopped`, for a verb of the service."""
    return answer.stopped(status, sentence, command)


def shown(text: str) -> str:
    """What somebody else has sent, for a terminal: nothing in it moves the cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
