"""The `star57 area` command: each verb works on the service's database, also while the service runs."""

from __future__ import annotations

import typer

from host_tools.cli.area.list import list_areas
from host_tools.cli.area.remove import remove
from host_tools.cli.area.set import set_policy

area = typer.Typer(no_args_is_help=True, help="Areas of lines: where trace is offered, its price and cap.")

area.command("set")(set_policy)
area.command("list")(list_areas)
area.command("remove")(remove)
