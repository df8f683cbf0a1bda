"""Sessions in the store, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service.accounts import Accounts
from host_tools.service.roles import Role
from host_tools.service.sessions import Lifetime, Sessions
from host_tools.service.store import run_once
from host_tools.service.tables import SESSIONS

NOW = 1767268800
LIFETIME = Lifetime(idle_s=1800, longest_s=43200)

Run = Callable[[Callable[[Connection], Any]], Any]


@pytest.fixture
def run(database_url: str) -> Run:
    """Runs a work in a transaction of its own."""
    return lambda work: run_once(database_url, work)


@pytest.fixture
def token(run: Run) -> str:
    """A session of jane's."""

    def work(connection: Connection) -> str:
        number = Accounts(connection).add("jane", Role.OPERATOR, NOW)
        return Sessions(connection).begin(number, NOW, is_complete=False)

    made: str = run(work)
    return made


def find(run: Run, token: str, at: float) -> Any:
    """The session at a moment."""
    return run(lambda connection: Sessions(connection).find(token, at, LIFETIME))


def test_a_token_has_256_bits_and_only_its_hash_is_stored(run: Run, token: str) -> None:
    assert len(token) == 43
    stored = run(lambda connection: connection.execute(select(SESSIONS.c.token_sha256)).scalars().all())
    assert stored == [hashlib.sha256(token.encode()).hexdigest()]
    session = find(run, token, NOW)
    assert (session.account.name, session.is_complete, session.began_at) == ("jane", False, NOW)


def saw(connection: Connection, *, token: str, at: float) -> None:
    """Notes that the session was used."""
    Sessions(connection).saw(token, at)


@pytest.mark.parametrize("other", ["", "x", "\ud800", "'; DROP TABLE sessions; --", "x" * 100_000])
def test_another_token_is_nobodys(run: Run, token: str, other: str) -> None:
    assert find(run, other, NOW) is None
    assert find(run, token.swapcase(), NOW) is None
    assert find(run, token, NOW) is not None


def test_it_ends_when_it_is_not_used(run: Run, token: str) -> None:
    assert find(run, token, NOW + 1799) is not None
    assert find(run, token, NOW + 1800) is None


def test_it_ends_at_last_however_much_it_is_used(run: Run, token: str) -> None:
    for at in range(NOW + 1000, NOW + 43200, 1000):
        assert find(run, token, at) is not None
        run(partial(saw, token=token, at=at))
    assert find(run, token, NOW + 43199) is not None
    assert find(run, token, NOW + 43200) is None


def test_its_use_is_written_once_a_minute(run: Run, token: str) -> None:
    assert not find(run, token, NOW).is_to_be_seen(NOW + 59.9)
    assert find(run, token, NOW).is_to_be_seen(NOW + 60)


def test_it_is_ended(run: Run, token: str) -> None:
    run(lambda connection: Sessions(connection).end(token))
    assert find(run, token, NOW) is None


def test_a_disabled_account_has_none(run: Run, token: str) -> None:
    def work(connection: Connection) -> None:
        account = Accounts(connection).by_name("jane")
        assert account is not None
        Accounts(connection).change(account.account_id, is_disabled=True)

    run(work)
    assert find(run, token, NOW) is None


def test_one_that_a_disabled_account_has_all_the_same_lets_nobody_in(run: Run) -> None:
    def work(connection: Connection) -> str:
        number = Accounts(connection).add("sam", Role.OPERATOR, NOW, is_disabled=True)
        return Sessions(connection).begin(number, NOW, is_complete=True)

    assert find(run, run(work), NOW) is None
