"""`star57 store backup`: a copy of the store, while the service runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import ACTOR, DATABASE, DatabaseOption, work_on
from host_tools.cli.store.sqlite_file import COMMAND, sqlite_file, told
from host_tools.service.audit.log import AuditLog
from host_tools.service.sqlite_backup import back_up


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; it must not be there yet.")],
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Copy the store, as it is at one moment, to a file; the service may run. That it was done is in the audit log.

    The copy is looked through before it appears. Of PostgreSQL, pg_dump makes one: docs/service.md.
    """
    url, source = sqlite_file(database)
    with told(source, file):
        back_up(source, file)
    work_on(
        url,
        lambda connection: AuditLog(connection).append(time.time(), ACTOR, "store.backed_up", ""),
        command=COMMAND,
    )
    size = file.stat().st_size
    answer({"file": file, "bytes": size}, f"{file}: {size} bytes", as_json=json)
