"""A real PostgreSQL of the tests' own, and fixtures that run a test on SQLite and on PostgreSQL alike.

    def test_it(database_url: str) -> None: ...         twice, on "sqlite" and "postgresql", with the service's tables
    def test_it(empty_database_url: str) -> None: ...   the same, without them: it takes half a second to make them
    def test_it(postgresql_url: str) -> None: ...       once, on an empty PostgreSQL database
    with PostgreSQL() as server: ...                    a server that a test may kill

The server runs from Debian's binaries in a temporary folder; it starts within a second, once in each process of the
test run. Where there are no such binaries, tests that need it are skipped. The shared server does without fsync, which
only a machine that loses its power would miss; `PostgreSQL()` has it on as it comes.

The tests of the service and its commands run on PostgreSQL with `--every-database` (`make test EVERY_DATABASE=yes`, as
.ci/run does); without it only those do of the store and its steps, of what an adapter sends, of signing in and access,
of the log's rows and triggers, of processes, replicas and back-ups, and whatever is of PostgreSQL alone.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from host_tools.service.store import Store

USER = "star57"
"""Owns each database, and may do nothing else: what the service does needs no superuser."""
_SUPERUSER = "postgres"
_STARTS_WITHIN_S = 60.0
_LOOK_AGAIN_S = 0.02


def binaries() -> Path | None:
    """The folder with the programs of the newest PostgreSQL here; None when there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


_SPARED = {Path("tests/host/service"), Path("tests/host/cli")}
_ALWAYS = {
    "test_acceptance.py",
    "test_access.py",
    "test_backup.py",
    "test_command.py",
    "test_directory.py",
    "test_door.py",
    "test_foreign_database.py",
    "test_log.py",
    "test_migrations.py",
    "test_replicas.py",
    "test_sign_in.py",
    "test_store.py",
    "test_tracing.py",
    "test_triggers.py",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --every-database."""
    words = "run all tests of the service and its commands on PostgreSQL too (five minutes more)"
    parser.addoption("--every-database", action="store_true", help=words)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what only --every-database runs."""
    if config.getoption("--every-database"):
        return
    left_out = [item for item in items if _is_for_every_database(item, config.rootpath)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _is_for_every_database(item: pytest.Item, root: Path) -> bool:
    file = item.path.relative_to(root)
    is_spared = bool(_SPARED & set(file.parents)) and file.name not in _ALWAYS
    return is_spared and "postgresql" in _databases(item)


def _databases(item: pytest.Item) -> list[str]:
    """What the item's rows say of databases: those among their parameters that are texts."""
    rows = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return [value for value in rows.values() if isinstance(value, str)]


class PostgreSQLFailed(Exception):
    """PostgreSQL has not started; the text is the end of what it wrote."""


class PostgreSQL:
    """A PostgreSQL server on a free port of 127.0.0.1, from entry to exit; its folder goes with it.

    Raises:
        PostgreSQLFailed: at entry, when it does not start.
    """

    def __init__(self, options: Sequence[str] = ()) -> None:
        self._options = options
        found = binaries()
        if found is None:
            raise PostgreSQLFailed("there is no PostgreSQL here: apt install postgresql")
        self.binaries = found
        # Not pytest's own folder: that is closed to the user that PostgreSQL runs as.
        self._folder = Path(tempfile.mkdtemp(prefix="star57-postgresql-"))
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._port_holder = _bound_socket()
        self._port: int = self._port_holder.getsockname()[1]

    def __enter__(self) -> Self:
        try:
            self._initialise()
            self.start()
            self._run("psql", "--quiet", f"--command=CREATE ROLE {USER} LOGIN PASSWORD '{self._password}'")
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def environment(self) -> dict[str, str]:
        """What PostgreSQL's own programs (psql, pg_dump) need in their environment, to be the superuser."""
        return {
            "PGHOST": str(self._folder),
            "PGPORT": str(self._port),
            "PGUSER": _SUPERUSER,
            "PGPASSWORD": self._password,
        }

    def url(self, database: str) -> str:
        """The URL of a database, as the service's settings take it."""
        return f"postgresql+asyncpg://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def create_database(self, template: str = "template1") -> str:
        """Makes a database that USER owns, empty or with what `template` has; answers its name."""
        name = f"test_{secrets.token_hex(8)}"
        self._run("createdb", f"--owner={USER}", f"--template={template}", name)
        return name

    def drop_database(self, name: str) -> None:
        """Removes a database, and ends whatever is still connected to it."""
        self._run("dropdb", "--force", name)

    def start(self) -> None:
        """Starts the server; returns when it takes connections."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                # A test run that is killed leaves no server behind.
                ["/usr/bin/setpriv", "--pdeathsig=INT", *self._server_command()],
                cwd=self._folder,
                user=_owner(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        give_up_at = time.monotonic() + _STARTS_WITHIN_S
        while not self._takes_connections():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise PostgreSQLFailed((self._folder / "log").read_text()[-2000:])
            time.sleep(_LOOK_AGAIN_S)

    def kill(self) -> None:
        """Ends the server at once, with whatever it was about to do; the next start recovers what was committed."""
        if self._process is not None:
            # Not SIGKILL, which leaves shared memory behind: this stops as abruptly ("immediate shutdown").
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def _initialise(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        owner = _owner()
        if owner is not None:
            shutil.chown(self._folder, owner)
            shutil.chown(password_file, owner)
        subprocess.run(
            [
                self.binaries / "initdb",
                f"--pgdata={self._folder / 'data'}",
                f"--username={_SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            cwd=self._folder,
            user=owner,
            check=True,
            capture_output=True,
        )

    def _server_command(self) -> list[str]:
        return [
            str(self.binaries / "postgres"),
            "-D",
            str(self._folder / "data"),
            f"--port={self._port}",
            "--listen_addresses=127.0.0.1",
            f"--unix_socket_directories={self._folder}",
            *self._options,
        ]

    def _takes_connections(self) -> bool:
        command = [str(self.binaries / "pg_isready"), "--quiet"]
        return subprocess.run(command, env=self.environment, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.binaries / program, *arguments],
            env={**os.environ, **self.environment},
            check=True,
            capture_output=True,
        )

    def _close(self) -> None:
        self.kill()
        self._port_holder.close()
        shutil.rmtree(self._folder)


def _owner() -> str | None:
    """Who runs PostgreSQL, which refuses root: the user of Debian's package for root, else whoever runs the tests."""
    return _SUPERUSER if os.geteuid() == 0 else None


def _bound_socket() -> socket.socket:
    """A socket that holds a free port: with SO_REUSEADDR on both, PostgreSQL may listen there, and nobody else."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server for all tests of this process: none may kill it."""
    if binaries() is None:
        pytest.skip("there is no PostgreSQL here: apt install postgresql")
    with PostgreSQL(options=("-c", "fsync=off")) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL."""
    name = postgresql.create_database()
    yield postgresql.url(name)
    postgresql.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on SQLite and on PostgreSQL in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'star57.sqlite'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the service's tables, to be copied."""
    path = tmp_path_factory.mktemp("prepared") / "star57.sqlite"
    prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def prepared_postgresql(postgresql: PostgreSQL) -> str:
    """The name of a PostgreSQL database with the service's tables, to be copied."""
    name = postgresql.create_database()
    prepare(postgresql.url(name))
    return name


def prepare(url: str) -> None:
    """Makes the service's tables."""

    async def make() -> None:
        store = Store(url)
        await store.prepare()
        await store.close()

    asyncio.run(make())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with the service's tables, as it makes them, on SQLite and on PostgreSQL in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('prepared_sqlite'), tmp_path)}"
        return
    template: str = request.getfixturevalue("prepared_postgresql")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.create_database(template)
    yield server.url(name)
    server.drop_database(name)
