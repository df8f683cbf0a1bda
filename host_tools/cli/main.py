"""The `star57` command."""

from __future__ import annotations

import typer

from host_tools.cli.adapter.main import adapter
from host_tools.cli.decode import decode
from host_tools.cli.demo import demo
from host_tools.cli.gateway import gateway
from host_tools.cli.service import service

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def star57() -> None:
    """Call trace (*57) for analog lines: the host side."""


for verb in (demo, decode, service, gateway):
    app.command()(verb)
app.add_typer(adapter, name="adapter")
