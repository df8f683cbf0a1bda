"""Back-up and restore: all that was there is there again, proven, and the service goes on."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select
from sqlalchemy.engine import Connection
from typer.testing import CliRunner, Result

from host_tools.cli.store.main import store
from host_tools.service.audit import verify
from host_tools.service.audit.export import exported
from host_tools.service.sealing import open_sealed
from host_tools.service.store import Store, run_once
from host_tools.service.tables import AUDIT, TABLES
from tests.host.postgresql import PostgreSQL
from tests.host.service.conftest import Adapter, Centre, Service, new_heartbeat, new_request

Serve = Callable[..., Service]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "service.md"
Rows = dict[str, list[tuple[Any, ...]]]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def star57_store(*words: object) -> Result:
    return CliRunner().invoke(store, [str(word) for word in words])


def all_rows(url: str) -> Rows:
    """Every row of every table."""

    def read(connection: Connection) -> Rows:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in TABLES.sorted_tables
        }

    return run_once(url, read, prepares=False)


def is_proven(url: str) -> bool:
    """Whether the audit log of the store is, by what stands on its own."""

    async def lines() -> list[bytes]:
        opened = Store(url)
        try:
            return [line async for some in exported(opened) for line in some]
        finally:
            await opened.close()

    verification = verify.Verification()
    for line in asyncio.run(lines()):
        verification.take(line)
    return verification.report().is_proven


@contextmanager
def asking(address: str, adapter: Adapter) -> Iterator[None]:
    """Meanwhile the adapter asks for one trace after another; each is answered."""
    ends = threading.Event()
    asked: list[int] = []

    def ask() -> None:
        while not ends.is_set():
            asked.append(adapter.ask(address, new_request(adapter_id=adapter.adapter_id)).status)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()
    assert asked
    assert set(asked) == {200}


def goes_on(
    centre: Centre, adapter: Adapter, address: str, known: dict[str, Any], answer: dict[str, Any]
) -> None:
    """Asserts that the service takes what comes, knows what came before, and that the centre opens its records."""
    assert adapter.ask(address, known).message == answer
    number = max(int(row["trace_id"][2:]) for row in centre.rows() if row["trace_id"])
    assert adapter.ask(address, new_request()).message["trace_id"] == f"T-{number + 1:08}"
    assert adapter.ask(address, new_heartbeat()).status == 200
    for row in centre.rows():
        assert open_sealed(row["sealed"], centre.private_key).origin == "5555550123"
    assert is_proven(centre.url)


@on_sqlite
def test_sqlite_is_backed_up_while_the_service_runs(
    centre: Centre, adapter: Adapter, serve: Serve, tmp_path: Path
) -> None:
    address, backup = serve(centre.settings()), tmp_path / "backup.sqlite"
    known = new_request()
    answer = adapter.ask(address, known).message
    with asking(address, centre.add_adapter("adapter-2")):
        run = star57_store("backup", backup, "--database", centre.url)
    assert run.exit_code == 0, run.stderr
    assert run.stdout == f"{backup}: {backup.stat().st_size} bytes\n"
    assert backup.stat().st_mode & 0o777 == 0o600
    taken = all_rows(f"sqlite:///{backup}")
    kept = all_rows(centre.url)
    for name in taken.keys() - {"adapters", "counters", "audit"}:
        assert set(taken[name]) <= set(kept[name])
    assert taken["traces"]

    restored = replace(centre, url=f"sqlite:///{tmp_path / 'restored.sqlite'}")
    run = star57_store("restore", backup, "--database", restored.url)
    assert run.exit_code == 0, run.stderr
    after = all_rows(restored.url)
    (row,) = set(after["audit"]) - set(taken["audit"])
    assert row[AUDIT.c.keys().index("action")] == "store.restored"
    after["audit"].remove(row)
    assert after == taken
    goes_on(restored, adapter, serve(restored.settings()), known, answer)
    assert [row for row in kept["audit"] if row[AUDIT.c.keys().index("action")] == "store.backed_up"]


@on_sqlite
def test_a_backup_is_one_file_that_the_independent_verifier_reads(
    centre: Centre, adapter: Adapter, serve: Serve, tmp_path: Path
) -> None:
    adapter.ask(serve(centre.settings()), new_request())
    star57_store("backup", tmp_path / "backup.sqlite", "--database", centre.url)
    assert [path.name for path in tmp_path.glob("backup.sqlite*")] == ["backup.sqlite"]
    assert verify.main([str(tmp_path / "backup.sqlite")]) == 0


@on_sqlite
def test_what_hinders_a_backup_is_one_sentence(centre: Centre, tmp_path: Path) -> None:
    run_once(centre.url, lambda _: None)
    there = tmp_path / "there"
    there.write_text("something else")
    for words, sentence in [
        (("backup", there), f"there is {there} already: stop the service, and put it aside"),
        (
            ("backup", tmp_path / "no" / "where"),
            f"{centre.database} cannot be copied to {tmp_path}/no/where: No such",
        ),
        (("restore", there), f"there is {centre.database} already: stop the service, and put it aside"),
    ]:
        run = star57_store(*words, "--database", centre.url)
        assert (run.exit_code, run.stdout) == (1, "")
        assert run.stderr.startswith(f"star57 store: {sentence}")
    assert there.read_text() == "something else"
    run = star57_store(
        "backup", tmp_path / "new", "--database", "postgresql+asyncpg://star57:secret@host/star57"
    )
    assert run.exit_code == 2
    assert "docs/service.md" in run.stderr
    assert "secret" not in run.stderr
    run = star57_store("backup", tmp_path / "new", "--database", f"sqlite:///{tmp_path}/none")
    assert (run.exit_code, run.stderr) == (
        1,
        f"star57 store: there is no database sqlite:///{tmp_path}/none\n",
    )
    assert not list(tmp_path.glob("*.partial"))


def damaged(backup: Path) -> None:
    content = bytearray(backup.read_bytes())
    for at in range(5000, len(content), 997):
        content[at] ^= 0xFF
    backup.write_bytes(content)


def truncated(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:10000])


def no_database(backup: Path) -> None:
    backup.write_bytes(b"a letter to the editor\n" * 100)


def of_somebody_else(backup: Path) -> None:
    backup.unlink()
    with sqlite3.connect(backup) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()


def too_new(backup: Path) -> None:
    with sqlite3.connect(backup) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


@on_sqlite
@pytest.mark.parametrize("spoil", [damaged, truncated, no_database, of_somebody_else, too_new])
def test_a_backup_that_is_none_is_not_restored(
    centre: Centre, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    run_once(centre.url, lambda _: None)
    backup = tmp_path / "backup.sqlite"
    assert star57_store("backup", backup, "--database", centre.url).exit_code == 0
    spoil(backup)
    run = star57_store("restore", backup, "--database", f"sqlite:///{tmp_path / 'restored.sqlite'}")
    assert run.exit_code == 1
    assert run.stderr.startswith(f"star57 store: {backup} ")
    assert run.stderr.count("\n") == 1
    assert not list(tmp_path.glob("restored.sqlite*"))


@on_sqlite
def test_the_journal_of_another_store_is_not_taken_for_its_own(centre: Centre, tmp_path: Path) -> None:
    run_once(centre.url, lambda _: None)
    star57_store("backup", tmp_path / "backup.sqlite", "--database", centre.url)
    journal = tmp_path / "restored.sqlite-wal"
    journal.write_bytes(b"")
    run = star57_store(
        "restore", tmp_path / "backup.sqlite", "--database", f"sqlite:///{tmp_path}/restored.sqlite"
    )
    assert (run.exit_code, run.stderr) == (
        1,
        f"star57 store: there is {journal} already: stop the service, and put it aside\n",
    )


def commands_of_the_page() -> list[str]:
    """The commands that docs/service.md marks as run by a test."""
    return re.findall(r"<!-- a test runs these -->\n\n    (.+)\n", PAGE.read_text())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_by_the_commands_of_the_page(
    centre: Centre, adapter: Adapter, serve: Serve, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    name = postgresql.create_database()
    restored = replace(centre, url=postgresql.url(name))
    environment = {
        "PATH": f"{postgresql.binaries}:{os.environ['PATH']}",
        "DATABASE": plain(centre.url),
        "RESTORED": plain(restored.url),
    }

    def run(command: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")

    dump, restore = commands_of_the_page()
    address = serve(centre.settings())
    known = new_request()
    answer = adapter.ask(address, known).message
    with asking(address, centre.add_adapter("adapter-2")):
        run(dump)
    adapter.ask(address, new_request())
    run(restore)
    after, kept = all_rows(restored.url), all_rows(centre.url)
    for table in after.keys() - {"adapters", "counters"}:
        assert set(after[table]) <= set(kept[table])
    assert len(after["traces"]) >= 1
    goes_on(restored, adapter, serve(restored.settings()), known, answer)
    # With nobody at it meanwhile, all is equal.
    os.remove(tmp_path / "star57.dump")
    again = postgresql.create_database()
    before = all_rows(restored.url)
    environment.update(DATABASE=plain(restored.url), RESTORED=plain(postgresql.url(again)))
    run(dump)
    run(restore)
    assert all_rows(postgresql.url(again)) == before
    postgresql.drop_database(again)


def plain(url: str) -> str:
    """The URL as PostgreSQL's own programs take it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_the_page_has_the_commands_for_postgresql() -> None:
    assert [command.split()[0] for command in commands_of_the_page()] == ["pg_dump", "pg_restore"]
