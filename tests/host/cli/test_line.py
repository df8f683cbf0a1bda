"""`star57 line` as an operator types it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Connection
from typer.testing import CliRunner, Result

from host_tools.cli.line.main import line
from host_tools.service.adapters import Adapters
from host_tools.service.lines import LinePolicy, Lines
from host_tools.service.store import run_once
from host_tools.service.tables import AUDIT
from tests.host.service.conftest import LINE

Command = Callable[..., Result]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused before the database is asked."""


@pytest.fixture
def star57_line(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `star57 line` on a database that knows adapter-1."""
    monkeypatch.setenv("STAR57_DATABASE", database_url)
    run_once(database_url, lambda connection: Adapters(connection).add("adapter-1", bytes(32)))
    return lambda *words: CliRunner().invoke(line, words)


def kept(database_url: str) -> LinePolicy | None:
    return run_once(database_url, lambda connection: Lines(connection).find(LINE))


def test_what_is_not_named_stays(star57_line: Command, database_url: str) -> None:
    assert (
        star57_line("set", LINE, "--adapter", "adapter-1", "--price", "3.00").stdout
        == f"line {LINE} is set\n"
    )
    star57_line("set", LINE, "--offered", "no", "--cap", "$20")
    assert kept(database_url) == LinePolicy(
        line=LINE, adapter_id="adapter-1", is_offered=False, price_cents=300, monthly_cap_cents=2000
    )
    star57_line("set", LINE, "--offered", "yes", "--price", "default")
    assert kept(database_url) == LinePolicy(
        line=LINE, adapter_id="adapter-1", is_offered=True, monthly_cap_cents=2000
    )
    assert (
        star57_line("set", LINE, "--adapter", "default", "--offered", "default", "--cap", "default").exit_code
        == 0
    )
    assert kept(database_url) is None


def test_the_list_has_every_line(star57_line: Command, database_url: str) -> None:
    def fill(connection: Connection) -> None:
        for last in range(150):
            Lines(connection).put(LinePolicy(line=f"5555550{last:03}", price_cents=250))

    run_once(database_url, fill)
    star57_line("set", "5555550000", "--adapter", "adapter-1", "--offered", "no", "--cap", "20")
    shown = [row.split() for row in star57_line("list").stdout.splitlines()[1:]]
    assert len(shown) == 150
    assert shown[0] == ["5555550000", "adapter-1", "no", "$2.50", "$20.00"]
    assert shown[149] == ["5555550149", "default", "default", "$2.50", "default"]


def test_a_change_is_in_the_audit_log(star57_line: Command, database_url: str) -> None:
    star57_line("set", LINE, "--price", "3")
    rows = run_once(
        database_url,
        lambda connection: connection.execute(select(AUDIT.c.actor, AUDIT.c.action, AUDIT.c.subject)).all(),
    )
    assert [tuple(row) for row in rows] == [("command", "line.changed", LINE)]


@on_sqlite
@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (
            [LINE, "--adapter", "adapter-9"],
            1,
            "there is no adapter adapter-9: make it known with star57 adapter add",
        ),
        (
            [LINE, "--adapter", "a b"],
            2,
            "--adapter is an ID, 1 to 32 letters, digits and hyphens, or default",
        ),
        ([LINE, "--price", "10.01"], 2, "--price is $10.00 at most"),
        ([LINE, "--price", "5,00"], 2, "--price is dollars, such as 5.00, or default"),
        ([LINE, "--cap", "10000.01"], 2, "--cap is $10000.00 at most"),
        ([LINE, "--offered", "maybe"], 2, "--offered is yes, no or default"),
        (["+15555550100", "--price", "5"], 2, "a line has 1 to 15 digits"),
        (["5" * 16], 2, "a line has 1 to 15 digits"),
    ],
)
def test_a_wrong_value_changes_nothing(
    star57_line: Command, database_url: str, words: list[str], status: int, sentence: str
) -> None:
    result = star57_line("set", *words)
    assert (result.exit_code, result.stderr) == (status, f"star57 line: {sentence}\n")
    assert run_once(database_url, lambda connection: Lines(connection).page()) == []
