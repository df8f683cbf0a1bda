"""`star57 area` as an operator types it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from host_tools.cli.area.main import area
from host_tools.service.lines import AreaPolicy, Areas
from host_tools.service.store import run_once
from host_tools.service.tables import AUDIT

Command = Callable[..., Result]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused before the database is asked."""


@pytest.fixture
def star57_area(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `star57 area` on a database."""
    monkeypatch.setenv("STAR57_DATABASE", database_url)
    run_once(database_url, lambda connection: None)
    return lambda *words: CliRunner().invoke(area, words)


def kept(database_url: str) -> list[AreaPolicy]:
    return run_once(database_url, lambda connection: Areas(connection).all())


def test_what_is_not_named_stays(star57_area: Command, database_url: str) -> None:
    assert star57_area("set", "555", "--price", "3.00").stdout == "area 555 is set\n"
    star57_area("set", "555", "--name", "Town", "--offered", "no", "--cap", "20")
    assert kept(database_url) == [
        AreaPolicy(prefix="555", name="Town", is_offered=False, price_cents=300, monthly_cap_cents=2000)
    ]
    star57_area("set", "555", "--price", "default")
    assert kept(database_url)[0].price_cents is None


def test_areas_are_listed_and_removed(star57_area: Command) -> None:
    star57_area("set", "55", "--offered", "no")
    star57_area("set", "555", "--name", "[bold]Town", "--price", "3", "--cap", "0")
    assert [row.split() for row in star57_area("list").stdout.splitlines()[1:]] == [
        ["55", "55", "no", "default", "default"],
        ["555", "[bold]Town", "yes", "$3.00", "$0.00"],
    ]
    assert star57_area("remove", "55").stdout == "area 55 is removed\n"
    again = star57_area("remove", "55")
    assert (again.exit_code, again.stderr) == (1, "star57 area: there is no area 55\n")


def test_changes_are_in_the_audit_log(star57_area: Command, database_url: str) -> None:
    star57_area("set", "555", "--price", "3")
    star57_area("remove", "555")
    rows = run_once(
        database_url,
        lambda connection: connection.execute(select(AUDIT.c.actor, AUDIT.c.action, AUDIT.c.subject)).all(),
    )
    assert [tuple(row) for row in rows] == [
        ("command", "area.changed", "555"),
        ("command", "area.removed", "555"),
    ]


@on_sqlite
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["555", "--offered", "default"], "--offered is yes or no"),
        (["555", "--price", "11"], "--price is $10.00 at most"),
        (["555", "--cap", "x"], "--cap is dollars, such as 5.00, or default"),
        (["555", "--name", ""], "--name is 1 to 64 characters that can be seen"),
        (["555", "--name", "a\x1b[2J"], "--name is 1 to 64 characters that can be seen"),
        (["5%"], "a prefix has 1 to 15 digits"),
    ],
)
def test_a_wrong_value_changes_nothing(
    star57_area: Command, database_url: str, words: list[str], sentence: str
) -> None:
    result = star57_area("set", *words)
    assert (result.exit_code, result.stderr) == (2, f"star57 area: {sentence}\n")
    assert kept(database_url) == []
