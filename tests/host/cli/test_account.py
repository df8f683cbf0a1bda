"""`star57 account` as an administrator types it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url, select
from typer.testing import CliRunner, Result

from host_tools.cli.account.list import row
from host_tools.cli.account.main import account as account_command
from host_tools.service.accounts import Account, Accounts
from host_tools.service.passwords import Passwords
from host_tools.service.roles import Role
from host_tools.service.store import run_once
from host_tools.service.tables import AUDIT

NOW = 1767268800

Star57 = Callable[..., Result]


@pytest.fixture
def star57(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Star57:
    """Runs `star57 account` on an empty database."""
    monkeypatch.setenv("STAR57_DATABASE", database_url)
    return lambda *words: CliRunner().invoke(account_command, words)


def found(database_url: str, name: str) -> Account:
    """The account of a name."""
    account = run_once(database_url, lambda connection: Accounts(connection).by_name(name))
    assert account is not None
    return account


def test_the_first_administrator_is_added_with_a_one_time_password(star57: Star57, database_url: str) -> None:
    added = star57("add", "root", "--role", "administrator")
    assert added.exit_code == 0
    password = added.stdout.strip()
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", password)
    account = found(database_url, "root")
    assert account.role is Role.ADMINISTRATOR
    assert account.password_until is not None
    assert Passwords().is_right(account.password_hash, password)
    (audited,) = run_once(database_url, lambda connection: connection.execute(select(AUDIT)).all())
    assert (audited.actor, audited.action, audited.subject) == ("command", "account.added", "root")
    assert password not in audited.details


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "Root", "--role", "auditor"], "star57 account: a NAME has 1 to 63 small letters"),
        (["add", "x" * 64, "--role", "auditor"], "star57 account: a NAME has 1 to 63 small letters"),
        (["add", "root", "--role", "emperor"], "Invalid value for '--role'"),
        (["add", "root"], "Missing option '--role'"),
        (["add", "jane", "--role", "household"], "star57 account: a household needs --line"),
        (
            ["add", "sam", "--role", "auditor", "--line", "5555550101"],
            "star57 account: a household needs --line",
        ),
        (["add", "jane", "--role", "household", "--line", "+1"], "star57 account: --line has 1 to 15 digits"),
    ],
)
def test_what_is_typed_wrongly_is_said(star57: Star57, words: list[str], sentence: str) -> None:
    typed = star57(*words)
    assert typed.exit_code == 2
    assert sentence in re.sub(r"[│\s]+", " ", typed.stderr)


def test_a_name_is_given_once(star57: Star57) -> None:
    assert star57("add", "jane", "--role", "household", "--line", "5555550101").exit_code == 0
    again = star57("add", "jane", "--role", "auditor")
    assert (again.exit_code, again.stderr) == (1, "star57 account: there is an account jane already\n")
    reserved = star57("add", "service", "--role", "auditor")
    assert reserved.exit_code == 1


def test_somebody_is_disabled_and_let_in_again(star57: Star57, database_url: str) -> None:
    star57("add", "root", "--role", "administrator")
    star57("add", "sam", "--role", "operator")
    assert star57("disable", "sam").exit_code == 0
    assert found(database_url, "sam").is_disabled
    assert star57("enable", "sam").exit_code == 0
    assert not found(database_url, "sam").is_disabled
    last = star57("disable", "root")
    assert (last.exit_code, last.stderr) == (
        1,
        "star57 account: root is the last administrator: add another one first\n",
    )


def test_a_lost_password_and_a_lost_authenticator_are_replaced(star57: Star57, database_url: str) -> None:
    star57("add", "sam", "--role", "operator")
    before = found(database_url, "sam")

    def lose(connection: object) -> None:
        accounts = Accounts(connection)  # type: ignore[arg-type]
        accounts.change(before.account_id, totp_secret=b"a secret", totp_last_step=1, failures=5)

    run_once(database_url, lose)
    given = star57("password", "sam")
    assert star57("reset-totp", "sam").exit_code == 0
    account = found(database_url, "sam")
    assert Passwords().is_right(account.password_hash, given.stdout.strip())
    assert (account.totp_secret, account.totp_last_step, account.failures) == (None, None, 0)


@pytest.mark.parametrize("verb", ["disable", "enable", "password", "reset-totp"])
def test_nobody_is_not_changed(star57: Star57, verb: str) -> None:
    star57("add", "root", "--role", "administrator")
    typed = star57(verb, "jane\x1b[2J")
    assert (typed.exit_code, typed.stderr) == (1, "star57 account: there is no account jane?[2J\n")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_not_there_is_not_made_by_looking(star57: Star57, database_url: str) -> None:
    Path(make_url(database_url).database or "").unlink()
    typed = star57("list")
    assert typed.exit_code == 1
    assert "star57 account: there is no database" in typed.stderr


def test_the_list_says_what_keeps_somebody_out(star57: Star57) -> None:
    star57("add", "jane", "--role", "household", "--line", "5555550101")
    listed = star57("list").stdout
    assert re.search(r"jane +household +5555550101 +none +one-time password", listed)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "active"),
        ({"is_disabled": True, "locked_until": NOW + 1}, "disabled"),
        ({"locked_until": NOW + 1}, "locked"),
        ({"locked_until": NOW}, "active"),
        ({"password_until": NOW + 1}, "one-time password"),
        ({"password_until": NOW}, "one-time password has ended"),
    ],
)
def test_states_are_words(values: dict[str, int], state: str) -> None:
    nobody = Account(
        1, "jane", Role.HOUSEHOLD, "5555550101", None, None, b"x", None, None, 0, None, False, NOW
    )
    account = Account(**{**vars(nobody), **values})
    assert row(account, NOW) == ("jane", "household", "5555550101", "set up", state)
