"""The `star57 line` command: each verb works on the service's database, also while the service runs."""

from __future__ import annotations

import typer

from host_tools.cli.line.list import list_lines
from host_tools.cli.line.set import set_policy

line = typer.Typer(no_args_is_help=True, help="Single lines: their adapter, offer, price and monthly cap.")

line.command("set")(set_policy)
line.command("list")(list_lines)
