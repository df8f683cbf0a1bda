"""The `star57 account` command: people of the trace service, also while it runs."""

from __future__ import annotations

import typer

from host_tools.cli.account.add import add
from host_tools.cli.account.disable import disable, enable
from host_tools.cli.account.list import list_accounts
from host_tools.cli.account.password import password
from host_tools.cli.account.reset_totp import reset_totp

account = typer.Typer(no_args_is_help=True, help="People of the trace service: add, look, change.")

account.command("add")(add)
account.command("list")(list_accounts)
account.command("disable")(disable)
account.command("enable")(enable)
account.command("password")(password)
account.command("reset-totp")(reset_totp)
