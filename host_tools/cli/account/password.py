"""`star57 account password`: a new password for somebody who has lost theirs."""

from __future__ import annotations

from host_tools.cli.account.change import NameArgument, change_named
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption
from host_tools.service.passwords import Passwords, one_time_password


def password(name: NameArgument, database: DatabaseOption = DATABASE, json: JsonOption = False) -> None:
    """Print a new one-time password, unlock the account, and sign it out everywhere."""
    one_time = one_time_password()
    password_hash = Passwords().hash(one_time)
    change_named(database, name, lambda changes, account_id: changes.give_password(account_id, password_hash))
    answer({"name": name, "one_time_password": one_time}, one_time, as_json=json)
