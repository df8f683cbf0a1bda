"""`star57 account disable` and `enable`."""

from __future__ import annotations

from host_tools.cli.account.change import NameArgument, change_named
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption


def disable(name: NameArgument, database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """Let somebody in no more, and sign them out at once. The last administrator stays."""
    change_named(database, name, lambda changes, account_id: changes.disable(account_id))
    answer({"name": name, "is_disabled": True}, None, as_json=json)


def enable(name: NameArgument, database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """Let somebody in again."""
    change_named(database, name, lambda changes, account_id: changes.enable(account_id))
    answer({"name": name, "is_disabled": False}, None, as_json=json)
