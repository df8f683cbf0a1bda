"""A change of one account by a command; what hinders it is one sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from sqlalchemy.engine import Connection

from host_tools.cli.database import ACTOR, shown, stopped, work_on
from host_tools.service.account_changes import AccountChanges
from host_tools.service.accounts import Accounts, LastAdministrator

COMMAND = "account"
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As it is typed to sign in.")]

Answer = TypeVar("Answer")


def changes(connection: Connection) -> AccountChanges:
    """Changes accounts now, as the command."""
    return AccountChanges(connection, ACTOR, time.time())


def change_named(database: str, name: str, change: Callable[[AccountChanges, int], Answer]) -> Answer:
    """What `change` answers, which gets the number of the account of this name.

    Raises:
        typer.Exit: there is none, it is the last administrator, or the database is not to be had; said on stderr.
    """

    def work(connection: Connection) -> Answer:
        account = Accounts(connection).by_name(name)
        if account is None:
            raise stopped(COMMAND, 1, f"there is no account {shown(name)}")
        return change(changes(connection), account.account_id)

    try:
        return work_on(database, work, command=COMMAND)
    except LastAdministrator as error:
        sentence = f"{shown(name)} is the last administrator: add another one first"
        raise stopped(COMMAND, 1, sentence) from error
