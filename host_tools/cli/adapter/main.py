"""The `star57 adapter` command: each verb works on the service's database, also while the service runs."""

from __future__ import annotations

import typer

from host_tools.cli.adapter.add import add
from host_tools.cli.adapter.list import list_adapters
from host_tools.cli.adapter.log import log
from host_tools.cli.adapter.prompt import prompt
from host_tools.cli.adapter.remove import remove
from host_tools.cli.adapter.set import set_settings

adapter = typer.Typer(no_args_is_help=True, help="Adapters that the trace service knows: add, look, change.")

adapter.command("add")(add)
adapter.command("list")(list_adapters)
adapter.command("set")(set_settings)
adapter.command("prompt")(prompt)
adapter.command("log")(log)
adapter.command("remove")(remove)
