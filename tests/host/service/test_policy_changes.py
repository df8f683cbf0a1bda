"""Changes of lines and areas are in the audit log, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service.lines import AreaPolicy, Areas, LinePolicy, Lines, UnknownAdapter
from host_tools.service.policy_changes import remove_area, set_area, set_line
from host_tools.service.store import run_once
from host_tools.service.tables import AUDIT
from tests.host.service.conftest import CALLED_AT, LINE

AREA = AreaPolicy(prefix="555", name="Town", is_offered=False, monthly_cap_cents=2000)


def audited(connection: Connection) -> list[tuple[str, str, str, dict[str, object]]]:
    """Actor, action, subject and details of each row of the audit log."""
    rows = connection.execute(select(AUDIT).order_by(AUDIT.c.sequence))
    return [(row.actor, row.action, row.subject, json.loads(row.details)) for row in rows]


def test_every_change_is_written_down(database_url: str) -> None:
    def work(connection: Connection) -> None:
        set_line(connection, LinePolicy(line=LINE, price_cents=300), actor="alex", at=CALLED_AT)
        set_area(connection, AREA, actor="alex", at=CALLED_AT)
        assert remove_area(connection, "555", actor="command", at=CALLED_AT)
        assert not remove_area(connection, "555", actor="command", at=CALLED_AT)
        assert Areas(connection).all() == []
        assert audited(connection) == [
            (
                "alex",
                "line.changed",
                LINE,
                {"adapter_id": None, "is_offered": None, "price_cents": 300, "monthly_cap_cents": None},
            ),
            (
                "alex",
                "area.changed",
                "555",
                {"name": "Town", "is_offered": False, "price_cents": None, "monthly_cap_cents": 2000},
            ),
            ("command", "area.removed", "555", {}),
        ]

    run_once(database_url, work)


def test_what_is_refused_is_not_written_down(database_url: str) -> None:
    def work(connection: Connection) -> None:
        policy = LinePolicy(line=LINE, adapter_id="adapter-9")
        with pytest.raises(UnknownAdapter):
            set_line(connection, policy, actor="alex", at=CALLED_AT)
        assert audited(connection) == []
        assert Lines(connection).page() == []

    run_once(database_url, work)
