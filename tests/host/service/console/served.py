"""The console on a real socket, for tests with a real browser. Import its fixture: `served`."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest
import uvicorn
from playwright.async_api import Page
from sqlalchemy.engine import Connection

from host_tools.service.access import Role
from host_tools.service.accounts import Accounts
from host_tools.service.api import create_app
from host_tools.service.passwords import Passwords
from host_tools.service.serve import listen
from host_tools.service.sessions import Sessions
from host_tools.service.settings import Settings
from host_tools.service.store import run_once
from tests.host.service.conftest import LINE
from tests.host.service.console.conftest import CHEAP, Clock, new_settings

Answer = TypeVar("Answer")


@dataclass
class Served:
    """A console that is served."""

    address: str
    database_url: str
    clock: Clock

    def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """What `work` writes to the store; it may append to the audit log."""
        return run_once(self.database_url, work, prepares=False)

    async def sign_in(self, page: Page, role: Role, line: str = LINE) -> None:
        """Makes the page's browser that of somebody in this role."""
        now = self.clock.now
        own_line = line if role is Role.HOUSEHOLD else None

        def work(connection: Connection) -> str:
            account_id = Accounts(connection).add(role.value, role, now, line=own_line)
            return Sessions(connection).begin(account_id, now, is_complete=True)

        token = self.write(work)
        await page.context.add_cookies([{"name": "star57-session", "value": token, "url": self.address}])


@pytest.fixture
def served(prepared_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The console on SQLite, served in a thread; the operator's clocks are New York's."""
    url = f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path)}"
    with serving(new_settings(url, tmp_path, monkeypatch, time_zone="America/New_York")) as console:
        yield console


@contextmanager
def serving(settings: Settings) -> Iterator[Served]:
    """The service with these settings, served in a thread on any free port."""
    clock = Clock()
    settings = settings.model_copy(update={"port": 0})
    listener = listen(settings)
    app = create_app(settings, clock)
    app.state.people = replace(app.state.people, passwords=Passwords(CHEAP))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        assert server.started
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", settings.database, clock)
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


async def fits(page: Page) -> bool:
    """Whether nothing of the page lies beside the screen: only tables move sideways, each in its own frame."""
    fits: bool = await page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return fits
