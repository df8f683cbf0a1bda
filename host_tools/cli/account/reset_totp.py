"""`star57 account reset-totp`: for somebody who has lost their authenticator."""

from __future__ import annotations

from host_tools.cli.account.change import NameArgument, change_named
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption


def reset_totp(name: NameArgument, database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """Forget the second factor; another is set up at the next sign-in."""
    change_named(database, name, lambda changes, account_id: changes.reset_second_factor(account_id))
    answer({"name": name, "second_factor": "none"}, None, as_json=json)
