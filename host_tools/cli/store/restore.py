"""`star57 store restore`: puts a backup where the store was."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import ACTOR, DATABASE, DatabaseOption, stopped, work_on
from host_tools.cli.store.sqlite_file import COMMAND, sqlite_file, told
from host_tools.service.audit.log import AuditLog
from host_tools.service.migrations import StoreTooNew
from host_tools.service.sqlite_backup import restore as restore_file


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")],
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Put a backup where the store was, and bring it up to date; that it was done is in the audit log.

    The service must not run, and what is left of the old store be put aside.
    """
    url, to = sqlite_file(database, may_be_new=True)
    with told(file, to):
        restore_file(file, to)
    try:
        work_on(
            url,
            lambda connection: AuditLog(connection).append(time.time(), ACTOR, "store.restored", ""),
            command=COMMAND,
        )
    except StoreTooNew as error:
        to.unlink()
        raise stopped(COMMAND, 1, f"{file} is of a newer star57 than this") from error
    answer({"store": to, "from": file}, f"{to} is restored from {file}", as_json=json)
