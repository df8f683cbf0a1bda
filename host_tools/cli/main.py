"""The `star57` command."""

from __future__ import annotations

import typer

from host_tools.cli.account.main import account
from host_tools.cli.adapter.main import adapter
from host_tools.cli.area.main import area
from host_tools.cli.audit.main import audit
from host_tools.cli.bundle import bundle
from host_tools.cli.centre.main import centre
from host_tools.cli.decode import decode
from host_tools.cli.demo import demo
from host_tools.cli.gateway import gateway
from host_tools.cli.line.main import line
from host_tools.cli.retention import retention
from host_tools.cli.service import service
from host_tools.cli.store.main import store

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def star57() -> None:
    """Call trace (*57) for analog lines: the host side."""


for verb in (demo, decode, service, gateway, retention):
    app.command()(verb)
for name, verbs in {
    "account": account,
    "adapter": adapter,
    "area": area,
    "audit": audit,
    "bundle": bundle,
    "centre": centre,
    "line": line,
    "store": store,
}.items():
    app.add_typer(verbs, name=name)
