"""`star57 account add`: lets somebody in."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from host_tools.cli.account.change import COMMAND, NameArgument, changes
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption, stopped, work_on
from host_tools.service.account_changes import LineNeeded
from host_tools.service.accounts import AccountName, NameTaken
from host_tools.service.messages import Line
from host_tools.service.passwords import Passwords, one_time_password
from host_tools.service.roles import Role


def add(
    name: NameArgument,
    role: Annotated[Role, typer.Option(help="What they are to the service.")],
    line: Annotated[str | None, typer.Option(help="Of a household: the number of its line.")] = None,
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Add an account, and print its one-time password, which is shown this once and replaced at the first sign-in."""
    _check(name, line)
    password = one_time_password()
    password_hash = Passwords().hash(password)
    try:
        work_on(
            database,
            lambda connection: changes(connection).add(name, role, line, password_hash),
            command=COMMAND,
            may_be_new=True,
        )
    except NameTaken as error:
        raise stopped(COMMAND, 1, f"there is an account {name} already") from error
    except LineNeeded as error:
        raise stopped(COMMAND, 2, "a household needs --line, and nobody else has one") from error
    document = {"name": name, "role": role, "line": line, "one_time_password": password}
    answer(document, password, as_json=json)


def _check(name: str, line: str | None) -> None:
    try:
        TypeAdapter(AccountName).validate_python(name)
    except ValidationError as error:
        sentence = "a NAME has 1 to 63 small letters, digits and . _ @ -, and begins with a letter or digit"
        raise stopped(COMMAND, 2, sentence) from error
    try:
        TypeAdapter(Line | None).validate_python(line)
    except ValidationError as error:
        raise stopped(COMMAND, 2, "--line has 1 to 15 digits") from error
