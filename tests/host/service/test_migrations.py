"""The tables through time: an old store is taken over, and the steps make just what the program has."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Connection

from host_tools.service import migrations
from host_tools.service.adapters import Adapters
from host_tools.service.store import run_once
from host_tools.service.tables import TABLES
from host_tools.service.traces import Traces

_TRACES_OF_BEFORE = """
CREATE TABLE traces (
    request_id VARCHAR(32) NOT NULL, line VARCHAR(15) NOT NULL, call_id VARCHAR(16) NOT NULL,
    adapter_id VARCHAR(32) NOT NULL, requested_at INTEGER NOT NULL, received_at INTEGER NOT NULL,
    outcome VARCHAR(16) NOT NULL, reason VARCHAR(32), trace_id VARCHAR(10), charge_cents INTEGER NOT NULL,
    sealed BLOB NOT NULL, PRIMARY KEY ({key})
);
CREATE UNIQUE INDEX one_trace_per_call ON traces (line, call_id) WHERE outcome = 'traced';
CREATE UNIQUE INDEX one_trace_per_trace_id ON traces (trace_id) WHERE outcome = 'traced';
INSERT INTO traces VALUES ('{request}', '5555550100', '{call}', 'adapter-1', 1, 2, 'traced', NULL,
    'T-00000041', 500, X'00');
INSERT INTO traces VALUES ('{other}', '5555550100', '{call}', 'adapter-1', 1, 3, 'not_traceable', 'no_call_record',
    NULL, 0, X'00');
"""
_ADAPTERS_OF_BEFORE = """
CREATE TABLE adapters (
    adapter_id VARCHAR(32) NOT NULL PRIMARY KEY, key BLOB NOT NULL, newest_sequence INTEGER, heartbeat TEXT,
    heard_at INTEGER, settings_revision INTEGER NOT NULL, settings_values TEXT NOT NULL, prompt_name VARCHAR(32),
    prompt_sha256 VARCHAR(64), prompt_file BLOB, prompt_offset INTEGER, prompt_failures INTEGER NOT NULL,
    log_wanted INTEGER NOT NULL, log_lines TEXT NOT NULL
);
INSERT INTO adapters VALUES ('adapter-1', zeroblob(32), 9007199254740991, NULL, NULL, 3, '{}', NULL, NULL, NULL,
    NULL, 0, 1, '[]');
"""


def test_the_steps_make_the_tables_of_the_program(empty_database_url: str) -> None:
    def work(connection: Connection) -> list[object]:
        assert migrations.is_current(connection)
        migrations.upgrade(connection)
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), TABLES))

    assert run_once(empty_database_url, work) == []


@pytest.mark.parametrize("key", ["request_id", "request_id, adapter_id"])
def test_a_store_of_before_is_taken_over(tmp_path: Path, key: str) -> None:
    path = tmp_path / "star57.sqlite"
    with sqlite3.connect(path) as old:
        values = {"request": "a" * 32, "other": "b" * 32, "call": "c" * 16}
        old.executescript(_TRACES_OF_BEFORE.format(key=key, **values))
        old.executescript(_ADAPTERS_OF_BEFORE)
    old.close()
    path.chmod(0o644)

    def work(connection: Connection) -> None:
        traced = Traces(connection).by_trace_id(["T-00000041"])[0]
        assert (traced.request_id, traced.charge_cents, traced.is_actionable) == ("a" * 32, 500, False)
        assert len(Traces(connection).of_line("5555550100")) == 2
        assert Traces(connection).next_trace_ids(1) == ["T-00000042"]
        adapter = Adapters(connection).adapter("adapter-1")
        assert adapter is not None
        assert (adapter.newest_sequence, adapter.settings_revision, adapter.log_wanted) == (
            2**53 - 1,
            3,
            True,
        )

    run_once(f"sqlite:///{path}", work)
    assert path.stat().st_mode & 0o007 == 0


def test_a_store_of_before_there_were_adapters_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "star57.sqlite"
    with sqlite3.connect(path) as old:
        values = {"request": "a" * 32, "other": "b" * 32, "call": "c" * 16}
        old.executescript(_TRACES_OF_BEFORE.format(key="request_id", **values))
    old.close()
    assert run_once(f"sqlite:///{path}", lambda connection: Adapters(connection).all()) == []


def test_a_store_of_a_newer_program_is_left_alone(empty_database_url: str) -> None:
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    run_once(empty_database_url, lambda connection: connection.execute(newer))
    with pytest.raises(migrations.StoreTooNew):
        run_once(empty_database_url, lambda connection: None)
