"""What is set of lines and areas, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import event, insert
from sqlalchemy.engine import Connection

from host_tools.service.lines import (
    MAX_CAP_CENTS,
    AreaPolicy,
    Areas,
    LinePolicy,
    Lines,
    UnknownAdapter,
    rows_for,
)
from host_tools.service.store import run_once
from host_tools.service.tables import ADAPTERS
from tests.host.service.conftest import LINE

OTHER_LINE = "5555550101"


def know(connection: Connection, *adapter_ids: str) -> None:
    """Makes adapters known."""
    row: dict[str, Any] = {
        "key": bytes(32),
        "settings_revision": 0,
        "settings_values": "{}",
        "prompt_failures": 0,
        "log_wanted": False,
        "log_lines": "[]",
    }
    connection.execute(insert(ADAPTERS), [{**row, "adapter_id": each} for each in adapter_ids])


def test_an_adapter_has_several_lines_and_a_line_one_adapter(database_url: str) -> None:
    def work(connection: Connection) -> None:
        know(connection, "adapter-1", "adapter-2")
        lines = Lines(connection)
        lines.put(LinePolicy(line=LINE, adapter_id="adapter-1"))
        lines.put(LinePolicy(line=OTHER_LINE, adapter_id="adapter-1"))
        assert lines.of_adapter("adapter-1") == [LINE, OTHER_LINE]
        lines.put(LinePolicy(line=LINE, adapter_id="adapter-2"))
        assert lines.of_adapter("adapter-1") == [OTHER_LINE]
        assert lines.of_adapter("adapter-2") == [LINE]

    run_once(database_url, work)


def test_a_line_is_not_bound_to_an_adapter_that_nobody_knows(database_url: str) -> None:
    policy = LinePolicy(line=LINE, is_offered=False, price_cents=0, monthly_cap_cents=0)

    def work(connection: Connection) -> None:
        lines = Lines(connection)
        lines.put(policy)
        with pytest.raises(UnknownAdapter, match="adapter-9"):
            lines.put(LinePolicy(line=LINE, adapter_id="adapter-9"))
        assert lines.find(LINE) == policy

    run_once(database_url, work)


def test_a_line_with_nothing_of_its_own_is_kept_no_more(database_url: str) -> None:
    def work(connection: Connection) -> None:
        lines = Lines(connection)
        lines.put(LinePolicy(line=LINE, price_cents=300))
        lines.put(LinePolicy(line=LINE))
        assert lines.find(LINE) is None
        assert lines.page() == []

    run_once(database_url, work)


def test_lines_come_in_pages(database_url: str) -> None:
    numbers = [f"55555501{last:02}" for last in range(5)]

    def work(connection: Connection) -> None:
        lines = Lines(connection)
        for number in reversed(numbers):
            lines.put(LinePolicy(line=number, is_offered=True))
        assert [each.line for each in lines.page(limit=2)] == numbers[:2]
        assert [each.line for each in lines.page(numbers[1], limit=2)] == numbers[2:4]
        assert [each.line for each in lines.page(numbers[3], limit=2)] == numbers[4:]

    run_once(database_url, work)


def test_an_area_is_added_changed_and_removed(database_url: str) -> None:
    first = AreaPolicy(prefix="555", name="São Tomé", is_offered=True)
    changed = AreaPolicy(prefix="555", name="Town", is_offered=False, price_cents=250, monthly_cap_cents=1000)

    def work(connection: Connection) -> None:
        areas = Areas(connection)
        areas.put(first)
        assert areas.find("555") == first
        areas.put(changed)
        areas.put(AreaPolicy(prefix="55", name="County", is_offered=True))
        assert [area.prefix for area in areas.all()] == ["55", "555"]
        assert areas.find("555") == changed
        assert areas.remove("555")
        assert not areas.remove("555")
        assert areas.find("555") is None

    run_once(database_url, work)


def test_rows_of_many_lines_take_two_queries(database_url: str) -> None:
    numbers = [f"555555{last:04}" for last in range(2000)]
    of_line = LinePolicy(line=numbers[7], is_offered=False)
    in_it = [
        AreaPolicy(prefix=prefix, name="in it", is_offered=True) for prefix in ("5", "555555", numbers[3])
    ]
    beside = AreaPolicy(prefix="5556", name="beside", is_offered=True)

    def work(connection: Connection) -> None:
        Lines(connection).put(of_line)
        for area in (*in_it, beside):
            Areas(connection).put(area)
        statements: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *words: statements.append(words[2]))
        lines, areas = rows_for(connection, numbers)
        assert len(statements) == 2
        assert lines == {of_line.line: of_line}
        assert areas == {area.prefix: area for area in in_it}
        assert rows_for(connection, []) == ({}, {})

    run_once(database_url, work)


@pytest.mark.parametrize(
    "wrong",
    [
        {"line": ""},
        {"line": "5" * 16},
        {"line": "+15555550100"},
        {"line": "\u0665\u0665\u0665"},
        {"line": "5' OR '1'='1"},
        {"line": f"{LINE}\n"},
        {"adapter_id": "adapter 1"},
        {"adapter_id": "a" * 33},
        {"is_offered": 1},
        {"price_cents": 1001},
        {"price_cents": -1},
        {"price_cents": "500"},
        {"price_cents": True},
        {"monthly_cap_cents": MAX_CAP_CENTS + 1},
        {"monthly_cap_cents": 0.5},
        {"name": "of another table"},
    ],
)
def test_what_a_line_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LinePolicy.model_validate({"line": LINE, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"prefix": ""},
        {"prefix": "5%"},
        {"name": ""},
        {"name": " Town"},
        {"name": "Town "},
        {"name": "T" * 65},
        {"name": "To\x00wn"},
        {"name": "To\nwn"},
        {"name": "To\u202ewn"},
        {"name": "Town\u200b"},
        {"is_offered": None},
        {"price_cents": 1001},
        {"monthly_cap_cents": -1},
    ],
)
def test_what_an_area_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AreaPolicy.model_validate({"prefix": "555", "name": "Town", "is_offered": True, **wrong})


def test_a_price_is_ten_dollars_at_most_and_a_name_64_characters() -> None:
    assert LinePolicy(line=LINE, price_cents=1000).price_cents == 1000
    assert len(AreaPolicy(prefix="5" * 15, name="T" * 64, is_offered=False).name) == 64
