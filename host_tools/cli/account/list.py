"""`star57 account list`: who may sign in."""

from __future__ import annotations

import time

from rich.table import Table
from rich.text import Text

from host_tools.cli.account.change import COMMAND
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption, work_on
from host_tools.service.accounts import Account, Accounts

_NAMES = ("name", "role", "line", "second_factor", "state")


def list_accounts(database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """List the accounts: role, line, second factor, and what keeps somebody out."""
    accounts = work_on(database, lambda connection: Accounts(connection).all(), command=COMMAND)
    table = Table("account", "role", "line", "second factor", "state", box=None)
    now = time.time()
    rows = [row(account, now) for account in accounts]
    for cells in rows:
        table.add_row(*(Text(cell) for cell in cells))
    answer([dict(zip(_NAMES, cells, strict=True)) for cells in rows], table, as_json=json)


def row(account: Account, now: float) -> tuple[str, str, str, str, str]:
    """Name, role, line, second factor and state of an account, in words; `now` in Unix seconds."""
    second_factor = "none" if account.totp_secret is None else "set up"
    return account.name, account.role.value, account.line or "", second_factor, _state(account, now)


def _state(account: Account, now: float) -> str:
    if account.is_disabled:
        return "disabled"
    if account.is_locked(now):
        return "locked"
    if account.password_until is None:
        return "active"
    return "one-time password" if account.may_use_password(now) else "one-time password has ended"
