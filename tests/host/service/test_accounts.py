"""Accounts in the store, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from host_tools.service.accounts import Accounts, LastAdministrator, NameTaken, lock_s
from host_tools.service.roles import Role
from host_tools.service.sessions import Lifetime, Sessions
from host_tools.service.store import run_once

NOW = 1767268800

Work = Callable[[Callable[[Accounts], Any]], Any]


@pytest.fixture
def accounts(database_url: str) -> Work:
    """Works on the accounts in a transaction of its own."""
    return lambda work: run_once(database_url, lambda connection: work(Accounts(connection)))


def test_an_account_is_found_by_number_name_and_subject(accounts: Work) -> None:
    number = accounts(
        lambda a: a.add("jane", Role.HOUSEHOLD, NOW + 0.9, line="5555550101", oidc_subject="sub-1")
    )
    account = accounts(lambda a: a.by_id(number))
    assert account == accounts(lambda a: a.by_name("jane")) == accounts(lambda a: a.by_subject("sub-1"))
    assert (account.name, account.role, account.line) == ("jane", Role.HOUSEHOLD, "5555550101")
    assert (account.failures, account.is_disabled, account.created_at) == (0, False, NOW)
    assert accounts(lambda a: a.by_name("JANE")) is None
    assert accounts(lambda a: a.by_id(number + 1)) is None
    assert accounts(lambda a: a.by_subject("sub-2")) is None


def test_what_is_secret_is_not_shown(accounts: Work) -> None:
    secrets: dict[str, Any] = {"password_hash": "the hash", "totp_secret": b"the key"}
    number = accounts(lambda a: a.add("jane", Role.OPERATOR, NOW, **secrets))
    shown = repr(accounts(lambda a: a.by_id(number)))
    assert "the hash" not in shown
    assert "the key" not in shown


def test_a_name_and_a_subject_are_given_once(accounts: Work) -> None:
    accounts(lambda a: a.add("jane", Role.AUDITOR, NOW, oidc_subject="sub-1"))

    def twice(a: Accounts) -> None:
        with pytest.raises(NameTaken):
            a.add("jane", Role.AUDITOR, NOW)
        with pytest.raises(NameTaken):
            a.add("sam", Role.AUDITOR, NOW, oidc_subject="sub-1")
        a.add("sam", Role.AUDITOR, NOW)  # the transaction is as good as before

    accounts(twice)
    assert [account.name for account in accounts(lambda a: a.all())] == ["jane", "sam"]


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 900), (6, 1800), (7, 3600), (11, 57600), (12, 86400), (13, 86400), (10**9, 86400)],
)
def test_each_failure_after_the_fifth_locks_for_twice_as_long(failures: int, seconds: int) -> None:
    assert lock_s(failures) == seconds


def test_failures_are_counted_and_forgotten(accounts: Work) -> None:
    number = accounts(lambda a: a.add("jane", Role.AUDITOR, NOW))
    assert [accounts(lambda a: a.failed(number, NOW)) for _ in range(6)] == [0, 0, 0, 0, 900, 1800]
    account = accounts(lambda a: a.by_id(number))
    assert (account.failures, account.locked_until) == (6, NOW + 1800)
    assert account.is_locked(NOW + 1799)
    assert not account.is_locked(NOW + 1800)
    accounts(lambda a: a.unlock(number))
    account = accounts(lambda a: a.by_id(number))
    assert (account.failures, account.locked_until) == (0, None)


def test_a_step_is_taken_once_and_none_before_it(accounts: Work) -> None:
    number = accounts(lambda a: a.add("jane", Role.AUDITOR, NOW))
    taken = accounts(lambda a: [a.take_step(number, step) for step in (5, 5, 4, 6, 6)])
    assert taken == [True, False, False, True, False]


def test_who_is_changed_is_signed_out_and_nobody_else(database_url: str) -> None:
    lifetime = Lifetime(60, 600)

    def work(connection: Any) -> tuple[str, str]:
        jane = Accounts(connection).add("jane", Role.TECHNICIAN, NOW)
        sam = Accounts(connection).add("sam", Role.TECHNICIAN, NOW)
        tokens = [Sessions(connection).begin(number, NOW, is_complete=True) for number in (jane, sam)]
        Accounts(connection).change(jane, role="auditor")
        return tokens[0], tokens[1]

    tokens = run_once(database_url, work)
    found = run_once(
        database_url, lambda connection: [Sessions(connection).find(token, NOW, lifetime) for token in tokens]
    )
    assert [session and session.account.name for session in found] == [None, "sam"]


@pytest.mark.parametrize("values", [{"is_disabled": True}, {"role": "auditor"}])
def test_one_administrator_stays(accounts: Work, values: dict[str, Any]) -> None:
    first = accounts(lambda a: a.add("root", Role.ADMINISTRATOR, NOW))
    accounts(lambda a: a.add("gone", Role.ADMINISTRATOR, NOW, is_disabled=True))
    accounts(lambda a: a.add("sam", Role.AUDITOR, NOW))
    with pytest.raises(LastAdministrator):
        accounts(lambda a: a.change(first, **values))
    second = accounts(lambda a: a.add("other", Role.ADMINISTRATOR, NOW))
    accounts(lambda a: a.change(first, **values))
    with pytest.raises(LastAdministrator):
        accounts(lambda a: a.change(second, **values))


def test_a_one_time_password_has_an_end(accounts: Work) -> None:
    number = accounts(lambda a: a.add("jane", Role.AUDITOR, NOW, password_until=NOW + 10))
    account = accounts(lambda a: a.by_id(number))
    assert account.may_use_password(NOW + 9)
    assert not account.may_use_password(NOW + 10)
