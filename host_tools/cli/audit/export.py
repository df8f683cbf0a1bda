"""`star57 audit export`: the whole log as JSON Lines, to keep it or to verify it elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.audit.database import stopped, work_on
from host_tools.cli.database import ACTOR, DATABASE, DatabaseOption
from host_tools.service.audit.export import exported
from host_tools.service.audit.log import AuditLog
from host_tools.service.store import Store


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; it must not be there yet.")],
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Write the whole audit log to a file, as JSON Lines that verify.py verifies on its own."""

    try:
        opened = file.open("xb")
    except OSError as error:
        raise stopped(1, f"{file} cannot be written: {error.strerror}") from error

    async def write(store: Store) -> int:
        await store.write_audited(
            lambda connection: AuditLog(connection).append(time.time(), ACTOR, "audit.exported", "")
        )
        count = 0
        async for some in exported(store):
            opened.writelines(some)
            count += len(some)
        return count

    with opened:
        try:
            count = work_on(database, write)
        except typer.Exit:
            file.unlink()  # what is there is no export
            raise
    answer({"file": file, "lines": count}, f"{count} lines", as_json=json)
