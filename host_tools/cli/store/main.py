"""The `star57 store` command: the service's store as a whole."""

from __future__ import annotations

import typer

from host_tools.cli.store.backup import backup
from host_tools.cli.store.restore import restore

store = typer.Typer(no_args_is_help=True, help="The trace service's store: back it up, restore it.")

store.command("backup")(backup)
store.command("restore")(restore)
