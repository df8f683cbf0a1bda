"""The console over a real store, on SQLite and PostgreSQL, with a clock that a test sets and browsers of every role."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service import csrf
from host_tools.service.access import Role
from host_tools.service.accounts import Account, Accounts
from host_tools.service.api import create_app
from host_tools.service.passwords import Passwords
from host_tools.service.people import People
from host_tools.service.sessions import Sessions
from host_tools.service.settings import Settings
from host_tools.service.tables import AUDIT
from tests.host.service.conftest import CALLED_AT, LINE

Answer = TypeVar("Answer")
ADDRESS = "http://console.test"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that live as long as a test
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""As argon2id is, at a thousandth of its price."""


@dataclass
class Clock:
    """The service's clock."""

    now: float = CALLED_AT + 3600.0

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now


@dataclass
class Browser:
    """Somebody's browser, or a program's client: httpx, and the token that a page's form would have."""

    client: httpx.AsyncClient
    people: People

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Opens a page; a redirection is answered, not followed."""
        return await self.client.get(path, **options)

    async def post(self, path: str, /, **fields: Any) -> httpx.Response:
        """Sends a form of the page, with its token; a list is a field that is given several times."""
        return await self.client.post(path, data={csrf.FIELD: self.token(), **fields})

    def token(self) -> str:
        """The token that a form has for this browser's cookie."""
        cookies = self.client.cookies
        cookie = cookies.get("star57-session") or cookies.get("star57-visitor") or ""
        return csrf.token(self.people.secret, cookie)


@dataclass
class Console:
    """The console as it runs."""

    app: FastAPI
    clock: Clock
    settings: Settings
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def people(self) -> People:
        """What the service has for people."""
        people: People = self.app.state.people
        return people

    def browser(self, address: str = ADDRESS, **options: Any) -> Browser:
        """A browser that nobody has signed in with."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=address, **options)
        self.clients.append(client)
        return Browser(client, self.people)

    async def read(self, work: Callable[[Connection], Answer]) -> Answer:
        """What `work` reads of the store."""
        answer: Answer = await self.app.state.store.read(work)
        return answer

    async def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """What `work` writes to the store; it may append to the audit log."""
        answer: Answer = await self.app.state.store.write_audited(work)
        return answer

    async def add(
        self, role: Role, *, name: str | None = None, line: str | None = LINE, **values: Any
    ) -> Account:
        """Adds an account with PASSWORD; only a household gets the line."""
        name = name or f"{role.value}-{next(self.numbers)}"
        values = {"password_hash": self.people.passwords.hash(PASSWORD), **values}
        own_line = line if role == Role.HOUSEHOLD else None

        def work(connection: Connection) -> Account:
            accounts = Accounts(connection)
            account = accounts.by_id(accounts.add(name, role, self.clock.now, line=own_line, **values))
            assert account is not None
            return account

        return await self.write(work)

    async def sign_in(self, role: Role, **values: Any) -> Browser:
        """The browser of somebody new in this role, who is signed in; `values` as of `add`."""
        account = await self.add(role, **values)
        return await self.sign_in_as(account)

    async def sign_in_as(self, account: Account, *, is_complete: bool = True) -> Browser:
        """Another browser, with which somebody is signed in."""
        token = await self.write(
            lambda connection: Sessions(connection).begin(
                account.account_id, self.clock.now, is_complete=is_complete
            )
        )
        browser = self.browser()
        browser.client.cookies.set("star57-session", token, "console.test")
        return browser

    async def audit(self, action: str | None = None) -> list[Any]:
        """The rows of the audit log, oldest first; of one action when it is given."""
        rows = await self.read(
            lambda connection: connection.execute(select(AUDIT).order_by(AUDIT.c.sequence)).all()
        )
        return [row for row in rows if action in (None, row.action)]


@pytest.fixture
def clock() -> Clock:
    """The service's clock."""
    return Clock()


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the console under test; a test file may have its own fixture of this name."""
    return new_settings(database_url, tmp_path, monkeypatch)


def new_settings(database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **chosen: Any) -> Settings:
    """Settings whose limits nobody reaches, and whose files lie in `folder`."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STAR57_{name.upper()}", raising=False)
    defaults = {
        "centre_public_key": "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "database": database_url,
        "secret": folder / "secret",
        "origin_keys": folder / "origins",
        "sign_ins_per_address_min": 100_000,
        "sign_ins_per_name_min": 100_000,
        "requests_per_person_min": 100_000,
    }
    return Settings(**{**defaults, **chosen})


@pytest_asyncio.fixture
async def console(settings: Settings, clock: Clock) -> AsyncIterator[Console]:
    """The console, on each kind of database."""
    async with running(settings, clock) as console:
        yield console


@asynccontextmanager
async def running(settings: Settings, clock: Clock) -> AsyncIterator[Console]:
    """A console with these settings; several may share a database."""
    app = create_app(settings, clock)
    app.state.people = replace(app.state.people, passwords=Passwords(CHEAP))
    console = Console(app, clock, settings)
    async with app.router.lifespan_context(app):
        yield console
        for client in console.clients:
            await client.aclose()


@pytest.fixture
def sign_in(console: Console) -> Callable[..., Any]:
    """`await sign_in(role)`: the browser of somebody in this role."""
    return console.sign_in


def hidden(response: httpx.Response, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', response.text)
    assert found, f"there is no field {name}"
    return found[1]
