"""The `star57 update` command: releases are made on any computer, and pushed on the service's database."""

from __future__ import annotations

import typer

from host_tools.cli.update.cancel import cancel
from host_tools.cli.update.list import list_updates
from host_tools.cli.update.new_key import new_key
from host_tools.cli.update.package import package
from host_tools.cli.update.push import push
from host_tools.cli.update.sign import sign

update = typer.Typer(no_args_is_help=True, help="Firmware over the link: package, sign, push, watch.")

update.command("new-key")(new_key)
update.command("package")(package)
update.command("sign")(sign)
update.command("push")(push)
update.command("list")(list_updates)
update.command("cancel")(cancel)
